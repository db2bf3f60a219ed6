"""XFetch, checked against its own formula: "now - delta * beta * ln(rand()) >= expiry" (VLDB 2015)."""

from __future__ import annotations

from math import exp

import pytest

from steinmetz.cache.policy.early import is_due
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet


def entry(early: float, cost_s: float = 2.0) -> Entry:
    return Entry(
        key=b"k", path="/a", route="/a", headers=(), body=b"", read_set=ReadSet(), sequence=0, stored_at_s=100.0,
        terms=Terms(60, early=early), cost_ns=int(cost_s * 1e9),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now_s", "draw", "due"),
    [
        (159.0, exp(-0.4), False),  # 0.8 s ahead of time, the end is 1 s away
        (159.0, exp(-0.6), True),
        (150.0, exp(-4.9), False),
        (150.0, exp(-5.1), True),
        (160.0, 1.0, True),  # at its end it is due whatever was drawn
        (101.0, 0.5, False),
    ],
)
def test_the_lot_decides_by_what_is_left_and_what_it_costs(now_s: float, draw: float, due: bool) -> None:
    assert is_due(entry(1.0), now_s, draw) is due


def test_a_larger_beta_is_earlier_and_none_is_never() -> None:
    assert not is_due(entry(1.0), 157.0, exp(-1))
    assert is_due(entry(2.0), 157.0, exp(-1.6))
    assert not is_due(entry(0.0), 160.0, 1e-9)


def test_what_costs_nothing_is_never_early() -> None:
    assert not is_due(entry(1.0, cost_s=0), 159.999, 1e-12)
