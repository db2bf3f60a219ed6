"""Tracebacks in the log: all of it, but for what databases quote."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from steinmetz.erp.traces import WITHHELD, message_of, trace_of


def caught(work: Callable[[], object]) -> str:
    try:
        work()
    except BaseException:
        kind, error, place = sys.exc_info()
        assert kind is not None
        assert error is not None
        return trace_of((kind, error, place))
    raise AssertionError("nothing was raised")


def statement(sql: str) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (secret TEXT UNIQUE)"))
        connection.execute(text("INSERT INTO t VALUES ('x4711')"))
        connection.execute(text(sql))


def test_an_error_of_the_application_is_told_in_full() -> None:
    told = caught(lambda: {}["missing"])
    assert told.startswith("Traceback (most recent call last):")
    assert "test_traces.py" in told
    assert told.endswith("KeyError: 'missing'")


def test_of_a_violated_constraint_its_name_is_told() -> None:
    told = caught(lambda: statement("INSERT INTO t VALUES ('x4711')"))
    assert "x4711" not in told.replace("statement(\"INSERT INTO t VALUES ('x4711')\")", "")
    assert told.endswith(
        "sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) UNIQUE constraint failed: t.secret"
        " [SQL: INSERT INTO t VALUES (?)]"
    )


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('duplicate key value violates unique constraint "ix"\nDETAIL:  Key (email)=(x4711) already exists.',
         'duplicate key value violates unique constraint "ix"'),
        ('new row for relation "t" violates check constraint "c"\nDETAIL:  Failing row contains (1, x4711).',
         'new row for relation "t" violates check constraint "c"'),
        ('invalid input syntax for type integer: "x4711"', WITHHELD),
        ('unrecognized token: "x4711"', WITHHELD),
        ("database is locked", "database is locked"),
    ],
)  # fmt: skip
def test_what_a_driver_says(message: str, told: str) -> None:
    assert message_of(sqlite3.OperationalError(message)) == told
    wrapped = IntegrityError("SELECT 'x4711'", {"a": "x4711"}, sqlite3.OperationalError(message))
    assert message_of(wrapped) == f"(sqlite3.OperationalError) {told} [SQL: SELECT ?]"


def test_what_repeats_a_databases_error_is_withheld() -> None:
    def work() -> None:
        try:
            statement("SELECT * FROM t WHERE 'x4711")
        except Exception as error:
            raise ValueError(f"cannot be saved: {error.orig}") from error  # type: ignore[attr-defined]

    told = caught(work)
    assert "direct cause" in told
    assert told.endswith(f"ValueError: {WITHHELD}")


def test_groups_and_what_was_handled_are_told() -> None:
    def work() -> None:
        try:
            raise KeyError("first")
        except KeyError:
            raise ExceptionGroup("several", [ValueError("second"), sqlite3.DataError("x4711")])  # noqa: B904

    told = caught(work)
    assert "KeyError: 'first'" in told
    assert "During handling" in told
    assert "ValueError: second" in told
    assert f"DataError: {WITHHELD}" in told


def test_an_error_that_leads_to_itself_is_told_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert trace_of((ValueError, first, None)).count("ValueError: a") == 1
