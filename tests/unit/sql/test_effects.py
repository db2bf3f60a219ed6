"""When a write concerns an answer."""

from __future__ import annotations

from steinmetz.sql import ReadSet, Relation, StatementFacts, Verb, WriteSet

ORDERS = Relation("main", "orders")
ITEMS = Relation("main", "items")
ELSEWHERE = Relation("archive", "orders")


def reads(*relations: Relation) -> ReadSet:
    return ReadSet(frozenset(relations))


def writes(*relations: Relation) -> WriteSet:
    return WriteSet(frozenset(relations))


def test_a_write_concerns_the_answers_that_read_its_table() -> None:
    assert reads(ORDERS, ITEMS).concerned_by(writes(ITEMS))
    assert not reads(ORDERS).concerned_by(writes(ITEMS))


def test_equal_names_in_two_databases_are_two_tables() -> None:
    assert not reads(ORDERS).concerned_by(writes(ELSEWHERE))


def test_an_unknown_write_concerns_all_answers_of_its_database() -> None:
    anything = WriteSet(unknown=frozenset({"main"}))
    assert reads(ORDERS).concerned_by(anything)
    assert not reads(ELSEWHERE).concerned_by(anything)


def test_an_uncertain_answer_is_concerned_by_every_write() -> None:
    uncertain = ReadSet(unknown=frozenset({"a raw cursor"}))
    assert not uncertain.is_certain
    assert uncertain.concerned_by(writes(ITEMS))
    assert not uncertain.concerned_by(WriteSet())


def test_writes_add_up() -> None:
    assert writes(ORDERS) | writes(ITEMS) == writes(ORDERS, ITEMS)
    assert not WriteSet()


def test_the_writes_of_a_statement_carry_its_doubt() -> None:
    facts = StatementFacts(
        "0" * 16, "CALL pay(?)", Verb.OTHER, frozenset(), frozenset({ORDERS}), writes_unknown=True
    )
    assert WriteSet.of(facts, "main") == WriteSet(frozenset({ORDERS}), frozenset({"main"}))
