"""What a connection has yet to commit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from steinmetz.sql import Relation, StatementFacts, Verb, WriteSet
from steinmetz.sql.effects import MAX_NAMED
from steinmetz.sql.rows import Change, Column, Kind
from steinmetz.sql.templates import Bind, WriteTemplate
from steinmetz.sql.transaction import MAX_STATEMENTS, ConnectionState

ORDERS = Relation("main", "orders")
ITEMS = Relation("main", "items")


def write(*relations: Relation, unknown: bool = False) -> StatementFacts:
    return StatementFacts("0" * 16, "", Verb.UPDATE, frozenset(), frozenset(relations), writes_unknown=unknown)


def test_writes_add_up_until_they_are_taken() -> None:
    state = ConnectionState()
    assert state.writes is None
    state.collect(write(ORDERS), epoch=1)
    state.collect(write(ITEMS), epoch=1)
    assert state.take("main", epoch=1) == WriteSet(frozenset({ORDERS, ITEMS}))
    assert state.writes is None
    assert not state.take("main", epoch=1)


def test_one_unknown_write_makes_the_whole_unknown() -> None:
    state = ConnectionState()
    state.collect(write(ORDERS), epoch=1)
    state.collect(write(unknown=True), epoch=1)
    assert state.take("main", epoch=1) == WriteSet(frozenset({ORDERS}), frozenset({"main"}))
    state.collect(write(ORDERS), epoch=1)
    assert not state.take("main", epoch=1).unknown


def test_a_schema_that_changed_meanwhile_makes_the_writes_unknown() -> None:
    state = ConnectionState()
    state.collect(write(ORDERS), epoch=1)
    assert state.take("main", epoch=2).unknown == {"main"}


class Run:
    """What is needed of SQLAlchemy's context: the sets of values of one run."""

    def __init__(self, *sets: dict[str, Any]) -> None:
        self.compiled_parameters = list(sets)


ID = Column("id", Kind.INTEGER)


def template(**more: Any) -> StatementFacts:
    """An UPDATE of one order by its id."""
    changes = WriteTemplate(ORDERS, frozenset({ORDERS}), [(ID, (Bind("id"),))], frozenset({"status"}), **more)
    return replace(write(ORDERS), changes=changes)


def run(state: ConnectionState, facts: StatementFacts, *sets: dict[str, Any]) -> None:
    state.collect(facts, 1, Run(*sets))  # type: ignore[arg-type]


def test_the_rows_of_one_statement_add_up() -> None:
    state, facts = ConnectionState(), template()
    run(state, facts, {"id": 1}, {"id": 2})
    run(state, facts, {"id": 3})
    (change,) = state.take("main", epoch=1).changes[ORDERS]
    assert change == Change({ID: frozenset({1, 2, 3})}, frozenset({"status"}))
    run(state, facts, {"id": 9})
    assert state.take("main", epoch=1).changes[ORDERS] == (Change({ID: frozenset({9})}, frozenset({"status"})),)


@pytest.mark.parametrize("value", ["7", None, True, 7.5, [7]])
def test_one_uncertain_value_makes_it_any_row(value: object) -> None:
    state, facts = ConnectionState(), template()
    run(state, facts, {"id": 1})
    run(state, facts, {"id": value})
    assert state.take("main", epoch=1).changes[ORDERS] == (Change({}, frozenset({"status"})),)


def test_a_write_of_the_whole_table_outweighs_its_rows() -> None:
    state = ConnectionState()
    run(state, template(), {"id": 1})
    state.collect(write(ORDERS), epoch=1)
    assert state.take("main", epoch=1) == WriteSet(frozenset({ORDERS}))


def test_t12_a_transaction_remembers_so_many_rows_and_statements_only() -> None:
    state, facts = ConnectionState(), template()
    for number in range(10_000):
        run(state, facts, {"id": number})
    assert state.take("main", epoch=1).changes[ORDERS] == (Change({}, frozenset({"status"})),)
    for number in range(MAX_STATEMENTS + 1):
        run(state, template(), {"id": number})
    assert len(state._gathered) == MAX_STATEMENTS
    assert ORDERS not in state.take("main", epoch=1).changes


def test_t9_generated_keys_that_never_came_are_any() -> None:
    state = ConnectionState()
    generated = WriteTemplate(ORDERS, frozenset({ORDERS}), [], None, [(ID, 0)])
    facts = replace(write(ORDERS), changes=generated)
    run(state, facts, {})
    assert ORDERS not in state.take("main", epoch=1).changes
    told, failed = Run({}), Run({})
    told.inserted_primary_key_rows = [(7,)]  # type: ignore[attr-defined]
    state.collect(facts, 1, told)  # type: ignore[arg-type]
    assert state.take("main", epoch=1).changes[ORDERS] == (Change({ID: frozenset({7})}),)
    for one in (told, failed):
        state.collect(facts, 1, one)  # type: ignore[arg-type]
    assert ORDERS not in state.take("main", epoch=1).changes


def test_a_transaction_names_the_statements_that_wrote_each_once_and_only_so_many() -> None:
    state, facts = ConnectionState(), write(ORDERS)
    for _ in range(3):
        state.collect(facts, epoch=1)
    assert state.take("main", epoch=1).statements == (facts,)
    for _ in range(MAX_NAMED + 5):
        state.collect(write(ORDERS), epoch=1)
    taken = state.take("main", epoch=1)
    assert len(taken.statements) == MAX_NAMED
    assert len((taken | taken).statements) == MAX_NAMED
    assert state.take("main", epoch=1).statements == ()
