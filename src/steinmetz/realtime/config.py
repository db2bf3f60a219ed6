"""The settings of one realtime server: each with its unit, its default and the reason for the default."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


def begins_with_user(room: str) -> bool:
    """The default of `Config.private_room`: rooms that stand for one person."""
    return room.startswith("user:")


_PYTHON_TIMESTAMP = re.compile(rb"(?:^|&)t=[0-9]+\.[0-9]+(?:&|$)")


def is_not_python(query: bytes) -> bool:
    """The default of `ConnectionStateRecovery.keeps_offsets`: all but python-socketio's client, by its timestamps.

    It does not recover, and an offset would be one argument too many for its handlers.
    """
    return _PYTHON_TIMESTAMP.search(query) is None


def none(_room: str) -> bool:
    """The default of `Config.unlisted_room`."""
    return False


@dataclass(frozen=True, slots=True)
class ConnectionStateRecovery:
    """After Socket.IO's option: a client that comes back soon gets its id, rooms and data, and what it missed.

    Every event then has one more argument, the offset. Middlewares run again, always.

    Raises `ValueError` for a value that no server could keep.
    """

    max_disconnection_duration_s: float = 120.0
    """How long a client may be away."""

    takeover_timeout_s: float = 1.0
    """How long a connection has to answer when somebody else shows its pid; then it is taken for half-open."""

    max_log_bytes: int = 64_000_000
    """Emissions of one namespace that are kept in this process; the oldest go first."""

    max_sessions: int = 20_000
    """Clients of one namespace that are away, kept in this process; the oldest go first."""

    max_session_bytes: int = 64_000_000
    """What these sessions may take, roughly."""

    keeps_offsets: Callable[[bytes], bool] = is_not_python
    """Whether a client is recovered, by the query of its first request. The others hear events without offsets."""

    def __post_init__(self) -> None:
        for name in ("max_disconnection_duration_s", "takeover_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0 seconds")
        for name in ("max_log_bytes", "max_sessions", "max_session_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")


@dataclass(frozen=True, slots=True)
class Config:
    """Raises `ValueError` for a value that no server could keep."""

    path: str = "/socket.io/"
    """Where the endpoint lives; the stock client's default."""

    ping_interval_s: float = 25.0
    """Below the 30 s after which some mobile networks and proxies drop a silent connection."""

    ping_timeout_s: float = 20.0
    """How long a PONG may take; a client is noticed as gone after interval + timeout at the latest."""

    max_payload: int = 1_000_000
    """Bytes of one incoming message, one polling request, or one packet with all its attachments."""

    max_connect_payload: int = 16_384
    """The same while a client is in no namespace: a stranger may show a credential, not fill our memory."""

    connect_timeout_s: float = 45.0
    """How long a session may live without a Socket.IO namespace, and a packet without its attachments."""

    upgrade_timeout_s: float = 10.0
    """How long a WebSocket may probe before it is dropped and polling goes on."""

    max_connections: int = 20_000
    """Sessions of this process. One more is told `Too many connections`."""

    client_queue_bytes: int = 1_000_000
    """Unsent bytes of one client. Above it the transport is closed without a DISCONNECT packet, so that the
    stock client comes back by itself; a single message is always taken when the queue is empty."""

    deflate_threshold: int | None = None
    """Bytes from which on a WebSocket message is compressed (permessage-deflate), for clients that offer it; None,
    as in Socket.IO's own server, for never. Only on sockets of our own; an ASGI server decides for itself."""

    client_inbox_bytes: int = 1_000_000
    """Bytes of events that wait for an earlier handler of the same client; above it the transport is closed."""

    cors_origins: tuple[str, ...] = ()
    """Origins besides the server's own that may connect (``"*"``: any). A request without an Origin header
    does not come from a foreign page and is allowed."""

    require_auth: bool = True
    """A namespace that has no middleware refuses everybody. Turn it off for a server that is open to all."""

    max_rooms_per_socket: int = 100
    """Rooms that one client may join with `room:join`; rooms joined by the server do not count."""

    max_child_namespaces: int = 1_000
    """Namespaces that clients have called into being (`Server.of` with a pattern or a function); some 3 kB each.
    One more is told `Invalid namespace`."""
    strict_events: bool = True
    """An emission or acknowledgement of the server's own that breaks the schema of its `Event` raises. Turn it off
    where a wrong field is better than none: then it is counted, logged once for each event, and sent."""

    private_room: Callable[[str], bool] = begins_with_user
    """Rooms whose names `Server.stats` hides and which `room:join` and `room:leave` refuse."""

    unlisted_room: Callable[[str], bool] = none
    """Rooms that clients may ask for, but whose names `Server.stats` hides, too."""

    connection_state_recovery: ConnectionStateRecovery | None = None
    """Off, as in Socket.IO, since it changes what every client hears: see `ConnectionStateRecovery`."""

    def __post_init__(self) -> None:
        for name in ("ping_interval_s", "ping_timeout_s", "connect_timeout_s", "upgrade_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0 seconds")
        for name in (
            "max_payload",
            "max_connect_payload",
            "max_connections",
            "client_queue_bytes",
            "client_inbox_bytes",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.deflate_threshold is not None and self.deflate_threshold < 0:
            raise ValueError("deflate_threshold must not be below 0; None turns compression off")
        if not (self.path.startswith("/") and self.path.endswith("/")):
            raise ValueError('path begins and ends with a slash, as in "/socket.io/"')
