"""RFC 6455 frames as the server sees them: masked frames in, unmasked frames out, no extension.

For shells that own their socket; behind an ASGI server the server does this. Bytes in, messages out: the parser
joins fragments and checks what section 5 asks, and raises `FrameError` with the close code of section 7.4.1.
"""

from __future__ import annotations

from base64 import b64encode
from enum import IntEnum
from hashlib import sha1
from typing import NamedTuple

from steinmetz.realtime.errors import FrameError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_FRAGMENTS = 1_024
"""Of one message. A megabyte in fragments of one byte would cost a million turns of the parser."""


class Opcode(IntEnum):
    CONT = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(IntEnum):
    """Section 7.4.1, and 1012 of the IANA registry."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    SERVICE_RESTART = 1012


class Message(NamedTuple):
    """A whole message: TEXT carries `str`; BINARY, CLOSE, PING and PONG carry `bytes`."""

    opcode: Opcode
    data: str | bytes


def accept_key(key: bytes) -> bytes:
    """The ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key`` (section 4.2.2)."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def server_frame(opcode: Opcode, data: bytes) -> bytes:
    """One final, unmasked frame (section 5.2)."""
    length = len(data)
    first = 0x80 | opcode
    if length < 126:
        return bytes((first, length)) + data
    if length < 1 << 16:
        return bytes((first, 126, length >> 8, length & 0xFF)) + data
    return bytes((first, 127)) + length.to_bytes(8, "big") + data


def close_frame(code: int, reason: str = "") -> bytes:
    """Section 5.5.1: a 2-byte code, then the reason as UTF-8, at most 123 bytes of it."""
    return server_frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode()[:123])


def unmask(mask: bytes, data: bytes) -> bytes:
    """XOR with the repeated mask (section 5.3), as one operation on big integers."""
    length = len(data)
    key = (mask * ((length + 3) >> 2))[:length]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(length, "little")


class FrameParser:
    """Client bytes in, whole messages out. Keeps at most one message of ``max_size`` bytes and its frame head."""

    __slots__ = ("_buffer", "_fragments", "_kind", "_size", "_wanted", "max_size")

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        """Bytes of a message; may be changed between two calls of `feed`."""
        self._buffer: bytearray | None = None
        self._wanted = 0
        self._kind: Opcode | None = None
        self._fragments: list[bytes] | None = None
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes. Raises `FrameError`; the parser is of no use after that."""
        if self._buffer is not None:
            # Joined once it is enough: a frame that comes byte by byte must not be copied for each of them.
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return []
            data, self._buffer = bytes(self._buffer), None
        messages: list[Message] = []
        at, end = 0, len(data)
        wanted = 2
        while end - at >= wanted:
            first, second = data[at], data[at + 1]
            length = second & 0x7F
            head = at + 2
            if length == 126:
                if end - head < 2:
                    wanted = 4
                    break
                length = (data[head] << 8) | data[head + 1]
                head += 2
            elif length == 127:
                if end - head < 8:
                    wanted = 10
                    break
                length = int.from_bytes(data[head : head + 8], "big")
                head += 8
            self._check_head(first, second, length)
            body = head + 4
            if end - body < length:
                wanted = body + length - at
                break
            at = body + length
            payload = unmask(data[head:body], data[body:at])
            if (message := self._take(first, payload)) is not None:
                messages.append(message)
        if at < end:
            self._buffer, self._wanted = bytearray(data[at:]), wanted
        return messages

    def _check_head(self, first: int, second: int, length: int) -> None:
        # 5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
        if first & 0x70:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "reserved bits are set without an extension")
        # 5.1: "The server MUST close the connection upon receiving a frame that is not masked."
        if not second & 0x80:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a client masks its frames")
        opcode = first & 0x0F
        if opcode >= 0x8:
            # 5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
            if opcode > 0xA or length > 125 or not first & 0x80:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "not a control frame of RFC 6455")
        elif opcode > 0x2:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "unknown opcode")
        elif length + self._size > self.max_size:
            raise FrameError(CloseCode.TOO_BIG, f"a message has at most {self.max_size} bytes")

    def _take(self, first: int, payload: bytes) -> Message | None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode >= 0x8:
            if opcode == Opcode.CLOSE and payload:
                _check_close(payload)
            return Message(Opcode(opcode), payload)
        if opcode == Opcode.CONT:
            if self._fragments is None or self._kind is None:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "a continuation of nothing")
            self._fragments.append(payload)
            self._size += len(payload)
            if not final:
                if len(self._fragments) >= MAX_FRAGMENTS:
                    raise FrameError(CloseCode.POLICY_VIOLATION, "too many fragments")
                return None
            kind, whole = self._kind, b"".join(self._fragments)
            self._kind, self._fragments, self._size = None, None, 0
            return _whole(kind, whole)
        if self._fragments is not None:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a new message before the last one has ended")
        if final:
            return _whole(Opcode(opcode), payload)
        self._kind, self._fragments, self._size = Opcode(opcode), [payload], len(payload)
        return None


def _check_close(payload: bytes) -> None:
    """Section 5.5.1: a 2-byte code that may be sent (7.4), then a reason in UTF-8. Raises `FrameError`."""
    code = int.from_bytes(payload[:2], "big")
    is_sendable = 1000 <= code <= 1014 and code not in {1004, 1005, 1006}
    if len(payload) < 2 or not (is_sendable or 3000 <= code <= 4999):
        raise FrameError(CloseCode.PROTOCOL_ERROR, "not a close code that a client may send")
    _whole(Opcode.TEXT, payload[2:])


def _whole(kind: Opcode, data: bytes) -> Message:
    if kind is not Opcode.TEXT:
        return Message(kind, data)
    try:
        return Message(kind, data.decode())
    except UnicodeDecodeError:
        raise FrameError(CloseCode.INVALID_DATA, "text that is not UTF-8") from None
