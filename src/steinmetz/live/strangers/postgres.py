"""Listens to what the triggers of watched tables tell (`triggers`), and drops what it concerns.

A notification comes when the writer's COMMIT stands, within a few milliseconds. While the line to the database is
down nothing can come: whatever was computed from a watched table is then dropped every `UNHEARD_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import event
from sqlalchemy.util import greenlet_spawn

from steinmetz.cache.invalidation.strangers import CHANNEL, DEFAULT_SCHEMA, written
from steinmetz.live.strangers.triggers import WATCHED
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import SqlHook
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.sql.transaction_observer import TransactionObserver
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Pool
    from sqlalchemy.ext.asyncio import AsyncEngine

    from steinmetz.cache import ResponseCache

log = structlog.get_logger("steinmetz.live")

LOOK_S = 5.0
"""How often is looked which tables are watched, and how long to wait for the answer: a line that died silently
goes unnoticed for the sum of both at most."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
"""Between attempts to connect, which double."""
UNHEARD_S = 0.05
"""How long a stranger's commit may go unnoticed while the line is down."""
CAUSE = "another program"


class PostgresStrangers:
    """For one async engine on asyncpg. What the engine's own connections write is left to its hook.

    ``noticed`` counts notifications of others, ``own`` those of our own connections, ``lines`` how often a line
    was up; ``listening`` is set while it is.
    """

    def __init__(self, engine: AsyncEngine, *, database: str = "main", look_s: float = LOOK_S) -> None:
        self.noticed = 0
        self.own = 0
        self.lines = 0
        self.listening = asyncio.Event()
        self.pid: int | None = None
        """The server process of the line."""
        self._pool = engine.sync_engine.pool
        self._dialect = engine.dialect
        self._database = database
        self._look_s = look_s
        self._pids: set[int] = set()
        self._watched = WriteSet(unknown=frozenset({database}))  # until it is known
        self._unheard = asyncio.Event()
        self._cache: ResponseCache | None = None
        self._tasks: Tasks | None = None
        event.listen(engine.sync_engine.pool, "connect", self._connected)
        event.listen(engine.sync_engine.pool, "close", self._closed)

    def _connected(self, connection: Any, record: Any) -> None:
        self._pids.add(connection.driver_connection.get_server_pid())

    def _closed(self, connection: Any, record: Any) -> None:
        self._pids.discard(connection.driver_connection.get_server_pid())

    def join(self, cache: ResponseCache, hook: SqlHook) -> None:
        self._cache = cache

    def beside(self, observer: TransactionObserver) -> TransactionObserver:
        return observer

    # -- life

    async def start(self) -> None:
        self._tasks = Tasks("strangers")
        self._tasks.spawn("listen", self._run())
        self._tasks.spawn("unheard", self._drop_unheard())

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()

    async def _run(self) -> None:
        pool = self._pool.recreate()  # connections like those of the engine, and counted by nobody
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                try:
                    await self._line(pool)
                    pause_s = self._look_s  # no table is watched: look again later
                except Exception as error:
                    if self.listening.is_set() or pause_s > LONGEST_PAUSE_S:
                        pause_s = FIRST_PAUSE_S
                    if not self._unheard.is_set():
                        log.warning(
                            "The line that tells of other programs' writes is down", error=repr(error)[:200]
                        )
                    self.listening.clear()
                    self._unheard.set()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            await greenlet_spawn(pool.dispose)

    async def _line(self, pool: Pool) -> None:
        """Listen until the line breaks, which raises, or until no table is watched any more."""
        connection = await greenlet_spawn(pool.connect)
        raw: Any = connection.driver_connection
        lost = asyncio.Event()
        try:
            raw.add_termination_listener(lambda _: lost.set())
            await raw.add_listener(CHANNEL, self._told)
            while await self._look(raw):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_s):
                        await lost.wait()
                if lost.is_set():
                    raise ConnectionError("it was cut")
            self.listening.clear()
        finally:
            self.pid = None
            with contextlib.suppress(Exception):
                await greenlet_spawn(connection.invalidate)

    async def _look(self, raw: Any) -> bool:
        """Whether any table is watched. What comes under watch, or was unheard for a while, is dropped."""
        async with asyncio.timeout(LOOK_S):
            rows = await raw.fetch(WATCHED)
        watched = WriteSet()
        for row in rows:
            watched |= self._written(row["told"])
        was_up, before, self._watched = self.listening.is_set(), self._watched, watched
        self._unheard.clear()
        if watched and not (was_up and watched == before):
            self._drop(watched)
        if watched and not was_up:
            self.lines += 1
            self.pid = raw.get_server_pid()
            log.info("Listening to what other programs write", tables=[row["named"] for row in rows])
            self.listening.set()
        return bool(watched)

    async def _drop_unheard(self) -> None:
        while True:
            await self._unheard.wait()
            self._drop(self._watched)
            await asyncio.sleep(UNHEARD_S)

    # -- what is told

    def _told(self, connection: Any, pid: int, channel: str, payload: str) -> None:
        if pid in self._pids:
            self.own += 1  # our hook knows of it, and knows the rows
            return
        self.noticed += 1
        self._drop(self._written(payload))

    def _written(self, payload: str) -> WriteSet:
        default = self._dialect.default_schema_name or DEFAULT_SCHEMA
        return written(payload, self._database, default_schema=default)

    def _drop(self, writes: WriteSet) -> None:
        if self._cache is not None and writes:
            with open_scope(ScopeKind.COMMAND, CAUSE):
                self._cache.invalidate_relations(writes)
