"""What SQLite tells of a statement where a corpus of statements cannot show it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from steinmetz.sql import Relation, SqlHook, StatementFacts, hook


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def sql(engine: Engine) -> SqlHook:
    return hook(engine)


def facts(sql: SqlHook, statement: str) -> StatementFacts:
    with sql.engine.connect() as connection:
        connection.exec_driver_sql(statement)
    return sql.facts_of(statement)


def test_names_are_compared_without_case_and_told_as_they_were_made(engine: Engine, sql: SqlHook) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE TimeEntries (a INTEGER)")
    assert facts(sql, "SELECT count(*) FROM TIMEENTRIES").reads == {Relation("main", "TimeEntries")}


def test_a_full_text_table_over_a_view_reads_what_is_behind_the_view(engine: Engine, sql: SqlHook) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
        connection.exec_driver_sql("CREATE VIEW v AS SELECT id, body FROM t")
        connection.exec_driver_sql("CREATE VIRTUAL TABLE s USING fts5(body, content='v', content_rowid='id')")
    assert facts(sql, "SELECT body FROM s").reads == {Relation("main", "s"), Relation("main", "t")}
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIRTUAL TABLE lost USING fts5(body, content='gone')")
    with engine.connect() as connection, contextlib.suppress(DBAPIError):
        connection.exec_driver_sql("SELECT rowid FROM lost WHERE lost MATCH 'a'")
    assert sql.facts_of("SELECT rowid FROM lost WHERE lost MATCH 'a'").reads_unknown


def test_the_schema_itself_is_a_table_that_is_read(sql: SqlHook) -> None:
    assert facts(sql, "SELECT name FROM sqlite_master").reads == {Relation("main", "sqlite_master")}


def test_a_module_that_reads_the_whole_file_may_read_anything(engine: Engine, sql: SqlHook) -> None:
    with engine.connect() as connection:
        modules = {name for (name,) in connection.exec_driver_sql("PRAGMA module_list")}
    if "dbstat" not in modules:
        pytest.skip("this SQLite is built without dbstat")
    assert facts(sql, "SELECT count(*) FROM dbstat").reads_unknown


def test_asking_leaves_no_transaction_and_no_trace(engine: Engine, sql: SqlHook) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER)")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT a FROM t")
        assert not connection.connection.driver_connection.in_transaction
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 1
