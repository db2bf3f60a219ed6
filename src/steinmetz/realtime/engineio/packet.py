"""Engine.IO 4 packets, and their bytes on each transport.

A packet has a type, one digit, and data: text (`str`) or binary (`bytes`). Only a MESSAGE may be binary, and on a
WebSocket its data then travel bare, without the digit.
"""

from __future__ import annotations

from base64 import b64encode
from enum import IntEnum
from typing import NamedTuple

from steinmetz.realtime.engineio.deflate import deflate
from steinmetz.realtime.engineio.frames import Opcode, server_frame
from steinmetz.realtime.errors import EngineIOError

SEPARATOR = "\x1e"
"""Between the packets of one polling payload."""


class PacketType(IntEnum):
    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


_TYPES = {str(int(kind)): kind for kind in PacketType}
_DIGITS = tuple(str(int(kind)) for kind in PacketType)
_TEXT = Opcode.TEXT


class Packet(NamedTuple):
    type: PacketType
    data: str | bytes = ""

    @property
    def encoded(self) -> str | bytes:
        """The packet as one WebSocket message."""
        if isinstance(self.data, bytes):
            return self.data
        return _DIGITS[self.type] + self.data

    @property
    def payload(self) -> str:
        """The packet as part of a polling payload: "Binary payloads MUST be base64-encoded" behind a ``b``."""
        if isinstance(self.data, bytes):
            return "b" + b64encode(self.data).decode("ascii")
        return _DIGITS[self.type] + self.data

    @property
    def frame(self) -> bytes:
        """The packet as one unmasked RFC 6455 frame."""
        if isinstance(self.data, bytes):
            return server_frame(Opcode.BINARY, self.data)
        return server_frame(_TEXT, (_DIGITS[self.type] + self.data).encode())

    def deflated_frame(self, threshold: int) -> bytes:
        """The same, compressed (RFC 7692) if there are ``threshold`` bytes of it or more and it gets smaller."""
        opcode, data = self._content
        if len(data) >= threshold and len(small := deflate(data)) < len(data):
            return server_frame(opcode, small, compressed=True)
        return server_frame(opcode, data)

    @property
    def _content(self) -> tuple[Opcode, bytes]:
        if isinstance(self.data, bytes):
            return Opcode.BINARY, self.data
        return Opcode.TEXT, (_DIGITS[self.type] + self.data).encode()


def decode(message: str | bytes) -> Packet:
    """The packet in one WebSocket message. Raises `EngineIOError`."""
    if isinstance(message, bytes):
        return Packet(PacketType.MESSAGE, message)
    kind = _TYPES.get(message[:1])
    if kind is None:
        raise EngineIOError("a packet begins with its type, a digit from 0 to 6")
    return Packet(kind, message[1:])


class Outgoing:
    """Packets that travel together, encoded at most once per kind of transport however many clients get them.

    The same object goes to every recipient of a broadcast; a binary event and its attachments are one of these,
    so nothing can come between them.
    """

    __slots__ = ("_deflated", "_frames", "_messages", "_payload", "is_compressible", "packets")

    def __init__(self, *packets: Packet) -> None:
        self.packets = packets
        self.is_compressible = True
        """False: `deflated` is `frames`, whatever was agreed with a client."""
        self._frames: bytes | None = None
        self._deflated: bytes | None = None
        self._messages: tuple[str | bytes, ...] | None = None
        self._payload: str | None = None

    def __repr__(self) -> str:
        return f"<Outgoing {', '.join(packet.type.name for packet in self.packets)}>"

    @property
    def frames(self) -> bytes:
        """All packets as RFC 6455 frames, one behind the other."""
        if self._frames is None:
            packets = self.packets
            alone = len(packets) == 1
            self._frames = packets[0].frame if alone else b"".join([packet.frame for packet in packets])
        return self._frames

    def deflated(self, threshold: int) -> bytes:
        """The same for clients that inflate; ``threshold`` is one of the server and the same at every call."""
        if self._deflated is None:
            if self.is_compressible:
                self._deflated = b"".join([packet.deflated_frame(threshold) for packet in self.packets])
            else:
                self._deflated = self.frames
        return self._deflated

    @property
    def messages(self) -> tuple[str | bytes, ...]:
        """Each packet as one WebSocket message, for those who make frames of their own."""
        if self._messages is None:
            self._messages = tuple([packet.encoded for packet in self.packets])
        return self._messages

    @property
    def payload(self) -> str:
        """All packets as a polling payload."""
        if self._payload is None:
            self._payload = SEPARATOR.join([packet.payload for packet in self.packets])
        return self._payload

    @property
    def size(self) -> int:
        """Bytes on a WebSocket; what queues count."""
        return len(self.frames)


PING = Outgoing(Packet(PacketType.PING))
NOOP = Outgoing(Packet(PacketType.NOOP))
CLOSE = Outgoing(Packet(PacketType.CLOSE))
PROBE_REPLY = Outgoing(Packet(PacketType.PONG, "probe"))
