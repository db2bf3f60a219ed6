"""The hook by official events, for a dialect that does not let itself be overridden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from steinmetz.sql import Execution, Relation, ScopeKind, SqlHook, WriteSet, hook, open_scope

INSERT = text("INSERT INTO orders (total) VALUES (1)")
COUNT = text("SELECT count(*) FROM orders")
ORDERS = WriteSet(frozenset({Relation("main", "orders")}))


class Journal(list[str]):
    def __init__(self) -> None:
        self.writes: list[WriteSet] = []

    def mark(self, writes: WriteSet) -> object:
        self.writes.append(writes)
        self.append("mark")
        return writes

    def bump(self, token: object) -> None:
        self.append("bump")

    def unmark(self, token: object) -> None:
        self.append("unmark")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/orders.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER)"))
    yield engine
    engine.dispose()


@pytest.fixture
def sql(engine: Engine) -> SqlHook:
    return hook(engine, by="events")


@pytest.fixture
def journal(sql: SqlHook) -> Journal:
    journal = Journal()
    sql.observe_transactions(journal)
    return journal


def test_a_commit_is_marked_and_bumped_when_its_connection_is_given_back(engine: Engine, journal: Journal) -> None:
    with engine.connect() as connection:
        connection.execute(INSERT)
        assert journal == []
        connection.commit()
        assert journal == ["mark"]
    assert journal == ["mark", "bump"]
    assert journal.writes == [ORDERS]


@pytest.mark.parametrize("on", ["statement", "begin", "invalidate"])
def test_a_connection_that_goes_on_or_ends_settles_its_commit(engine: Engine, journal: Journal, on: str) -> None:
    with engine.connect() as connection:
        connection.execute(INSERT)
        connection.commit()
        if on == "statement":
            connection.execute(COUNT).all()
        elif on == "begin":
            connection.begin()
        else:
            connection.invalidate()
        assert journal == ["mark", "bump"]


def test_a_rollback_tells_nothing(engine: Engine, journal: Journal) -> None:
    with engine.connect() as connection:
        connection.execute(INSERT)
        connection.rollback()
        connection.execute(COUNT).all()
        connection.commit()
    assert journal == []


def test_batches_and_scopes_are_seen(engine: Engine, sql: SqlHook) -> None:
    seen: list[Execution] = []
    sql.observe_executions(seen.append)
    with open_scope(ScopeKind.JOB, "billing") as scope, engine.begin() as connection:
        connection.execute(text("INSERT INTO orders (total) VALUES (:total)"), [{"total": 1}, {"total": 2}])
        connection.execute(COUNT).all()
        connection.exec_driver_sql("SELECT 1", execution_options={"no_parameters": True}).all()
    assert [execution.many for execution in seen] == [True, False, False]
    assert scope.statements == 3
    assert scope.wrote


def test_ddl_is_known_when_its_commit_has_ended(engine: Engine, sql: SqlHook) -> None:
    select = text("SELECT total FROM orders")
    with engine.connect() as connection:
        connection.execute(select).all()
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE orders RENAME TO kept"))
        connection.execute(text("CREATE VIEW orders AS SELECT total FROM kept"))
        connection.commit()
    with open_scope(ScopeKind.REQUEST, "afterwards") as scope, engine.connect() as connection:
        connection.execute(select).all()
    assert scope.reads == {Relation("main", "kept")}


def test_it_can_be_taken_off_and_says_what_it_is(engine: Engine, sql: SqlHook, journal: Journal) -> None:
    assert sql.by == "events"
    assert "by events" in sql.blind_spots()[0]
    assert hook(engine) is sql
    sql.remove()
    with engine.begin() as connection:
        connection.execute(INSERT)
    assert journal == []


def test_a_dialect_that_refuses_is_hooked_by_events_of_itself(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, name: str, value: object) -> None:
        if name.startswith("do_"):
            raise AttributeError(f"{name} is read-only")
        object.__setattr__(self, name, value)

    monkeypatch.setattr(SQLiteDialect_pysqlite, "__setattr__", refuse)
    with pytest.raises(AttributeError, match="read-only"):
        hook(engine, by="overrides")
    sql = hook(engine)
    assert sql.by == "events"
    monkeypatch.undo()
    journal = Journal()
    sql.observe_transactions(journal)
    with engine.begin() as connection:
        connection.execute(INSERT)
    assert journal == ["mark", "bump"]
