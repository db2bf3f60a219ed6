"""One process that runs the same ten queries over and over, with and without a tool that watches them.

``python query_cost.py DRIVER TOOL [URL]``: reads lines ``none N`` and ``with N`` and answers each with the CPU
time of N queries (a multiple of ten) in µs a query, all threads of the process and all that a tool does at the
begin and end of a request (ten queries) included; ``fetch STEPS`` (for pysqlite) with what the tool shows and what
a raw cursor takes for one query that steps through rows, in ms. Needs SQLAlchemy and the tool, no more: peers live
in an environment of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, dialects, select, text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

TABLE = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("a", String), Column("b", Integer))
REQUEST = [select(TABLE.c.id, TABLE.c.a.label(f"a{number}")).where(TABLE.c.id == number) for number in range(10)]
"""What one request asks: ten statements. One of them ten times would be an N+1, which is looked at."""
ROWS = [{"id": number, "a": f"x{number}", "b": number % 7} for number in range(100)]
TICK_S = 0.1
"""As uvicorn's."""
STEPPED = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {steps})
    SELECT i FROM n WHERE i * i % 997 = 1
"""


# ---- The stub: a DBAPI that does nothing ---------------------------------------------------------------------


class StubCursor:
    description = (("id", *[None] * 6), ("a", *[None] * 6))
    rowcount = -1
    lastrowid = None
    arraysize = 1

    def execute(self, statement: str, parameters: Any = None) -> None:
        pass

    def fetchall(self) -> list[Any]:
        return []

    def close(self) -> None:
        pass


class StubConnection:
    def cursor(self) -> StubCursor:
        return StubCursor()

    def commit(self) -> None:
        pass

    rollback = close = commit


class StubDriver:
    paramstyle = "qmark"
    Error = type("Error", (Exception,), {})

    @staticmethod
    def connect(*_: Any, **__: Any) -> StubConnection:
        return StubConnection()


class StubDialect(DefaultDialect):
    name = driver = "stub"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return StubDriver

    def initialize(self, connection: Any) -> None:
        pass


dialects.registry.impls["stub"] = lambda: StubDialect  # it has no entry point


# ---- Tools ---------------------------------------------------------------------------------------------------

Tool = Callable[[Engine], Callable[[], contextlib.AbstractContextManager[Any]]]
"""Watches an engine; what it returns is entered around each block of queries, as a request would be."""


def nothing(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    return contextlib.nullcontext


def counting(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    """Counts, names and histograms: the monitor, outside of any scope."""
    _monitor(engine)
    return contextlib.nullcontext


def everything(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    """And a scope with its reads and its ledger, loop lag, slow floor, errors, fetch times."""
    from steinmetz.sql import ScopeKind, open_scope

    monitor = _monitor(engine)
    begun = False

    def request() -> contextlib.AbstractContextManager[Any]:
        nonlocal begun
        if not begun:
            begun = True
            with contextlib.suppress(RuntimeError):  # a driver that blocks has no loop
                monitor.loop_lag.start()
        return open_scope(ScopeKind.REQUEST, "GET /invoices/{id}")

    return request


def _monitor(engine: Engine) -> Any:
    from steinmetz.monitor import QueryMonitor
    from steinmetz.sql import hook

    monitor = QueryMonitor(slow_threshold_ms=3_600_000)  # what is slow here is the machine
    monitor.attach(hook(engine))
    return monitor


def opentelemetry(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    """Its tracer of engines itself: the instrumentor around it refuses SQLAlchemy 2.1."""
    module = importlib.import_module
    tracer = module("opentelemetry.sdk.trace").TracerProvider().get_tracer("bench")
    meter = module("opentelemetry.sdk.metrics").MeterProvider().get_meter("bench")
    usage = meter.create_up_down_counter("db.client.connections.usage")
    module("opentelemetry.instrumentation.sqlalchemy.engine").EngineTracer(tracer, engine, usage)
    return contextlib.nullcontext


def sentry(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    sdk = importlib.import_module("sentry_sdk")
    integration = importlib.import_module("sentry_sdk.integrations.sqlalchemy").SqlalchemyIntegration()
    sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sample_rate=1.0,
        transport=lambda _: None,
        integrations=[integration],
        default_integrations=False,
    )
    return lambda: sdk.start_transaction(name="GET /invoices/{id}", op="http.server")


def sqltap(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    importlib.import_module("sqltap").start(engine, collect_fn=lambda _: None)
    return contextlib.nullcontext


def queryspy(engine: Engine) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    record = importlib.import_module("queryspy").record
    return lambda: record()


TOOLS: dict[str, Tool] = {
    "none": nothing, "counting": counting, "everything": everything, "opentelemetry": opentelemetry,
    "sentry": sentry, "sqltap": sqltap, "queryspy": queryspy,
}  # fmt: skip


# ---- Blocks of queries ---------------------------------------------------------------------------------------


class Sync:
    """One engine with one connection, on a driver that blocks."""

    def __init__(self, driver: str, folder: Path, name: str, tool: str) -> None:
        self.engine = create_engine("stub://" if driver == "stub" else f"sqlite:///{folder}/{name}.db")
        if driver != "stub":
            with self.engine.begin() as connection:
                TABLE.metadata.create_all(connection)
                connection.execute(TABLE.insert(), ROWS)
        self.around = TOOLS[tool](self.engine)
        self.connection = self.engine.connect()

    def block(self, queries: int) -> float:
        execute = self.connection.execute
        spent_ns = 0
        for _ in range(queries // len(REQUEST)):
            started_ns = time.process_time_ns()
            with self.around():
                for query in REQUEST:
                    execute(query).fetchall()
            spent_ns += time.process_time_ns() - started_ns
        return spent_ns / queries / 1000


class Async:
    """One engine with one connection, on an event loop of its own that ticks as a server's does.

    A loop that has a timer pays for it at each turn (5 to 12 µs a query), be it the server's tick or a tool's
    heartbeat: so both sides tick, and a tool pays for its own timer on its own side.
    """

    def __init__(self, driver: str, folder: Path, name: str, tool: str, url: str) -> None:
        own = f"sqlite+aiosqlite:///{folder}/{name}.db" if driver == "aiosqlite" else url
        self.engine: AsyncEngine = create_async_engine(own)
        self.loop = asyncio.new_event_loop()
        self._tick()
        self.loop.run_until_complete(self._prepare())
        self.around = TOOLS[tool](self.engine.sync_engine)
        self.connection = self.loop.run_until_complete(self.engine.connect().start())

    def _tick(self) -> None:
        self.loop.call_later(TICK_S, self._tick)

    async def _prepare(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(TABLE.metadata.create_all)
            if (await connection.execute(select(TABLE.c.id).limit(1))).first() is None:
                await connection.execute(TABLE.insert(), ROWS)

    def block(self, queries: int) -> float:
        return self.loop.run_until_complete(self._block(queries))

    async def _block(self, queries: int) -> float:
        execute = self.connection.execute
        spent_ns = 0
        for _ in range(queries // len(REQUEST)):
            started_ns = time.process_time_ns()
            with self.around():
                for query in REQUEST:
                    (await execute(query)).fetchall()
            spent_ns += time.process_time_ns() - started_ns
        return spent_ns / queries / 1000


class StampedCursor(sqlite3.Cursor):
    """The raw cursor of the same run, which reads the clock around each of its own calls."""

    spent_ns = 0

    def execute(self, sql: str, parameters: Any = (), /) -> StampedCursor:
        started_ns = time.perf_counter_ns()
        super().execute(sql, parameters)
        StampedCursor.spent_ns += time.perf_counter_ns() - started_ns
        return self

    def fetchall(self) -> list[Any]:
        started_ns = time.perf_counter_ns()
        rows = super().fetchall()
        StampedCursor.spent_ns += time.perf_counter_ns() - started_ns
        return rows


class StampedConnection(sqlite3.Connection):
    def cursor(self, factory: Any = StampedCursor) -> Any:
        return super().cursor(factory)


def fetch_times(folder: Path, steps: int) -> tuple[float, float]:
    """What the monitor shows of a query that steps through rows, and what its raw cursor took, in ms.

    Of 15 runs, each timed by both, the one with the median ratio.
    """
    engine = create_engine(f"sqlite:///{folder}/fetch.db", connect_args={"factory": StampedConnection})
    monitor = _monitor(engine)
    query = text(STEPPED.format(steps=steps))
    runs = []
    with engine.connect() as connection:
        connection.execute(query).fetchall()
        for _ in range(15):
            monitor.reset()
            StampedCursor.spent_ns = 0
            connection.execute(query).fetchall()
            raw_ms = StampedCursor.spent_ns / 1e6
            (figures,) = monitor.query_stats()["queryBreakdown"].values()
            runs.append((figures["maxTime"] / raw_ms, figures["maxTime"], raw_ms))
    _, shown_ms, raw_ms = sorted(runs)[len(runs) // 2]
    return shown_ms, raw_ms


def main(driver: str, tool: str, url: str = "") -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def made(of: str) -> Sync | Async:
            if driver in ("stub", "pysqlite"):
                return Sync(driver, folder, of, of if of == "none" else tool)
            return Async(driver, folder, of, of if of == "none" else tool, url)

        sides: dict[str, Sync | Async] = {}
        for line in sys.stdin:
            act, count = line.split()
            if act == "fetch":
                print(json.dumps(fetch_times(folder, int(count))), flush=True)
                continue
            if act not in sides:
                sides[act] = made(act)
                sides[act].block(200)
                gc.collect()
                gc.freeze()
            print(json.dumps(sides[act].block(int(count))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
