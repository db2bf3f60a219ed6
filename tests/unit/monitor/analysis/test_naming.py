"""Statements that nobody has named are still readable."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.naming import name_of
from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.shape import shape_of


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT a FROM invoices JOIN customers ON true", "select invoices"),
        ('INSERT INTO "Order" (a) VALUES (1)', "insert Order"),
        ("UPDATE accounting.accounts SET a = 1", "update accounting.accounts"),
        ("DELETE FROM ONLY invoices", "delete invoices"),
        ("WITH d AS (DELETE FROM old RETURNING *) SELECT * FROM d", "delete old"),
        ("SELECT 1", "select"),
        ("PRAGMA foreign_keys", "pragma"),
        ("CREATE INDEX i ON t (a)", "create"),
        ("", "empty"),
    ],
)
def test_a_name_is_verb_relation_and_fingerprint(statement: str, name: str) -> None:
    shape = shape_of(statement)
    facts = StatementFacts(shape.fingerprint, shape.text, shape.verb, frozenset(), frozenset())
    assert name_of(facts) == f"{name} {shape.fingerprint[:8]}"
