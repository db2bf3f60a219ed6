"""Whole ranges of records by id, for files and checks: a range stays as it is while others write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.finance.models import Account, Customer, Invoice, JournalEntry, Payment, Transaction
from steinmetz.erp.modules.finance.rules import InvoiceStatus, InvoiceSum, invoice_sum, item_sum


class Extract(StrEnum):
    """What can be had by ranges of ids; of the journal each posting line, by the id of its entry."""

    CUSTOMERS = "customers"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class WrongSum:
    """An invoice whose sums, or whose items' sums, are not what quantities and prices make."""

    invoice_id: int
    number: str | None
    status: InvoiceStatus
    version: int
    stored: InvoiceSum
    right: InvoiceSum
    items: int


_KEYS: dict[Extract, InstrumentedAttribute[int]] = {
    Extract.CUSTOMERS: Customer.id,
    Extract.INVOICES: Invoice.id,
    Extract.PAYMENTS: Payment.id,
    Extract.JOURNAL: JournalEntry.id,
}


def _statement(subject: Extract) -> Select[*tuple[Any, ...]]:
    match subject:
        case Extract.CUSTOMERS:
            left_out = {"version"}
            return select(*(each for each in Customer.__table__.columns if each.name not in left_out))
        case Extract.INVOICES:
            left_out = {"version", "note"}
            columns = [each for each in Invoice.__table__.columns if each.name not in left_out]
            return select(
                *columns, Customer.number.label("customer_number"), Customer.name.label("customer_name")
            ).join(Customer, Customer.id == Invoice.customer_id)
        case Extract.PAYMENTS:
            return select(*Payment.__table__.columns, Invoice.number.label("invoice_number")).join(
                Invoice, Invoice.id == Payment.invoice_id
            )
        case Extract.JOURNAL:
            return (
                select(
                    JournalEntry.id,
                    JournalEntry.date,
                    JournalEntry.description,
                    JournalEntry.source,
                    Account.number.label("account_number"),
                    Account.name.label("account_name"),
                    Transaction.amount_cents,
                )
                .join(Transaction, Transaction.entry_id == JournalEntry.id)
                .join(Account, Account.id == Transaction.account_id)
                .order_by(JournalEntry.id, Transaction.id)
            )


@named
async def last_id(session: AsyncSession, subject: Extract) -> int:
    return await session.scalar(select(func.max(_KEYS[subject]))) or 0


@named
async def rows(session: AsyncSession, subject: Extract, first_id: int, last_id: int) -> list[dict[str, Any]]:
    key = _KEYS[subject]
    statement = _statement(subject).where(key.between(first_id, last_id))
    if subject is not Extract.JOURNAL:
        statement = statement.order_by(key)
    return [dict(row) for row in (await session.execute(statement)).mappings()]


@named
async def wrong_sums(session: AsyncSession, first_id: int, last_id: int) -> list[WrongSum]:
    statement = (
        select(Invoice)
        .where(Invoice.id.between(first_id, last_id))
        .options(selectinload(Invoice.items))
        .order_by(Invoice.id)
    )
    found = []
    for invoice in await session.scalars(statement):
        sums = [item_sum(item.quantity_milli, item.unit_price_cents, item.vat_percent) for item in invoice.items]
        kept = [(item.net_cents, item.vat_cents) for item in invoice.items]
        stored, right = InvoiceSum(invoice.net_cents, invoice.vat_cents), invoice_sum(sums)
        if stored != right or kept != [(each.net_cents, each.vat_cents) for each in sums]:
            found.append(
                WrongSum(
                    invoice.id, invoice.number, invoice.status, invoice.version, stored, right, len(invoice.items)
                )
            )
    return found


@named
async def customer_by_mail(session: AsyncSession, name: str, email: str) -> int | None:
    statement = (
        select(Customer.id)
        .where(Customer.name == name, func.lower(Customer.email) == email.lower())
        .order_by(Customer.id)
        .limit(1)
    )
    return await session.scalar(statement)
