"""The composition root: reads top to bottom what the application is made of. No business here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from steinmetz import __version__
from steinmetz.cache import CacheConfig, Principal, ResponseCache
from steinmetz.clock import Clock, SystemClock
from steinmetz.erp.api import make_api
from steinmetz.erp.asyncapi import SENT_EVENTS
from steinmetz.erp.chores import chores
from steinmetz.erp.db import DATABASE_NAME, Database
from steinmetz.erp.edge import Edge, Traffic
from steinmetz.erp.errors import event_error, refusal
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.migrations import head
from steinmetz.erp.modules.auth import admin_screen
from steinmetz.erp.modules.auth.admin_screen import AdminScreen
from steinmetz.erp.modules.auth.events import EVENT_RATES, Gate
from steinmetz.erp.modules.auth.identity import Identity
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.modules.auth.throttle import LoginThrottle
from steinmetz.erp.modules.auth.tokens import Tokens
from steinmetz.erp.modules.batch.events import Listeners
from steinmetz.erp.modules.batch.rules import WATCH_ROOMS
from steinmetz.erp.modules.batch.tasks import Worker
from steinmetz.erp.modules.chat.events import Conversation
from steinmetz.erp.modules.chat.rules import ROOM_PREFIX, is_private_room
from steinmetz.erp.modules.dashboard.events import OVERVIEW_PATH, overview_events
from steinmetz.erp.modules.dashboard.schemas import DASHBOARD_ROOM
from steinmetz.erp.neighbours import (
    cluster_of,
    everywhere,
    heard,
    on_this_host,
    place_of,
    realtime_cluster_of,
    throughout,
)
from steinmetz.erp.page import mount_page
from steinmetz.erp.rates import RateLimits
from steinmetz.erp.recall import Recall
from steinmetz.erp.scheduler import Scheduler
from steinmetz.erp.settings import Environment, Settings, load_settings
from steinmetz.erp.state import AppState
from steinmetz.erp.strangers import strangers_of
from steinmetz.erp.warming import Warming, principal_of
from steinmetz.erp.watching import Watching
from steinmetz.live import Emission, Live, install
from steinmetz.live.native import protocol_class
from steinmetz.realtime import Config as RealtimeConfig
from steinmetz.realtime import ConnectionStateRecovery, Limits, Server
from steinmetz.sql.scope import ScopeKind, open_scope

LISTENER = Principal("system:live", Role.CLERK.value, None, Actor(None, "SteinmetZ", Role.CLERK))
"""For whom the overview is recomputed: it is the same for every role that may read it."""


class Application:
    """The running ERP as one ASGI application, with its parts at hand."""

    def __init__(self, state: AppState, api: FastAPI, live: Live, door: Edge) -> None:
        self.state = state
        self.api = api
        self.live = live
        self._door = door

    @property
    def http_protocol(self) -> type[Any] | str:
        """For uvicorn's ``http=``: sockets and kept answers below ASGI where that is possible."""
        return protocol_class(self.state.io, refusal, hits=self.live.native_hits(self._door))

    async def drain(self) -> None:
        """Before the end: `/readyz` says no, then sockets are sent elsewhere by rate. Requests are answered on."""
        if self.state.io is not None:
            await self.state.io.drain(self.state.settings.drain_notice_s)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._door(scope, receive, send)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Application:
    """The application for ``settings`` (default: the environment's).

    Raises `SettingsError` for settings that cannot be used.
    """
    settings = settings or load_settings()
    clock = clock or SystemClock()
    database = Database(settings.database_address, clock=clock)
    tokens = Tokens(settings.token_secrets(), access_s=settings.access_token_s)
    identity = Identity(database, tokens, clock)
    traffic = Traffic()
    rates = RateLimits(clock, address=settings.rate_of_address, user=settings.rate_of_user)
    door = Edge(settings, traffic, rates, clock)

    io = Server(
        RealtimeConfig(
            cors_origins=settings.cors_origins,
            trusted_proxies=settings.trusted_proxies,
            max_connections=settings.max_connections,
            limits=Limits(
                connections_per_address=settings.connections_per_address,
                connections_per_user=settings.connections_per_user,
                events=EVENT_RATES,
            ),
            unlisted_room=is_private_room,
            drain_per_s=settings.drain_per_s,
            drain_timeout_s=settings.drain_timeout_s,
            strict_events=settings.environment is Environment.DEVELOPMENT,
            connection_state_recovery=ConnectionStateRecovery(),
        ),
        clock=clock,
        describe_error=event_error,
        cluster=realtime_cluster_of(settings, clock),
    )
    io.around_events(lambda event: open_scope(ScopeKind.EVENT, event))
    io.declare(*SENT_EVENTS)
    gate = Gate(identity)
    publish = gate.attach(io)
    listeners = Listeners(database, io)
    gate.open_rooms(WATCH_ROOMS, listeners.may_enter)
    worker = Worker(database, listeners, workers=settings.batch_workers)
    cache = ResponseCache(
        CacheConfig(
            enabled=settings.cache, budget_bytes=settings.cache_max_bytes, watch_identity=settings.cache_watch
        ),
        clock=clock,
        authenticator=identity,
        version=f"{__version__}-{head()}",
        finish=door.finish,
        on_admitted=rates.charge_user,
        cluster=cluster_of(settings, clock),
        renew_as=principal_of if settings.cache_renew else None,
    )
    database.recall = Recall(cache)
    watching = Watching(settings, clock)
    monitor = watching.monitor

    state = AppState(
        settings=settings,
        database=database,
        clock=clock,
        identity=identity,
        hasher=PasswordHasher(settings),
        throttle=LoginThrottle(),
        traffic=traffic,
        rates=rates,
        batch=listeners,
        io=io,
        cache=cache,
        monitor=monitor,
    )
    if settings.admin_ui:
        screen = AdminScreen(state.doorkeeper, identity, clock)
        io.instrument(screen.admit, describe=admin_screen.shown)
    conversation = Conversation(database, state.chat_pace, clock)
    conversation.attach(io)
    gate.open_rooms(ROOM_PREFIX, conversation.may_enter)
    scheduler = state.scheduler = Scheduler(database, clock, chores(settings))
    warming = state.warming = Warming(cache, settings.data_dir, clock, gate_s=settings.cache_warm_s)
    state.probes |= {"scheduler": scheduler.health, "worker": worker.health, "cache": warming.health}
    state.probes["sockets"] = io.health

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await live.hook.prime()
        await watching.start()
        await scheduler.start()
        await listeners.start()
        await worker.start()
        await warming.start(live)
        yield
        await warming.stop()
        await worker.stop()
        await listeners.stop()
        await scheduler.stop()
        await watching.stop(live.hook)
        await database.close()

    api = make_api(state, lifespan=lifespan)
    mount_page(api)
    live = install(
        api,
        engine=database.engine,
        io=io,
        cache=cache,
        monitor=monitor,
        clock=clock,
        database=DATABASE_NAME,
        enabled=settings.live,
        place=place_of(settings),
        strangers=strangers_of(database, settings),
        principals=gate.principals,
    )
    if io.cluster is None:
        live.on_relayed(heard(publish))
        database.publisher = everywhere(publish, live.relay)
    else:
        database.publisher = throughout(io, publish)
        live.on_relayed(heard(on_this_host(io, database.publisher)))
        state.probes["realtime"] = io.cluster.node.health
    state.live_stats = live.stats
    live.bind(OVERVIEW_PATH, room=DASHBOARD_ROOM, principal=LISTENER, describe=_overview_emissions)
    door.inside, door.kept = live, live.asgi_hits(door)
    return Application(state, api, live, door)


def _overview_emissions(previous: Any, body: Any) -> list[Emission]:
    events = overview_events(previous["data"] if previous else None, body["data"])
    return [Emission(event, payload, DASHBOARD_ROOM) for event, payload in events]
