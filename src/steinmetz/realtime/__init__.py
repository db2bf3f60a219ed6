"""Who hears it: a Socket.IO v4 server for any ASGI application.

>>> io = Server(Config(require_auth=False))
>>> @io.on("chat:message")
... def chat(socket, text):
...     io.to("chat-room").emit("chat:message", {"user": socket.id, "text": text})
...     return {"ok": True}
"""

from __future__ import annotations

# what limits are made of
from steinmetz.gcra import Rate

# .adapters
from steinmetz.realtime.adapters.base import Adapter, Selection

# .config
from steinmetz.realtime.config import Config, Limits

# .errors
from steinmetz.realtime.errors import (
    AckError,
    AckTimeoutError,
    ConnectError,
    DisconnectedError,
    EventError,
    HandshakeError,
    NotRunningError,
    ProtocolError,
    RealtimeError,
)

# .server
from steinmetz.realtime.server.asgi import RealtimeApp
from steinmetz.realtime.server.attach import init_websocket_server
from steinmetz.realtime.server.broadcast import BroadcastOperator
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.server.namespace import Namespace
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.server import Server
from steinmetz.realtime.server.socket import Socket

__all__ = [  # noqa: RUF022  grouped by file
    "Rate",
    # .adapters
    "Adapter",
    "Selection",
    # .config
    "Config",
    "Limits",
    # .errors
    "AckError",
    "AckTimeoutError",
    "ConnectError",
    "DisconnectedError",
    "EventError",
    "HandshakeError",
    "NotRunningError",
    "ProtocolError",
    "RealtimeError",
    # .server
    "BroadcastOperator",
    "Handshake",
    "Namespace",
    "RealtimeApp",
    "Reason",
    "Server",
    "Socket",
    "init_websocket_server",
]
