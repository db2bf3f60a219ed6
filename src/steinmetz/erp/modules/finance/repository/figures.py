"""What invoices, payments, credit notes and refunds amount to."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Date, Integer, bindparam, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.finance.models import CreditNote, Customer, Invoice, Payment, Refund
from steinmetz.erp.modules.finance.rules import InvoiceStatus


@dataclass(frozen=True, slots=True)
class Sums:
    """How many records, and what they amount to."""

    count: int = 0
    cents: int = 0


@cache
def _net_by_day(statuses: tuple[InvoiceStatus, ...]) -> Any:
    """Rows of (day, net cents). Built once, because it is asked after every commit; by day, in the order of the
    indexes, because to work out the month of each row takes SQLite longer than all the rest."""
    first, end = bindparam("first", type_=Date), bindparam("end", type_=Date)
    invoices = (
        select(Invoice.issue_date, func.sum(Invoice.net_cents))
        .where(Invoice.status.in_(statuses), Invoice.issue_date >= first, Invoice.issue_date < end)
        .group_by(Invoice.issue_date)
    )
    corrections = (
        select(CreditNote.issue_date, -func.sum(CreditNote.net_cents))
        .where(CreditNote.issue_date >= first, CreditNote.issue_date < end)
        .group_by(CreditNote.issue_date)
    )
    return union_all(invoices, corrections)


@named
async def net_by_month(
    session: AsyncSession, statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date
) -> dict[tuple[int, int], int]:
    """Net cents of invoices less credit notes, issued from ``first`` to before ``end``, by (year, month)."""
    by_month: dict[tuple[int, int], int] = defaultdict(int)
    for day, cents in await session.execute(_net_by_day(tuple(statuses)), {"first": first, "end": end}):
        by_month[day.year, day.month] += int(cents)
    return dict(by_month)


@cache
def _net_by_customer(statuses: tuple[InvoiceStatus, ...]) -> Any:
    """Rows of (customer id, name, net cents), the largest first. Built once, too."""
    first, end = bindparam("first", type_=Date), bindparam("end", type_=Date)
    invoices = select(Invoice.customer_id.label("customer_id"), Invoice.net_cents.label("net_cents")).where(
        Invoice.status.in_(statuses), Invoice.issue_date >= first, Invoice.issue_date < end
    )
    corrections = (
        select(Invoice.customer_id, -CreditNote.net_cents)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(CreditNote.issue_date >= first, CreditNote.issue_date < end)
    )
    billed = union_all(invoices, corrections).subquery("billed")
    net_cents = func.sum(billed.c.net_cents)
    return (
        select(Customer.id, Customer.name, net_cents)
        .join(billed, billed.c.customer_id == Customer.id)
        .group_by(Customer.id, Customer.name)
        .order_by(net_cents.desc(), Customer.id)
        .limit(bindparam("limit", type_=Integer))
    )


@named
async def net_by_customer(
    session: AsyncSession, statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date, limit: int
) -> list[tuple[int, str, int]]:
    """(customer id, name, net cents) of those who were billed most from ``first`` to before ``end``."""
    values = {"first": first, "end": end, "limit": limit}
    rows = await session.execute(_net_by_customer(tuple(statuses)), values)
    return [(key, name, int(cents)) for key, name, cents in rows]


@named
async def owed_by_status(session: AsyncSession, statuses: Sequence[InvoiceStatus]) -> dict[InvoiceStatus, Sums]:
    balance = Invoice.gross_cents - Invoice.credited_cents - Invoice.paid_cents + Invoice.refunded_cents
    statement = (
        select(Invoice.status, func.count(), func.sum(balance))
        .where(Invoice.status.in_(statuses))
        .group_by(Invoice.status)
    )
    rows = await session.execute(statement)
    return {status: Sums(count, int(cents)) for status, count, cents in rows}


@named
async def sums_of_invoices(session: AsyncSession, moved: InstrumentedAttribute[Any], first: Any, end: Any) -> Sums:
    """Number and gross of the sent invoices whose ``moved`` lies from ``first`` to before ``end``."""
    statement = select(func.count(), func.sum(Invoice.gross_cents)).where(
        Invoice.number.is_not(None), moved >= first, moved < end
    )
    return _sums((await session.execute(statement)).one())


@named
async def sums_of_payments(session: AsyncSession, first: dt.date, last: dt.date) -> Sums:
    return await _sums_between(session, Payment.amount_cents, Payment.paid_on, first, last)


@named
async def sums_of_refunds(session: AsyncSession, first: dt.date, last: dt.date) -> Sums:
    return await _sums_between(session, Refund.amount_cents, Refund.paid_on, first, last)


@named
async def sums_of_credit_notes(session: AsyncSession, first: dt.date, last: dt.date) -> Sums:
    return await _sums_between(session, CreditNote.gross_cents, CreditNote.issue_date, first, last)


async def _sums_between(
    session: AsyncSession,
    cents: InstrumentedAttribute[int],
    day: InstrumentedAttribute[dt.date],
    first: dt.date,
    last: dt.date,
) -> Sums:
    statement = select(func.count(), func.sum(cents)).where(day >= first, day <= last)
    return _sums((await session.execute(statement)).one())


def _sums(row: Any) -> Sums:
    count, cents = row
    return Sums(count, int(cents or 0))


@named
async def open_at(session: AsyncSession, last: dt.date, after: dt.datetime, *, is_overdue: bool = False) -> Sums:
    """Invoices that were open at the end of ``last`` and what was open on them; ``after`` is that instant.
    With ``is_overdue`` only those that were past due.

    By the days of payments, credit notes and refunds, as the books have them. What was settled before ``after``
    cannot have been open then, which leaves few to look at.
    """

    def moved(cents: InstrumentedAttribute[int], invoice_id: Any, day: InstrumentedAttribute[dt.date]) -> Any:
        inner = select(func.sum(cents)).where(invoice_id == Invoice.id, day <= last)
        return func.coalesce(inner.correlate(Invoice).scalar_subquery(), literal(0, BigInteger))

    open_cents = (
        Invoice.gross_cents
        - moved(Payment.amount_cents, Payment.invoice_id, Payment.paid_on)
        - moved(CreditNote.gross_cents, CreditNote.invoice_id, CreditNote.issue_date)
        + moved(Refund.amount_cents, Refund.invoice_id, Refund.paid_on)
    ).label("open_cents")
    sent = select(open_cents).where(
        Invoice.number.is_not(None),
        Invoice.issue_date <= last,
        or_(Invoice.paid_at.is_(None), Invoice.paid_at >= after),
        or_(Invoice.cancelled_at.is_(None), Invoice.cancelled_at >= after),
    )
    candidates = (sent.where(Invoice.due_date < last) if is_overdue else sent).subquery()
    statement = select(func.count(), func.sum(candidates.c.open_cents)).where(candidates.c.open_cents > 0)
    return _sums((await session.execute(statement)).one())
