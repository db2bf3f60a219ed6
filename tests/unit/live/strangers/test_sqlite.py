"""A real second connection to the file, which is all that another program is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.cache import ResponseCache
from steinmetz.erp.db import make_engine
from steinmetz.live import SqliteStrangers
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import SqlHook, hook
from steinmetz.sql.facts import Relation

pytestmark = pytest.mark.anyio

NEVER_S = 3600.0
"""Between polls, where the test itself looks."""


class World:
    """One engine with its cache, and a stranger on the same file."""

    def __init__(self, path: Path, poll_s: float) -> None:
        self.path = path
        self.stranger = sqlite3.connect(path, isolation_level=None)
        self.stranger.execute("PRAGMA journal_mode=WAL")
        self.stranger.execute("CREATE TABLE t (a)")
        self.engine: AsyncEngine = make_engine(f"sqlite+aiosqlite:///{path}")
        self.strangers = SqliteStrangers(self.engine, poll_s=poll_s)
        self.hook: SqlHook = hook(self.engine)
        self.cache = ResponseCache()
        self.hook.observe_transactions(self.cache.observer)
        self.strangers.join(self.cache, self.hook)

    async def commit(self, statement: str = "INSERT INTO t VALUES (1)") -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))

    async def close(self) -> None:
        await self.strangers.stop()
        await self.engine.dispose()
        self.hook.remove()
        self.stranger.close()


@pytest.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[Callable[..., World]]:
    made: list[World] = []

    def make(poll_s: float = NEVER_S) -> World:
        made.append(World(tmp_path / f"{len(made)}.db", poll_s))
        return made[-1]

    yield make
    for world in made:
        await world.close()


async def test_h17_what_a_stranger_commits_is_noticed_by_the_poll(worlds: Callable[..., World]) -> None:
    world = worlds(poll_s=0.001)
    await world.strangers.start()
    heard = asyncio.Queue[WriteSet]()
    world.cache.on_bumped(heard.put_nowait)
    world.stranger.execute("INSERT INTO t VALUES (1)")
    assert await asyncio.wait_for(heard.get(), 10) == WriteSet(unknown=frozenset({"main"}))
    assert world.cache.invalidations()[0]["cause"] == "another program"


async def test_h17_our_own_commits_are_nobody_else_s(worlds: Callable[..., World]) -> None:
    """Those that change something, those that change nothing, those that only read, and several at once."""
    world = worlds()
    await world.strangers.start()
    for statement in (
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t WHERE a = 7",
        "SELECT * FROM t",
    ):
        await world.commit(statement)
        assert not world.strangers.look(), statement
    await asyncio.gather(*(world.commit() for _ in range(20)))
    assert not world.strangers.look()
    assert world.strangers.noticed == 0
    assert world.cache.stats()["commits"] == 23


async def test_h17_a_stranger_between_two_commits_of_ours_is_noticed_by_the_second(
    worlds: Callable[..., World],
) -> None:
    world = worlds()
    await world.strangers.start()
    await world.commit()
    world.stranger.execute("INSERT INTO t VALUES (1)")
    await world.commit("DELETE FROM t WHERE a = 7")
    assert world.strangers.noticed == 1
    assert not world.strangers.look()


async def test_h17_a_stranger_right_behind_our_commit_is_not_taken_for_it(
    worlds: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours changed nothing, so the version moves once, as it would for ours alone."""
    from steinmetz.live.strangers import sqlite

    world = worlds()
    await world.strangers.start()
    ask, asked = sqlite._version, 0

    def ask_late(connection: sqlite3.Connection | None) -> int | None:
        nonlocal asked
        asked += 1
        if asked == 3:  # the first question after COMMIT
            sqlite3.connect(world.path, isolation_level=None).execute("INSERT INTO t VALUES (1)")
        return ask(connection)

    monkeypatch.setattr(sqlite, "_version", ask_late)
    await world.commit("DELETE FROM t WHERE a = 7")
    assert asked == 4
    assert world.strangers.noticed == 1


async def test_h17_an_open_transaction_of_a_stranger_is_no_news(worlds: Callable[..., World]) -> None:
    world = worlds()
    await world.strangers.start()
    world.stranger.execute("BEGIN IMMEDIATE")
    world.stranger.execute("INSERT INTO t VALUES (1)")
    assert not world.strangers.look()
    world.stranger.execute("COMMIT")
    assert world.strangers.look()


async def test_t4_a_stranger_s_ddl_makes_statements_be_learnt_anew(worlds: Callable[..., World]) -> None:
    world = worlds()
    await world.strangers.start()
    await world.commit()
    world.stranger.execute("CREATE TABLE log (a)")
    world.stranger.execute("CREATE TRIGGER tell AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); END")
    assert world.strangers.look()
    bumped: list[WriteSet] = []
    world.cache.on_bumped(bumped.append)
    await world.commit()
    assert Relation("main", "log") in bumped[-1].relations


async def test_t11_what_a_neighbour_tells_is_no_stranger_s(worlds: Callable[..., World]) -> None:
    world = worlds()
    await world.strangers.start()
    observer = world.strangers.beside(world.cache.observer)
    writes = WriteSet(frozenset({Relation("main", "t")}))
    for end in (observer.bump, observer.unmark):
        token = observer.mark(writes)
        world.stranger.execute("INSERT INTO t VALUES (1)")  # the neighbour's own connection
        assert not world.strangers.look()
        end(token)
        assert not world.strangers.look()
    assert world.cache.stats()["commits"] == 1
    world.stranger.execute("INSERT INTO t VALUES (1)")
    assert world.strangers.look()


async def test_a_commit_that_is_refused_leaves_the_frame_in_order(worlds: Callable[..., World]) -> None:
    world = worlds()
    await world.strangers.start()
    world.stranger.execute("CREATE TABLE c (t REFERENCES p (a) DEFERRABLE INITIALLY DEFERRED)")
    world.stranger.execute("CREATE TABLE p (a PRIMARY KEY)")
    assert world.strangers.look()
    with pytest.raises(Exception, match="FOREIGN KEY"):
        await world.commit("INSERT INTO c VALUES (1)")
    await world.commit()
    assert not world.strangers.look()
    assert world.strangers.noticed == 1


async def test_a_sync_engine_has_its_commits_framed_too(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    strangers = SqliteStrangers(engine, poll_s=NEVER_S)
    cache, sql = ResponseCache(), hook(engine)
    sql.observe_transactions(cache.observer)
    strangers.join(cache, sql)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a)"))
    await strangers.start()
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    assert not strangers.look()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("INSERT INTO t VALUES (2)")
    assert strangers.look()
    other.close()
    await strangers.stop()
    engine.dispose()
    sql.remove()


async def test_without_its_file_nothing_is_watched_and_nothing_breaks(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'missing' / 'a.db'}")
    strangers = SqliteStrangers(engine)
    await strangers.start()
    assert not strangers.look()
    await strangers.stop()
    await engine.dispose()


def test_a_database_in_memory_has_no_strangers() -> None:
    with pytest.raises(ValueError, match="file"):
        SqliteStrangers(create_engine("sqlite://"))


async def test_behind_a_hook_it_would_see_no_commit_of_ours(worlds: Callable[..., World]) -> None:
    with pytest.raises(ValueError, match="before the engine is hooked"):
        SqliteStrangers(worlds().engine)
