"""Which HTTP request opens or joins an Engine.IO session, and the OPEN packet that answers it.

The errors and their codes are those of the reference server; a refusal is answered with
``{"code": 0, "message": "Transport unknown"}`` before any session exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

import orjson

from steinmetz.realtime.engineio.packet import Packet, PacketType
from steinmetz.realtime.errors import HandshakeError

PROTOCOL = "4"
_MAX_QUERY = 8_192


class TransportName(StrEnum):
    POLLING = "polling"
    WEBSOCKET = "websocket"


def transport_unknown() -> HandshakeError:
    return HandshakeError(0, "Transport unknown")


def session_unknown() -> HandshakeError:
    return HandshakeError(1, "Session ID unknown")


def bad_handshake_method() -> HandshakeError:
    return HandshakeError(2, "Bad handshake method")


def bad_request() -> HandshakeError:
    return HandshakeError(3, "Bad request")


def forbidden(message: str = "Forbidden") -> HandshakeError:
    return HandshakeError(4, message, 403)


def protocol_unsupported() -> HandshakeError:
    return HandshakeError(5, "Unsupported protocol version")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request wants: a new session (``sid`` is None) or an existing one, over which transport."""

    transport: TransportName
    sid: str | None


def read_wish(query: bytes, method: str, *, is_upgrade: bool) -> Wish:
    """Read the query string of a request to the endpoint. Raises `HandshakeError`.

    ``is_upgrade`` says that the request asks for a WebSocket.
    """
    if len(query) > _MAX_QUERY:
        raise bad_request()
    try:
        fields = dict(parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=64))
    except (UnicodeDecodeError, ValueError):
        raise bad_request() from None
    try:
        transport = TransportName(fields.get("transport", ""))
    except ValueError:
        raise transport_unknown() from None
    if fields.get("EIO") != PROTOCOL:
        raise protocol_unsupported()
    if (transport is TransportName.WEBSOCKET) is not is_upgrade:
        raise bad_request()
    sid = fields.get("sid")
    if sid is None and method != "GET":
        raise bad_handshake_method()
    if method not in ("GET", "POST"):
        raise bad_request()
    return Wish(transport, sid)


def open_packet(
    sid: str, transport: TransportName, *, ping_interval_s: float, ping_timeout_s: float, max_payload: int
) -> Packet:
    """The first packet of a session; durations go out in milliseconds."""
    return Packet(
        PacketType.OPEN,
        orjson.dumps(
            {
                "sid": sid,
                "upgrades": ["websocket"] if transport is TransportName.POLLING else [],
                "pingInterval": round(ping_interval_s * 1000),
                "pingTimeout": round(ping_timeout_s * 1000),
                "maxPayload": max_payload,
            }
        ).decode(),
    )
