"""What nodes tell each other: bytes with a signature, a version and a shape that is checked. Never pickled.

::

    signature (16)  version (1)  kind (1)  origin (8)  number (8)  previous (8)  body

The signature is a truncated HMAC-SHA256 over the channel and all that follows it, so nobody who merely reaches the
bus can speak, nor move what was said to another channel (CVE-2025-61765 was code execution by whoever reached
Redis). What was said cannot be said again either: see `node.Node` on numbers and strangers.
"""

from __future__ import annotations

import hmac
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

VERSION = 1
MAX_MESSAGE = 8_000_000
"""Bytes of one message. Redis cuts off a subscriber that has 32 MB waiting; one message must not do that."""
MIN_SECRET = 16
_PURPOSE = b"steinmetz realtime cluster, version 1"
_TAG = 16
_HEAD = Struct(">BB8sQQ")
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
    RELEASE = 12
    """Whether the client of a socket is there, or may have it back elsewhere."""
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

    def head(self, channel: str, message: Message) -> bytes:
        """What `close` puts before the body."""
        kind, origin, number, previous, body = message
        head = _HEAD.pack(VERSION, kind, origin, number, previous)
        return self._tag(channel, head + body) + head

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

    def wrap(self, name: str, data: bytes) -> bytes:
        """``data`` that is kept under ``name``, signed."""
        return self._tag(name, data) + data

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Raises `MessageError` for what `wrap` has not made for ``name``."""
        data = wrapped[_TAG:]
        if not hmac.compare_digest(wrapped[:_TAG], self._tag(name, data)):
            raise MessageError("signature")
        return data

    def _tag(self, channel: str, said: bytes) -> bytes:
        return hmac.digest(self._key, channel.encode() + b"\0" + said, "sha256")[:_TAG]


_KINDS = {int(kind): kind for kind in Kind}


def origin_of(sealed: bytes) -> bytes:
    """Who claims to have said it; unproven."""
    return sealed[_ORIGIN]
