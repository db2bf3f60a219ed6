"""The adapter of a single process: rooms mapped both ways, so that leaving costs the member's own rooms only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Generic

from steinmetz.realtime.adapters.base import EVERYBODY, Flags, Local, Member, Selection
from steinmetz.realtime.engineio.packet import Outgoing

_NO_ROOMS: frozenset[str] = frozenset()


class MemoryAdapter(Generic[Member]):
    """Bound: one entry a member and one a membership.

    The members of a room are kept as a set for changes and, once asked for, as a tuple for broadcasts; the tuple
    lives until the next join or leave of that room.
    """

    def __init__(self, local: Local[Member]) -> None:
        self._local = local
        self._members: dict[str, Member] = {}
        self._rooms: dict[str, dict[str, Member]] = {}
        self._rooms_of: dict[str, set[str]] = {}
        self._tuples: dict[str | None, tuple[Member, ...]] = {}

    def add(self, sid: str, member: Member) -> None:
        self._members[sid] = member
        self._tuples.pop(None, None)

    def remove(self, sid: str) -> None:
        if self._members.pop(sid, None) is None:
            return
        self._tuples.pop(None, None)
        for room in self._rooms_of.pop(sid, ()):
            self._take_out(sid, room)

    def join(self, sid: str, room: str) -> None:
        member = self._members.get(sid)
        if member is None or room == sid:
            return
        self._rooms.setdefault(room, {})[sid] = member
        self._rooms_of.setdefault(sid, set()).add(room)
        self._tuples.pop(room, None)

    def leave(self, sid: str, room: str) -> None:
        rooms = self._rooms_of.get(sid)
        if rooms is None or room not in rooms:
            return
        rooms.discard(room)
        if not rooms:
            del self._rooms_of[sid]
        self._take_out(sid, room)

    def _take_out(self, sid: str, room: str) -> None:
        members = self._rooms[room]
        del members[sid]
        self._tuples.pop(room, None)
        if not members:
            del self._rooms[room]

    def rooms_of(self, sid: str) -> Collection[str]:
        return self._rooms_of.get(sid, _NO_ROOMS)

    def rooms(self) -> Iterable[str]:
        return self._rooms.keys()

    def has_members(self, room: str) -> bool:
        return room in self._rooms or room in self._members

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        members = self.select(selection)
        if members:
            self._local.deliver(members, outgoing, flags)

    async def fetch(self, selection: Selection) -> Sequence[Member]:
        return self.select(selection)

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        for sid in self._selected_ids(selection):
            for room in rooms:
                self.join(sid, room)

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self._local.note_removal()
        for sid in self._selected_ids(selection):
            for room in rooms:
                self.leave(sid, room)

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        self._local.note_removal()
        self._local.drop(self.select(selection), close=close)

    def select(self, selection: Selection) -> tuple[Member, ...]:
        """The selected members, each once; a snapshot that later joins and leaves do not change."""
        if not selection.except_rooms and len(selection.rooms) <= 1:
            return self._room(next(iter(selection.rooms), None))
        return tuple([self._members[sid] for sid in self._selected_ids(selection)])

    def _room(self, room: str | None) -> tuple[Member, ...]:
        known = self._tuples.get(room)
        if known is not None:
            return known
        chosen = tuple(self._in(room).values())
        if room is None or (room in self._rooms and room not in self._members):
            self._tuples[room] = chosen
        return chosen

    def _in(self, room: str | None) -> dict[str, Member]:
        if room is None:
            return self._members
        members = self._rooms.get(room, {})
        own = self._members.get(room)
        return members if own is None else {**members, room: own}

    def _selected_ids(self, selection: Selection) -> list[str]:
        if selection == EVERYBODY:
            return list(self._members)
        rooms: Collection[str | None] = selection.rooms or (None,)
        chosen = dict.fromkeys(sid for room in rooms for sid in self._in(room))
        for room in selection.except_rooms:
            for sid in self._in(room):
                chosen.pop(sid, None)
        return list(chosen)
