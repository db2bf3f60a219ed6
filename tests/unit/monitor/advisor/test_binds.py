"""Placeholders, whoever's style they are in."""

from __future__ import annotations

import pytest

from steinmetz.monitor.advisor.binds import bind_of, bound_value, with_named_binds


@pytest.mark.parametrize(
    ("sql", "grammar", "named"),
    [
        ("a = ? AND b = ?", "sqlite", "a = :bind_0 AND b = :bind_1"),
        ("a = ?2 AND b = ?1", "sqlite", "a = :bind_1 AND b = :bind_0"),
        ("a = $2::int AND b = $1", "postgres", "a = :bind_1::int AND b = :bind_0"),
        ("a = %s AND b LIKE 'x%%'", "postgres", "a = :bind_0 AND b LIKE 'x%%'"),
        ("a % %s = 0 AND b %% %(c)s = 1", "postgres", "a % :bind_0 = 0 AND b % :c = 1"),
        ("a ? 'key' AND b = $1", "postgres", "a ? 'key' AND b = :bind_0"),
        ("a = $$?$$ AND b = :c -- ?", "postgres", "a = $$?$$ AND b = :c -- ?"),
    ],
)
def test_every_placeholder_gets_a_name_and_nothing_else_does(sql: str, grammar: str, named: str) -> None:
    assert with_named_binds(sql, grammar) == named


def test_a_name_tells_its_position() -> None:
    assert bind_of("bind_3") == 3
    assert bind_of("status") == "status"


def test_a_bind_has_its_value_or_none() -> None:
    assert bound_value(1, ("a", "b")) == "b"
    assert bound_value("x", {"x": 3}) == 3
    assert bound_value(5, ("a",)) is None
    assert bound_value(0, None) is None
