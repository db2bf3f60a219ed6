"""The realtime server: what an application creates once, usually under the name `io`."""

from __future__ import annotations

import asyncio
import contextlib
import re
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
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.origin import origin_allowed
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.engineio.proxies import TrustedProxies
from steinmetz.realtime.engineio.session import Heartbeat, Session
from steinmetz.realtime.errors import ConnectError, EventError, HandshakeError, NotRunningError
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
from steinmetz.realtime.server.limits import (
    Budgets,
    as_handshake_error,
    too_many_connections,
    too_many_requests,
)
from steinmetz.realtime.server.listening import Handler, Handlers, Listening
from steinmetz.realtime.server.namespace import Middleware, Namespace
from steinmetz.realtime.server.namespaces import Namespaces
from steinmetz.realtime.server.parent_namespace import Matcher, ParentNamespace
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.recovery import Recovery
from steinmetz.realtime.server.room_requests import Authorise, RoomRequests, new_socket_id
from steinmetz.realtime.server.server_side import ServerSide, ServerSideEmitting
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.server.standing import Examine, Standing
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
SILENCE_RETRY_S = 2.0


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
        self.budgets = Budgets(self.config.limits)
        self.proxies = TrustedProxies(self.config.trusted_proxies, self.config.proxy_header)
        self._refused = 0
        """Sessions that live just long enough to be told why they are refused."""
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
        self.standing = Standing(self)
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

    def on_review(self, examine: Examine) -> Examine:
        """Let ``await examine(sockets)`` say which may not stay, whenever a revocation may have been missed.

        Without it everybody is made to reconnect then, which asks the middlewares.
        """
        self.standing.examine = examine
        return examine

    async def review(self) -> int:
        """Ask about everybody who is connected here: a time has passed in which other nodes were not heard."""
        return await self.standing.review()

    def around_events(self, scope: Callable[[str], AbstractContextManager[Any]]) -> None:
        """Run every event handler inside ``scope(event)``; for whoever accounts what a handler does."""
        self.event_scope = scope

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whether an emission to ``room`` of the main namespace may reach anybody; see `Namespace.has_members`."""
        return self._main.has_members(room, here=here)

    def say_to(self, sockets: Sequence[Socket], event: str | Event, *args: Any, newest: str | None = None) -> None:
        """In the main namespace; see `Namespace.say_to`."""
        self._main.say_to(sockets, event, *args, newest=newest)

    def track_presence(self, user_of: UserOf, watched: Watched = lambda _room: True) -> Presence:
        """In the main namespace; see `Namespace.track_presence`."""
        return self._main.track_presence(user_of, watched)

    def presence(self, room: str) -> dict[str, int]:
        """In the main namespace; see `Namespace.presence`."""
        return self._main.presence(room)

    def revoke(self, *rooms: str, is_local: bool = False) -> None:
        """Tell everybody in ``rooms`` (`user:5`, say) to stay away, in all namespaces, on all nodes.

        A plain call, from any thread, once the reason stands (after the commit). Nobody slips through who is just
        being admitted: his middlewares are asked again. That holds for rooms that a middleware joins; a handler of
        "connection" joins too late. ``is_local``: only of this process, where every process hears of the reason in
        a way of its own. Raises `ValueError` without a room: that would be everybody.
        """
        if not rooms:
            raise ValueError("say whose connections are revoked; disconnect_sockets() ends all of them")
        self.statistics.revocations += 1
        for namespace in self.namespaces():
            meant = namespace.in_(*rooms)
            (meant.local if is_local else meant).disconnect_sockets()

    async def may_join(self, socket: Socket, room: str) -> bool:
        """Whether the client of ``socket`` may be in ``room`` by its own wish; see `on_room_join`."""
        return await self._room_requests.may_enter(socket, room)

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
        """Of a session or a socket, never to be guessed. In a cluster it begins with the tag of this node."""
        return new_socket_id() if self.cluster is None else self.cluster.tag + new_socket_id()

    # -- sessions, for the transports ---------------------------------------------------------------------------

    def takes(self, path: str) -> bool:
        """Whether a request for ``path`` is for this server."""
        return path.startswith(self.config.path) or path == self.config.path[:-1]

    def origin_allowed(self, origin: str | None, host: str | None) -> bool:
        return origin_allowed(origin, host, self.config.cors_origins)

    def open(
        self, transport: Transport, request: Request, refusal: ConnectError | None = None
    ) -> tuple[Client, Outgoing]:
        """A new session and its OPEN packet, which the transport sends first. Raises `HandshakeError`.

        A session that is refused lives just long enough to hear why; there is room for `MAX_REFUSED` of these.
        """
        if self._is_closing:
            raise HandshakeError(3, "the realtime server is shutting down", 503)
        now_s = self.clock.monotonic_s()
        refusal = refusal or self._refusal(request.address, now_s)
        if refusal is not None and self._refused >= MAX_REFUSED:
            self.statistics.refuse(refusal.message)
            raise as_handshake_error(refusal)
        over_websocket = transport.name is TransportName.WEBSOCKET
        session = Session(self.new_id(), self._heartbeat, over_websocket=over_websocket, now_s=now_s)
        connection = Connection(
            max_size=self.config.max_payload,
            timeout_s=self.config.connect_timeout_s if refusal is None else REFUSED_TIMEOUT_S,
            now_s=now_s,
            silence_s=self.config.auth_timeout_s,
            max_connect_payload=self.config.max_connect_payload,
        )
        client = Client(self, session, connection, request, transport, refusal)
        self.clients[session.sid] = client
        if refusal is None:
            self.budgets.opened(session.sid, request.address, now_s)
        else:
            self._refused += 1
        client.rearm()
        opening = engine_handshake.open_packet(
            session.sid,
            transport.name,
            ping_interval_s=self.config.ping_interval_s,
            ping_timeout_s=self.config.ping_timeout_s,
            max_payload=self.config.max_payload,
        )
        return client, Outgoing(opening)

    def _refusal(self, address: str, now_s: float) -> ConnectError | None:
        """Why a new session of ``address`` is refused, if it is. Raises `HandshakeError` where waiting helps."""
        refusal = self.budgets.handshake(address, now_s)
        if refusal is None and len(self.clients) - self._refused >= self.config.max_connections:
            refusal = too_many_connections()
        if refusal is not None:
            return refusal
        if not self.budgets.has_room_for_silence(address) or not self._has_room_for_silence(now_s):
            self.statistics.refused["unauthenticated"] += 1
            raise as_handshake_error(too_many_connections(SILENCE_RETRY_S))
        return None

    def _has_room_for_silence(self, now_s: float) -> bool:
        """Whether one more session may be in no namespace yet; the one that has been silent longest makes room."""
        while self.budgets.is_crowded:
            sid = self.budgets.most_silent(now_s)
            if sid is None:
                return False
            self.statistics.refused["unauthenticated"] += 1
            self.clients[sid].send_away(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)
        return True

    def charge_upgrade(self, address: str) -> None:
        """Count a try to upgrade. Raises `HandshakeError`: the client stays with polling."""
        wait_s = self.budgets.upgrade(address, self.clock.monotonic_s())
        if wait_s:
            refusal = too_many_requests(wait_s)
            self.statistics.refused[refusal.message] += 1
            raise as_handshake_error(refusal)

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
        if self.clients.pop(client.session.sid, None) is None:
            return
        self.engine.closed(client)
        if client.refusal is None:
            self.budgets.closed(client.session.sid, client.request.address)
        else:
            self._refused -= 1


def _undescribed(_error: Exception) -> EventError | None:
    return None
