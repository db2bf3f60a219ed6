"""The memory of a single process: a log with an index for every room, and the sessions of those who are away."""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from itertools import takewhile
from typing import Any

from steinmetz.clock import Clock
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.recovery.base import Reading
from steinmetz.realtime.socketio.recovery import Entry, Epoch, Kind, Lane, Session, stamp

ENTRY_BYTES = 400
"""What an entry costs beside its data."""
SESSION_BYTES = 800
MAX_HOLES = 10_000
"""Rooms for which the newest lost position is known; with more, it counts for all rooms."""


class MemoryLog:
    """Bound: ``max_bytes`` of entries, and those of the last ``retention_s`` seconds; the oldest go first.

    What is older than ``retention_s`` has been heard by everybody who can still come back, so its end is no loss;
    what had to go before is a hole, and a replay across it is not whole.
    """

    def __init__(self, epoch: Epoch, clock: Clock, *, max_bytes: int, retention_s: float) -> None:
        self._epoch = epoch
        self._clock = clock
        self._max_bytes = max_bytes
        self._retention_s = retention_s
        self._entries: deque[Entry] = deque()
        self._lanes: dict[Lane, deque[Entry]] = {}
        self._marks: deque[tuple[float, int]] = deque()
        self._marked_s = self._last_s = clock.monotonic_s()
        self._stale = 0
        self._holes: dict[Lane, int] = {}
        self._hole = 0
        self.bytes = 0
        self.newest = 0
        """The position of the newest entry."""
        self.lost = 0
        """Entries that went before their time."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def epoch(self) -> Epoch:
        return self._epoch

    @property
    def stale(self) -> int:
        """Up to this position everything has been heard by whoever can still come back."""
        return self._stale

    def append(
        self,
        kind: Kind,
        rooms: Collection[str],
        except_rooms: Collection[str] = (),
        packets: tuple[Any, ...] = (),
        targets: Collection[str] = (),
    ) -> Entry:
        """Give the next position to what has happened, and keep it, an event with its offset."""
        self._age()
        self._last_s = self._clock.monotonic_s()
        position = self.newest = self.newest + 1
        if packets:
            packets = stamp(packets, self._epoch.offset(position)).packets
        entry = Entry(position, kind, tuple(rooms), tuple(except_rooms), packets, tuple(targets))
        self._entries.append(entry)
        for lane in entry.lanes:
            kept = self._lanes.get(lane)
            if kept is None:
                kept = self._lanes[lane] = deque()
            kept.append(entry)
        self.bytes += _weight(entry)
        while self.bytes > self._max_bytes and self._entries:
            self._lose()
        return entry

    def _age(self) -> None:
        """Marks, at most one a second, say which position was the newest when: what is too old, goes."""
        now_s = self._clock.monotonic_s()
        if now_s - self._marked_s >= 1.0:
            self._marked_s = now_s
            self._marks.append((self._last_s, self.newest))
        while self._marks and self._marks[0][0] <= now_s - self._retention_s:
            self._stale = self._marks.popleft()[1]
        while self._entries and self._entries[0].position <= self._stale:
            self._drop()

    def _drop(self) -> Entry:
        entry = self._entries.popleft()
        self.bytes -= _weight(entry)
        for lane in entry.lanes:
            kept = self._lanes[lane]
            kept.popleft()
            if not kept:
                del self._lanes[lane]
        return entry

    def _lose(self) -> None:
        entry = self._drop()
        self.lost += 1
        for lane in entry.lanes:
            self._holes[lane] = entry.position
        if len(self._holes) > MAX_HOLES:
            self._hole = max(self._holes.values())
            self._holes.clear()

    def tear(self) -> None:
        """Something is missing here, nobody knows what: a replay across this position is not whole."""
        self.newest += 1
        self._hole = self.newest

    async def position(self) -> int:
        return self.newest

    async def read(self, lanes: Mapping[Lane, int]) -> Reading | None:
        self._age()
        for lane, position in lanes.items():
            hole = max(self._hole, self._holes.get(lane, 0))
            if position < hole and hole > self._stale:
                return None
        return Reading(self.newest, {lane: self._behind(lane, position) for lane, position in lanes.items()})

    def _behind(self, lane: Lane, position: int) -> list[Entry]:
        """From the newest backwards: what it costs is what was missed, however much is kept."""
        newer = takewhile(lambda entry: entry.position > position, reversed(self._lanes.get(lane, ())))
        return list(newer)[::-1]


def _weight(entry: Entry) -> int:
    weight = ENTRY_BYTES
    for packet in entry.packets:
        weight += len(packet.data)
    for names in (entry.rooms, entry.except_rooms, entry.targets):
        for name in names:
            weight += len(name)
    return weight


class MemorySessions:
    """Bound: ``max_sessions`` and ``max_bytes``; the oldest go first, and each after ``duration_s`` seconds."""

    def __init__(self, clock: Clock, *, max_sessions: int, max_bytes: int, duration_s: float) -> None:
        self._clock = clock
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._duration_s = duration_s
        self._kept: dict[str, tuple[Session, float, int]] = {}
        self._rooms: Counter[str] = Counter()
        self.bytes = 0
        self.lost = 0
        """Sessions that went before their time."""

    def __len__(self) -> int:
        return len(self._kept)

    def save(self, session: Session, owner: str) -> None:
        self.forget(session.sid)
        self._expire()
        weight = SESSION_BYTES + sum(map(len, session.history.rooms)) + sum(_weigh(session.data, 4))
        self._kept[session.sid] = (session, self._clock.monotonic_s() + self._duration_s, weight)
        self.bytes += weight
        self._rooms.update(session.history.rooms.keys())
        while len(self._kept) > self._max_sessions or self.bytes > self._max_bytes:
            self.forget(next(iter(self._kept)))
            self.lost += 1

    def give_back(self, session: Session) -> None:
        self.save(session, "")

    async def saved(self) -> None:
        pass

    async def is_held(self, sid: str) -> bool:
        return False

    async def take(self, sid: str) -> Session | None:
        self._expire()
        kept = self._kept.get(sid)
        self.forget(sid)
        return None if kept is None else kept[0]

    def forget(self, sid: str) -> None:
        kept = self._kept.pop(sid, None)
        if kept is not None:
            self.bytes -= kept[2]
            for room in kept[0].history.rooms:
                self._rooms[room] -= 1
                if not self._rooms[room]:
                    del self._rooms[room]

    def has_room(self, room: str) -> bool:
        """Whether somebody who is away was in ``room``."""
        self._expire()
        return room in self._rooms or room in self._kept

    @property
    def awaited_until_s(self) -> float | None:
        """When the first of those who are away will be too late; None if nobody is."""
        self._expire()
        return next((due_s for _, due_s, _ in self._kept.values()), None)

    def _expire(self) -> None:
        now_s = self._clock.monotonic_s()
        while self._kept:
            sid, (_, due_s, _) = next(iter(self._kept.items()))
            if due_s > now_s:
                break
            self.forget(sid)


def _weigh(value: Any, depth: int) -> Iterator[int]:
    """Bytes, roughly, of what `socket.data` holds; objects of the application's own are not looked into."""
    yield len(value) + 56 if isinstance(value, (str, bytes)) else 64
    if depth and isinstance(value, dict):
        for key, inner in value.items():
            yield from _weigh(key, 0)
            yield from _weigh(inner, depth - 1)
    elif depth and isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _weigh(inner, depth - 1)


class MemoryStore:
    """Lives as long as its server: the next one has another epoch, and whoever comes back to it starts anew."""

    is_shared = False

    def __init__(self, config: ConnectionStateRecovery, clock: Clock, *, heartbeat_s: float) -> None:
        """``heartbeat_s``: how long an emission to a peer that is gone can go unnoticed."""
        self._config = config
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._key = secrets.token_bytes(32)

    def open(self, namespace: str) -> tuple[MemoryLog, MemorySessions]:
        config = self._config
        log = MemoryLog(
            Epoch(self._key, namespace),
            self._clock,
            max_bytes=config.max_log_bytes,
            retention_s=config.max_disconnection_duration_s + self._heartbeat_s,
        )
        sessions = MemorySessions(
            self._clock,
            max_sessions=config.max_sessions,
            max_bytes=config.max_session_bytes,
            duration_s=config.max_disconnection_duration_s,
        )
        return log, sessions

    async def aclose(self) -> None:
        pass
