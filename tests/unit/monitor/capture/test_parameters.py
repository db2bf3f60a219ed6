"""From the driver's parameters back to their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    select,
    text,
    update,
)

from steinmetz.monitor.analysis.redaction import HIDDEN, REDACTED, Redaction
from steinmetz.monitor.capture.parameters import bound_parameters, mentioned_names
from steinmetz.sql import Execution, hook

metadata = MetaData()
users = Table(
    "users", metadata,
    Column("id", Integer, primary_key=True), Column("city", String),
    Column("token", String), Column("salary", Integer),
)  # fmt: skip


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def shown(engine: Engine, statement: Any, parameters: Any = None) -> dict[str, object]:
    """What a log would show of the last execution."""
    seen: list[dict[str, object]] = []

    def observe(execution: Execution) -> None:
        mentioned = mentioned_names(execution)
        seen.append(Redaction().shown(execution.statement, bound_parameters(execution), *mentioned))

    sql = hook(engine)
    sql.observe_executions(observe)
    with engine.connect() as connection:
        if isinstance(statement, str):
            connection.exec_driver_sql(statement, parameters)
        else:
            connection.execute(statement, parameters)
    sql.unobserve(observe)
    return seen[-1]


def test_compared_columns_are_known(engine: Engine) -> None:
    statement = select(users.c.id).where(users.c.city == "Ulm", users.c.token == "s3cret", users.c.id > 5)
    assert shown(engine, statement) == {"city_1": "Ulm", "token_1": REDACTED, "id_1": 5}


def test_assigned_columns_are_known(engine: Engine) -> None:
    assert shown(engine, insert(users), {"city": "Ulm", "token": "s3cret", "salary": 1}) == {
        "city": "Ulm", "token": REDACTED, "salary": REDACTED,
    }  # fmt: skip
    assert shown(engine, update(users).values(token="s3cret").where(users.c.id == 1)) == {
        "token": REDACTED,
        "id_1": 1,
    }


def test_the_first_of_many_sets_is_shown(engine: Engine) -> None:
    sets = [{"city": "Ulm", "token": "a", "salary": 1}, {"city": "Bonn", "token": "b", "salary": 2}]
    assert shown(engine, insert(users), sets)["city"] == "Ulm"


@pytest.mark.parametrize(
    "statement",
    [
        select(users.c.id).where(users.c.token.in_(["s3cret", "other"])),
        select(users.c.id).where(users.c.token == bindparam("t", "s3cret")),
        select(users.c.id).where(func.lower(users.c.token) == "s3cret"),
        select(users.c.id).where(users.c.salary + 1 > 90_000),
        insert(users).values([{"token": "s3cret"}, {"token": "other"}]),
        text("SELECT id FROM users WHERE token = :t").bindparams(t="s3cret"),
        text("SELECT id FROM users WHERE id = :token").bindparams(token="s3cret"),
        text("SELECT id FROM users WHERE salary = :s").bindparams(s=90_000),
    ],
    ids=str,
)
def test_no_way_around_the_redaction(engine: Engine, statement: Any) -> None:
    values = shown(engine, statement)
    assert values
    assert set(values.values()) == {REDACTED}


def test_what_raw_statements_bind_is_hidden(engine: Engine) -> None:
    raw = "SELECT id FROM users WHERE city = ? AND id = ?"
    assert shown(engine, raw, ("Ulm", 5)) == {"1": HIDDEN, "2": HIDDEN}


def test_a_text_with_names_tells_its_columns(engine: Engine) -> None:
    statement = text("SELECT id FROM users u WHERE u.city = :c AND id > :low LIMIT :many")
    assert shown(engine, statement.bindparams(c="Ulm", low=5, many=9)) == {"c": "Ulm", "low": 5, "many": 9}
    uncertain = text("SELECT id FROM users WHERE lower(city) = :c OR city = :d || 'x'")
    assert shown(engine, uncertain.bindparams(c="Ulm", d="Bonn")) == {"c": HIDDEN, "d": HIDDEN}
