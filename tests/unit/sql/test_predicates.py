"""What is read off a compiled statement, and that it is left alone where SQLAlchemy is another one."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, func, insert, select, update
from sqlalchemy.dialects import sqlite

from steinmetz.sql import Relation, StatementFacts, Verb
from steinmetz.sql.facts import Columns, Stored
from steinmetz.sql.predicates import described
from steinmetz.sql.reading import Reading
from steinmetz.sql.rows import Kind
from steinmetz.sql.terms import kind_of

ORDERS = Relation("main", "orders")
orders = Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("kind", Integer))
STORED = Columns({"id": Stored.ROWID, "kind": Stored.INTEGER})
READ = StatementFacts("0" * 16, "", Verb.SELECT, frozenset({ORDERS}), frozenset(), direct={ORDERS: STORED})
WRITE = StatementFacts("0" * 16, "", Verb.UPDATE, frozenset(), frozenset({ORDERS}), direct={ORDERS: STORED})


def compiled(statement: Any) -> Any:
    return statement.compile(dialect=sqlite.dialect())


def test_a_select_tells_its_rows_and_columns() -> None:
    looks_at = described(READ, compiled(select(orders.c.kind).where(orders.c.id == 7))).looks_at
    assert looks_at is not None
    (occurrence,) = looks_at.occurrences
    assert occurrence.relation == ORDERS
    assert [(column.name, bind.name) for column, bind in occurrence.bound] == [("id", "id_1")]
    assert occurrence.columns == {"id", "kind"}


def test_an_update_tells_its_rows_and_what_it_assigns() -> None:
    changes = described(WRITE, compiled(update(orders).where(orders.c.id == 7).values(kind=1))).changes
    assert changes is not None
    assert changes.assigned == {"kind"}
    assert [(column.name, [bind.name for bind in binds]) for column, binds in changes.bound] == [("id", ["id_1"])]


def test_an_insert_tells_which_keys_are_generated() -> None:
    changes = described(WRITE, compiled(insert(orders).values(kind=1))).changes
    assert changes is not None
    assert [column.name for column, _ in changes.generated] == ["id"]
    assert [column.name for column, _ in changes.bound] == ["kind"]


def test_what_the_database_does_not_vouch_for_binds_nothing() -> None:
    unsure = StatementFacts("0" * 16, "", Verb.SELECT, frozenset({ORDERS}), frozenset())
    statement = compiled(select(orders).where(orders.c.id == 7))
    assert described(unsure, statement) is unsure
    assert described(READ, None) is READ


@pytest.mark.parametrize(
    "statement",
    [
        select(orders).prefix_with("ALL"),
        select(orders).with_statement_hint("x"),
        select(func.json_each(orders.c.kind).table_valued("value").c.value),
        select(orders).join(select(orders.c.id).lateral(), orders.c.id == 1),
    ],
    ids=["prefix", "hint", "function as a table", "lateral"],
)
def test_a_statement_with_unknown_parts_is_left_alone(statement: Any) -> None:
    assert described(READ, compiled(statement)) is READ


def test_another_sqlalchemy_is_survived_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(self: Reading) -> None:
        raise AttributeError("no such private name any more")

    monkeypatch.setattr(Reading, "template", changed)
    with structlog.testing.capture_logs() as logs:
        assert described(READ, compiled(select(orders))) is READ
    assert [log["event"] for log in logs] == ["The rows of a statement could not be told"]


def test_the_private_names_of_sqlalchemy_are_where_they_are_looked_for() -> None:
    engine = create_engine("sqlite://")
    seen: list[Any] = []
    run = engine.dialect.do_execute
    vars(engine.dialect)["do_execute"] = lambda cursor, statement, parameters, context=None: (
        seen.append(context),
        run(cursor, statement, parameters, context),
    )
    with engine.begin() as connection:
        orders.create(connection)
        connection.execute(select(orders).where(orders.c.id.in_([1, 2])))
        connection.execute(insert(orders).values(kind=1))
    looked_up, inserted = seen[-2:]
    assert list(looked_up._expanded_parameters) == ["id_1"]
    assert [looked_up.compiled_parameters[0][name] for name in looked_up._expanded_parameters["id_1"]] == [1, 2]
    assert vars(inserted)["inserted_primary_key_rows"] == [(1,)]
    assert inserted.compiled.compile_state.statement.is_insert
    assert inserted.compiled.compile_state._has_multi_parameters is False
    assert inserted.compiled.compile_state._dict_parameters


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (Integer(), Kind.INTEGER),
        (String(5), Kind.TEXT),
        (Integer().with_variant(String(), "sqlite"), None),
        (Integer().with_variant(String(), "postgresql"), Kind.INTEGER),
    ],
)
def test_the_kind_of_a_type_is_that_of_the_dialect_in_use(type_: Any, expected: Kind | None) -> None:
    assert kind_of(type_, sqlite.dialect()) is expected
