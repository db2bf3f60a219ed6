"""Which SELECT could return any number of rows."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.bounds import may_be_unbounded, unbounded
from steinmetz.monitor.analysis.patterns import PatternKind
from steinmetz.sql.facts import StatementFacts, Verb


def facts(text: str, verb: Verb = Verb.SELECT) -> StatementFacts:
    return StatementFacts("1a2b", text, verb, frozenset(), frozenset())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM t", True),
        ("SELECT a FROM t WHERE b = ?", True),
        ("SELECT a FROM t WHERE b IN (SELECT c FROM u LIMIT ?)", True),
        ("SELECT a FROM t LIMIT ?", False),
        ("SELECT a FROM t FETCH FIRST ? ROWS ONLY", False),
        ("SELECT TOP ? a FROM t", False),
        ("SELECT a FROM t WHERE id IN (?)", False),
        ("SELECT a FROM t WHERE id = ANY(?)", False),
    ],
)
def test_a_limit_or_a_list_of_keys_bounds_it(text: str, expected: bool) -> None:
    assert may_be_unbounded(facts(text)) is expected


def test_writes_are_none() -> None:
    assert not may_be_unbounded(facts("DELETE FROM t", Verb.DELETE))


def test_the_rows_are_told() -> None:
    found = unbounded(facts("SELECT a FROM t"), 4_000, None, "GET /a", 7)
    assert (found.kind, found.count, found.evidence) == (PatternKind.UNBOUNDED_SELECT, 4_000, {"rows": 4_000})
    assert ".limit(n)" in found.remedy
