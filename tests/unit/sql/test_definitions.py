"""DDL is told when it stands, not when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.sql import ScopeKind, SqlHook, StatementFacts, definitions, hook, open_scope
from steinmetz.sql.definitions import Definitions
from steinmetz.sql.knowledge import unknown_facts
from steinmetz.sql.shape import shape_of


class Told:
    """Writes down what it is told, by the index's or table's name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def defined(self, facts: StatementFacts) -> None:
        self.names.append(facts.text.replace("(", " ").split()[2])


def transactional(engine: Engine) -> Engine:
    """With transactions of SQLite's own, as SQLAlchemy's documentation has it: the driver begins none for DDL."""
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER, b INTEGER)")
    yield made
    made.dispose()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(params=["overrides", "events"])
def sql(engine: Engine, told: Told, request: pytest.FixtureRequest) -> SqlHook:
    by: Literal["overrides", "events"] = request.param
    sql = hook(transactional(engine), by=by)
    sql.observe_schema(told)
    return sql


@pytest.mark.usefixtures("sql")
class TestTransaction:
    def test_ddl_is_told_after_its_commit(self, engine: Engine, told: Told) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE INDEX one ON t (a)")
            connection.exec_driver_sql("CREATE INDEX two ON t (b)")
            assert told.names == []
            connection.commit()
        assert told.names == ["one", "two"]

    def test_what_is_rolled_back_is_not_told(self, engine: Engine, told: Told) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE INDEX one ON t (a)")
            connection.rollback()
            connection.exec_driver_sql("CREATE INDEX two ON t (b)")
            connection.commit()
            connection.exec_driver_sql("CREATE INDEX three ON t (a, b)")
        # The third goes with its connection, which is given back.
        assert told.names == ["two"]

    def test_nor_is_what_is_rolled_back_to_a_savepoint(self, engine: Engine, told: Told) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE INDEX one ON t (a)")
            undone = connection.begin_nested()
            connection.exec_driver_sql("CREATE INDEX two ON t (b)")
            with connection.begin_nested():
                connection.exec_driver_sql("CREATE INDEX three ON t (a, b)")
            undone.rollback()
            with connection.begin_nested():
                connection.exec_driver_sql("CREATE INDEX four ON t (b, a)")
        assert told.names == ["one", "four"]

    def test_a_savepoint_may_come_first(self, engine: Engine, told: Told) -> None:
        with engine.begin() as connection:
            undone = connection.begin_nested()
            connection.exec_driver_sql("CREATE INDEX one ON t (a)")
            undone.rollback()
        assert told.names == []

    def test_transactions_in_words_count_too(self, engine: Engine, told: Told) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE INDEX one ON t (a)")
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("CREATE INDEX two ON t (b)")
            connection.exec_driver_sql("COMMIT")
            assert told.names == ["two"]

    def test_what_fails_is_not_told(self, engine: Engine, told: Told) -> None:
        with engine.begin() as connection:
            with pytest.raises(OperationalError):
                connection.exec_driver_sql("CREATE INDEX one ON nowhere (a)")
            connection.exec_driver_sql("CREATE INDEX two ON t (b)")
        assert told.names == ["two"]

    def test_the_monitors_own_is_not_told(self, engine: Engine, told: Told) -> None:
        with open_scope(ScopeKind.MONITOR, "monitor"), engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE figures (a INTEGER)")
        assert told.names == []

    def test_an_observer_that_fails_stops_nobody(self, engine: Engine, told: Told, sql: SqlHook) -> None:
        class Failing:
            def defined(self, facts: StatementFacts) -> None:
                raise RuntimeError("no")

        sql.unobserve(told)
        sql.observe_schema(Failing())
        sql.observe_schema(told)
        with structlog.testing.capture_logs() as logs, engine.begin() as connection:
            connection.exec_driver_sql("CREATE INDEX one ON t (a)")
        assert told.names == ["one"]
        assert [line["event"] for line in logs] == ["A schema observer failed"]


def test_where_the_driver_begins_no_transaction_ddl_stands_at_once(engine: Engine, told: Told) -> None:
    hook(engine).observe_schema(told)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE INDEX one ON t (a)")
        assert told.names == ["one"]
        connection.rollback()  # undoes nothing
        connection.execute(text("INSERT INTO t (a) VALUES (1)"))  # now there is one
        connection.exec_driver_sql("CREATE INDEX two ON t (b)")
        connection.rollback()
    assert told.names == ["one"]
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("CREATE INDEX three ON t (b)")
        assert told.names == ["one", "three"]


def test_a_database_that_commits_ddl_by_itself_is_believed(engine: Engine, told: Told) -> None:
    sql = hook(transactional(engine))
    sql._commits.schema._ddl_is_undone = False  # such as MySQL
    sql.observe_schema(told)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE INDEX one ON t (a)")
        assert told.names == ["one"]
        connection.rollback()
    assert told.names == ["one"]


@pytest.mark.anyio
async def test_it_is_so_on_asynchronous_engines(tmp_path: Path, told: Told) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'b.db'}")
    transactional(engine.sync_engine)
    hook(engine).observe_schema(told)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("CREATE TABLE one (a INTEGER)")
        await connection.rollback()
        await connection.exec_driver_sql("CREATE TABLE two (a INTEGER)")
        assert told.names == []
        await connection.commit()
    assert told.names == ["two"]
    await engine.dispose()


def test_a_prepared_transaction_is_told_when_it_is_committed(engine: Engine, told: Told) -> None:
    sql = hook(transactional(engine))
    sql.observe_schema(told)

    def stand_in(*_: Any, **__: Any) -> None:
        """SQLite has no two-phase commit."""

    for act in ("prepare", "commit", "rollback"):
        sql._original[f"do_{act}_twophase"] = stand_in
    with engine.connect() as connection:
        for number, name in enumerate(("kept", "undone")):
            connection.exec_driver_sql(f"CREATE INDEX {name} ON t (a)")
            engine.dialect.do_prepare_twophase(connection, f"x{number}")
            connection.commit()  # of what is no part of it any more
        assert told.names == []
        engine.dialect.do_commit_twophase(connection, "x0")
        engine.dialect.do_rollback_twophase(connection, "x1")
        engine.dialect.do_commit_twophase(connection, "x1")
    assert told.names == ["kept"]


def facts(name: str) -> StatementFacts:
    return unknown_facts(shape_of(f"CREATE INDEX {name} ON t (a)"))


def test_savepoints_of_one_name_hide_each_other() -> None:
    made = Definitions()
    for words in (
        "savepoint s",
        "+a",
        "savepoint s",
        "+b",
        "rollback to s",
        "+c",
        "rollback to savepoint s",
        "+d",
    ):
        if words.startswith("+"):
            made.add(facts(words[1:]))
        else:
            assert not made.controlled(words.split())
    assert [each.text.split()[2] for each in made.taken()] == ["a", "d"]
    made.controlled(["release", "savepoint", "s"])
    made.controlled(["rollback", "to", "s"])
    assert made.taken() == []


def test_another_transactions_end_is_not_ours() -> None:
    made = Definitions()
    made.add(facts("a"))
    assert not made.controlled(["commit", "prepared", "?"])
    assert not made.controlled(["rollback", "prepared", "?"])
    assert len(made.taken()) == 1
    assert made.controlled(["commit", "and", "chain"])
    assert not made.controlled(["rollback", "work"])
    assert made.taken() == []


def test_a_migration_beyond_measure_is_told_in_part_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "MAX_DEFINITIONS", 2)
    made = Definitions()
    for name in "abcde":
        made.add(facts(name))
    with structlog.testing.capture_logs() as logs:
        assert len(made.taken()) == 2
    assert [line["left_out"] for line in logs] == [3]
