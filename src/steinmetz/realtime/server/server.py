"""The realtime server: what an application creates once, usually under the name `io`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, overload

import structlog

from steinmetz.clock import Clock, SystemClock
from steinmetz.realtime.adapters.base import Adapter
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.config import Config
from steinmetz.realtime.engineio import handshake as engine_handshake
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.origin import origin_allowed
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.engineio.session import Heartbeat, Session
from steinmetz.realtime.errors import EventError, HandshakeError, NotRunningError
from steinmetz.realtime.events.event import Event
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.presence import Presence, UserOf, Watched
from steinmetz.realtime.recovery.base import Store
from steinmetz.realtime.recovery.memory import MemoryStore
from steinmetz.realtime.server.admission import Admission
from steinmetz.realtime.server.asgi import RealtimeApp
from steinmetz.realtime.server.broadcast import Broadcasting, BroadcastOperator
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.departures import Departures
from steinmetz.realtime.server.draining import Draining
from steinmetz.realtime.server.engine import Engine
from steinmetz.realtime.server.farewells import Farewells
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.listening import Handler, Handlers, Listening
from steinmetz.realtime.server.namespace import Middleware, Namespace
from steinmetz.realtime.server.namespaces import Namespaces
from steinmetz.realtime.server.parent_namespace import Matcher, ParentNamespace
from steinmetz.realtime.server.recovery import Recovery
from steinmetz.realtime.server.room_requests import Authorise, RoomRequests
from steinmetz.realtime.server.server_side import ServerSide, ServerSideEmitting
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.server.statistics import Statistics, summary
from steinmetz.realtime.server.transport import Transport
from steinmetz.realtime.server.turn import Turn
from steinmetz.realtime.server.wheel import Wheel
from steinmetz.realtime.socketio.connection import Connection
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.realtime")

MAX_REFUSED = 256
"""Sessions beyond `Config.max_connections` that live just long enough to be told so."""
REFUSED_TIMEOUT_S = 5.0


class Server(Listening, Broadcasting, ServerSideEmitting):
    """After Socket.IO's `Server`: https://socket.io/docs/v4/server-api/

    Everything but the `async` methods is a plain call. The methods of the main namespace are here, too:
    ``io.emit(...)`` is ``io.of("/").emit(...)``. It runs on one event loop: the one that first calls `start` or
    serves a request.

    ``describe_error`` turns an exception of a handler into the `EventError` that the client may see, or None.
    ``make_adapter(namespace)`` says who knows the rooms of a namespace; by default the memory of this process.
    ``cluster``: this process is one of several that are one server together, see `adapters.redis.redis_cluster`.
    ``recovery`` is where connection states are kept, if `Config` has any kept: by default in this process.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        clock: Clock | None = None,
        describe_error: Callable[[Exception], EventError | None] | None = None,
        make_adapter: Callable[[Namespace], Adapter[Socket]] | None = None,
        cluster: Cluster | None = None,
        recovery: Store | None = None,
    ) -> None:
        self.config = config or Config()
        self.clock: Clock = clock or SystemClock()
        self.describe_error: Callable[[Exception], EventError | None] = describe_error or _undescribed
        self.make_adapter = make_adapter
        self.event_scope: Callable[[str], AbstractContextManager[Any]] | None = None
        self.cluster = cluster
        self.loop: asyncio.AbstractEventLoop | None = None
        self.tasks = Tasks("realtime")
        self.clients: dict[str, Client] = {}
        self.statistics = Statistics()
        self.turn = Turn(lambda: self.loop)
        self._heartbeat = Heartbeat(
            self.config.ping_interval_s, self.config.ping_timeout_s, self.config.upgrade_timeout_s
        )
        shortest_s = min(self.config.ping_interval_s, self.config.ping_timeout_s)
        self.wheel = Wheel(self.clock, tick_s=min(max(shortest_s / 100, 0.001), 0.25))
        self._recovery_store = recovery
        if recovery is None and self.config.connection_state_recovery is not None:
            self._recovery_store = MemoryStore(
                self.config.connection_state_recovery,
                self.clock,
                heartbeat_s=self.config.ping_interval_s + 2 * self.config.ping_timeout_s,
            )
        self.engine = Engine(self.clients)
        self._namespaces = Namespaces(self)
        self._main = self._namespaces.of(MAIN_NAMESPACE)
        self._room_requests = RoomRequests(self._main)
        self._thread_id: int | None = None
        self.asgi = RealtimeApp(self, mounted=True)
        """The endpoint as an ASGI application, whatever the path; to wrap an application see `RealtimeApp`."""
        self.started_s = self.clock.monotonic_s()
        self._is_closing = False
        self.admission = Admission(self)
        self.draining = Draining(self.call_soon)
        self.departures = Departures(lambda: self.loop)
        self.farewells = Farewells()

    # -- what the application says once -------------------------------------------------------------------------

    @overload
    def of(self, name: str) -> Namespace: ...

    @overload
    def of(self, name: re.Pattern[str] | Matcher) -> ParentNamespace: ...

    def of(self, name: str | re.Pattern[str] | Matcher) -> Namespace | ParentNamespace:
        """The namespace ``name``, created if need be; or those whose whole name a pattern matches, or for which a
        plain function ``(name, auth)`` says True, created as clients ask for them.

        Raises `ValueError` for a name without a leading slash, `TypeError` for a coroutine function.
        """
        return self._namespaces.of(name) if isinstance(name, str) else self._namespaces.parent(name)

    def recovery_of(self, namespace: Namespace) -> Recovery | None:
        """What a new namespace keeps of its clients' states."""
        config, store = self.config.connection_state_recovery, self._recovery_store
        if config is None or store is None:
            return None
        return Recovery(namespace, store.open(namespace.name), config, is_shared=store.is_shared)

    async def may_enter(self, socket: Socket, room: str) -> bool:
        """Whether ``socket`` could ask for ``room`` now."""
        return await self._room_requests.may_enter(socket, room)

    def namespaces(self) -> Sequence[Namespace]:
        """Those that there are now, children included."""
        return tuple(self._namespaces.values())

    def namespace(self, name: str, auth: dict[str, Any]) -> Namespace | None:
        """The namespace that a client asks for, if there is one."""
        return self._namespaces.find(name, auth)

    def end_namespace(self, child: Namespace) -> None:
        """Nobody is in ``child`` any more; see `Namespaces.end`."""
        self._namespaces.end(child)

    @property
    def sockets(self) -> Namespace:
        """The main namespace, as Socket.IO calls it; ``io.sockets.sockets`` are the sockets in it."""
        return self._main

    def use(self, middleware: Middleware) -> Middleware:
        """A middleware of the main namespace; see `Namespace.use`."""
        return self._main.use(middleware)

    def on(self, event: str | Event, handler: Handler | None = None) -> Any:
        """A handler of the main namespace; see `Namespace.on`.

        "new_namespace" handlers, plain functions, get each ``(namespace)`` that is made from now on.
        """
        if event != "new_namespace":
            return self._main.on(event, handler)
        if handler is None:
            return partial(self.on, event)
        self._namespaces.on_new(handler)
        return handler

    def _registry(self) -> Registry:
        return self._main.events

    def _listening(self) -> Handlers:
        return self._main.handlers

    def _everybody(self) -> BroadcastOperator:
        return BroadcastOperator(self._main)

    def _servers(self) -> ServerSide:
        return self._main._servers()

    def declare(self, *events: Event) -> None:
        """The server sends ``events`` in the main namespace; see `Namespace.declare`."""
        self._main.declare(*events)

    @property
    def registries(self) -> Mapping[str, Registry]:
        """The typed events of each namespace, by its name; what `asyncapi` and `typescript` are made from."""
        return {name: namespace.events for name, namespace in self._namespaces.items()}

    def on_room_join(self, authorise: Authorise) -> Authorise:
        """Ask ``authorise(socket, room) -> bool``, plain or async, about `room:join` and `room:leave` of clients.

        Without it clients join no rooms. Private rooms (`Config.private_room`) are refused before it is asked.
        """
        self._room_requests.authorise = authorise
        return authorise

    def around_events(self, scope: Callable[[str], AbstractContextManager[Any]]) -> None:
        """Run every event handler inside ``scope(event)``; for whoever accounts what a handler does."""
        self.event_scope = scope

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whether an emission to ``room`` of the main namespace may reach anybody; see `Namespace.has_members`."""
        return self._main.has_members(room, here=here)

    def track_presence(self, user_of: UserOf, watched: Watched = lambda _room: True) -> Presence:
        """In the main namespace; see `Namespace.track_presence`."""
        return self._main.track_presence(user_of, watched)

    def presence(self, room: str) -> dict[str, int]:
        """In the main namespace; see `Namespace.presence`."""
        return self._main.presence(room)

    def stats(self) -> dict[str, Any]:
        """``{activeConnections, rooms, events: {name: emits}, uptime}`` of this process; uptime in seconds."""
        return summary(self)

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind to the running loop. The first request does it, too; after a `shutdown` only this does."""
        if self._is_closing and self.loop is None:
            self._is_closing = False
            self.tasks = Tasks("realtime")
        self.begin()

    def begin(self) -> None:
        """`start` for callers that cannot await.

        Raises `NotRunningError` on another loop than before, and once shut down.
        """
        loop = asyncio.get_running_loop()
        if self.loop is loop:
            return
        if self._is_closing:
            raise NotRunningError("the realtime server has been shut down")
        if self.loop is not None:
            raise NotRunningError("the realtime server runs on another event loop already")
        self.loop = loop
        self._thread_id = threading.get_ident()
        self.wheel.start(loop)
        if self.cluster is not None:
            self.cluster.node.start()

    def serve(self) -> None:
        """`begin` for a request: what cannot be served is refused. Raises `HandshakeError`."""
        try:
            self.begin()
        except NotRunningError as error:
            raise HandshakeError(3, str(error), 503) from None

    def begin_shutdown(self) -> None:
        """Admit nobody any more, send everybody away in slices, without DISCONNECT: they come back elsewhere."""
        if self._is_closing:
            return
        self._is_closing = True
        self.draining.add(self.clients.values())

    async def shutdown(self) -> None:
        """End all connections ("server shutting down") and all tasks of handlers. Idempotent."""
        self.begin_shutdown()
        self.departures.finish()
        self.draining.finish()
        self.turn.finish()
        await asyncio.sleep(0)
        await self.tasks.aclose()
        if self.cluster is not None:
            await self.cluster.node.aclose()
        if self._recovery_store is not None:
            await self._recovery_store.aclose()
        self.wheel.stop()
        self.loop, self._thread_id = None, None

    def run_on_loop(self, function: Callable[..., object], *args: Any) -> None:
        """Call ``function`` now when on the loop's thread, else soon on it (trap T30)."""
        if self._thread_id == threading.get_ident():
            function(*args)
        elif self.loop is not None and not self.loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed between the question and the call
                self.loop.call_soon_threadsafe(function, *args)

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        if self.loop is not None:
            self.loop.call_soon(function, *args)

    def new_id(self) -> str:
        """Of a session or a socket: 120 random bits. In a cluster it begins with the tag of this node."""
        return secrets.token_urlsafe(15) if self.cluster is None else self.cluster.tag + secrets.token_urlsafe(15)

    # -- sessions, for the transports ---------------------------------------------------------------------------

    def takes(self, path: str) -> bool:
        """Whether a request for ``path`` is for this server."""
        return path.startswith(self.config.path) or path == self.config.path[:-1]

    def origin_allowed(self, origin: str | None, host: str | None) -> bool:
        return origin_allowed(origin, host, self.config.cors_origins)

    def open(self, transport: Transport, request: Request, refusal: str | None = None) -> tuple[Client, Outgoing]:
        """A new session and its OPEN packet, which the transport sends first. Raises `HandshakeError`."""
        if self._is_closing:
            raise HandshakeError(3, "the realtime server is shutting down", 503)
        surplus = len(self.clients) - self.config.max_connections
        if surplus >= MAX_REFUSED:
            self.statistics.refused["Too many connections"] += 1
            raise HandshakeError(3, "Too many connections", 503)
        if surplus >= 0:
            refusal = refusal or "Too many connections"
        now_s = self.clock.monotonic_s()
        over_websocket = transport.name is TransportName.WEBSOCKET
        session = Session(self.new_id(), self._heartbeat, over_websocket=over_websocket, now_s=now_s)
        connection = Connection(
            max_size=self.config.max_payload,
            timeout_s=self.config.connect_timeout_s if refusal is None else REFUSED_TIMEOUT_S,
            now_s=now_s,
        )
        client = Client(self, session, connection, request, transport, refusal)
        self.clients[session.sid] = client
        client.rearm()
        opening = engine_handshake.open_packet(
            session.sid,
            transport.name,
            ping_interval_s=self.config.ping_interval_s,
            ping_timeout_s=self.config.ping_timeout_s,
            max_payload=self.config.max_payload,
        )
        return client, Outgoing(opening)

    def client(self, sid: str) -> Client:
        """The session of a request. Raises `HandshakeError` for one that is unknown, or has just timed out."""
        client = self.clients.get(sid)
        if client is not None:
            now_s = self.clock.monotonic_s()
            if client.session.deadline_s <= now_s:
                client.on_due(now_s)
            if not client.session.is_closed:
                return client
        raise engine_handshake.session_unknown()

    def forget(self, client: Client) -> None:
        self.clients.pop(client.session.sid, None)
        self.engine.closed(client)


def _undescribed(_error: Exception) -> EventError | None:
    return None
