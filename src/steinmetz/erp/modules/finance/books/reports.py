"""Reports are sums of posting lines, sorted by the kind of their account; pure.

The books are never closed at the end of a year: income and expenses run on, and their balance is the result that
equity has not been given yet. So at any day

    assets = liabilities + equity + result

where ``result`` is everything earned and spent until then. It holds because every entry adds up to zero.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from steinmetz.erp.modules.finance.chart import AccountKind


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included."""

    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What was posted to an account before a period and in it, in cents; debit positive."""

    id: int
    number: str
    name: str
    kind: AccountKind
    before_cents: int
    within_cents: int


@dataclass(frozen=True, slots=True)
class ReportLine:
    """An account in a report, on the side where its kind belongs: income and debts are positive there."""

    account_id: int
    number: str
    name: str
    opening_cents: int
    """At the end of the day before the period."""
    moved_cents: int
    """In the period."""

    @property
    def amount_cents(self) -> int:
        return self.moved_cents

    @property
    def closing_cents(self) -> int:
        return self.opening_cents + self.moved_cents


SIGN = {
    AccountKind.ASSET: 1,
    AccountKind.EXPENSE: 1,
    AccountKind.LIABILITY: -1,
    AccountKind.EQUITY: -1,
    AccountKind.INCOME: -1,
}
"""From debit positive to the side of the kind."""


@dataclass(frozen=True, slots=True)
class ProfitLoss:
    income: list[ReportLine]
    expenses: list[ReportLine]

    @property
    def income_cents(self) -> int:
        return sum(line.moved_cents for line in self.income)

    @property
    def expenses_cents(self) -> int:
        return sum(line.moved_cents for line in self.expenses)

    @property
    def result_cents(self) -> int:
        return self.income_cents - self.expenses_cents


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a balance sheet at one day."""

    assets_cents: int
    liabilities_cents: int
    equity_cents: int
    result_cents: int


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    assets: list[ReportLine]
    liabilities: list[ReportLine]
    equity: list[ReportLine]
    opening: Sides
    closing: Sides


def period_of(first: dt.date | None, last: dt.date | None, today: dt.date) -> Period:
    """What is asked for; from the beginning of the year, up to today, where nothing is said.

    Raises `ValueError` for a period that ends before it begins.
    """
    last = last or today
    first = first or last.replace(month=1, day=1)
    if first > last:
        raise ValueError(f"The period begins on {first} and ends before that, on {last}.")
    return Period(first, last)


def period_before(period: Period) -> Period:
    """Before whole months the same number of months, else the same number of days."""
    last = period.first - dt.timedelta(days=1)
    is_whole = (
        period.first.day == 1 and period.last.day == calendar.monthrange(period.last.year, period.last.month)[1]
    )
    if not is_whole:
        return Period(last - (period.last - period.first), last)
    months = 12 * (period.last.year - period.first.year) + period.last.month - period.first.month
    year, month = divmod(12 * last.year + last.month - 1 - months, 12)
    return Period(dt.date(year, month + 1, 1), last)


def _lines(sums: Iterable[AccountSum], kind: AccountKind) -> list[ReportLine]:
    sign = SIGN[kind]
    return [
        ReportLine(each.id, each.number, each.name, sign * each.before_cents, sign * each.within_cents)
        for each in sums
        if each.kind is kind
    ]


def profit_loss(sums: Iterable[AccountSum]) -> ProfitLoss:
    """What was earned and spent in the period; accounts on which nothing was posted in it are left out."""
    moved = [each for each in sums if each.within_cents]
    return ProfitLoss(_lines(moved, AccountKind.INCOME), _lines(moved, AccountKind.EXPENSE))


def balance_sheet(sums: Iterable[AccountSum]) -> BalanceSheet:
    """What the company has and owes before the period and at its end; accounts empty at both are left out."""
    every = list(sums)
    held = [each for each in every if each.before_cents or each.before_cents + each.within_cents]
    return BalanceSheet(
        assets=_lines(held, AccountKind.ASSET),
        liabilities=_lines(held, AccountKind.LIABILITY),
        equity=_lines(held, AccountKind.EQUITY),
        opening=_sides([(each.kind, each.before_cents) for each in every]),
        closing=_sides([(each.kind, each.before_cents + each.within_cents) for each in every]),
    )


def _sides(balances: list[tuple[AccountKind, int]]) -> Sides:
    def total(kind: AccountKind) -> int:
        return SIGN[kind] * sum(cents for own, cents in balances if own is kind)

    return Sides(
        assets_cents=total(AccountKind.ASSET),
        liabilities_cents=total(AccountKind.LIABILITY),
        equity_cents=total(AccountKind.EQUITY),
        result_cents=total(AccountKind.INCOME) - total(AccountKind.EXPENSE),
    )


def balance_at_end(sums: Iterable[AccountSum], numbers: Iterable[str]) -> int:
    """What these accounts hold together at the end of the period, debit positive."""
    wanted = frozenset(numbers)
    return sum(each.before_cents + each.within_cents for each in sums if each.number in wanted)
