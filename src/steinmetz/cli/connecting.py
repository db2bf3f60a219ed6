"""What `doctor` finds out about sockets and screens: whether a client gets in, and whether anything would move."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from steinmetz.cli.finding import Finding, fault, fine, warning

if TYPE_CHECKING:
    from steinmetz.erp.settings import Settings

PROBE_S = 3.0
HELP = "See docs/howto/troubleshooting.md, `A browser or client cannot connect`."
POLLING = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
KEY = base64.b64encode(bytes(16)).decode()
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def screens(settings: Settings) -> Iterator[Finding]:
    """Whether what is shown would move by itself."""
    if not settings.live:
        yield warning("screens", "nothing moves by itself: subscriptions are switched off", "STEINMETZ_LIVE=on")
    elif not settings.cache:
        yield warning("screens", "every answer is computed: the cache is switched off", "STEINMETZ_CACHE=on")
    else:
        yield fine("screens", "kept answers are told to whoever has subscribed")


def sockets(settings: Settings) -> Iterator[Finding]:
    """Knock at a running server as a stock client does; nothing if there is none."""
    if answered(settings, "/version") is None:
        return
    status = answered(settings, POLLING)
    if status != 200:
        yield fault("sockets", f"a client is answered with {status} over polling", HELP)
        return
    upgraded = answered(settings, WEBSOCKET, UPGRADE)
    if upgraded != 101:
        yield fault("sockets", f"a WebSocket is answered with {upgraded}", HELP)
        return
    for origin in settings.cors_origins:
        if (status := answered(settings, POLLING, {"Origin": origin})) != 200:
            mend = "Restart the server: it was started with other origins."
            yield fault("sockets", f"a page of {origin} is answered with {status}", mend)
            return
    yield fine("sockets", "a client gets in, over polling and WebSocket")


def answered(settings: Settings, path: str, fields: dict[str, str] | None = None) -> int | None:
    """The status of a GET at the running server; None if nobody answers."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", ""} else settings.host
    connection = HTTPConnection(host, settings.port, timeout=PROBE_S)
    try:
        connection.request("GET", path, headers=fields or {})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
