"""Conditions as alternatives of what holds together."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from steinmetz.monitor.advisor.branches import MAX_BRANCHES, alternatives


def branches(condition: str) -> list[str]:
    tree = parse_one(f"SELECT 1 WHERE {condition}").args["where"]
    assert isinstance(tree, exp.Where)
    return [" & ".join(part.sql() for part in alternative) for alternative in alternatives(tree.this)]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("a", ["a"]),
        ("a AND (b AND c)", ["a & b & c"]),
        ("a OR (b OR c)", ["a", "b", "c"]),
        ("a AND (b OR c AND d)", ["a & b", "a & c & d"]),
        ("(a OR b) AND (c OR d)", ["a & c", "a & d", "b & c", "b & d"]),
        ("NOT (a OR b)", ["NOT (a OR b)"]),
    ],
)
def test_or_is_told_apart(condition: str, found: list[str]) -> None:
    assert branches(condition) == found


def test_of_too_many_alternatives_what_certainly_holds_is_left() -> None:
    many = " OR ".join(f"b{number}" for number in range(MAX_BRANCHES + 1))
    assert branches(f"a AND ({many})") == ["a"]
    assert branches(f"a AND ({many}) AND (c OR d)") == ["a & c", "a & d"]
