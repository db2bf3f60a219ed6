"""RFC 6455 frames as the server sees them: masked frames in, unmasked frames out.

For shells that own their socket; behind an ASGI server the server does this. Bytes in, messages out: the parser
joins fragments, inflates what is compressed (RFC 7692) and checks what section 5 asks; it raises `FrameError` with
the close code of section 7.4.1.
"""

from __future__ import annotations

import codecs
from base64 import b64encode
from enum import IntEnum
from hashlib import sha1
from typing import NamedTuple

from steinmetz.realtime.engineio.deflate import inflate
from steinmetz.realtime.errors import FrameError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_TINY_FRAGMENTS = 1_024
"""Of one message (CVE-2026-48779): a megabyte in fragments of a byte would cost a million turns of the parser."""
TINY = 1_024
"""Bytes of a fragment below which it counts as tiny; how many others there are, the size of a message bounds."""
COMPRESSED = 0x40
"""RSV1, which RFC 7692 section 6 gives the meaning that the message is compressed."""

_utf_8 = codecs.getincrementaldecoder("utf-8")


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


def server_frame(opcode: Opcode, data: bytes, *, compressed: bool = False) -> bytes:
    """One final, unmasked frame (section 5.2); ``compressed`` says that ``data`` are deflated already."""
    length = len(data)
    first = 0x80 | opcode | COMPRESSED if compressed else 0x80 | opcode
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


class _Fragments:
    """A message that has begun. Text is decoded as it comes, so that what is not UTF-8 is refused at once."""

    __slots__ = ("_bytes", "_decoder", "_is_compressed", "_kind", "_tiny", "size")

    def __init__(self, kind: Opcode, *, is_compressed: bool) -> None:
        self._kind = kind
        self._is_compressed = is_compressed
        self._decoder = _utf_8() if kind is Opcode.TEXT and not is_compressed else None
        self._bytes = bytearray()
        self._tiny = 0
        self.size = 0

    def add(self, payload: bytes, *, final: bool) -> None:
        """Raises `FrameError`."""
        self.size += len(payload)
        self._bytes += payload
        if self._decoder is not None:
            try:
                self._decoder.decode(payload, final)
            except UnicodeDecodeError:
                raise FrameError(CloseCode.INVALID_DATA, "text that is not UTF-8") from None
        if len(payload) < TINY and not final:
            self._tiny += 1
            if self._tiny > MAX_TINY_FRAGMENTS:
                raise FrameError(CloseCode.POLICY_VIOLATION, "too many tiny fragments")

    def message(self, max_size: int) -> Message:
        return _whole(self._kind, bytes(self._bytes), max_size if self._is_compressed else None)


class FrameParser:
    """Client bytes in, whole messages out. Keeps at most one message of ``max_size`` bytes and its frame head.

    ``inflates`` says that permessage-deflate has been agreed upon, without context takeover by the client.
    """

    __slots__ = ("_buffer", "_fragments", "_inflates", "_wanted", "max_size")

    def __init__(self, max_size: int, *, inflates: bool = False) -> None:
        self.max_size = max_size
        """Bytes of a message; may be changed between two calls of `feed`."""
        self._inflates = inflates
        self._buffer: bytearray | None = None
        self._wanted = 0
        self._fragments: _Fragments | None = None

    @property
    def is_between_messages(self) -> bool:
        """Whether nothing of a message has come yet, so that `texts.plain_texts` may read what comes next."""
        return self._buffer is None and self._fragments is None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes. Raises `FrameError`; the parser is of no use after that.

        What was complete before the frame that is refused is in the error's ``messages``.
        """
        if self._buffer is None:
            # What most clients send most of the time: one small text alone in its read.
            size = len(data) - 6
            is_small = 0 <= size < 126 and data[0] == 0x81 and data[1] == 0x80 | size
            if is_small and self._fragments is None and size <= self.max_size:
                return [_whole(Opcode.TEXT, unmask(data[2:6], data[6:]))]
        else:
            # Joined once it is enough: a frame that comes byte by byte must not be copied for each of them.
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return []
            data, self._buffer = bytes(self._buffer), None
        messages: list[Message] = []
        try:
            used = self._parse(data, messages)
        except FrameError as error:
            error.messages = messages
            raise
        if used < len(data):
            self._buffer = bytearray(data[used:])
        return messages

    def _parse(self, data: bytes, messages: list[Message]) -> int:
        """Add what is whole to ``messages``; the bytes that were used up."""
        at, end = 0, len(data)
        self._wanted = 2
        while end - at >= 2:
            first, second = data[at], data[at + 1]
            length = second & 0x7F
            head, least = at + 2, 0
            if length == 126:
                if end - head < 2:
                    self._wanted = 4
                    break
                length = (data[head] << 8) | data[head + 1]
                head, least = head + 2, 126
            elif length == 127:
                if end - head < 8:
                    self._wanted = 10
                    break
                length = int.from_bytes(data[head : head + 8], "big")
                head, least = head + 8, 1 << 16
            self._check_head(first, second, length, least)
            body = head + 4
            if end - body < length:
                self._wanted = body + length - at
                break
            at = body + length
            payload = unmask(data[head:body], data[body:at])
            if (message := self._take(first, payload)) is not None:
                messages.append(message)
        return at

    def _check_head(self, first: int, second: int, length: int, least: int) -> None:
        opcode = first & 0x0F
        # 5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values." By RFC 7692
        # 6.1 the first frame of a message may have RSV1; its other frames and control frames may not.
        if first & 0x70 and not (first & 0x70 == COMPRESSED and self._inflates and opcode in (1, 2)):
            raise FrameError(CloseCode.PROTOCOL_ERROR, "reserved bits are set without an extension")
        # 5.1: "The server MUST close the connection upon receiving a frame that is not masked."
        if not second & 0x80:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a client masks its frames")
        # 5.2: "the minimal number of bytes MUST be used", "the most significant bit MUST be 0".
        if length < least or length >> 63:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a length that is not in its shortest form")
        if opcode >= 0x8:
            # 5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
            if opcode > 0xA or length > 125 or not first & 0x80:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "not a control frame of RFC 6455")
            return
        if opcode > 0x2:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "unknown opcode")
        # 5.4: fragments of one message must not be interleaved with those of another.
        if (opcode == Opcode.CONT) is not (self._fragments is not None):
            problem = "a continuation of nothing" if opcode == Opcode.CONT else "a message inside a message"
            raise FrameError(CloseCode.PROTOCOL_ERROR, problem)
        size = length if self._fragments is None else length + self._fragments.size
        if size > self.max_size:
            raise FrameError(CloseCode.TOO_BIG, f"a message has at most {self.max_size} bytes")

    def _take(self, first: int, payload: bytes) -> Message | None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode >= 0x8:
            if opcode == Opcode.CLOSE and payload:
                _check_close(payload)
            return Message(Opcode(opcode), payload)
        fragments = self._fragments
        if fragments is None:
            kind, is_compressed = Opcode(opcode), bool(first & COMPRESSED)
            if final:
                return _whole(kind, payload, self.max_size if is_compressed else None)
            fragments = self._fragments = _Fragments(kind, is_compressed=is_compressed)
        fragments.add(payload, final=bool(final))
        if not final:
            return None
        self._fragments = None
        return fragments.message(self.max_size)


def _check_close(payload: bytes) -> None:
    """Section 5.5.1: a 2-byte code that may be sent (7.4), then a reason in UTF-8. Raises `FrameError`."""
    code = int.from_bytes(payload[:2], "big")
    is_sendable = 1000 <= code <= 1014 and code not in {1004, 1005, 1006}
    if len(payload) < 2 or not (is_sendable or 3000 <= code <= 4999):
        raise FrameError(CloseCode.PROTOCOL_ERROR, "not a close code that a client may send")
    _whole(Opcode.TEXT, payload[2:])


def _whole(kind: Opcode, data: bytes, inflated_size: int | None = None) -> Message:
    """``inflated_size``: ``data`` are compressed, and no more than that may come out of them."""
    if inflated_size is not None:
        data = inflate(data, inflated_size)
    if kind is not Opcode.TEXT:
        return Message(kind, data)
    try:
        return Message(kind, data.decode())
    except UnicodeDecodeError:
        raise FrameError(CloseCode.INVALID_DATA, "text that is not UTF-8") from None
