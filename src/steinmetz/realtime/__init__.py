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
from steinmetz.realtime.adapters.base import Adapter, Selection, SocketDetails

# .config
from steinmetz.realtime.config import Config, ConnectionStateRecovery, Limits

# .errors
from steinmetz.realtime.errors import (
    AckError,
    AckTimeoutError,
    ConnectError,
    DisconnectedError,
    EventError,
    Flaw,
    HandshakeError,
    InvalidAckError,
    NotRunningError,
    PayloadError,
    ProtocolError,
    RealtimeError,
)

# .events
from steinmetz.realtime.events.event import Event

# .server
from steinmetz.realtime.server.asgi import RealtimeApp
from steinmetz.realtime.server.attach import init_websocket_server
from steinmetz.realtime.server.broadcast import BroadcastOperator
from steinmetz.realtime.server.collector import Collector
from steinmetz.realtime.server.conn import Conn
from steinmetz.realtime.server.engine import Engine, EngineError
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.server.namespace import Namespace
from steinmetz.realtime.server.parent_namespace import ParentNamespace
from steinmetz.realtime.server.reasons import DisconnectReason, Reason
from steinmetz.realtime.server.remote import RemoteSocket
from steinmetz.realtime.server.server import Server
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.server.threads import run_in_thread

__all__ = [  # noqa: RUF022  grouped by file
    "Rate",
    # .adapters
    "Adapter",
    "Selection",
    "SocketDetails",
    # .config
    "Config",
    "ConnectionStateRecovery",
    "Limits",
    # .errors
    "AckError",
    "AckTimeoutError",
    "ConnectError",
    "DisconnectedError",
    "EventError",
    "Flaw",
    "HandshakeError",
    "InvalidAckError",
    "NotRunningError",
    "PayloadError",
    "ProtocolError",
    "RealtimeError",
    # .events
    "Event",
    # .server
    "BroadcastOperator",
    "Collector",
    "Conn",
    "DisconnectReason",
    "Engine",
    "EngineError",
    "Handshake",
    "Namespace",
    "ParentNamespace",
    "RealtimeApp",
    "Reason",
    "RemoteSocket",
    "Server",
    "Socket",
    "init_websocket_server",
    "run_in_thread",
]
