"""The bytes of Socket.IO 5 packets: strict on the way in, built once on the way out.

::

    <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]        then the attachments, one binary message each

Strict, because each leniency has been an advisory once: placeholders must be integers in range, each used once
(CVE-2022-2421); attachments are counted and weighed (CVE-2026-33151); reserved names are refused (CVE-2023-32695).
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from steinmetz.realtime.engineio import packet as engineio
from steinmetz.realtime.errors import SocketIOError
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE, RESERVED_EVENTS, Packet, PacketType
from steinmetz.realtime.socketio.weight import MAX_PARTS, has_too_many_parts

MAX_ATTACHMENTS = 10
"""Of one packet, both ways: the stock client refuses more, too."""
MAX_NAMESPACE = 256
_JSON_OPTIONS = orjson.OPT_UTC_Z
_HEAD = re.compile(r"([0-6])(?:([0-9]{1,3})-)?(?:(/[^,]*)(?:,|\Z))?([0-9]{1,15})?")
_EVENT = PacketType.EVENT
_MESSAGE = engineio.PacketType.MESSAGE
_new = tuple.__new__
"""Members of an enumeration and tuples with names are made at every event: looked up once, made the short way."""
_DIGITS = tuple(str(int(kind)) for kind in PacketType)
_BINARY = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}
_WITH_BYTES = {PacketType.EVENT: PacketType.BINARY_EVENT, PacketType.ACK: PacketType.BINARY_ACK}


def encode(packet: Packet) -> engineio.Outgoing:
    """The packet as Engine.IO messages, its `bytes` taken out as attachments.

    Raises `TypeError` for data that JSON cannot say, `ValueError` for more than `MAX_ATTACHMENTS` binary values.
    """
    kind, _, data, _ = packet
    try:
        body = "" if data is None else orjson.dumps(data, None, _JSON_OPTIONS).decode()
    except orjson.JSONEncodeError:
        return _encode_with_bytes(packet)
    return engineio.Outgoing(_text(kind, "", packet, body))


def _encode_with_bytes(packet: Packet) -> engineio.Outgoing:
    attachments: list[bytes] = []

    def take_out(value: object) -> dict[str, Any]:
        if isinstance(value, (bytes, bytearray, memoryview)):
            attachments.append(bytes(value))
            return {"_placeholder": True, "num": len(attachments) - 1}
        raise TypeError(f"{type(value).__name__} is neither JSON nor bytes")

    try:
        body = orjson.dumps(packet.data, take_out, _JSON_OPTIONS).decode()
    except orjson.JSONEncodeError as error:
        raise TypeError(f"realtime data are JSON values and bytes: {error.__cause__ or error}") from None
    if packet.type not in _WITH_BYTES:
        raise TypeError(f"a {packet.type.name} packet holds no bytes")
    if len(attachments) > MAX_ATTACHMENTS:
        raise ValueError(f"a packet has at most {MAX_ATTACHMENTS} binary values, not {len(attachments)}")
    text = _text(_WITH_BYTES[packet.type], f"{len(attachments)}-", packet, body)
    return engineio.Outgoing(
        text, *(engineio.Packet(engineio.PacketType.MESSAGE, attachment) for attachment in attachments)
    )


def _text(kind: PacketType, count: str, packet: Packet, body: str) -> engineio.Packet:
    _, namespace, _, number = packet
    place = "" if namespace == MAIN_NAMESPACE else f"{namespace},"
    ack_id = "" if number is None else number
    return _new(engineio.Packet, (_MESSAGE, f"{_DIGITS[kind]}{count}{place}{ack_id}{body}"))


def plain_event(message: str) -> Packet | None:
    """The common case, ``42["name",...]`` and ``42<ack id>["name",...]``, Engine.IO's digit included.

    None for everything else and for whatever is wrong: that is for `Decoder`, which says what.
    """
    if not message.startswith("42") or len(message) > MAX_PARTS:
        return None  # what is so long is weighed first
    start = message.find("[", 2, 18)
    if start < 0:
        return None
    ack_id = None
    if start > 2:
        digits = message[2:start]
        if not (digits.isdecimal() and digits.isascii()):
            return None
        ack_id = int(digits)
    try:
        data = orjson.loads(message[start:])
    except orjson.JSONDecodeError:
        return None
    if not data or type(data[0]) is not str or data[0] in RESERVED_EVENTS:
        return None
    return _new(Packet, (_EVENT, MAIN_NAMESPACE, data, ack_id))


def plain_ack(ack_id: int, answers: list[Any]) -> bytes | None:
    """The common case, ``43<ack id>[...]`` in UTF-8, Engine.IO's digit included: of the main namespace, all JSON.

    None for data with bytes, and for what cannot be sent at all: that is for `encode`, which says what.
    """
    try:
        return b"43%d%b" % (ack_id, orjson.dumps(answers, None, _JSON_OPTIONS))
    except orjson.JSONEncodeError:
        return None


class Decoder:
    """Engine.IO messages of one client in, packets out; keeps at most one unfinished binary packet."""

    __slots__ = ("_attachments", "_awaited", "_max_size", "_packet", "_size")

    def __init__(self, max_size: int) -> None:
        """``max_size``: bytes of one packet with all its attachments."""
        self._max_size = max_size
        self._packet: Packet | None = None
        self._attachments: list[bytes] | None = None
        self._awaited = 0
        self._size = 0

    @property
    def is_waiting(self) -> bool:
        """Whether attachments of a packet are still to come."""
        return self._packet is not None

    def feed(self, message: str | bytes) -> Packet | None:
        """The packet that ``message`` completes. Raises `SocketIOError`; the decoder is of no use after that."""
        if isinstance(message, bytes):
            return self._take(message)
        if self._packet is not None:
            raise SocketIOError("text came where an attachment was due")
        if len(message) > MAX_PARTS and has_too_many_parts(message, MAX_PARTS):
            raise SocketIOError(f"the data have at most {MAX_PARTS} parts")
        packet, attachments = _decode(message)
        if not attachments:
            return packet
        _placeholders(packet.data, attachments)
        self._packet, self._attachments, self._awaited = packet, [], attachments
        self._size = len(message)
        return None

    def _take(self, attachment: bytes) -> Packet | None:
        if self._packet is None or self._attachments is None:
            raise SocketIOError("an attachment came without its packet")
        self._size += len(attachment)
        if self._size > self._max_size:
            raise SocketIOError(f"a packet and its attachments have at most {self._max_size} bytes")
        self._attachments.append(attachment)
        if len(self._attachments) < self._awaited:
            return None
        packet, attachments = self._packet, self._attachments
        self._packet, self._attachments = None, None
        for container, key, number in _placeholders(packet.data, self._awaited):
            container[key] = attachments[number]
        return packet


def _decode(message: str) -> tuple[Packet, int]:
    head = _HEAD.match(message)
    if head is None:
        raise SocketIOError("a packet begins with its type, a digit from 0 to 6")
    digit, count, namespace, ack_id = head.groups()
    kind = PacketType(int(digit))
    attachments = _attachments(kind, count)
    if namespace is not None and len(namespace) > MAX_NAMESPACE:
        raise SocketIOError(f"a namespace has at most {MAX_NAMESPACE} characters")
    body = message[head.end() :]
    data = _loads(body) if body else None
    number = None if ack_id is None else int(ack_id)
    _check(kind, data, number, has_body=bool(body))
    return Packet(_BINARY.get(kind, kind), namespace or MAIN_NAMESPACE, data, number), attachments


def _attachments(kind: PacketType, count: str | None) -> int:
    if kind not in _BINARY:
        if count is not None:
            raise SocketIOError("only a binary packet counts attachments")
        return 0
    number = int(count or 0)
    if not 1 <= number <= MAX_ATTACHMENTS:
        raise SocketIOError(f"a binary packet has 1 to {MAX_ATTACHMENTS} attachments")
    return number


def _check(kind: PacketType, data: Any, ack_id: int | None, *, has_body: bool) -> None:
    match kind:
        case PacketType.CONNECT:
            valid = ack_id is None and (isinstance(data, dict) if has_body else True)
        case PacketType.DISCONNECT:
            valid = ack_id is None and not has_body
        case PacketType.EVENT | PacketType.BINARY_EVENT:
            valid = isinstance(data, list) and len(data) > 0
            if valid:
                _check_name(data[0])
        case PacketType.ACK | PacketType.BINARY_ACK:
            valid = ack_id is not None and isinstance(data, list)
        case PacketType.CONNECT_ERROR:
            valid = ack_id is None and isinstance(data, dict)
    if not valid:
        raise SocketIOError(f"not a {kind.name} packet")


def _check_name(name: Any) -> None:
    if type(name) is int:
        return
    if not isinstance(name, str) or name in RESERVED_EVENTS:
        raise SocketIOError("an event has a name, and not a reserved one")


def _loads(body: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # A text cut in the middle of an emoji leaves half a surrogate pair, which JSON.stringify writes as "\\ud83d":
    # valid JSON, but no text. It becomes "?" rather than the end of the connection.
    if "\\ud" not in body and "\\uD" not in body:
        raise SocketIOError("the data are not JSON")
    try:
        value = json.loads(body, parse_constant=_no_constant)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise SocketIOError("the data are not JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _placeholders(data: Any, attachments: int) -> list[tuple[Any, Any, int]]:
    """Where the attachments go: (container, key, number). Iterative: depth is the peer's choice."""
    found: list[tuple[Any, Any, int]] = []
    containers: list[Any] = [data]
    while containers:
        container = containers.pop()
        pairs = container.items() if isinstance(container, dict) else enumerate(container)
        for key, value in pairs:
            if isinstance(value, dict) and value.get("_placeholder") is True:
                found.append((container, key, _number(value, attachments)))
            elif isinstance(value, (dict, list)):
                containers.append(value)
    numbers = {number for _, _, number in found}
    if len(found) != attachments or len(numbers) != attachments:
        raise SocketIOError("each attachment has its placeholder, once")
    return found


def _number(placeholder: dict[str, Any], attachments: int) -> int:
    number = placeholder.get("num")
    if type(number) is not int or not 0 <= number < attachments:
        raise SocketIOError("a placeholder names an attachment of its packet")
    return number
