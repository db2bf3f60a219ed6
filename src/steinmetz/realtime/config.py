"""The settings of one realtime server: each with its unit, its default and the reason for the default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Literal

from steinmetz.gcra import Rate

_HANDSHAKES = Rate(3_000, 0.02)
_REFUSALS = Rate(600, 0.1)
_EVENTS = Rate(1_000, 0.01)
_BYTES = Rate(20_000_000, 1e-7)
ProxyHeader = Literal["x-forwarded", "forwarded"]


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
class Limits:
    """How much one address, one user, one connection may ask for; None: no limit. Kept per process.

    An IPv6 network of 64 bits is one address; this machine's own loopback is none: what comes over it is its
    operator, or a proxy that is not trusted, behind which everybody would be one. The defaults are far above what
    a busy office needs, and far below what stops a server. Raises `ValueError` for a value nobody could keep.
    """

    handshakes_per_address: Rate | None = _HANDSHAKES
    """Sessions opened and upgrades tried: 3,000 at once, then 50 a second. An office may come back as one man."""

    refusals_per_address: Rate | None = _REFUSALS
    """Refused credentials. Above it the middlewares are not even asked."""

    connections_per_address: int = 10_000
    """Sessions of one address."""

    connections_per_user: int = 200
    """Sockets with the same `Socket.subject` in one namespace: browser tabs of one person."""

    unauthenticated: int = 10_000
    """Sessions that are in no namespace yet. For one more, the one that has been silent longest is ended."""

    unauthenticated_per_address: int = 1_000
    """The same for one address; one more gets HTTP 503."""

    events_per_user: Rate | None = _EVENTS
    """Events of all sockets with the same `Socket.subject`: 1,000 at once, then 100 a second."""

    events: Mapping[str, Rate] = field(default_factory=dict)
    """Rates of single events by name: of one subject or, where there is none, of one socket."""

    bytes_per_connection: Rate | None = _BYTES
    """Bytes that one connection may send: 20 MB at once, then 10 MB a second. A packet counts 1,000 more than
    it has, an event that was refused for its rate 20,000 more, a CONNECT a two-hundredth of what may come at once.
    Beyond it the connection is cut."""

    keys: int = 20_000
    """Addresses and users that each of the rates remembers."""

    def __post_init__(self) -> None:
        for name in (
            "connections_per_address",
            "connections_per_user",
            "unauthenticated",
            "unauthenticated_per_address",
            "keys",
        ):
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

    connect_timeout_s: float = 45.0
    """How long a session may live without a Socket.IO namespace, and a packet without its attachments."""

    auth_timeout_s: float = 10.0
    """How long a new session may stay silent, without a CONNECT that shows a credential; never longer than
    `connect_timeout_s`, which covers the time that middlewares need."""

    max_connect_payload: int = 16_384
    """Characters of a CONNECT with its `auth`, and of any message of a client that is in no namespace yet."""

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

    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose word about the client's address and scheme is taken. Not needed
    where the ASGI server does it already (uvicorn's ``forwarded_allow_ips``)."""

    proxy_header: ProxyHeader = "x-forwarded"
    """What the trusted proxies write: ``X-Forwarded-For`` and ``-Proto``, or ``Forwarded`` (RFC 7239). Only the
    one that they overwrite may be believed: the other comes from the client."""

    limits: Limits = field(default_factory=Limits)

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

    drain_per_s: float = 1_000.0
    """Clients a second that a server sends elsewhere before it ends: as many as come back there at a time."""

    drain_timeout_s: float = 20.0
    """How long that may take; a crowd that would take longer is sent away faster. It leaves time for the rest
    within the 30 s that orchestrators give a process by default."""

    connection_state_recovery: ConnectionStateRecovery | None = None
    """Off, as in Socket.IO, since it changes what every client hears: see `ConnectionStateRecovery`."""

    def __post_init__(self) -> None:
        for name in (
            "ping_interval_s",
            "ping_timeout_s",
            "connect_timeout_s",
            "auth_timeout_s",
            "upgrade_timeout_s",
            "drain_timeout_s",
        ):
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
        if self.drain_per_s <= 0:
            raise ValueError("drain_per_s must be above 0 clients a second")
        if self.deflate_threshold is not None and self.deflate_threshold < 0:
            raise ValueError("deflate_threshold must not be below 0; None turns compression off")
        if not (self.path.startswith("/") and self.path.endswith("/")):
            raise ValueError('path begins and ends with a slash, as in "/socket.io/"')
        for origin in self.cors_origins:
            if not is_origin(origin):
                raise ValueError(
                    f"{origin!r} is no origin like https://intranet.example.com, in lower case, no path"
                )
        for network in self.trusted_proxies:
            ip_network(network, strict=False)
        if self.proxy_header not in ("x-forwarded", "forwarded"):
            raise ValueError('proxy_header is "x-forwarded" or "forwarded"')


def is_origin(text: str) -> bool:
    """Whether ``text`` could ever equal what a browser sends as Origin: one with a slash at its end never does."""
    scheme, separator, rest = text.partition("://")
    is_site = bool(scheme and separator and rest) and text == text.lower() and not set(rest) & set("/?#@* ")
    return text == "*" or is_site
