"""What nodes tell each other: bytes with a signature, a version and a shape that is checked. Never pickled.

::

    signature (16)  version (1)  kind (1)  origin (8)  number (8)  previous (8)  body

The signature is a truncated HMAC-SHA256 over the channel and all that follows it, so nobody who merely reaches the
bus can speak, nor move what was said to another channel (CVE-2025-61765 was code execution by whoever reached
Redis). What was said cannot be said again either: see `node.Node` on numbers and strangers.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator
from enum import IntEnum
from struct import Struct
from typing import Any, NamedTuple

import orjson

from steinmetz.realtime.adapters.base import RELIABLE, Flags, Selection
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType

VERSION = 1
MAX_MESSAGE = 8_000_000
"""Bytes of one message. Redis cuts off a subscriber that has 32 MB waiting; one message must not do that."""
MAX_PARTS = 11
MIN_SECRET = 16
_PURPOSE = b"steinmetz realtime cluster, version 1"
_TAG = 16
_HEAD = Struct(">BB8sQQ")
_SIZE = Struct(">I")
_ORIGIN = slice(_TAG + 2, _TAG + 10)


class Kind(IntEnum):
    BROADCAST = 1
    JOIN = 2
    LEAVE = 3
    DISCONNECT = 4
    SERVER_SIDE = 5
    FETCH = 6
    QUESTION = 7
    PRESENCE = 8
    RESPONSE = 9
    ANSWERS = 11
    PASSING = 10
    """A volatile broadcast: numbered like the others, but nobody asks for it again."""
    HEARTBEAT = 20
    RESEND = 21
    REPLAY = 22
    GOODBYE = 23


UNNUMBERED = frozenset({Kind.HEARTBEAT, Kind.RESEND, Kind.REPLAY, Kind.GOODBYE})
"""These carry the number of the last thing said before them."""


class Message(NamedTuple):
    """``number`` counts what ``origin`` has said; ``previous`` is the number before it in the same channel."""

    kind: Kind
    origin: bytes
    number: int
    previous: int
    body: bytes


class MessageError(Exception):
    """Not a message of a node of ours. ``reason``, a word: ``signature``, ``version`` or ``shape``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Seal:
    """Signs and proves. The key is derived from ``secret`` for this purpose alone.

    Raises `ValueError` for a secret of less than `MIN_SECRET` bytes.
    """

    def __init__(self, secret: str | bytes) -> None:
        secret = secret.encode() if isinstance(secret, str) else secret
        if len(secret) < MIN_SECRET:
            raise ValueError(f"the secret of a cluster has at least {MIN_SECRET} bytes; all nodes need the same")
        self._key = hmac.digest(secret, _PURPOSE, "sha256")

    def close(self, channel: str, message: Message) -> bytes:
        """The bytes of ``message`` for ``channel``."""
        kind, origin, number, previous, body = message
        said = _HEAD.pack(VERSION, kind, origin, number, previous) + body
        return self._tag(channel, said) + said

    def open(self, channel: str, sealed: bytes) -> Message:
        """What `close` has sealed. Raises `MessageError`."""
        said = sealed[_TAG:]
        if len(said) < _HEAD.size or len(sealed) > MAX_MESSAGE:
            raise MessageError("shape")
        if not hmac.compare_digest(sealed[:_TAG], self._tag(channel, said)):
            raise MessageError("signature")
        version, kind, origin, number, previous = _HEAD.unpack_from(said)
        if version != VERSION:
            raise MessageError("version")
        if kind not in _KINDS:
            raise MessageError("shape")
        return Message(_KINDS[kind], origin, number, previous, said[_HEAD.size :])

    def _tag(self, channel: str, said: bytes) -> bytes:
        return hmac.digest(self._key, channel.encode() + b"\0" + said, "sha256")[:_TAG]


_KINDS = {int(kind): kind for kind in Kind}


def origin_of(sealed: bytes) -> bytes:
    """Who claims to have said it; unproven."""
    return sealed[_ORIGIN]


# -- bodies -------------------------------------------------------------------------------------------------------


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
                yield Said(number, _KINDS[kind], tuple(_names(channels)), rest[start:end])
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
