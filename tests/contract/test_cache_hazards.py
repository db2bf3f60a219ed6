"""Hazards of staleness that take a real database to show, each by one interleaving made on purpose.

Numbers are those of the table in benchmarks/stale/hazards.py. Each test has once shown a stale answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import StaticPool, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from steinmetz.cache import ResponseCache, cached
from steinmetz.cache.testing import assert_hit, assert_miss
from steinmetz.clock import FakeClock
from steinmetz.sql.engine import hook

pytestmark = pytest.mark.anyio


class Rig:
    """One row ``t.v`` of an engine, read by ``GET /`` on the connection that ``reading`` gives."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.reading: AsyncConnection | None = None
        self.clock = FakeClock()
        self.cache = ResponseCache(clock=self.clock)
        self.hook = hook(engine)
        self.hook.observe_transactions(self.cache.observer)

        @cached(public=True)
        async def row(request: Request) -> JSONResponse:
            if self.reading is not None:
                return JSONResponse(await self.reading.scalar(text("SELECT v FROM t")))
            async with engine.connect() as connection:
                return JSONResponse(await connection.scalar(text("SELECT v FROM t")))

        app = self.cache.wrap(Starlette(routes=[Route("/", row)]))
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://row")

    async def get(self) -> Any:
        return await self.client.get("/")

    async def value(self) -> int:
        return int((await self.get()).json())

    async def in_database(self) -> int:
        async with self.engine.connect() as connection:
            return int(await connection.scalar(text("SELECT v FROM t")) or 0)

    async def write(self, value: int) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text("UPDATE t SET v = :v"), {"v": value})


Rigs = Callable[..., Any]


@pytest.fixture
async def rigged() -> AsyncIterator[Rigs]:
    rigs: list[Rig] = []

    async def make(url: str, **options: Any) -> Rig:
        rig = Rig(create_async_engine(url, **options))
        rigs.append(rig)
        async with rig.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE t (v INTEGER)"))
            await connection.execute(text("INSERT INTO t VALUES (0)"))
        return rig

    yield make
    for rig in rigs:
        if rig.reading is not None:
            await rig.reading.close()
        await rig.client.aclose()
        rig.hook.remove()
        await rig.engine.dispose()


def _begins_for_real(engine: AsyncEngine) -> None:
    """SQLAlchemy's recipe for transactions of SQLite that hold a snapshot from their first SELECT."""

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


async def _old_snapshot(rig: Rig, reading: AsyncConnection) -> None:
    """H7: a transaction that has read before a write answers a request after it."""
    rig.reading = reading
    await rig.reading.execute(text("SELECT v FROM t"))
    await rig.write(1)
    assert await rig.value() == 0, "the database itself shows the past here"
    await rig.reading.rollback()
    answer = await rig.get()
    assert_miss(answer)
    assert answer.json() == 1
    await rig.reading.rollback()
    assert_hit(await rig.get())


async def test_h7_a_snapshot_of_sqlite_older_than_the_request_is_not_kept(rigged: Rigs, tmp_path: Path) -> None:
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")
    async with rig.engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    await rig.engine.dispose()
    _begins_for_real(rig.engine)
    await _old_snapshot(rig, await rig.engine.connect())


async def test_h7_a_snapshot_of_postgresql_older_than_the_request_is_not_kept(
    rigged: Rigs, empty_postgres_url: str
) -> None:
    rig: Rig = await rigged(empty_postgres_url)
    reading = await rig.engine.connect()
    await _old_snapshot(rig, await reading.execution_options(isolation_level="REPEATABLE READ"))


async def test_h7_a_transaction_that_begins_within_the_request_is_as_young_as_it(
    rigged: Rigs, tmp_path: Path
) -> None:
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")
    for value in (1, 2):  # on the same pooled connection, again and again
        await rig.write(value)
        assert_miss(await rig.get())
        assert_hit(await rig.get())


async def test_h8_what_others_have_written_and_not_committed_is_not_kept(rigged: Rigs) -> None:
    """All share one connection here, as an SQLite in memory has it; so their transactions are one."""
    rig: Rig = await rigged("sqlite+aiosqlite://", poolclass=StaticPool)
    rig.reading = await rig.engine.connect()
    writing = await rig.engine.connect()
    await writing.execute(text("UPDATE t SET v = 9"))
    assert await rig.value() == 9, "the database itself shows it"
    await writing.rollback()
    await writing.close()
    assert await rig.value() == 0


async def test_h6_the_release_of_the_outermost_savepoint_is_a_commit_of_sqlite(
    rigged: Rigs, tmp_path: Path
) -> None:
    """pysqlite sends no BEGIN before a SAVEPOINT, so the rollback that follows undoes nothing."""
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")
    assert await rig.value() == 0
    async with rig.engine.connect() as connection:
        async with connection.begin_nested(), connection.begin_nested():
            await connection.execute(text("UPDATE t SET v = 5"))
        assert await rig.value() == await rig.in_database() == 5
        await connection.rollback()
    assert await rig.value() == await rig.in_database() == 5


async def test_h6_a_savepoint_within_a_transaction_commits_nothing(rigged: Rigs, tmp_path: Path) -> None:
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")
    _begins_for_real(rig.engine)
    await rig.engine.dispose()
    assert await rig.value() == 0
    async with rig.engine.connect() as connection:
        async with connection.begin_nested():
            await connection.execute(text("UPDATE t SET v = 5"))
        assert_hit(await rig.get())
        await connection.rollback()
    assert_hit(await rig.get())
    assert await rig.value() == await rig.in_database() == 0


async def test_t7_what_a_refused_commit_leaves_open_is_dropped_when_it_is_committed_after_all(
    rigged: Rigs, tmp_path: Path
) -> None:
    """The transaction of a COMMIT that failed may stay open; whoever commits next commits it, too."""
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")

    def refuse(point: str) -> None:
        raise InterruptedError(point)

    async with rig.engine.connect() as connection:
        await connection.execute(text("UPDATE t SET v = 7"))
        raw: Any = connection.sync_connection
        rig.hook.failpoint = refuse
        with pytest.raises(InterruptedError):
            await connection.run_sync(lambda _: rig.engine.dialect.do_commit(raw.connection))
        rig.hook.failpoint = None
        assert await connection.scalar(text("SELECT 1")) == 1  # a completed operation: the doubt is over
        assert await rig.value() == 0
        assert_hit(await rig.get())
        await connection.commit()
    assert await rig.value() == await rig.in_database() == 7


def test_t7_a_mark_that_fails_stops_the_commit_and_forgets_no_write(tmp_path: Path) -> None:
    class Refusing:
        refuses = True

        def __init__(self) -> None:
            self.marked: list[str] = []

        def mark(self, writes: Any) -> object:
            if self.refuses:
                raise ConnectionError("the cluster cannot be told")
            self.marked += sorted(relation.name for relation in writes.relations)
            return writes

        def bump(self, token: object) -> None:
            pass

        def unmark(self, token: object) -> None:
            pass

    observer = Refusing()
    engine = create_engine(f"sqlite:///{tmp_path / 'row.db'}")
    sql = hook(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (v INTEGER)"))
        connection.execute(text("CREATE TABLE u (v INTEGER)"))
    sql.observe_transactions(observer)
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        raw = connection.connection
        with pytest.raises(ConnectionError):
            engine.dialect.do_commit(raw)
        observer.refuses = False
        connection.execute(text("INSERT INTO u VALUES (1)"))
        connection.commit()
    assert observer.marked == ["t", "u"]
    sql.remove()
    engine.dispose()


async def test_t7_a_commit_whose_connection_has_died_may_still_come_to_pass(rigged: Rigs, tmp_path: Path) -> None:
    """The server is still at the COMMIT when its connection is given up: what is read meanwhile is not kept."""
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")
    assert await rig.value() == 0
    server = sqlite3.connect(tmp_path / "row.db", isolation_level=None)

    def lose(point: str) -> None:
        raise ConnectionResetError(point)

    async with rig.engine.connect() as connection:
        await connection.execute(text("UPDATE t SET v = 3"))
        rig.hook.failpoint = lose
        with pytest.raises(ConnectionResetError):
            await connection.commit()
        rig.hook.failpoint = None
        await connection.invalidate()
    assert await rig.value() == 0
    server.execute("UPDATE t SET v = 3")  # the lost COMMIT comes to pass, and nobody is told
    server.close()
    assert await rig.value() == 3
    rig.clock.advance(31)
    assert await rig.value() == 3
    assert_hit(await rig.get())


async def test_h12_a_statement_that_commits_by_itself_and_is_cancelled_is_in_doubt_until_it_ends(
    rigged: Rigs, tmp_path: Path
) -> None:
    rig: Rig = await rigged(f"sqlite+aiosqlite:///{tmp_path / 'row.db'}")
    assert await rig.value() == 0
    locker = sqlite3.connect(tmp_path / "row.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    begun = asyncio.Event()

    async def write() -> None:
        async with rig.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            begun.set()
            await alone.execute(text("UPDATE t SET v = 5"))

    task = asyncio.create_task(write())
    await begun.wait()
    while not rig.cache._coherence.epochs.marks:
        await asyncio.sleep(0)
    task.cancel()
    assert await rig.value() == 0
    assert_miss(await rig.get())
    locker.rollback()
    locker.close()
    await asyncio.wait({task})
    assert await rig.value() == await rig.in_database()
