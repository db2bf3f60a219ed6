"""The adapter of a single process: rooms mapped both ways, so that leaving costs the member's own rooms only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol

import structlog

from steinmetz.realtime.adapters.base import (
    EVERYBODY,
    Flags,
    Local,
    Member,
    Member_contra,
    Selection,
    is_recoverable,
)
from steinmetz.realtime.adapters.rooms import Rooms
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.recovery.memory import MemoryLog
from steinmetz.realtime.socketio.gathering import Gathering
from steinmetz.realtime.socketio.recovery import Entry, History, Kind, shield

log = structlog.get_logger("steinmetz.realtime")

_NO_ROOMS: dict[str, int] = {}
MAX_LEFT = 64
"""Rooms left by one member of which is known when; a replay from before the oldest of more is not whole."""


class Watcher(Protocol[Member_contra]):
    """Whoever wants to know who is in which room of this process."""

    def joined(self, member: Member_contra, room: str) -> None: ...

    def left(self, member: Member_contra, room: str) -> None: ...


class MemoryAdapter(Generic[Member]):
    """Bound: one entry a member and one a membership, and up to `MAX_LEFT` of a member that leaves rooms.

    The members of a room are kept as a dict for changes and, once asked for, as a tuple for broadcasts; the tuple
    lives until the next join or leave of that room. With a ``log`` every emission that may be recovered gets its
    position there, and its offset.
    """

    def __init__(
        self,
        local: Local[Member],
        log: MemoryLog | None = None,
        is_awaited: Callable[[str], bool] | None = None,
    ) -> None:
        """``is_awaited``: whether somebody who is away will want to know what was said in a room."""
        self._local = local
        self._log = log
        self._is_awaited = is_awaited
        self._members: dict[str, Member] = {}
        self._rooms = Rooms(self._members)
        self._rooms_of: dict[str, dict[str, int]] = {}
        self._left: dict[str, History] = {}
        self._tuples: dict[str | None, tuple[Member, ...]] = {}
        self.watchers: list[Watcher[Member]] = []
        """They are told of every member that enters or leaves a room."""
        self.on_change: Callable[[str], None] | None = None
        """Told the id of a member whose rooms have become others."""

    @property
    def is_recording(self) -> bool:
        return self._log is not None

    @property
    def position(self) -> int:
        return 0 if self._log is None else self._log.newest

    @property
    def disorder(self) -> int:
        return 0

    def told_behind(self, position: int) -> Sequence[Entry] | None:
        return None if self.position > position else ()

    def add(self, sid: str, member: Member) -> None:
        self._members[sid] = member
        self._tuples.pop(None, None)

    def remove(self, sid: str) -> None:
        member = self._members.pop(sid, None)
        if member is None:
            return
        self._tuples.pop(None, None)
        self._left.pop(sid, None)
        for room in self._rooms_of.pop(sid, ()):
            self._take_out(sid, room, member)

    def join(self, sid: str, room: str) -> None:
        self._join(sid, room, self.position)

    def _join(self, sid: str, room: str, position: int) -> None:
        member = self._members.get(sid)
        if member is None or room == sid:
            return
        rooms = self._rooms_of.setdefault(sid, {})
        if room not in rooms:
            rooms[room] = position
            self._rooms.put(room, sid)
            self._tuples.pop(room, None)
            for watcher in self.watchers:
                _tell(watcher.joined, member, room)
            if self.on_change is not None:
                self.on_change(sid)

    def leave(self, sid: str, room: str) -> None:
        rooms = self._rooms_of.get(sid)
        if rooms is None or room not in rooms:
            return
        joined = rooms.pop(room)
        if not rooms:
            del self._rooms_of[sid]
        if self.is_recording:
            self._remember_left(sid, room, joined)
        self._take_out(sid, room, self._members[sid])
        if self.on_change is not None:
            self.on_change(sid)

    def _remember_left(self, sid: str, room: str, joined: int) -> None:
        """What was said in the room may not have arrived yet; what is stale has."""
        known = self._left.get(sid) or History()
        stale = 0 if self._log is None else self._log.stale
        left = [span for span in known.left if span[2] > stale]
        left.append((room, joined, self.position))
        whole_from = known.whole_from
        if len(left) > MAX_LEFT:
            whole_from = left.pop(0)[2]
        self._left[sid] = History({}, left, whole_from)

    def _take_out(self, sid: str, room: str, member: Member) -> None:
        self._rooms.take(room, sid)
        self._tuples.pop(room, None)
        for watcher in self.watchers:
            _tell(watcher.left, member, room)

    def rooms_of(self, sid: str) -> Collection[str]:
        return self._rooms_of.get(sid, _NO_ROOMS).keys()

    def history(self, sid: str) -> History:
        left = self._left.get(sid)
        rooms = dict(self._rooms_of.get(sid, _NO_ROOMS))
        return History(rooms) if left is None else History(rooms, left.left, left.whole_from)

    def restore(self, sid: str, history: History) -> None:
        for room, position in history.rooms.items():
            self._join(sid, room, position)
        if history.left or history.whole_from:
            self._left[sid] = History({}, history.left, history.whole_from)

    def rooms(self) -> Iterable[str]:
        return iter(self._rooms)

    def has_members(self, room: str, *, here: bool = False) -> bool:
        return room in self._rooms or room in self._members or self.is_awaited(room)

    def is_awaited(self, room: str) -> bool:
        """Whether somebody who is away will want to know what was said in ``room``."""
        return self._is_awaited is not None and self._is_awaited(room)

    def has_member(self, sid: str) -> bool:
        return sid in self._members

    def has_room(self, room: str) -> bool:
        """Whether anybody has joined ``room``."""
        return room in self._rooms

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        log = self._log
        if log is None:
            position = None
        elif is_recoverable(flags):
            entry = log.append(Kind.EMIT, selection.rooms, selection.except_rooms, outgoing.packets)
            position, outgoing = entry.position, Outgoing(*entry.packets)
        else:
            position = None
            outgoing = shield(outgoing)
        members = self.select(selection)
        if members:
            self._local.deliver(members, outgoing, flags, position)

    def broadcast_with_ack(
        self, selection: Selection, outgoing: Outgoing, flags: Flags, gathering: Gathering
    ) -> None:
        self._local.ask(self.select(selection), outgoing, flags, gathering)
        gathering.check()

    def server_side_emit(self, event: str, args: Sequence[Any]) -> None:
        """There is no other server."""

    async def server_side_emit_with_ack(self, event: str, args: Sequence[Any], timeout_s: float) -> list[Any]:
        return []

    async def fetch(self, selection: Selection) -> Sequence[Member]:
        return self.select(selection)

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self._record(Kind.JOIN, selection, rooms)
        for sid in self.ids(selection):
            for room in rooms:
                self.join(sid, room)

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self._local.note_removal()
        chosen = self.ids(selection)
        self._record(Kind.LEAVE, selection, rooms)
        for sid in chosen:
            for room in rooms:
                self.leave(sid, room)

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        self._local.note_removal()
        self._record(Kind.DISCONNECT, selection)
        self._local.drop(self.select(selection), close=close)

    def _record(self, kind: Kind, selection: Selection, rooms: Collection[str] = ()) -> None:
        """Who is away is meant, too."""
        if self._log is not None:
            self._log.append(kind, selection.rooms, selection.except_rooms, targets=tuple(rooms))

    async def let_go(self, sid: str) -> bool:
        return True

    async def listen(self, rooms: Collection[str]) -> None:
        pass

    def catch_up(self, sid: str) -> None:
        """Everything has been said already."""

    def close(self) -> None:
        """Nothing is kept outside of this object."""

    def select(self, selection: Selection) -> tuple[Member, ...]:
        """The selected members, each once; a snapshot that later joins and leaves do not change."""
        if not selection.except_rooms and len(selection.rooms) <= 1:
            return self._room(next(iter(selection.rooms), None))
        return tuple([self._members[sid] for sid in self.ids(selection)])

    def _room(self, room: str | None) -> tuple[Member, ...]:
        known = self._tuples.get(room)
        if known is not None:
            return known
        chosen = tuple(self._in(room).values())
        if room is None or (room in self._rooms and room not in self._members):
            self._tuples[room] = chosen
        return chosen

    def _in(self, room: str | None) -> Mapping[str, Member]:
        if room is None:
            return self._members
        members = self._rooms.inside(room)
        own = self._members.get(room)
        return members if own is None else {**members, room: own}

    def ids(self, selection: Selection) -> list[str]:
        """Of the selected members."""
        if selection == EVERYBODY:
            return list(self._members)
        rooms: Collection[str | None] = selection.rooms or (None,)
        chosen = dict.fromkeys(sid for room in rooms for sid in self._in(room))
        for room in selection.except_rooms:
            for sid in self._in(room):
                chosen.pop(sid, None)
        return list(chosen)


def _tell(change: Callable[[Member, str], None], member: Member, room: str) -> None:
    """What a watcher raises must not leave anybody half in a room."""
    try:
        change(member, room)
    except Exception as error:
        log.error("Who watches rooms has failed", error=type(error).__name__)
