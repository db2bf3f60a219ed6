"""Reports are sums of posting lines; whatever balances in the books balances in the report."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.modules.finance.books.reports import (
    AccountSum,
    Period,
    balance_at_end,
    balance_sheet,
    period_before,
    period_of,
    profit_loss,
)
from steinmetz.erp.modules.finance.chart import CHART, AccountKind

TODAY = dt.date(2026, 3, 2)
cents = st.integers(-(10**12), 10**12)


@st.composite
def books(draw: st.DrawFn) -> list[AccountSum]:
    """Sums that add up to zero, before the period and in it, as those of balanced entries do."""
    numbers = draw(st.lists(st.sampled_from(sorted(CHART)), min_size=2, max_size=12, unique=True))
    before = draw(st.lists(cents, min_size=len(numbers) - 1, max_size=len(numbers) - 1))
    within = draw(st.lists(cents, min_size=len(numbers) - 1, max_size=len(numbers) - 1))
    return [
        AccountSum(place, number, CHART[number].name, CHART[number].kind, own_before, own_within)
        for place, (number, own_before, own_within) in enumerate(
            zip(numbers, [*before, -sum(before)], [*within, -sum(within)], strict=True)
        )
    ]


@given(books())
def test_assets_are_liabilities_equity_and_result_at_both_ends(sums: list[AccountSum]) -> None:
    sheet = balance_sheet(sums)
    for sides in (sheet.opening, sheet.closing):
        assert sides.assets_cents == sides.liabilities_cents + sides.equity_cents + sides.result_cents
    assert sheet.closing.assets_cents == sum(line.closing_cents for line in sheet.assets)
    assert sheet.opening.equity_cents == sum(line.opening_cents for line in sheet.equity)


@given(books())
def test_the_result_of_a_period_is_the_step_from_opening_to_closing(sums: list[AccountSum]) -> None:
    sheet = balance_sheet(sums)
    assert profit_loss(sums).result_cents == sheet.closing.result_cents - sheet.opening.result_cents


def test_income_and_debts_are_positive_on_their_side() -> None:
    sums = [
        AccountSum(1, "1200", "Bank", AccountKind.ASSET, 100, 1_000),
        AccountSum(2, "1600", "Verbindlichkeiten", AccountKind.LIABILITY, -100, -300),
        AccountSum(3, "4930", "Bürobedarf", AccountKind.EXPENSE, 0, 300),
        AccountSum(4, "8400", "Erlöse", AccountKind.INCOME, 0, -1_000),
        AccountSum(5, "8300", "Erlöse", AccountKind.INCOME, 0, 0),
    ]
    earned, sheet = profit_loss(sums), balance_sheet(sums)
    assert [(line.number, line.amount_cents) for line in earned.income] == [("8400", 1_000)]
    assert [(line.number, line.amount_cents) for line in earned.expenses] == [("4930", 300)]
    assert (earned.income_cents, earned.expenses_cents, earned.result_cents) == (1_000, 300, 700)
    assert [(line.opening_cents, line.closing_cents) for line in sheet.liabilities] == [(100, 400)]
    assert balance_at_end(sums, ["1200", "1600"]) == 700


def test_nothing_posted_is_a_report_of_nothing() -> None:
    assert profit_loss([]).result_cents == 0
    assert balance_sheet([]).closing.assets_cents == 0


@pytest.mark.parametrize(
    ("first", "last", "period"),
    [
        (None, None, Period(dt.date(2026, 1, 1), TODAY)),
        (None, dt.date(2025, 6, 30), Period(dt.date(2025, 1, 1), dt.date(2025, 6, 30))),
        (dt.date(2025, 6, 1), None, Period(dt.date(2025, 6, 1), TODAY)),
        (TODAY, TODAY, Period(TODAY, TODAY)),
    ],
)
def test_a_period_is_the_year_up_to_today_unless_it_is_said(
    first: dt.date | None, last: dt.date | None, period: Period
) -> None:
    assert period_of(first, last, TODAY) == period


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="begins on 2026-03-03 and ends before that"):
        period_of(dt.date(2026, 3, 3), None, TODAY)


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-02-01", "2026-02-28", ("2026-01-01", "2026-01-31")),
        ("2026-01-01", "2026-03-31", ("2025-10-01", "2025-12-31")),
        ("2025-01-01", "2025-12-31", ("2024-01-01", "2024-12-31")),
        ("2024-02-01", "2024-02-29", ("2024-01-01", "2024-01-31")),
        ("2026-01-01", "2026-03-02", ("2025-11-01", "2025-12-31")),
        ("2026-03-02", "2026-03-02", ("2026-03-01", "2026-03-01")),
    ],
)
def test_before_whole_months_lie_whole_months_else_as_many_days(
    first: str, last: str, before: tuple[str, str]
) -> None:
    found = period_before(Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last)))
    assert (found.first.isoformat(), found.last.isoformat()) == before
