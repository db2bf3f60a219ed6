"""What finance asks of the database, alike on SQLite and PostgreSQL; decides nothing.

Who means to change an invoice takes its row's lock first (`invoice_to_change`) and a number series' after it: one
order, so that two writers wait for each other and never for ever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    case,
    extract,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, selectinload, undefer
from sqlalchemy.orm.attributes import flag_modified

from steinmetz.erp.kit.queries import named, upsert
from steinmetz.erp.modules.finance.models import (
    Company,
    CreditNote,
    CreditNoteItem,
    Customer,
    Invoice,
    NumberSeries,
    Payment,
    Refund,
)
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.windows import Window, contains, windowed

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


@dataclass(frozen=True, slots=True)
class CreditNoteFilter:
    invoice_id: int | None = None
    customer_id: int | None = None
    since: dt.date | None = None
    """Issued on this day or later."""
    until: dt.date | None = None
    """Issued on this day or earlier."""

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.invoice_id is not None:
            wanted.append(CreditNote.invoice_id == self.invoice_id)
        if self.customer_id is not None:
            wanted.append(Invoice.customer_id == self.customer_id)
        if self.since is not None:
            wanted.append(CreditNote.issue_date >= self.since)
        if self.until is not None:
            wanted.append(CreditNote.issue_date <= self.until)
        return wanted


@dataclass(frozen=True, slots=True)
class Sums:
    """How many records, and what they amount to."""

    count: int = 0
    cents: int = 0


# Our own company


@named
async def company(session: AsyncSession) -> Company | None:
    return await session.get(Company, 1)


@named
async def company_to_change(session: AsyncSession) -> Company | None:
    """Our company, its row locked until the end of the unit."""
    return await session.get(Company, 1, with_for_update=True, populate_existing=True)


# Customers


@named
async def customer(session: AsyncSession, customer_id: int) -> Customer | None:
    return await session.get(Customer, customer_id)


@named
async def customer_to_change(session: AsyncSession, customer_id: int) -> Customer | None:
    """The customer, its row locked until the end of the unit."""
    return await session.get(Customer, customer_id, with_for_update=True, populate_existing=True)


@named
async def customers(session: AsyncSession, window: Window, search: str) -> tuple[Sequence[Customer], int]:
    """One customer more than the window asks for (so that the caller knows of a next page), and the total.

    First which, then what: the answer depends on all customers only by what finds and orders them, and by the rest
    on those that it shows.
    """
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(*(contains(column, search) for column in (Customer.name, Customer.number, Customer.city)))
        )
    statement = windowed(
        select(Customer.id).where(*conditions), window, CUSTOMER_SORTS[window.column], Customer.id
    )
    ids = (await session.scalars(statement)).all()
    found = {row.id: row for row in await session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    rows = [found[key] for key in ids if key in found]
    total = await session.scalar(select(func.count()).select_from(Customer).where(*conditions))
    return rows, total or 0


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


@named
async def printed_invoice(session: AsyncSession, invoice_id: int) -> Invoice | None:
    """The invoice with its items and the parties as they were when it was sent."""
    return await session.get(Invoice, invoice_id, options=[selectinload(Invoice.items), undefer(Invoice.parties)])


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
    """One row more than the window asks for, and the total; first which, then what (see `customers`)."""
    conditions = wanted.conditions()
    which = select(Invoice.id).where(*conditions)
    counted = select(func.count()).select_from(Invoice).where(*conditions)
    if wanted.search:
        which = which.join(Customer, Customer.id == Invoice.customer_id)
        counted = counted.join(Customer, Customer.id == Invoice.customer_id)
    ids = (await session.scalars(windowed(which, window, INVOICE_SORTS[window.column], Invoice.id))).all()
    shown = select(*INVOICE_ROW).join(Customer, Customer.id == Invoice.customer_id).where(Invoice.id.in_(ids))
    found = {row.id: row for row in await session.execute(shown)}
    rows = [found[key] for key in ids if key in found]
    return rows, (await session.scalar(counted)) or 0


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
async def payments(
    session: AsyncSession, window: Window, invoice_id: int | None, since: dt.date | None, until: dt.date | None
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """One row more than the window asks for, and the total."""
    return await _movements(session, Payment, window, invoice_id, since, until)


@named
async def refunds(
    session: AsyncSession, window: Window, invoice_id: int | None, since: dt.date | None, until: dt.date | None
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """One row more than the window asks for, and the total."""
    return await _movements(session, Refund, window, invoice_id, since, until)


async def _movements(
    session: AsyncSession,
    money: type[Payment] | type[Refund],
    window: Window,
    invoice_id: int | None,
    since: dt.date | None,
    until: dt.date | None,
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    conditions: list[ColumnElement[bool]] = []
    if invoice_id is not None:
        conditions.append(money.invoice_id == invoice_id)
    if since is not None:
        conditions.append(money.paid_on >= since)
    if until is not None:
        conditions.append(money.paid_on <= until)
    statement = (
        select(
            money.id,
            money.invoice_id,
            money.amount_cents,
            money.method,
            money.paid_on,
            money.reference,
            money.created_at,
            Invoice.number.label("invoice_number"),
            Invoice.customer_id,
            Customer.name.label("customer_name"),
        )
        .join(Invoice, Invoice.id == money.invoice_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(*conditions)
    )
    rows = (await session.execute(windowed(statement, window, money.id, money.id))).all()
    total = await session.scalar(select(func.count()).select_from(money).where(*conditions))
    return rows, total or 0


@named
async def refunds_of(session: AsyncSession, invoice_id: int) -> Sequence[Refund]:
    statement = select(Refund).where(Refund.invoice_id == invoice_id).order_by(Refund.id)
    return (await session.scalars(statement)).all()


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


# Credit notes


def _credit_notes() -> Select[*tuple[Any, ...]]:
    return (
        select(
            CreditNote.id,
            CreditNote.number,
            CreditNote.invoice_id,
            Invoice.number.label("invoice_number"),
            Invoice.customer_id,
            Customer.name.label("customer_name"),
            CreditNote.issue_date,
            CreditNote.reason,
            CreditNote.currency,
            CreditNote.net_cents,
            CreditNote.vat_cents,
            CreditNote.gross_cents,
            CreditNote.created_at,
        )
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .join(Customer, Customer.id == Invoice.customer_id)
    )


@named
async def credit_notes(
    session: AsyncSession, window: Window, wanted: CreditNoteFilter
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """One row more than the window asks for, and the total."""
    conditions = wanted.conditions()
    statement = windowed(_credit_notes().where(*conditions), window, CreditNote.id, CreditNote.id)
    counted = select(func.count()).select_from(CreditNote).where(*conditions)
    if wanted.customer_id is not None:
        counted = counted.join(Invoice, Invoice.id == CreditNote.invoice_id)
    rows = (await session.execute(statement)).all()
    return rows, (await session.scalar(counted)) or 0


@named
async def credit_note(session: AsyncSession, credit_note_id: int) -> Row[*tuple[Any, ...]] | None:
    """The credit note without its items."""
    return (await session.execute(_credit_notes().where(CreditNote.id == credit_note_id))).one_or_none()


@named
async def credit_note_items(session: AsyncSession, credit_note_id: int) -> Sequence[CreditNoteItem]:
    statement = (
        select(CreditNoteItem)
        .where(CreditNoteItem.credit_note_id == credit_note_id)
        .order_by(CreditNoteItem.position)
    )
    return (await session.scalars(statement)).all()


@named
async def parties_of_credit_note(session: AsyncSession, credit_note_id: int) -> dict[str, Any] | None:
    return await session.scalar(select(CreditNote.parties).where(CreditNote.id == credit_note_id))


@named
async def credit_notes_of(session: AsyncSession, invoice_id: int) -> Sequence[CreditNote]:
    statement = select(CreditNote).where(CreditNote.invoice_id == invoice_id).order_by(CreditNote.id)
    return (await session.scalars(statement)).all()


@named
async def credited_items(session: AsyncSession, invoice_id: int) -> Sequence[CreditNoteItem]:
    """The items of all credit notes of an invoice."""
    statement = (
        select(CreditNoteItem)
        .join(CreditNote, CreditNote.id == CreditNoteItem.credit_note_id)
        .where(CreditNote.invoice_id == invoice_id)
        .order_by(CreditNoteItem.id)
    )
    return (await session.scalars(statement)).all()


@named
async def parties_of_invoice(session: AsyncSession, invoice_id: int) -> dict[str, Any] | None:
    return await session.scalar(select(Invoice.parties).where(Invoice.id == invoice_id))


# Numbers


@named
async def take_number(session: AsyncSession, series: str, first: int = 1) -> int:
    """The next number of ``series``, which begins with ``first``.

    The series' row stays locked until the end of the unit: a rollback gives the number back, and nobody else can
    have taken a later one meanwhile. That is what makes the numbers gap-free.
    """
    statement = (
        upsert(session)(NumberSeries)
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


# Figures


def _billed(statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date) -> Any:
    """What was billed from ``first`` to before ``end``, credit notes against it in their own month."""
    invoices = select(
        Invoice.issue_date.label("day"),
        Invoice.customer_id.label("customer_id"),
        Invoice.net_cents.label("net_cents"),
    ).where(Invoice.status.in_(statuses), Invoice.issue_date >= first, Invoice.issue_date < end)
    corrections = (
        select(CreditNote.issue_date, Invoice.customer_id, -CreditNote.net_cents)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(CreditNote.issue_date >= first, CreditNote.issue_date < end)
    )
    return union_all(invoices, corrections).subquery("billed")


@named
async def net_by_month(
    session: AsyncSession, statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date
) -> dict[tuple[int, int], int]:
    """Net cents of invoices less credit notes, issued from ``first`` to before ``end``, by (year, month)."""
    billed = _billed(statuses, first, end)
    year, month = extract("year", billed.c.day), extract("month", billed.c.day)
    statement = select(year, month, func.sum(billed.c.net_cents)).group_by(year, month)
    rows = await session.execute(statement)
    return {(int(year), int(month)): int(cents) for year, month, cents in rows}


@named
async def net_by_customer(
    session: AsyncSession, statuses: Sequence[InvoiceStatus], first: dt.date, end: dt.date, limit: int
) -> list[tuple[int, str, int]]:
    """(customer id, name, net cents) of those who were billed most from ``first`` to before ``end``."""
    billed = _billed(statuses, first, end)
    net_cents = func.sum(billed.c.net_cents)
    statement = (
        select(Customer.id, Customer.name, net_cents)
        .join(billed, billed.c.customer_id == Customer.id)
        .group_by(Customer.id, Customer.name)
        .order_by(net_cents.desc(), Customer.id)
        .limit(limit)
    )
    return [(key, name, int(cents)) for key, name, cents in (await session.execute(statement))]


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


# What happened to invoices in a period


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
