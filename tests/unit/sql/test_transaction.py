"""What a connection has yet to commit."""

from __future__ import annotations

from steinmetz.sql import Relation, StatementFacts, Verb, WriteSet
from steinmetz.sql.transaction import ConnectionState

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
