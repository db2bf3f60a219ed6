"""What the messages between nodes say: bodies, packed into bytes and taken apart again, every shape checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from struct import Struct
from typing import Any, NamedTuple

import orjson

from steinmetz.realtime.adapters.base import RELIABLE, Flags, Selection
from steinmetz.realtime.adapters.seal import Kind, MessageError
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType

MAX_PARTS = 11
_SIZE = Struct(">I")
_KINDS = {int(kind): kind for kind in Kind}


class Emission(NamedTuple):
    """A broadcast: its packets as they were encoded where it was made, not as JSON of JSON."""

    namespace: str
    selection: Selection
    flags: Flags
    outgoing: Outgoing


def pack_emission(emission: Emission) -> bytes:
    namespace, selection, flags, outgoing = emission
    parts = [part.data.encode() if isinstance(part.data, str) else part.data for part in outgoing.packets]
    head = orjson.dumps(
        [
            namespace,
            list(selection.rooms),
            list(selection.except_rooms),
            None if flags is RELIABLE else [flags.volatile, flags.newest, flags.compress],
            [len(part) for part in parts],
        ]
    )
    return b"".join((_SIZE.pack(len(head)), head, *parts))


def unpack_emission(body: bytes) -> Emission:
    """What `pack_emission` made. Raises `MessageError`."""
    head, rest = _headed(body)
    match head:
        case [str(namespace), list(rooms), list(excepted), flags, [int(), *_] as sizes] if (
            all(type(size) is int and size >= 0 for size in sizes)
            and len(sizes) <= MAX_PARTS
            and sum(sizes) == len(rest)
        ):
            pass
        case _:
            raise MessageError("shape")
    text, *attachments = _cut(rest, sizes)
    try:
        packets = [Packet(PacketType.MESSAGE, text.decode())]
    except UnicodeDecodeError:
        raise MessageError("shape") from None
    packets += [Packet(PacketType.MESSAGE, attachment) for attachment in attachments]
    selection = Selection(_names(rooms), _names(excepted))
    return Emission(namespace, selection, _flags(flags), Outgoing(*packets))


def _flags(told: Any) -> Flags:
    match told:
        case None:
            return RELIABLE
        case [bool(volatile), None | str() as newest, bool(compress)]:
            return Flags(volatile=volatile, newest=newest, compress=compress)
        case _:
            raise MessageError("shape")


def _names(told: Any) -> frozenset[str]:
    if not isinstance(told, list) or not all(isinstance(name, str) for name in told):
        raise MessageError("shape")
    return frozenset(told)


class Order(NamedTuple):
    """To the selected sockets of a namespace: join or leave ``rooms``, or (`DISCONNECT`) go, ``close`` or not."""

    namespace: str
    selection: Selection
    rooms: Collection[str] = ()
    close: bool = False


def pack_order(order: Order) -> bytes:
    namespace, selection, rooms, close = order
    return orjson.dumps([namespace, list(selection.rooms), list(selection.except_rooms), list(rooms), close])


def unpack_order(body: bytes) -> Order:
    """What `pack_order` made. Raises `MessageError`."""
    match _loads(body):
        case [str(namespace), rooms, excepted, named, bool(close)]:
            return Order(namespace, Selection(_names(rooms), _names(excepted)), tuple(_names(named)), close)
        case _:
            raise MessageError("shape")


Content = Emission | Order | dict[str, Any]
"""The body of a numbered message."""


def content_of(kind: Kind, body: bytes) -> Content:
    """Raises `MessageError`."""
    match kind:
        case Kind.BROADCAST | Kind.PASSING | Kind.QUESTION:
            return unpack_emission(body)
        case Kind.JOIN | Kind.LEAVE | Kind.DISCONNECT:
            return unpack_order(body)
        case _:
            return unpack(body)


class Said(NamedTuple):
    """One numbered message, as its origin keeps it to say it again: once, however many channels it went to."""

    number: int
    kind: Kind
    channels: tuple[str, ...]
    body: bytes


class Beat(NamedTuple):
    """A heartbeat: the last number in each channel in which anything was said between ``since`` and ``number``."""

    number: int
    since: int
    tails: dict[str, int]
    is_resumed: bool
    """Something may not have gone out: ask, whatever was heard."""


def pack_beat(beat: Beat) -> bytes:
    return orjson.dumps([beat.since, beat.tails, beat.is_resumed])


def unpack_beat(number: int, body: bytes) -> Beat:
    """What `pack_beat` made. Raises `MessageError`."""
    match _loads(body):
        case [int(since), dict(tails), bool(is_resumed)] if all(type(tail) is int for tail in tails.values()):
            return Beat(number, since, tails, is_resumed)
        case _:
            raise MessageError("shape")


class Replay(NamedTuple):
    """What was said after ``since``, up to ``upto``; an answer to the question that carried ``nonce``."""

    nonce: str
    since: int
    upto: int
    is_last: bool
    is_lost: bool
    """Some of it is not known any more."""
    said: list[Said]


def pack_replay(replay: Replay) -> bytes:
    nonce, since, upto, is_last, is_lost, said = replay
    entries = [[each.number, each.kind, each.channels, len(each.body)] for each in said]
    head = orjson.dumps([nonce, since, upto, is_last, is_lost, entries])
    return b"".join((_SIZE.pack(len(head)), head, *(each.body for each in said)))


def unpack_replay(body: bytes) -> Replay:
    """What `pack_replay` made. Raises `MessageError`."""
    head, rest = _headed(body)
    match head:
        case [str(nonce), int(since), int(upto), bool(is_last), bool(is_lost), list(entries)]:
            return Replay(nonce, since, upto, is_last, is_lost, list(_entries(entries, rest)))
        case _:
            raise MessageError("shape")


def _entries(entries: list[Any], rest: bytes) -> Iterator[Said]:
    start = 0
    for entry in entries:
        match entry:
            case [int(number), int(kind), [str(), *_] as channels, int(size)] if kind in _KINDS and size >= 0:
                end = start + size
                _names(channels)
                yield Said(number, _KINDS[kind], tuple(channels), rest[start:end])
                start = end
            case _:
                raise MessageError("shape")
    if start != len(rest):
        raise MessageError("shape")


def pack(told: dict[str, Any]) -> bytes:
    """A body of plain JSON. Raises `TypeError` for what JSON cannot say."""
    return orjson.dumps(told)


def unpack(body: bytes, **shape: type | tuple[type, ...]) -> dict[str, Any]:
    """A body of plain JSON with these fields of these types. Raises `MessageError`."""
    return checked(_loads(body), **shape)


def checked(told: Any, **shape: type | tuple[type, ...]) -> dict[str, Any]:
    """``told``, if it is a dict that has these fields of these types. Raises `MessageError`."""
    if not isinstance(told, dict):
        raise MessageError("shape")
    for name, kind in shape.items():
        value = told.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise MessageError("shape")
    return told


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MessageError("shape") from None


def _headed(body: bytes) -> tuple[Any, bytes]:
    if len(body) < _SIZE.size:
        raise MessageError("shape")
    (size,) = _SIZE.unpack_from(body)
    end = _SIZE.size + size
    if end > len(body):
        raise MessageError("shape")
    return _loads(body[_SIZE.size : end]), body[end:]


def _cut(rest: bytes, sizes: list[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield rest[start : start + size]
        start += size
