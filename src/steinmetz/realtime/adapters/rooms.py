"""Who is in which room of one process. Most rooms hold one person (trap T24): such a room is only an id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic

from steinmetz.realtime.adapters.base import Member


class Rooms(Generic[Member]):
    """Bound: one entry a membership. ``members`` are all members by id, kept up to date by whoever owns them; a
    member leaves its rooms before or after it leaves ``members``, but within one call."""

    __slots__ = ("_members", "_rooms")

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members
        self._rooms: dict[str, str | dict[str, Member]] = {}

    def __contains__(self, room: str) -> bool:
        return room in self._rooms

    def __iter__(self) -> Iterator[str]:
        return iter(self._rooms)

    def put(self, room: str, sid: str) -> None:
        """A member enters ``room``."""
        inside = self._rooms.get(room)
        if inside is None:
            self._rooms[room] = sid
        elif isinstance(inside, dict):
            inside[sid] = self._members[sid]
        elif inside != sid:
            self._rooms[room] = {inside: self._members[inside], sid: self._members[sid]}

    def take(self, room: str, sid: str) -> None:
        """It leaves; with its last member a room ends. Raises `KeyError` for one who is not inside."""
        inside = self._rooms[room]
        if isinstance(inside, dict):
            del inside[sid]
        elif inside != sid:
            raise KeyError(sid)
        if isinstance(inside, str) or not inside:
            del self._rooms[room]

    def inside(self, room: str) -> Mapping[str, Member]:
        """The members of ``room`` by id, in the order they came; to be read, at once."""
        inside = self._rooms.get(room)
        if inside is None:
            return {}
        return {inside: self._members[inside]} if isinstance(inside, str) else inside
