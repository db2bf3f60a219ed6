"""PostgreSQL's triggers and the line that listens to them, against a real second connection (hazard H17)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from steinmetz.cache import ResponseCache
from steinmetz.erp.db import make_engine
from steinmetz.live import PostgresStrangers
from steinmetz.live.strangers.triggers import NoTableError, table_named, unwatch, watch, watched
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import SqlHook, hook
from steinmetz.sql.facts import Relation

pytestmark = pytest.mark.anyio

ANYTHING = WriteSet(unknown=frozenset({"main"}))
SCHEMA = """
CREATE TABLE t (a int PRIMARY KEY);
CREATE TABLE u (a int REFERENCES t ON DELETE CASCADE);
CREATE SCHEMA billing;
CREATE TABLE billing.bills (a int);
CREATE TABLE parted (a int) PARTITION BY RANGE (a);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE VIEW v AS SELECT a FROM t;
"""


def of(*names: str) -> WriteSet:
    return WriteSet(frozenset(Relation("main", name) for name in names))


class World:
    """One engine with its cache, a stranger on the same database, and what the cache was told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: AsyncEngine = make_engine(url)
        self.strangers = PostgresStrangers(self.engine, look_s=0.05)
        self.hook: SqlHook = hook(self.engine)
        self.cache = ResponseCache()
        self.hook.observe_transactions(self.cache.observer)
        self.strangers.join(self.cache, self.hook)
        self.told = asyncio.Queue[WriteSet]()
        self.cache.on_bumped(self.told.put_nowait)
        self.stranger: Any = None

    async def open(self) -> None:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.stranger = await asyncpg.connect(address)
        await self.stranger.execute(SCHEMA)
        await self.hook.prime()

    async def close(self) -> None:
        await self.strangers.stop()
        await self.engine.dispose()
        self.hook.remove()
        await self.stranger.close()

    async def change(self, act: Any, *names: str) -> None:
        async with make_engine(self.url).begin() as connection:
            for name in names:
                await connection.run_sync(lambda inner, name=name: act(inner, table_named(inner, name)))

    async def listening_to(self, *names: str) -> None:
        await self.change(watch, *names)
        await self.strangers.start()
        await asyncio.wait_for(self.strangers.listening.wait(), 10)
        await self.told.get()  # what came under watch

    async def next(self) -> WriteSet:
        return await asyncio.wait_for(self.told.get(), 10)


@pytest.fixture
async def world(empty_postgres_url: str) -> AsyncIterator[World]:
    world = World(empty_postgres_url)
    await world.open()
    yield world
    await world.close()


async def test_h17_every_kind_of_write_of_a_stranger_is_told_by_table(world: World) -> None:
    await world.listening_to("t", "billing.bills")
    for statement in ("INSERT INTO t VALUES (1)", "UPDATE t SET a = 2", "DELETE FROM t", "TRUNCATE t CASCADE"):
        await world.stranger.execute(statement)
        assert await world.next() == of("t"), statement
    await world.stranger.execute("INSERT INTO billing.bills VALUES (1)")
    assert await world.next() == of("billing.bills")
    assert world.cache.invalidations()[0]["cause"] == "another program"
    assert world.strangers.noticed == 5


async def test_h17_what_is_rolled_back_is_not_told_and_cascades_are(world: World) -> None:
    await world.listening_to("u")
    await world.stranger.execute("INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)")
    assert await world.next() == of("u")
    transaction = world.stranger.transaction()
    await transaction.start()
    await world.stranger.execute("DELETE FROM u")
    await transaction.rollback()
    await world.stranger.execute("DELETE FROM t")
    assert await world.next() == of("u")
    assert world.strangers.noticed == 2


async def test_h17_our_own_commits_to_a_watched_table_are_dropped_once(world: World) -> None:
    """And as what the hook has seen: our trigger does not make it "perhaps anything"."""
    await world.listening_to("u")
    await world.hook.prime()  # with the trigger in its catalogue
    await world.stranger.execute("INSERT INTO t VALUES (1)")
    async with world.engine.begin() as connection:
        await connection.execute(text("INSERT INTO u VALUES (1)"))
        await connection.execute(text("DELETE FROM u"))
    assert await world.next() == of("u")
    await world.stranger.execute("INSERT INTO u VALUES (1)")  # comes behind ours on the line
    assert await world.next() == of("u")
    assert (world.strangers.own, world.strangers.noticed) == (1, 1), "equal notifications of one commit are one"
    assert world.told.empty()


async def test_h17_a_stranger_with_the_number_of_a_closed_connection_of_ours_is_heard(world: World) -> None:
    async with world.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    assert len(world.strangers._pids) == 1
    await world.engine.dispose()
    assert world.strangers._pids == set()


async def test_h17_rows_that_show_in_other_tables_make_it_anything(world: World) -> None:
    await world.listening_to("parted", "part")
    await world.stranger.execute("INSERT INTO parted VALUES (1)")
    assert await world.next() == ANYTHING
    await world.stranger.execute("INSERT INTO part VALUES (2)")
    assert await world.next() == ANYTHING


async def test_h17_after_a_killed_line_everything_watched_is_dropped(world: World) -> None:
    await world.listening_to("t")
    assert world.strangers.pid is not None
    first = world.strangers.pid
    await world.stranger.execute("SELECT pg_terminate_backend($1)", first)
    assert await world.next() == of("t")
    while world.strangers.pid in (None, first):
        await world.next()  # again and again while nothing can be heard
    assert world.strangers.lines == 2
    while not world.told.empty():
        world.told.get_nowait()
    await world.stranger.execute("INSERT INTO t VALUES (1)")
    assert await world.next() == of("t")
    assert world.strangers.noticed == 1


async def test_h17_without_a_line_at_the_start_nothing_is_kept(world: World, monkeypatch: Any) -> None:
    """Which tables are watched is not known then."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no connection")

    monkeypatch.setattr(world.engine.sync_engine.dialect, "connect", refuse)
    await world.strangers.start()
    assert await world.next() == ANYTHING
    monkeypatch.undo()
    await world.change(watch, "t")
    await asyncio.wait_for(world.strangers.listening.wait(), 10)


async def test_tables_come_under_watch_and_leave_it_while_the_server_runs(world: World) -> None:
    await world.strangers.start()
    await world.change(watch, "t")
    assert await world.next() == of("t")
    await world.change(watch, "u")
    assert await world.next() == of("t", "u")
    await world.change(unwatch, "t", "u")
    async with asyncio.timeout(10):
        while world.strangers.listening.is_set():
            await asyncio.sleep(0)


async def test_what_can_be_watched(world: World) -> None:
    async with make_engine(world.url).begin() as connection:
        for wrong, reason in (("nothing", "no table nothing"), ("v", "watch the tables behind it")):
            with pytest.raises(NoTableError, match=reason):
                await connection.run_sync(table_named, wrong)
        for _ in range(2):
            await connection.run_sync(lambda inner: watch(inner, table_named(inner, "billing.bills")))
        assert await connection.run_sync(watched) == ["billing.bills"]
        await connection.run_sync(lambda inner: unwatch(inner, table_named(inner, "billing.bills")))
        assert await connection.run_sync(watched) == []
