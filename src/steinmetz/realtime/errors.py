"""What can go wrong in realtime, and whose fault it is.

::

    RealtimeError
    ├── ProtocolError            the peer broke Engine.IO, Socket.IO or RFC 6455: its connection is closed
    │   ├── EngineIOError        a packet or payload that Engine.IO 4 does not know
    │   ├── SocketIOError        a packet that Socket.IO 5 does not know, or one that does not fit the state
    │   └── FrameError           a WebSocket frame that RFC 6455 forbids; carries the close code
    ├── HandshakeError         an HTTP request that opens or joins no session; carries code and HTTP status
    ├── ConnectError             raised by a middleware: the client hears `connect_error` with this message
    ├── EventError               raised by an event handler: the client's ack carries its code and message
    ├── AckError                 `emit_with_ack` got no answer
    │   ├── AckTimeoutError           ... in time
    │   └── DisconnectedError         ... because the socket went away
    └── NotRunningError               the server has been shut down, or has no event loop yet
"""

from __future__ import annotations

from typing import Any


class RealtimeError(Exception):
    """Whatever the realtime part raises."""


class ProtocolError(RealtimeError):
    """The peer broke the protocol; the message says how, without the peer's data."""


class EngineIOError(ProtocolError):
    """Not an Engine.IO 4 packet or payload."""


class SocketIOError(ProtocolError):
    """Not a Socket.IO 5 packet, or one that does not fit the state of its namespace."""


class FrameError(ProtocolError):
    """A frame that RFC 6455 forbids. ``close_code`` is what the closing handshake says (section 7.4.1)."""

    def __init__(self, close_code: int, message: str) -> None:
        super().__init__(message)
        self.close_code = close_code


class HandshakeError(RealtimeError):
    """The request opens or joins no session. ``code`` is Engine.IO's own, ``status`` the HTTP status.

    ``retry_after_s``: when it may be tried again, for the header Retry-After.
    """

    def __init__(self, code: int, message: str, status: int = 400, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s


class ConnectError(RealtimeError):
    """Raise it in a middleware to refuse a connection: `connect_error` with ``message`` and ``data``."""

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class EventError(RealtimeError):
    """Raise it in a handler: the ack says ``{ok: false, error: {code, message}}``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AckError(RealtimeError):
    """The other side acknowledged nothing."""


class AckTimeoutError(AckError):
    """No acknowledgement within the time that `emit_with_ack` was given."""


class DisconnectedError(AckError):
    """The socket went away before it acknowledged; ``reason`` is the disconnect reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the socket went away before it acknowledged: {reason}")
        self.reason = reason


class NotRunningError(RealtimeError):
    """The server has been shut down, or runs on no event loop yet."""
