"""Joins the parts around an ASGI application: one hook on the engine, one door in front of the routes.

sockets  -> realtime
the rest -> cache -> the application -> SQL hook -> monitor
COMMIT   -> cache drops -> answers that somebody listens to are recomputed once -> he hears it
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.clock import Clock, SystemClock
from steinmetz.live.answers import Answers
from steinmetz.live.bindings import Binding, Describe, Emission
from steinmetz.live.doorbell import Bell, Place, Ringer
from steinmetz.live.rights import Principals, Rights, anybody
from steinmetz.live.strangers import Strangers
from steinmetz.live.subscriptions import Subscriptions
from steinmetz.monitor.capture.requests import RequestScopes
from steinmetz.realtime import RealtimeApp
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import SqlHook, hook
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from steinmetz.cache import ResponseCache
    from steinmetz.cache.hits.asgi import AsgiHits
    from steinmetz.cache.hits.native import NativeHits
    from steinmetz.cache.hits.passage import Front
    from steinmetz.monitor import Alert, QueryMonitor
    from steinmetz.realtime import Event, Server

log = structlog.get_logger("steinmetz.live")

ASGIApp = Callable[[MutableMapping[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

ALERT_EVENT = "monitor:alert"
ALERT_ROOM = "ops"
"""Alerts are said to whoever the application lets into this room."""


class Live:
    """The ASGI application that stands before yours; made by `install`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hook: SqlHook,
        io: Server | None,
        cache: ResponseCache | None,
        monitor: QueryMonitor | None,
        clock: Clock,
        enabled: bool,
        place: Place | None = None,
        strangers: Strangers | None = None,
        principals: Principals = anybody,
    ) -> None:
        self.hook = hook
        self.io = io
        self.cache = cache
        self.monitor = monitor
        self.clock = clock
        self.enabled = enabled
        # The cache opens a scope for each request, switched off, too; without one they come from here.
        self._cached = cache.wrap(app) if cache is not None else None
        self._inside: ASGIApp = self._cached if self._cached is not None else RequestScopes(app)
        self._application = app
        self._sockets: ASGIApp | None = RealtimeApp(io) if io is not None else None
        self.answers: Answers | None = None
        self.rights: Rights | None = None
        self.subscriptions: Subscriptions | None = None
        self._bindings: list[Binding] = []
        if io is not None and self._cached is not None:
            self.subscriptions = Subscriptions(io)
            self.rights = Rights(principals, self.subscriptions.examined)
            self.answers = Answers(self._cached.within, self.subscriptions, clock)
            self.subscriptions.attach(self.answers, self.rights)
        self._tasks: Tasks | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relays: list[Callable[[Any], None]] = []
        self._silence: Callable[[], None] = lambda: None
        self.bell: Bell | None = None
        self.ringer: Ringer | None = None
        self.strangers = strangers if cache is not None else None
        if place is not None:
            observer = cache.observer if cache is not None else _Unmoved()
            self.bell = Bell(
                place,
                observer if self.strangers is None else self.strangers.beside(observer),
                database=hook.database,
                schema_changed=hook.schema_changed,
                said=self._said,
            )
            self.ringer = Ringer(place, who="a server", own=self.bell.name)

    # -- what the application says -----------------------------------------------------------------------

    def bind(
        self,
        path: str,
        *,
        room: str,
        principal: Any,
        event: str | Event | None = None,
        select: Callable[[Any], Any] = lambda body: body,
        describe: Describe | None = None,
    ) -> None:
        """Recompute ``GET path`` as ``principal`` after each commit that concerns it, and tell ``room``.

        Either ``event`` (sent with ``select(body)`` as its payload) or ``describe(previous, body)`` for several
        events. Nothing is computed while nobody is in the room, and nothing is said while the bytes are equal.

        Raises `ValueError` without a realtime server or a cache, or with neither event nor describe.
        """
        if self.io is None or self.cache is None:
            raise ValueError("bind() needs the realtime server and the cache: install(app, io=..., cache=...)")
        if describe is None:
            if event is None:
                raise ValueError("bind() needs the name of an event, or describe=")
            name = event

            def describe(previous: Any, body: Any) -> Iterable[Emission]:
                return [Emission(name, select(body), room)]

        self._bindings.append(Binding(path, room, principal, describe))
        if self._tasks is not None:
            self._put_bindings()

    def _put_bindings(self) -> None:
        """By now all routes are there: which answer is meant depends on their marks."""
        assert self.answers is not None or not self._bindings
        while self._bindings and self.answers is not None:
            self.answers.bind(self._bindings.pop(0))

    # -- neighbours: other processes on the same database --------------------------------------------------

    def on_relayed(self, listener: Callable[[Any], None]) -> None:
        """Call ``listener(body)`` on the event loop with what a neighbour has passed on with `relay`."""
        self._relays.append(listener)

    def relay(self, body: Any) -> None:
        """Have every neighbouring server hear ``body`` (JSON) after the commits so far; does not wait."""
        if self.ringer is not None:
            self.ringer.say(body)

    def _said(self, body: Any) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            for listener in self._relays:
                loop.call_soon_threadsafe(listener, body)

    # -- alerts ------------------------------------------------------------------------------------------

    def _alerted(self, alert: Alert) -> None:
        """An alert was raised or resolved, on whatever thread: say it on the event loop."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._alarm, alert)

    def _alarm(self, alert: Alert) -> None:
        """To operators wherever they are connected: each server has alerts of its own."""
        if self.io is not None:
            self.io.to(ALERT_ROOM).emit(ALERT_EVENT, alert.as_json())

    # -- commits -----------------------------------------------------------------------------------------

    def _bumped(self, writes: WriteSet) -> None:
        """After a commit, on whatever thread it happened: go on, on the event loop."""
        if self._loop is None or not (self.answers or self.rights) or self._loop.is_closed():
            return  # nobody listens
        self._loop.call_soon_threadsafe(self._committed, writes)

    def _committed(self, writes: WriteSet) -> None:
        if self.answers is not None and self.rights is not None:
            self.rights.committed(writes)
            self.answers.committed(writes)

    async def settled(self) -> None:
        """Wait until all who listen were told what has been committed by now; for tests and tools."""
        await asyncio.sleep(0)  # commits reach the answers by the loop's next turn
        if self.answers is not None:
            await self.answers.settled()

    # -- life ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start what runs in the background; an ASGI server does it by the lifespan protocol."""
        if self._tasks is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks("live")
        if self.cache is not None and self.cache.cluster is not None:
            self.cache.cluster.start()
        if self.bell is not None:
            try:
                self.bell.open()
            except OSError as error:
                log.warning(
                    "No doorbell: writes of other processes will not be noticed",
                    error=error.strerror or str(error),
                )
        if self.strangers is not None:
            await self.strangers.start()
        if self.io is not None:
            await self.io.start()
        self._tasks.spawn("attend", self.hook.attend())
        if self.monitor is not None and self.monitor.enabled:
            self.monitor.alerts.start()
            self._silence = self.monitor.alerts.on_alert(self._alerted)
        if (
            self.enabled
            and self.answers is not None
            and self.rights is not None
            and self.subscriptions is not None
        ):
            self._put_bindings()
            self._tasks.spawn("recompute", self.answers.run())
            self._tasks.spawn("rights", self.rights.run())
            self.subscriptions.is_open = True

    def _listen(self, tasks: Tasks) -> None:
        if self.answers is not None and self.rights is not None and self.subscriptions is not None:
            self._put_bindings()
            tasks.spawn("recompute", self.answers.run())
            tasks.spawn("rights", self.rights.run())
            self.subscriptions.is_open = True

    async def stop(self) -> None:
        """End what `start` started; open sockets are closed so that their clients come back."""
        tasks, self._tasks, self._loop = self._tasks, None, None
        if tasks is not None:
            if self.subscriptions is not None:
                self.subscriptions.is_open = False
            await tasks.aclose()
            if self.monitor is not None:
                self._silence()
                await self.monitor.alerts.stop()
            if self.strangers is not None:
                await self.strangers.stop()
            if self.bell is not None:
                self.bell.close()
            if self.ringer is not None:
                await asyncio.to_thread(self.ringer.close)
            if self.io is not None:
                await self.io.shutdown()
            if self.cache is not None:
                await self.cache.aclose()

    def native_hits(self, front: Front | None = None) -> NativeHits | None:
        """For `steinmetz.live.native.protocol_class`: kept answers below ASGI; None without a cache.

        ``front`` does there what the application's outermost layers do for an answer that comes through ASGI:
        limits, counts, log lines, the fields of one response. Without one, the cache's ``on_admitted`` and
        ``finish`` are heeded, and nothing else.
        """
        if self._cached is None:
            return None
        from steinmetz.cache.hits.native import NativeHits

        return NativeHits(self._cached, front, excluded=self._is_for_sockets)

    def asgi_hits(self, front: Front) -> AsgiHits | None:
        """The same short way for ``front`` itself, if it is the outermost layer in ASGI."""
        if self._cached is None:
            return None
        from steinmetz.cache.hits.asgi import AsgiHits

        return AsgiHits(self._cached, front, excluded=self._is_for_sockets)

    def _is_for_sockets(self, path: str) -> bool:
        return self.io is not None and self.io.takes(path)

    # -- the door ------------------------------------------------------------------------------------------

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif self._sockets is not None and self.io is not None and self.io.takes(scope["path"]):
            await self._sockets(scope, receive, send)
        elif kind == "http":
            await self._inside(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _lifespan(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self.start()
            elif message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                await self.stop()
            await send(message)

        await self._application(scope, receive, sending)


def install(
    app: ASGIApp,
    *,
    engine: Engine | AsyncEngine,
    io: Server | None = None,
    cache: ResponseCache | None = None,
    monitor: QueryMonitor | None = None,
    clock: Clock | None = None,
    database: str = "main",
    enabled: bool = True,
    place: Place | None = None,
    strangers: Strangers | None = None,
    principals: Principals = anybody,
) -> Live:
    """Put the parts around ``app`` and join them to ``engine``; returns the ASGI application to serve.

    ``database`` names the engine in read and write sets. With ``enabled`` false, no answer is recomputed and
    nobody may subscribe (the kill switch ``LIVE=off``); cache and monitor have switches of their own.

    Clients of ``io`` may subscribe to the answers of routes that say ``cached(..., live=True)``. ``principals``
    says who stands behind sockets, and is asked again when a commit concerns what it has read; without it
    everybody is a stranger, who may have what is ``public=True``.

    With a ``place``, processes on the same database tell each other of their commits there (`doorbell.Ringer`),
    so that none gives an answer older than a write of another. A cache that has a cluster (`redis_cluster`) tells
    of commits over that instead; what commands ring at the doorbell it passes on. ``strangers`` notices writers
    who tell nobody; without a cache there is nothing for it to do.
    """
    sql = hook(engine, database=database)
    if cache is not None and cache.cluster is not None and sql.engine.dialect.name == "sqlite":
        strangers = (
            None  # the other servers of the cluster would be some, and each commit of theirs drop everything
        )
    live = Live(
        app,
        hook=sql,
        io=io,
        cache=cache,
        monitor=monitor,
        clock=clock or SystemClock(),
        enabled=enabled,
        place=place,
        strangers=strangers,
        principals=principals,
    )
    if io is not None and io.event_scope is None:
        # What a handler asks of the database belongs to its event, not to whoever computes an answer meanwhile.
        io.around_events(lambda event: open_scope(ScopeKind.EVENT, event))
    if monitor is not None:
        monitor.attach(sql)
    if cache is not None:
        sql.observe_transactions(cache.observer)
        cache.on_bumped(live._bumped)
        if strangers is not None:
            strangers.join(cache, sql)
    if cache is not None and cache.cluster is not None:
        cache.cluster.on_unknown = sql.schema_changed
    elif live.ringer is not None:
        sql.observe_transactions(live.ringer)  # after the cache: neighbours hear of it while ours is marked
    return live


class _Unmoved:
    """For a server without a cache: commits of neighbours move nothing, only what they say is heard."""

    def mark(self, writes: WriteSet) -> object:
        return None

    def bump(self, token: object) -> None:
        pass

    def unmark(self, token: object) -> None:
        pass
