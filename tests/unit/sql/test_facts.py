"""Facts are values."""

from __future__ import annotations

from steinmetz.sql import Relation, StatementFacts, Verb


def test_a_relation_names_its_database() -> None:
    assert str(Relation("main", "orders")) == "main:orders"
    assert Relation("archive", "orders") < Relation("main", "items")


def test_a_statement_that_may_write_anything_is_a_write() -> None:
    nothing: frozenset[Relation] = frozenset()
    assert not StatementFacts("0" * 16, "", Verb.SELECT, nothing, nothing).is_write
    assert not StatementFacts("0" * 16, "", Verb.SELECT, nothing, nothing, reads_unknown=True).is_write
    assert StatementFacts("0" * 16, "", Verb.OTHER, nothing, nothing, writes_unknown=True).is_write
