"""What the invoices and the books amount to: for the overview, the reports and the end of the month."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from steinmetz.erp.db import Unit
from steinmetz.erp.kit.days import midnight, month_bounds
from steinmetz.erp.modules.finance import repository, rules
from steinmetz.erp.modules.finance.books import reports
from steinmetz.erp.modules.finance.books import service as books
from steinmetz.erp.modules.finance.books.reports import Period
from steinmetz.erp.modules.finance.books.schemas import CountedView, FiguresView, FinancialView
from steinmetz.erp.modules.finance.books.service import Balance
from steinmetz.erp.modules.finance.chart import LIQUID
from steinmetz.erp.modules.finance.models import Invoice
from steinmetz.erp.modules.finance.repository.figures import Sums
from steinmetz.erp.modules.finance.rules import InvoiceStatus

__all__ = [
    "Balance",
    "Owed",
    "Revenue",
    "Sums",
    "cash_at",
    "cash_balances",
    "financial",
    "owed",
    "owed_at",
    "revenue_by_month",
    "top_customers",
]


@dataclass(frozen=True, slots=True)
class Owed:
    """What customers owe: all that is open, and the part of it that is overdue."""

    open: Sums
    overdue: Sums


@dataclass(frozen=True, slots=True)
class Revenue:
    """Net revenue of one month."""

    month: dt.date
    net_cents: int


async def revenue_by_month(unit: Unit, today: dt.date, months: int = 12) -> list[Revenue]:
    """Net revenue of the last ``months`` months, oldest first; months without any are there with 0."""
    firsts = rules.months_until(today, months)
    net = await repository.figures.net_by_month(unit.session, rules.BILLED, firsts[0], month_bounds(today)[1])
    return [Revenue(first, net.get((first.year, first.month), 0)) for first in firsts]


async def top_customers(
    unit: Unit, today: dt.date, months: int = 12, limit: int = 5
) -> list[tuple[int, str, int]]:
    """(customer id, name, net cents) of those billed most in the last ``months`` months."""
    first = rules.months_until(today, months)[0]
    return await repository.figures.net_by_customer(
        unit.session, rules.BILLED, first, month_bounds(today)[1], limit
    )


async def owed(unit: Unit) -> Owed:
    by_status = await repository.figures.owed_by_status(unit.session, rules.OPEN)
    every = by_status.values()
    return Owed(
        open=Sums(sum(each.count for each in every), sum(each.cents for each in every)),
        overdue=by_status.get(InvoiceStatus.OVERDUE, Sums()),
    )


async def owed_at(unit: Unit, day: dt.date) -> Sums:
    """What customers owed at the end of ``day``: sent by then, neither settled nor cancelled."""
    return await repository.figures.open_at(unit.session, day, midnight(day + dt.timedelta(days=1)))


async def cash_balances(unit: Unit) -> list[Balance]:
    """The cash box and the bank, by account."""
    return await books.balances_of(unit, LIQUID)


async def cash_at(unit: Unit, day: dt.date) -> list[Balance]:
    """The cash box and the bank at the end of ``day``, by account."""
    return await books.balances_of(unit, LIQUID, day)


async def financial(unit: Unit, period: Period) -> FinancialView:
    """A period in figures, and the one before it."""
    figures = await _figures(unit, period)
    return FinancialView(**figures.model_dump(), before=await _figures(unit, reports.period_before(period)))


async def _figures(unit: Unit, period: Period) -> FiguresView:
    session, first, last = unit.session, period.first, period.last
    after = last + dt.timedelta(days=1)
    begins, ends = midnight(first), midnight(after)
    sums = await books.account_sums(unit, period)
    earned, held = reports.profit_loss(sums), books.stocks(sums)
    return FiguresView(
        first=first,
        last=last,
        revenue_cents=earned.income_cents,
        expenses_cents=earned.expenses_cents,
        result_cents=earned.result_cents,
        receivables_cents=held.receivables_cents,
        payables_cents=held.payables_cents,
        cash_cents=held.cash_cents,
        vat_owed_cents=held.vat_owed_cents,
        invoices_sent=_counted(
            await repository.figures.sums_of_invoices(session, Invoice.issue_date, first, after)
        ),
        invoices_paid=_counted(await repository.figures.sums_of_invoices(session, Invoice.paid_at, begins, ends)),
        invoices_overdue=_counted(await repository.figures.open_at(session, last, ends, is_overdue=True)),
        invoices_cancelled=_counted(
            await repository.figures.sums_of_invoices(session, Invoice.cancelled_at, begins, ends)
        ),
        credit_notes=_counted(await repository.figures.sums_of_credit_notes(session, first, last)),
        payments=_counted(await repository.figures.sums_of_payments(session, first, last)),
        refunds=_counted(await repository.figures.sums_of_refunds(session, first, last)),
    )


def _counted(sums: Sums) -> CountedView:
    return CountedView(count=sums.count, sum_cents=sums.cents)
