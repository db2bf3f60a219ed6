"""Relations that nothing connects, in texts."""

from __future__ import annotations

import sys

import pytest

from steinmetz.monitor.analysis.cartesian import LONGEST, cartesian, unconnected
from steinmetz.sql.facts import StatementFacts, Verb


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("SELECT * FROM a, b", ("b",)),
        ("SELECT * FROM a, b, c WHERE a.id = b.id", ("c",)),
        ("SELECT * FROM a JOIN b ON a.x > 3", ("b",)),
        ("SELECT * FROM invoices i, customers c WHERE i.status = 'x' AND c.country <> 'de'", ("c",)),
        ("SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b, c WHERE b.id = a.id)", ("c",)),
        ("INSERT INTO t SELECT * FROM a, b", ("b",)),
    ],
)
def test_found(text: str, alone: tuple[str, ...]) -> None:
    assert unconnected(text, "sqlite") == alone
    assert unconnected(text, "postgresql") == alone


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM a",
        "SELECT * FROM a, b WHERE a.id = b.id",
        "SELECT * FROM a, b WHERE a.x < b.y",
        "SELECT * FROM a, b WHERE a.id = b.id OR a.id IS NULL",
        "SELECT * FROM a JOIN b USING (id)",
        "SELECT * FROM a NATURAL JOIN b",
        "SELECT * FROM a CROSS JOIN b",
        "SELECT * FROM a LEFT JOIN b ON a.id = b.id",
        "SELECT * FROM a, b WHERE a_id = id",  # whose columns they are is for the database to know
        "SELECT * FROM a, b WHERE a.id = 1 AND b.id = 2",
        "SELECT * FROM a, (SELECT count(*) AS n FROM b) AS t",
        "SELECT * FROM a, (SELECT x FROM b ORDER BY x LIMIT 1) AS t",
        "WITH t AS (SELECT max(x) AS m FROM c) SELECT * FROM a, t WHERE a.x > 3",
        "SELECT * FROM a, json_each(a.doc)",
        "SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.id) AS q",
        "SELECT * FROM a, b WHERE EXISTS (SELECT 1 FROM c WHERE c.a = a.id AND c.b = b.id)",
        "SELECT * FROM a, a",
        "PRAGMA no such grammar (",
        "",
    ],
)
def test_left_alone(text: str) -> None:
    assert unconnected(text, "postgresql") == ()


def test_a_very_long_text_is_not_read() -> None:
    assert unconnected("SELECT * FROM a, b" + " " * LONGEST) == ()


def test_without_a_parser_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    assert unconnected("SELECT * FROM a, b") == ()


def test_the_finding_names_the_relations() -> None:
    facts = StatementFacts("1a2b", "SELECT * FROM a, b", Verb.SELECT, frozenset(), frozenset())
    found = cartesian(facts, ("b",), None, "GET /a")
    assert found.subject == "b"
    assert found.remedy.startswith("Connect b ")
