"""Rooms that are new to this node: from when on what is said in them is heard here for certain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from steinmetz.realtime.adapters.base import Member
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.placed import PlacedAdapter
from steinmetz.realtime.recovery.base import SharedLog


class Settling(Generic[Member]):
    """Bound: one entry a membership, past or present, in a room that was not heard for certain yet; those of a
    member end with it."""

    def __init__(
        self, node: Node, log: SharedLog, here: PlacedAdapter[Member], channel: Callable[[str], str]
    ) -> None:
        self._node = node
        self._log = log
        self._here = here
        self._channel = channel
        self._rooms: dict[str, set[str]] = {}
        self._members: dict[str, set[str]] = {}
        """The same the other way: by member, the rooms."""
        self._is_running = False

    def __len__(self) -> int:
        return len(self._rooms)

    def begin(self, sid: str, room: str) -> None:
        """``sid`` has joined ``room``, whose channel is not heard for certain yet."""
        self._here.unsettle(sid)
        self._rooms.setdefault(room, set()).add(sid)
        self._members.setdefault(sid, set()).add(room)
        self.run()

    def forget(self, sid: str) -> None:
        """The member has left: through a long outage many come and go."""
        for room in self._members.pop(sid, ()):
            self._rooms[room].discard(sid)
            if not self._rooms[room]:
                del self._rooms[room]

    def run(self) -> None:
        """Go on, now that the bus is there."""
        if self._rooms and not self._is_running and self._node.is_reachable:
            self._is_running = self._node.spawn("settle", self._run())

    async def _run(self) -> None:
        try:
            while self._rooms:
                waited_for = {room: frozenset(members) for room, members in self._rooms.items()}
                await self._node.settle([self._channel(room) for room in waited_for if self._here.has_room(room)])
                heard = {room for room in waited_for if self._is_heard(room)}
                position = await self._log.position()
                # One that was left and joined anew meanwhile is waited for once more.
                self._settled({room: waited_for[room] for room in heard if self._is_heard(room)}, position)
        except OSError:
            """`run` is called again when the bus is back, and once in a while."""
        finally:
            self._is_running = False

    def _is_heard(self, room: str) -> bool:
        """Or nobody is there any more who would hear it."""
        return not self._here.has_room(room) or self._node.hears(self._channel(room))

    def _settled(self, rooms: dict[str, frozenset[str]], position: int) -> None:
        by_member: dict[str, list[str]] = {}
        for room, members in rooms.items():
            for sid in members & self._rooms.get(room, frozenset()):
                by_member.setdefault(sid, []).append(room)
        for sid, joined in by_member.items():
            left = self._members[sid].difference(joined)
            self.forget(sid)
            for room in left:
                self._rooms.setdefault(room, set()).add(sid)
            if left:
                self._members[sid] = left
            self._here.settle(sid, joined, position, wholly=not left)
