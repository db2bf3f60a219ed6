"""What is asked about invoices: one with its items, or a list of them and what it adds up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload, undefer
from sqlalchemy.orm.attributes import flag_modified

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window, contains
from steinmetz.erp.modules.finance.models import Customer, Invoice
from steinmetz.erp.modules.finance.rules import InvoiceStatus

INVOICE_SORTS: dict[str, tuple[Column, ...]] = {
    "id": (Invoice.id,),
    "issueDate": (Invoice.issue_date, Invoice.id),
    "dueDate": (Invoice.due_date, Invoice.id),
    "grossCents": (Invoice.gross_cents, Invoice.id),
}

INVOICE_ROW = (
    Invoice.id,
    Invoice.number,
    Invoice.customer_id,
    Customer.name.label("customer_name"),
    Invoice.status,
    Invoice.issue_date,
    Invoice.due_date,
    Invoice.currency,
    Invoice.net_cents,
    Invoice.vat_cents,
    Invoice.gross_cents,
    Invoice.paid_cents,
    Invoice.credited_cents,
    Invoice.refunded_cents,
    Invoice.version,
)


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    statuses: Sequence[InvoiceStatus] = ()
    customer_id: int | None = None
    since: dt.date | None = None
    """Issued on this day or later."""
    until: dt.date | None = None
    """Issued on this day or earlier."""
    search: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.statuses:
            wanted.append(Invoice.status.in_(self.statuses))
        if self.customer_id is not None:
            wanted.append(Invoice.customer_id == self.customer_id)
        if self.since is not None:
            wanted.append(Invoice.issue_date >= self.since)
        if self.until is not None:
            wanted.append(Invoice.issue_date <= self.until)
        if self.search:
            wanted.append(
                or_(contains(Invoice.number, self.search), contains(Customer.name, self.search)),
            )
        return wanted


@dataclass(frozen=True, slots=True)
class StatusSums:
    """What invoices of one status add up to."""

    count: int = 0
    net_cents: int = 0
    gross_cents: int = 0
    credited_cents: int = 0
    paid_cents: int = 0
    """Less what was refunded."""
    overpaid_cents: int = 0
    """What was paid beyond what is owed after credit notes."""


@named
async def invoice(session: AsyncSession, invoice_id: int) -> Invoice | None:
    """The invoice with its items."""
    return await session.get(Invoice, invoice_id, options=[selectinload(Invoice.items)])


@named
async def invoice_to_change(session: AsyncSession, invoice_id: int) -> Invoice | None:
    """The invoice with its items, its row locked until the end of the unit."""
    return await session.get(
        Invoice,
        invoice_id,
        options=[selectinload(Invoice.items)],
        with_for_update=True,
        populate_existing=True,
    )


@named
async def printed_invoice(session: AsyncSession, invoice_id: int) -> Invoice | None:
    """The invoice with its items and the parties as they were when it was sent."""
    return await session.get(Invoice, invoice_id, options=[selectinload(Invoice.items), undefer(Invoice.parties)])


@named
async def parties_of_invoice(session: AsyncSession, invoice_id: int) -> dict[str, Any] | None:
    return await session.scalar(select(Invoice.parties).where(Invoice.id == invoice_id))


def touch(changed: Invoice) -> None:
    """The invoice gets a new version even if only its items differ."""
    flag_modified(changed, "note")


@named
async def invoices(session: AsyncSession, window: Window, wanted: InvoiceFilter) -> Page:
    """First which, then what (see `customers`)."""
    conditions = wanted.conditions()
    which = select(Invoice.id).where(*conditions)
    counted = select(func.count()).select_from(Invoice).where(*conditions)
    if wanted.search:
        which = which.join(Customer, Customer.id == Invoice.customer_id)
        counted = counted.join(Customer, Customer.id == Invoice.customer_id)
    ids = (await session.scalars(window.of(which))).all()
    shown = select(*INVOICE_ROW).join(Customer, Customer.id == Invoice.customer_id).where(Invoice.id.in_(ids))
    found = {row.id: row for row in await session.execute(shown)}
    rows = [found[key] for key in ids if key in found]
    return window.page(rows, await session.scalar(counted))


@named
async def sums_of_list(session: AsyncSession, wanted: InvoiceFilter) -> dict[InvoiceStatus, StatusSums]:
    """What the invoices that are wanted add up to, by status."""
    balance = Invoice.gross_cents - Invoice.credited_cents - Invoice.paid_cents + Invoice.refunded_cents
    sums = (
        Invoice.net_cents,
        Invoice.gross_cents,
        Invoice.credited_cents,
        Invoice.paid_cents - Invoice.refunded_cents,
        case((balance < 0, -balance), else_=0),
    )
    statement = select(Invoice.status, func.count(), *(func.sum(each) for each in sums))
    if wanted.search:
        statement = statement.join(Customer, Customer.id == Invoice.customer_id)
    rows = await session.execute(statement.where(*wanted.conditions()).group_by(Invoice.status))
    return {status: StatusSums(count, *map(int, cents)) for status, count, *cents in rows}


@named
async def fall_due(session: AsyncSession, today: dt.date) -> list[tuple[int, str | None]]:
    """Sent invoices whose due date lies before ``today`` become overdue; returns their ids and numbers.

    They are locked in the order of their ids first, so that two who do this at once wait for each other.
    """
    late = (
        select(Invoice.id)
        .where(Invoice.status == InvoiceStatus.SENT, Invoice.due_date < today)
        .order_by(Invoice.id)
        .with_for_update()
    )
    await session.execute(late)
    statement = (
        update(Invoice)
        .where(Invoice.status == InvoiceStatus.SENT, Invoice.due_date < today)
        .values(status=InvoiceStatus.OVERDUE, version=Invoice.version + 1)
        .returning(Invoice.id, Invoice.number)
        .execution_options(synchronize_session=False)
    )
    return sorted(await session.execute(statement))
