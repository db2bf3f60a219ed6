"""A socket as the Admin UI shows it: who it is, without anything that lets somebody in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.socket import Socket

log = structlog.get_logger("steinmetz.realtime")

SHOWN_HEADERS = ("host", "origin", "user-agent")
MAX_TEXT = 200
MAX_ROOMS = 100

Describe = Callable[["Socket"], Mapping[str, Any]]
"""What of `socket.data` may be shown, in JSON values."""


def nothing(_socket: Socket) -> Mapping[str, Any]:
    """The default of ``describe``: `socket.data` may hold secrets."""
    return {}


def client_id(client: Client) -> str:
    """Names a connection. Its session's id is a bearer secret and stays here."""
    return blake2s(client.session.sid.encode(), digest_size=6).hexdigest()


def picture(socket: Socket, describe: Describe) -> dict[str, Any]:
    """The protocol's ``SerializedSocket``; no cookie, no query, no ``auth``, only `SHOWN_HEADERS`."""
    handshake = socket.handshake
    headers = handshake.headers
    return {
        "id": socket.id,
        "clientId": client_id(socket.client),
        "transport": socket.conn.transport.name,
        "nsp": socket.namespace.name,
        "data": _described(socket, describe),
        "handshake": {
            "address": handshake.address,
            "headers": {name: headers[name][:MAX_TEXT] for name in SHOWN_HEADERS if name in headers},
            "query": {},
            "issued": handshake.issued,
            "secure": handshake.secure,
            "time": handshake.time.isoformat(),
            "url": handshake.url.partition("?")[0],
            "xdomain": handshake.xdomain,
        },
        "rooms": [room for room in sorted(socket.rooms) if is_shown(socket, room)][:MAX_ROOMS],
    }


def is_shown(socket: Socket, room: str) -> bool:
    """Whether its name is an operator's business."""
    return not socket.namespace.server.config.unlisted_room(room)


def _described(socket: Socket, describe: Describe) -> dict[str, Any]:
    """What the application's function raises keeps nobody from connecting."""
    try:
        return dict(describe(socket))
    except Exception as error:
        log.error("A socket could not be described", error=type(error).__name__)
        return {}
