"""Invoices as the tests of finance make them, and what the books hold of them."""

from __future__ import annotations

from sqlalchemy import func, select

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.models import Account, Transaction
from steinmetz.erp.modules.finance.schemas import (
    CreditInput,
    CreditNoteView,
    CustomerInput,
    InvoiceInput,
    InvoiceItemInput,
    InvoiceView,
    PaymentInput,
)

ITEMS = [
    InvoiceItemInput(description="Drehteil", quantity_milli=2_000, unit_price_cents=10_000, vat_percent=19),
    InvoiceItemInput(description="Handbuch", quantity_milli=1_000, unit_price_cents=1_500, vat_percent=7),
]

GROSS_CENTS = 20_000 + 3_800 + 1_500 + 105


async def draft(database: Database, **customer: object) -> InvoiceView:
    async with database.unit() as unit:
        billed = await service.customers.create_customer(
            unit, CustomerInput.model_validate({"name": "Muster", **customer})
        )
        return await service.drafts.draft_invoice(unit, InvoiceInput(customer_id=billed.id, items=ITEMS))


async def sent(database: Database, **customer: object) -> InvoiceView:
    drafted = await draft(database, **customer)
    async with database.unit() as unit:
        return await service.invoices.send_invoice(unit, drafted.id, drafted.version)


async def pay(database: Database, invoice: InvoiceView, cents: int, **more: object) -> InvoiceView:
    data = {"version": invoice.version, "amount_cents": cents, **more}
    async with database.unit() as unit:
        return await service.payments.pay_invoice(unit, invoice.id, PaymentInput.model_validate(data))


def credit_of(invoice: InvoiceView, *items: InvoiceItemInput) -> CreditInput:
    return CreditInput(version=invoice.version, reason="Rücksendung", items=list(items) or None)


async def credit(database: Database, invoice: InvoiceView, *items: InvoiceItemInput) -> CreditNoteView:
    async with database.unit() as unit:
        return await service.credit_notes.credit_invoice(unit, invoice.id, credit_of(invoice, *items))


async def read(database: Database, invoice_id: int) -> InvoiceView:
    async with database.unit(writes=False) as unit:
        return await service.invoices.invoice(unit, invoice_id)


async def balances(unit: Unit) -> dict[str, int]:
    """What every account holds; each entry is checked to add up to zero."""
    entries = select(Transaction.entry_id).group_by(Transaction.entry_id)
    assert (await unit.session.scalars(entries.having(func.sum(Transaction.amount_cents) != 0))).all() == []
    statement = (
        select(Account.number, func.sum(Transaction.amount_cents))
        .join(Transaction, Transaction.account_id == Account.id)
        .group_by(Account.number)
    )
    return {number: int(cents) for number, cents in (await unit.session.execute(statement)) if cents}
