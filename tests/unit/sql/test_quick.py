"""The quick way: what is left for the scope, and one visit to the driver's thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, bindparam, create_engine, select, text
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.monitor import QueryMonitor
from steinmetz.sql import Relation, ScopeKind, hook, open_scope
from steinmetz.sql.worker import WorkerTime

ORDERS = Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("state", String))
BY_ID = select(ORDERS.c.state).where(ORDERS.c.id == bindparam("key"))
ALL = select(ORDERS.c.id)
MANY = Relation("main", "orders")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/orders.db")
    with engine.begin() as connection:
        ORDERS.metadata.create_all(connection)
        connection.execute(ORDERS.insert(), [{"id": number, "state": "open"} for number in range(1, 9)])
    yield engine
    engine.dispose()


@pytest.fixture
def monitor(engine: Engine) -> QueryMonitor:
    monitor = QueryMonitor()
    monitor.attach(hook(engine))
    with open_scope(ScopeKind.REQUEST, "before"), engine.connect() as connection:
        for _ in range(2):  # known, and seen by a ledger
            connection.execute(BY_ID, {"key": 1}).all()
            connection.execute(ALL).all()
    return monitor


def counts(monitor: QueryMonitor) -> dict[str, int]:
    return {each.fingerprint: each.count for each in monitor.patterns.routes() if each.route == "GET /"}


def test_first_runs_are_left_for_the_scope(engine: Engine, monitor: QueryMonitor) -> None:
    with open_scope(ScopeKind.REQUEST, "GET /") as scope, engine.connect() as connection:
        connection.execute(BY_ID, {"key": 3}).all()
        assert scope.reads == {MANY}
        (rows,) = scope.read_set().rows[MANY]
        assert {value for values in rows.bound.values() for value in values} == {3}
        connection.execute(BY_ID, {"key": 4}).all()
        (rows,) = scope.read_set().rows[MANY]
        assert {value for values in rows.bound.values() for value in values} == {3, 4}
    assert len(scope.firsts or ()) == 1
    assert scope.statements == 2
    assert scope.db_ns > scope.spent_ns > 0
    assert list(counts(monitor).values()) == [2]


def test_a_first_run_that_fails_is_no_run_but_a_read(engine: Engine, monitor: QueryMonitor) -> None:
    with open_scope(ScopeKind.REQUEST, "GET /") as scope, engine.connect() as connection:
        with pytest.raises((InterfaceError, ProgrammingError)):
            connection.execute(BY_ID, {"key": {"no": "value"}})
        assert scope.statements == 1
        assert MANY in scope.reads
        connection.execute(ALL).all()
    assert scope.statements == 2
    assert list(counts(monitor).values()) == [1]


def test_threads_of_one_scope_lose_no_read(engine: Engine, monitor: QueryMonitor) -> None:
    together = threading.Barrier(4)

    def read(key: int) -> None:
        with engine.connect() as connection:
            together.wait()
            connection.execute(BY_ID, {"key": key}).all()

    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        threads = [threading.Thread(target=copy_context().run, args=(read, key)) for key in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = {value for rows in scope.read_set().rows[MANY] for values in rows.bound.values() for value in values}
    assert found == {0, 1, 2, 3}
    assert scope.statements == 4


class Raw:
    """A cursor of sqlite3."""

    def __init__(self) -> None:
        self.description: Any = (("id",),)
        self.calls: list[str] = []

    def execute(self, statement: str) -> Raw:
        self.calls.append("execute")
        return self

    def fetchall(self) -> list[int]:
        self.calls.append("fetchall")
        return [1]


class Cursor:
    """One of aiosqlite, whose thread is the test's own."""

    def __init__(self, raw: Raw) -> None:
        self._cursor = raw
        self._conn = self
        self.visits = 0

    async def _execute(self, function: Any, *arguments: Any) -> Any:
        self.visits += 1
        return function(*arguments)


class _Connection:
    def __init__(self, cursor: Cursor) -> None:
        self._execute = cursor._execute


@pytest.mark.anyio
@pytest.mark.parametrize(("gives_up", "visits"), [(False, 1), (True, 2)])
async def test_rows_come_with_their_statement_unless_nobody_waits(gives_up: bool, visits: int) -> None:
    raw = Raw()
    cursor: Any = Cursor(raw)
    cursor._conn = _Connection(cursor)
    worker = WorkerTime(cursor, at_once=True)
    if gives_up:
        worker.give_up()
    await cursor._execute(raw.execute, "SELECT 1")
    assert raw.calls == (["execute"] if gives_up else ["execute", "fetchall"])
    assert await cursor._execute(raw.fetchall) == [1]
    assert raw.calls == ["execute", "fetchall"]
    assert cursor.visits == visits
    assert worker.spent_ns >= worker.execute_ns > 0


@pytest.mark.anyio
async def test_an_error_while_rows_are_stepped_is_the_statements_own(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    monitor = QueryMonitor()
    monitor.attach(hook(engine))
    stepped = text(
        "SELECT abs(CASE WHEN value = 3 THEN -9223372036854775807 - 1 ELSE value END) FROM json_each('[1,2,3]')"
    )
    async with engine.connect() as connection:
        for _ in range(2):
            with pytest.raises(OperationalError, match="overflow"):
                await connection.execute(stepped)
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    (figures,) = [each for each in monitor.statistics().values() if each.errors]
    assert figures.errors == 2
    await engine.dispose()
