"""What SQLAlchemy's compiler tells of a statement on PostgreSQL, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql

from steinmetz.sql.postgres import Names, PostgresKnowledge, naming_compiler
from steinmetz.sql.shape import shape_of

metadata = MetaData()
orders = Table("orders", metadata, Column("id", Integer), Column("items", Integer))
items = Table("items", metadata, Column("id", Integer), Column("name", String), schema="stock")


def names_of(statement: Any) -> Names:
    dialect = postgresql.dialect()
    dialect.statement_compiler = naming_compiler(dialect.statement_compiler)
    names: Names = statement.compile(dialect=dialect)._steinmetz_names
    return names


@pytest.mark.parametrize(
    ("statement", "relations"),
    [
        (select(orders), {"orders"}),
        (select(orders.c.id).where(exists().where(items.c.id == orders.c["items"])), {"orders", "items"}),
        (select(orders.alias("items")), {"orders"}),
        (select(orders.c.id).cte("items").select(), {"orders"}),
        (update(orders).values(id=items.c.id).where(items.c.id == 1), {"orders", "items"}),
        (insert(orders).from_select(["id"], select(items.c.id)), {"items"}),  # its target is known by its place
        (select(orders.c.id).union(select(items.c.id)), {"orders", "items"}),
        (select(select(func.count()).select_from(items).scalar_subquery()), {"items"}),
    ],
)
def test_relations_are_named_while_compiling(statement: Any, relations: set[str]) -> None:
    names = names_of(statement)
    assert names.relations == relations
    assert not names.opaque


def test_columns_labels_and_ctes_explain_their_words() -> None:
    names = names_of(select(orders.c["items"].label("log")).cte("recent").select())
    assert {"items", "log", "recent"} <= names.explained


@pytest.mark.parametrize(
    "statement",
    [text("SELECT 1"), select(literal_column("(SELECT 1 FROM items)")), select(orders).where(text("a = 1"))],
)
def test_text_within_a_statement_makes_every_word_count(statement: Any) -> None:
    assert names_of(statement).opaque


def test_a_star_is_no_text() -> None:
    assert not names_of(select(func.count()).select_from(orders)).opaque


@pytest.mark.parametrize("statement", ["SET search_path = x", "SHOW all", "LOCK TABLE orders", "NOTIFY a"])
def test_commands_that_touch_nothing(statement: str) -> None:
    knowledge = PostgresKnowledge("main", postgresql.dialect())
    facts = knowledge.facts(shape_of(statement), statement, (), None, None)  # type: ignore[arg-type]
    assert facts is not None
    assert not facts.reads_unknown
    assert not facts.is_write


def test_what_a_cursor_fetches_is_unknown() -> None:
    knowledge = PostgresKnowledge("main", postgresql.dialect())
    facts = knowledge.facts(shape_of("FETCH ALL FROM c"), "FETCH ALL FROM c", (), None, None)  # type: ignore[arg-type]
    assert facts is not None
    assert facts.reads_unknown


@pytest.mark.parametrize("statement", ["CALL pay()", "DO $$ BEGIN END $$", "EXECUTE p", "SELECT 1; DELETE FROM t"])
def test_what_cannot_be_told_is_not_told(statement: str) -> None:
    knowledge = PostgresKnowledge("main", postgresql.dialect())
    assert knowledge.facts(shape_of(statement), statement, (), None, None) is None  # type: ignore[arg-type]
