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
    ├── PayloadError             data that break the schema of their event
    ├── AckError                 `emit_with_ack` got no answer
    │   ├── AckTimeoutError           ... in time
    │   ├── DisconnectedError         ... because the socket went away
    │   └── InvalidAckError           ... that fits the schema of its event
    └── NotRunningError               the server has been shut down, or has no event loop yet
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple


class RealtimeError(Exception):
    """Whatever the realtime part raises."""


class ProtocolError(RealtimeError):
    """The peer broke the protocol; the message says how, without the peer's data."""


class EngineIOError(ProtocolError):
    """Not an Engine.IO 4 packet or payload."""


class SocketIOError(ProtocolError):
    """Not a Socket.IO 5 packet, or one that does not fit the state of its namespace."""


class FrameError(ProtocolError):
    """A frame that RFC 6455 forbids. ``close_code`` is what the closing handshake says (section 7.4.1).

    ``messages`` are the whole ones that came before it in the same read.
    """

    def __init__(self, close_code: int, message: str) -> None:
        super().__init__(message)
        self.close_code = close_code
        self.messages: Sequence[Any] = ()


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


class Flaw(NamedTuple):
    """``field`` is the way to it, like ``user.name``; empty for the whole. ``message`` repeats no value."""

    field: str
    message: str


class EventError(RealtimeError):
    """Raise it in a handler: the ack says ``{ok: false, error: {code, message, fields?, retryAfterMs?}}``.

    ``retry_after_s``: the same may be sent again then.
    """

    def __init__(
        self, code: str, message: str, *, fields: Sequence[Flaw] = (), retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields
        self.retry_after_s = retry_after_s

    def as_json(self) -> dict[str, Any]:
        """The refusal as the client gets it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            error["fields"] = [{"field": flaw.field, "message": flaw.message} for flaw in self.fields]
        if self.retry_after_s is not None:
            error["retryAfterMs"] = max(1, round(self.retry_after_s * 1000))
        return {"ok": False, "error": error}


class PayloadError(RealtimeError, ValueError):
    """Data that break the schema of their event; ``flaws`` (at least one) say where and how."""

    def __init__(self, flaws: Sequence[Flaw], what: str = "") -> None:
        first = flaws[0]
        message = f"{first.field}: {first.message}" if first.field else first.message
        super().__init__(f"{what}: {message}" if what else message)
        self.flaws = flaws


class AckError(RealtimeError):
    """Not everybody who was asked has acknowledged.

    ``answers`` are those that came, in the order of their arrival; ``missing`` are the ids of the sockets of which
    none came. Both are empty for a single socket.
    """

    def __init__(self, message: str, answers: Sequence[Any] = (), missing: Collection[str] = ()) -> None:
        super().__init__(message)
        self.answers = list(answers)
        self.missing = frozenset(missing)


class AckTimeoutError(AckError):
    """No acknowledgement, or not from all, within the time that `emit_with_ack` was given."""


class DisconnectedError(AckError):
    """The socket, or all that have not acknowledged, went away; ``reason`` is the disconnect reason."""

    def __init__(self, reason: str, answers: Sequence[Any] = (), missing: Collection[str] = ()) -> None:
        who = (
            f"{len(missing)} sockets went away before they"
            if len(missing) > 1
            else "the socket went away before it"
        )
        super().__init__(f"{who} acknowledged: {reason}", answers, missing)
        self.reason = reason


class InvalidAckError(AckError):
    """The client acknowledged with something that breaks the schema of the event."""


class NotRunningError(RealtimeError):
    """The server has been shut down, or runs on no event loop yet."""
