"""Rooms that are new to this node: from when on what is said in them is heard here for certain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from steinmetz.realtime.adapters.base import Member
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.placed import PlacedAdapter
from steinmetz.realtime.recovery.base import SharedLog


class Settling(Generic[Member]):
    """Bound: one entry a membership in a room that is not heard for certain yet."""

    def __init__(
        self, node: Node, log: SharedLog, here: PlacedAdapter[Member], channel: Callable[[str], str]
    ) -> None:
        self._node = node
        self._log = log
        self._here = here
        self._channel = channel
        self._rooms: dict[str, set[str]] = {}
        self._is_running = False

    def begin(self, sid: str, room: str) -> None:
        """``sid`` has joined ``room``, whose channel is not heard for certain yet."""
        self._here.unsettle(sid)
        self._rooms.setdefault(room, set()).add(sid)
        self.run()

    def run(self) -> None:
        """Go on, now that the bus is there."""
        if self._rooms and not self._is_running and self._node.is_reachable:
            self._is_running = self._node.spawn("settle", self._run())

    async def _run(self) -> None:
        try:
            while self._rooms:
                rooms = {room: set(members) for room, members in self._rooms.items()}
                await self._node.settle([self._channel(room) for room in rooms if self._here.has_room(room)])
                position = await self._log.position()
                for room, members in rooms.items():
                    self._rooms[room] -= members
                    if not self._rooms[room]:
                        del self._rooms[room]
                self._settled(rooms, position)
        except OSError:
            """`run` is called again when the bus is back, and once in a while."""
        finally:
            self._is_running = False

    def _settled(self, rooms: dict[str, set[str]], position: int) -> None:
        waiting = set().union(*self._rooms.values())
        by_member: dict[str, list[str]] = {}
        for room, members in rooms.items():
            for sid in members:
                by_member.setdefault(sid, []).append(room)
        for sid, joined in by_member.items():
            self._here.settle(sid, joined, position, wholly=sid not in waiting)
