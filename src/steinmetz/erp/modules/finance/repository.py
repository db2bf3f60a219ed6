"""What finance asks of the database, alike on SQLite and PostgreSQL; decides nothing.

Who means to change an invoice takes its row's lock first (`invoice_to_change`) and a number series' after it: one
order, so that two writers wait for each other and never for ever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, desc, extract, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, selectinload
from sqlalchemy.orm.attributes import flag_modified

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.finance.models import (
    Account,
    Customer,
    Invoice,
    JournalEntry,
    NumberSeries,
    Payment,
    Transaction,
)
from steinmetz.erp.modules.finance.rules import ChartAccount, InvoiceStatus, PostingLine

CUSTOMER_SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "name": Customer.name,
    "number": Customer.number,
    "city": Customer.city,
}
INVOICE_SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "id": Invoice.id,
    "issueDate": Invoice.issue_date,
    "dueDate": Invoice.due_date,
    "grossCents": Invoice.gross_cents,
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
    Invoice.version,
)


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a list: ``after`` the sort values of the row before, at most ``limit``."""

    sort: str
    after: Sequence[Any] | None
    limit: int

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")


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
                or_(_contains(Invoice.number, self.search), _contains(Customer.name, self.search)),
            )
        return wanted


@dataclass(frozen=True, slots=True)
class Sums:
    """How many records, and what they amount to."""

    count: int = 0
    cents: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds."""

    number: str
    name: str
    cents: int


# Customers


def _contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


@named
async def customer(session: AsyncSession, customer_id: int) -> Customer | None:
    return await session.get(Customer, customer_id)


@named
async def customer_to_change(session: AsyncSession, customer_id: int) -> Customer | None:
    """The customer, its row locked until the end of the unit."""
    return await session.get(Customer, customer_id, with_for_update=True, populate_existing=True)


@named
async def customers(session: AsyncSession, window: Window, search: str) -> tuple[Sequence[Customer], int]:
    """One customer more than the window asks for (so that the caller knows of a next page), and the total."""
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(*(_contains(column, search) for column in (Customer.name, Customer.number, Customer.city)))
        )
    statement = _windowed(select(Customer).where(*conditions), window, CUSTOMER_SORTS[window.column], Customer.id)
    rows = (await session.scalars(statement)).all()
    total = await session.scalar(select(func.count()).select_from(Customer).where(*conditions))
    return rows, total or 0


def _windowed(
    statement: Select[*tuple[Any, ...]],
    window: Window,
    column: InstrumentedAttribute[Any],
    key: InstrumentedAttribute[int],
) -> Select[*tuple[Any, ...]]:
    by = [column] if column is key else [column, key]
    if window.after is not None:
        place, start = tuple_(*by), tuple_(*window.after)
        statement = statement.where(place < start if window.is_descending else place > start)
    order = [desc(each) if window.is_descending else each for each in by]
    return statement.order_by(*order).limit(window.limit + 1)


@named
async def last_customer_number(session: AsyncSession, prefix: str) -> str | None:
    """The greatest number that begins with ``prefix``."""
    statement = (
        select(Customer.number)
        .where(Customer.number.startswith(prefix, autoescape=True))
        .order_by(func.length(Customer.number).desc(), Customer.number.desc())
        .limit(1)
    )
    return await session.scalar(statement)


# Invoices and payments


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


def touch(changed: Invoice) -> None:
    """The invoice gets a new version even if only its items differ."""
    flag_modified(changed, "note")


@named
async def customer_name(session: AsyncSession, customer_id: int) -> str:
    return (await session.scalar(select(Customer.name).where(Customer.id == customer_id))) or ""


@named
async def payments_of(session: AsyncSession, invoice_id: int) -> Sequence[Payment]:
    statement = select(Payment).where(Payment.invoice_id == invoice_id).order_by(Payment.id)
    return (await session.scalars(statement)).all()


@named
async def invoices(
    session: AsyncSession, window: Window, wanted: InvoiceFilter
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """One row more than the window asks for, and the total."""
    conditions = wanted.conditions()
    statement = select(*INVOICE_ROW).join(Customer, Customer.id == Invoice.customer_id).where(*conditions)
    statement = _windowed(statement, window, INVOICE_SORTS[window.column], Invoice.id)
    counted = select(func.count()).select_from(Invoice).where(*conditions)
    if wanted.search:
        counted = counted.join(Customer, Customer.id == Invoice.customer_id)
    rows = (await session.execute(statement)).all()
    return rows, (await session.scalar(counted)) or 0


@named
async def payments(
    session: AsyncSession, window: Window, invoice_id: int | None, since: dt.date | None, until: dt.date | None
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """One row more than the window asks for, and the total."""
    conditions: list[ColumnElement[bool]] = []
    if invoice_id is not None:
        conditions.append(Payment.invoice_id == invoice_id)
    if since is not None:
        conditions.append(Payment.paid_on >= since)
    if until is not None:
        conditions.append(Payment.paid_on <= until)
    statement = (
        select(
            Payment.id,
            Payment.invoice_id,
            Payment.amount_cents,
            Payment.method,
            Payment.paid_on,
            Payment.reference,
            Payment.created_at,
            Invoice.number.label("invoice_number"),
            Invoice.customer_id,
            Customer.name.label("customer_name"),
        )
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(*conditions)
    )
    rows = (await session.execute(_windowed(statement, window, Payment.id, Payment.id))).all()
    total = await session.scalar(select(func.count()).select_from(Payment).where(*conditions))
    return rows, total or 0


@named
async def fall_due(session: AsyncSession, today: dt.date) -> list[tuple[int, str | None]]:
    """Sent invoices whose due date lies before ``today`` become overdue; returns their ids and numbers."""
    statement = (
        update(Invoice)
        .where(Invoice.status == InvoiceStatus.SENT, Invoice.due_date < today)
        .values(status=InvoiceStatus.OVERDUE, version=Invoice.version + 1)
        .returning(Invoice.id, Invoice.number)
        .execution_options(synchronize_session=False)
    )
    return sorted(await session.execute(statement))


# Numbers and books


def _upsert(session: AsyncSession) -> Any:
    """The engine's own INSERT that knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


@named
async def take_number(session: AsyncSession, series: str, first: int = 1) -> int:
    """The next number of ``series``, which begins with ``first``.

    The series' row stays locked until the end of the unit: a rollback gives the number back, and nobody else can
    have taken a later one meanwhile. That is what makes the numbers gap-free.
    """
    statement = (
        _upsert(session)(NumberSeries)
        .values(name=series, next_value=first + 1)
        .on_conflict_do_update(
            index_elements=[NumberSeries.name], set_={"next_value": NumberSeries.next_value + 1}
        )
        .returning(NumberSeries.next_value - 1)
    )
    return int((await session.execute(statement)).scalar_one())


@named
async def has_series(session: AsyncSession, series: str) -> bool:
    return await session.get(NumberSeries, series) is not None


@named
async def account_ids(session: AsyncSession, numbers: Iterable[str]) -> dict[str, int]:
    statement = select(Account.number, Account.id).where(Account.number.in_(sorted(set(numbers))))
    return dict((await session.execute(statement)).all())


@named
async def open_accounts(session: AsyncSession, accounts: Iterable[ChartAccount]) -> None:
    """Add accounts to the chart; those that are there already stay as they are."""
    values = [{"number": each.number, "name": each.name, "kind": each.kind} for each in accounts]
    await session.execute(
        _upsert(session)(Account).values(values).on_conflict_do_nothing(index_elements=[Account.number])
    )


@named
async def post(
    session: AsyncSession,
    lines: Sequence[PostingLine],
    ids: dict[str, int],
    *,
    date: dt.date,
    description: str,
    source: str,
    at: datetime,
) -> None:
    """Write a journal entry with its posting lines."""
    entry = JournalEntry(date=date, description=description, source=source, created_at=at)
    session.add(entry)
    await session.flush()
    session.add_all(
        Transaction(entry_id=entry.id, account_id=ids[line.account], date=date, amount_cents=line.amount_cents)
        for line in lines
    )


# Figures


@named
async def net_by_month(
    session: AsyncSession, statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date
) -> dict[tuple[int, int], int]:
    """Net cents of invoices issued from ``first`` to before ``end``, by (year, month)."""
    year, month = extract("year", Invoice.issue_date), extract("month", Invoice.issue_date)
    statement = (
        select(year, month, func.sum(Invoice.net_cents))
        .where(Invoice.status.in_(statuses), Invoice.issue_date >= first, Invoice.issue_date < end)
        .group_by(year, month)
    )
    rows = await session.execute(statement)
    return {(int(year), int(month)): int(cents) for year, month, cents in rows}


@named
async def net_by_customer(
    session: AsyncSession, statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date, limit: int
) -> list[tuple[int, str, int]]:
    """(customer id, name, net cents) of those who were billed most from ``first`` to before ``end``."""
    net_cents = func.sum(Invoice.net_cents)
    statement = (
        select(Customer.id, Customer.name, net_cents)
        .join(Invoice, Invoice.customer_id == Customer.id)
        .where(Invoice.status.in_(statuses), Invoice.issue_date >= first, Invoice.issue_date < end)
        .group_by(Customer.id, Customer.name)
        .order_by(net_cents.desc(), Customer.id)
        .limit(limit)
    )
    return [(key, name, int(cents)) for key, name, cents in (await session.execute(statement))]


@named
async def owed_by_status(session: AsyncSession, statuses: Sequence[InvoiceStatus]) -> dict[InvoiceStatus, Sums]:
    statement = (
        select(Invoice.status, func.count(), func.sum(Invoice.gross_cents - Invoice.paid_cents))
        .where(Invoice.status.in_(statuses))
        .group_by(Invoice.status)
    )
    rows = await session.execute(statement)
    return {status: Sums(count, int(cents)) for status, count, cents in rows}


@named
async def balances_of(session: AsyncSession, numbers: Sequence[str]) -> list[Balance]:
    statement = (
        select(Account.number, Account.name, func.coalesce(func.sum(Transaction.amount_cents), 0))
        .join(Transaction, Transaction.account_id == Account.id, isouter=True)
        .where(Account.number.in_(numbers))
        .group_by(Account.number, Account.name)
        .order_by(Account.number)
    )
    return [Balance(number, name, int(cents)) for number, name, cents in (await session.execute(statement))]
