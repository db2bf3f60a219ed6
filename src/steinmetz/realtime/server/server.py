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
from steinmetz.realtime.admin.admin import Admin, Authenticate
from steinmetz.realtime.admin.picture import Describe, nothing
from steinmetz.realtime.config import Config
from steinmetz.realtime.engineio.origin import origin_allowed
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.engineio.proxies import TrustedProxies
from steinmetz.realtime.errors import ConnectError, EventError, HandshakeError, NotRunningError
from steinmetz.realtime.events.event import Event
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.recovery.base import Store
from steinmetz.realtime.recovery.memory import MemoryStore
from steinmetz.realtime.server.admission import Admission
from steinmetz.realtime.server.asgi import RealtimeApp
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.departures import Departures
from steinmetz.realtime.server.draining import Draining
from steinmetz.realtime.server.engine import Engine
from steinmetz.realtime.server.farewells import Farewells
from steinmetz.realtime.server.figures import ClusterFigures, own_figures
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.limits import (
    Budgets,
)
from steinmetz.realtime.server.listening import Handler
from steinmetz.realtime.server.main_namespace import MainNamespace
from steinmetz.realtime.server.namespace import Namespace
from steinmetz.realtime.server.namespaces import Namespaces
from steinmetz.realtime.server.parent_namespace import Matcher, ParentNamespace
from steinmetz.realtime.server.rates import LOOK_EVERY_S, Rates
from steinmetz.realtime.server.recovery import Recovery
from steinmetz.realtime.server.room_requests import Authorise, RoomRequests, new_socket_id
from steinmetz.realtime.server.sessions import Sessions
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.server.standing import Examine, Standing
from steinmetz.realtime.server.statistics import Statistics
from steinmetz.realtime.server.transport import Transport
from steinmetz.realtime.server.turn import Turn
from steinmetz.realtime.server.wheel import Wheel
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.realtime")


class Server(MainNamespace):
    """After Socket.IO's `Server`: https://socket.io/docs/v4/server-api/

    Everything but the `async` methods is a plain call. The methods of the main namespace are here, too:
    ``io.emit(...)`` is ``io.of("/").emit(...)``. It runs on one event loop: the one that first calls `start` or
    serves a request.

    ``describe_error`` turns an exception of a handler into the `EventError` that the client may see, or None.
    ``make_adapter(namespace)`` says who knows the rooms of a namespace; by default the memory of this process.
    ``cluster``: this process is one of several that are one server together, see `adapters.redis.redis_cluster`.
    ``recovery`` is where connection states are kept, if `Config` has any kept: by default where the cluster keeps
    them, else in this process.
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
        self.turn = Turn(lambda: self.loop, self.statistics.wrote)
        self.rates = Rates(self.statistics, self.clock.monotonic_s)
        self.budgets = Budgets(self.config.limits)
        self.proxies = TrustedProxies(self.config.trusted_proxies, self.config.proxy_header)
        self.sessions = Sessions(self)
        shortest_s = min(self.config.ping_interval_s, self.config.ping_timeout_s)
        self.wheel = Wheel(self.clock, tick_s=min(max(shortest_s / 100, 0.001), 0.25))
        self._recovery_store = recovery or self._store()
        self.engine = Engine(self.clients)
        self.admin: Admin | None = None
        """Whoever is told what happens to sockets; see `instrument`."""
        self._namespaces = Namespaces(self)
        self._main = self._namespaces.of(MAIN_NAMESPACE)
        self._room_requests = RoomRequests(self._main)
        self._cluster_figures = ClusterFigures(self)
        self._thread_id: int | None = None
        self.asgi = RealtimeApp(self, mounted=True)
        """The endpoint as an ASGI application, whatever the path; to wrap an application see `RealtimeApp`."""
        self.started_s = self.clock.monotonic_s()
        self._is_closing = False
        self.is_leaving = False
        """Whether it has been said that this server ends: whoever balances load sends nobody here any more."""
        self.admission = Admission(self)
        self.standing = Standing(self)
        self.draining = Draining(lambda: self.loop, self.clock)
        self.departures = Departures(lambda: self.loop)
        self.farewells = Farewells()

    def _store(self) -> Store | None:
        """Where connection states are kept if nobody says it: where all servers of the cluster find them."""
        config = self.config.connection_state_recovery
        if config is None:
            return None
        heartbeat_s = self.config.ping_interval_s + 2 * self.config.ping_timeout_s
        if self.cluster is not None and self.cluster.store is not None and self.make_adapter is None:
            return self.cluster.store(config, heartbeat_s)
        return MemoryStore(config, self.clock, heartbeat_s=heartbeat_s)

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

    def instrument(
        self,
        authenticate: Authenticate,
        *,
        namespace: str = "/admin",
        read_only: bool = True,
        describe: Describe = nothing,
    ) -> Admin:
        """Show this server to Socket.IO's Admin UI; to be called once, before the first connection.

        ``authenticate(socket)`` lets people in, see `admin.admin.Authenticate`. With ``read_only=False`` the UI
        may also emit, move sockets between rooms and disconnect them. ``describe(socket)`` is what is shown as its
        data. Raises `ValueError` the second time.
        """
        if self.admin is not None:
            raise ValueError("the server is instrumented already")
        self.admin = Admin(self, authenticate, name=namespace, read_only=read_only, describe=describe)
        for known in self.namespaces():
            known.watch_rooms(self.admin)
        if self.loop is not None:
            self.wheel.schedule(self.admin, self.clock.monotonic_s())
        return self.admin

    async def may_join(self, socket: Socket, room: str) -> bool:
        """Whether the client of ``socket`` may be in ``room`` by its own wish; see `on_room_join`."""
        return await self._room_requests.may_enter(socket, room)

    def stats(self) -> dict[str, Any]:
        """``{activeConnections, rooms, events: {name: emits}, uptime}`` of this process; uptime in seconds.

        Beside these: ``received`` {event: count}, ``rates`` {windowS, out, in: {event: a second}}, ``queues``
        {sessions, polling, waiting, bytes, largestBytes}, ``traffic`` {sessionsOpened, sessionsClosed, deliveries,
        bytesOut, bytesIn}, ``dropped`` {volatile, replaced}, ``slowClients`` (cut
        off), ``refused`` {reason: count}, ``invalid`` {received, sent}, ``revocations``, ``recoveries`` {outcome:
        count}, ``roundTrip`` and ``writes`` {count, p50Ms, p99Ms, worstMs} (from a PING to its PONG; of the
        broadcasts of one turn of the loop, with ``stalls`` above 50 ms), ``collector`` {collections, pauseMs,
        worstPauseMs}, ``draining``, and ``nodes``: what this server and the others have told each other.
        """
        return own_figures(self)

    async def cluster_stats(self) -> dict[str, Any]:
        """The same of all servers that are one, added up, and each by itself (without the lists) in ``servers``.

        ``missing``: the ids of those that did not answer within a second, and `figures.ANOTHER_RELEASE` if one was
        not understood. Asked at most once a second.
        """
        self.begin()
        return await self._cluster_figures.all()

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind to the running loop. The first request does it, too; after a `shutdown` only this does."""
        if self._is_closing and self.loop is None:
            self._is_closing = self.is_leaving = False
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
        self.wheel.schedule(self.rates, self.clock.monotonic_s() + LOOK_EVERY_S)
        if self.admin is not None:
            self.wheel.schedule(self.admin, self.clock.monotonic_s())
        if self.cluster is not None:
            self.cluster.node.start()

    def serve(self) -> None:
        """`begin` for a request: what cannot be served is refused. Raises `HandshakeError`."""
        try:
            self.begin()
        except NotRunningError as error:
            raise HandshakeError(3, str(error), 503, retry_after_s=1.0) from None

    def health(self) -> str:
        """``ok``, or that this server is about to end, in words for whoever asks whether it is ready."""
        return f"draining: {len(self.clients)} connections are left" if self.is_leaving else "ok"

    async def drain(self, notice_s: float = 0.0) -> None:
        """Send everybody elsewhere, at `Config.drain_per_s`; wait until they have gone. `shutdown` comes next.

        ``notice_s``: so long `health` says it and clients are admitted all the same, until the balancer has heard.
        Nobody is told to stay away, so their states are kept, and the stock client comes back and is recovered.
        """
        self.is_leaving = True
        if self.loop is None:
            return
        if notice_s and self.clients:
            await asyncio.sleep(notice_s)
        self.begin_shutdown()
        await self.draining.ended()

    def begin_shutdown(self) -> None:
        """Begin to `drain`, and wait for nothing: uvicorn says that it ends, and waits for connections itself.

        It waits for ``timeout_graceful_shutdown`` seconds: give it more than `Config.drain_timeout_s`.
        """
        self.is_leaving = True
        if self._is_closing:
            return
        self._is_closing = True
        config = self.config
        self.draining.begin(self.clients.values(), per_s=config.drain_per_s, within_s=config.drain_timeout_s)

    async def shutdown(self) -> None:
        """End all connections ("server shutting down") at once, and all tasks of handlers. Idempotent."""
        self.begin_shutdown()
        self.departures.finish()
        self.draining.finish()
        self.turn.finish()
        for namespace in self.namespaces():
            namespace.stop()
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
        """See `Sessions.open`."""
        if self._is_closing:
            raise HandshakeError(3, "the realtime server is shutting down", 503, retry_after_s=1.0)
        return self.sessions.open(transport, request, refusal)


def _undescribed(_error: Exception) -> EventError | None:
    return None
