"""Connection state recovery, decided: what an offset says, what a session is, what it has missed.

After https://socket.io/docs/v4/connection-state-recovery. On the wire the stock client asks for nothing new:

- The answer to CONNECT is ``{"sid", "pid"}``. Who comes back shows ``{"pid", "offset"}`` among its `auth`, and
  takes itself for recovered if it is answered with the same pid.
- The client takes the last argument of *any* event for its offset if that is a string (of an event without
  arguments: its name). So each recoverable event gets its offset as the last argument (`stamp`), and one that has
  none but would end in a string is given a ``null`` (`shield`). Where an acknowledgement is wanted, the last
  argument is the function that gives it.
- An offset names itself: ``~<epoch>.<position>.<code>``. The code is keyed, so no text of a user passes for one.
- `BLANK` is the offset of an event whose position is not known when it is said: who shows it begins anew.
- A pid is ``<sid>.<code>``: nothing has to be kept to know a true one, and a socket id alone, which is public,
  opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2s
from hmac import compare_digest
from typing import Any, NamedTuple

from steinmetz.realtime.engineio.packet import Outgoing, Packet

Lane = str | None
"""A room, the room of a socket itself, or None for everybody in the namespace: what an emission can be sent to."""

FOREVER = 1 << 62
BLANK = "~blank"
MAX_POSITION_DIGITS = 15


class Epoch:
    """One life of the memory that counts positions in ``namespace``; ``key`` is its secret, 16 bytes or more."""

    __slots__ = ("_name", "_offsets", "_pids", "id")

    def __init__(self, key: bytes, namespace: str) -> None:
        self._offsets = blake2s(namespace.encode(), key=key, digest_size=6, person=b"offset")
        self._pids = blake2s(namespace.encode(), key=key, digest_size=15, person=b"pid")
        self.id: str = blake2s(namespace.encode(), key=key, digest_size=10, person=b"epoch").hexdigest()
        """Public; two epochs have different ones."""
        self._name = self.id[:4]

    def offset(self, position: int) -> str:
        """What the client shows when it comes back, and has heard everything up to ``position``."""
        number = f"{position:x}"
        return f"~{self._name}.{number}.{_code(self._offsets, number)}"

    def position(self, offset: object) -> int | None:
        """The position that ``offset`` names; None for anything that this epoch has not made."""
        if not isinstance(offset, str) or not offset.startswith("~"):
            return None
        number, _, code = offset[len(self._name) + 2 :].partition(".")
        if not 0 < len(number) <= MAX_POSITION_DIGITS or not _equal(code, _code(self._offsets, number)):
            return None
        return int(number, 16)

    def pid(self, sid: str) -> str:
        """The secret of the socket ``sid``: whoever shows it may have its session."""
        return f"{sid}.{_code(self._pids, sid)}"

    def sid(self, pid: object) -> str | None:
        """Whose ``pid`` is; None for one that this epoch has not made."""
        if not isinstance(pid, str):
            return None
        sid, _, code = pid.rpartition(".")
        return sid if sid and _equal(code, _code(self._pids, sid)) else None


def _code(keyed: Any, text: str) -> str:
    code = keyed.copy()
    code.update(text.encode("utf-8", "surrogatepass"))
    digest: str = code.hexdigest()
    return digest


def _equal(shown: str, known: str) -> bool:
    return compare_digest(shown.encode("utf-8", "surrogatepass"), known.encode())


def stamp(packets: Sequence[Packet], offset: str) -> Outgoing:
    """The event in ``packets`` with ``offset`` as its last argument."""
    return _with_last(packets, f',"{offset}"]')


def without_offset(outgoing: Outgoing) -> Outgoing:
    """An event that was `stamp`ed, for a client that keeps no offsets."""
    event = outgoing.packets[0]
    assert isinstance(event.data, str)
    return Outgoing(Packet(event.type, event.data[: event.data.rindex(',"~')] + "]"), *outgoing.packets[1:])


def shield(outgoing: Outgoing) -> Outgoing:
    """An event that has no offset, so that the client takes no other string for one."""
    text = outgoing.packets[0].data
    return _with_last(outgoing.packets, ",null]") if isinstance(text, str) and text.endswith('"]') else outgoing


def _with_last(packets: Sequence[Packet], end: str) -> Outgoing:
    event = packets[0]
    assert isinstance(event.data, str)
    return Outgoing(Packet(event.type, event.data[:-1] + end), *packets[1:])


class Kind(StrEnum):
    """What an entry does to the members it is for."""

    EMIT = "emit"
    JOIN = "join"
    LEAVE = "leave"
    DISCONNECT = "disconnect"


class Entry(NamedTuple):
    """What happened at ``position`` to the members of ``rooms`` (none named: to all), but not of ``except_rooms``.

    ``packets``: the event of an EMIT, in a log with its offset. ``targets``: the rooms of a JOIN or LEAVE.
    """

    position: int
    kind: Kind
    rooms: tuple[str, ...] = ()
    except_rooms: tuple[str, ...] = ()
    packets: tuple[Packet, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Where it is kept."""
        return self.rooms or (None,)


@dataclass(frozen=True, slots=True)
class History:
    """The rooms of one member, and since when; the room of its own is not among them."""

    rooms: Mapping[str, int] = field(default_factory=dict)
    """Room -> position at which it was joined."""
    left: Sequence[tuple[str, int, int]] = ()
    """Rooms it was in before: (room, position at which it was joined, position at which it was left)."""
    whole_from: int = 0
    """What was left before this position is not in `left`."""


@dataclass(slots=True)
class Session:
    """What a client that comes back gets again: its id, its rooms, its data, and what it has missed.

    Positions: ``since`` it was first connected, up to ``as_of`` its rooms are known: when it was disconnected, or
    last heard of (``is_connected``; its process may have died since).
    """

    sid: str
    epoch_id: str
    subject: str | None
    since: int
    as_of: int
    history: History
    is_connected: bool = False
    granted: tuple[str, ...] = ()
    """Of its rooms, those that a middleware let it into: they must be granted again."""
    requested: tuple[str, ...] = ()
    """Of its rooms, those that the client asked for itself: they are authorised again."""
    data: dict[str, Any] = field(default_factory=dict)


class Replay:
    """What the client of ``session`` would have heard behind the position ``start`` had it stayed connected.

    Feed it the lanes it wants until it wants none. Pure, so that a log may be asked in whatever way.
    """

    def __init__(self, session: Session, start: int) -> None:
        self._session = session
        self.start = start
        self.end = start
        """The position up to which `heard` is whole."""
        self.wanted: dict[Lane, int] = dict.fromkeys(self._first_spans(), start)
        """The lanes that must be read, each behind its position."""
        self.history = session.history
        """The rooms at the end."""
        self.heard: list[Entry] = []
        """The emissions, in order."""
        self.is_expelled = False
        """It would have been told to stay away."""

    def feed(self, position: int, lanes: Iterable[Sequence[Entry]]) -> bool:
        """Take the lanes that were `wanted`, as they were when ``position`` was the newest.

        False if there is more to it: a room was joined in between. Then all that is wanted is read again, at once.
        """
        self.end = position
        before = len(self.wanted)
        self._run(lanes)
        return len(self.wanted) == before

    def _first_spans(self) -> dict[Lane, list[list[int]]]:
        session = self._session
        spans: dict[Lane, list[list[int]]] = {
            None: [[session.since, FOREVER]],
            session.sid: [[session.since, FOREVER]],
        }
        for room, joined, left in session.history.left:
            if left > self.start:
                spans.setdefault(room, []).append([joined, left])
        for room, joined in session.history.rooms.items():
            spans.setdefault(room, []).append([joined, FOREVER])
        return spans

    def _run(self, lanes: Iterable[Sequence[Entry]]) -> None:
        spans = self._first_spans()
        entries = {entry.position: entry for lane in lanes for entry in lane}
        self.heard, self.is_expelled = [], False
        for position in sorted(entries):
            entry = entries[position]
            if not self.start < position <= self.end or not _is_for(entry, spans):
                continue
            if entry.kind is Kind.EMIT:
                self.heard.append(entry)
            elif position > self._session.as_of:
                self._change(entry, spans)
        rooms: dict[str, int] = {}
        left: list[tuple[str, int, int]] = []
        for room, spans_of in spans.items():
            if room is None or room == self._session.sid:
                continue
            for joined, until in spans_of:
                if until == FOREVER:
                    rooms[room] = joined
                else:
                    left.append((room, joined, until))
        self.history = History(rooms, left, self._session.history.whole_from)

    def _change(self, entry: Entry, spans: dict[Lane, list[list[int]]]) -> None:
        if entry.kind is Kind.DISCONNECT:
            self.is_expelled = True
        for room in entry.targets:
            if room == self._session.sid:
                continue
            known = spans.setdefault(room, [])
            is_in = bool(known) and known[-1][1] == FOREVER
            if entry.kind is Kind.LEAVE and is_in:
                known[-1][1] = entry.position
            elif entry.kind is Kind.JOIN and not is_in:
                known.append([entry.position, FOREVER])
                self.wanted.setdefault(room, entry.position)


def _is_for(entry: Entry, spans: Mapping[Lane, list[list[int]]]) -> bool:
    return _in_any(entry.lanes, entry.position, spans) and not _in_any(entry.except_rooms, entry.position, spans)


def _in_any(lanes: Iterable[Lane], position: int, spans: Mapping[Lane, list[list[int]]]) -> bool:
    return any(joined < position <= left for lane in lanes for joined, left in spans.get(lane, ()))
