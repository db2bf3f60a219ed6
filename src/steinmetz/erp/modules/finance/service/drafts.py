"""Drafts of invoices: what may still be written anew."""

from __future__ import annotations

from collections.abc import Sequence

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.modules.finance import repository, rules
from steinmetz.erp.modules.finance.models import Customer, Invoice, InvoiceItem
from steinmetz.erp.modules.finance.rules import InvoiceAct, InvoiceStatus
from steinmetz.erp.modules.finance.schemas import InvoiceInput, InvoiceItemInput, InvoicePatch, InvoiceView
from steinmetz.erp.modules.finance.service import invoices
from steinmetz.erp.modules.system.service import audit

__all__ = [
    "InvoiceItemInput",
    "InvoicePatch",
    "change_draft",
    "draft_invoice",
]


async def draft_invoice(unit: Unit, data: InvoiceInput) -> InvoiceView:
    """A new draft. Its dates are those it would have if it were sent today. Raises `Unprocessable`."""
    billed = await _customer_to_bill(unit, data.customer_id)
    today = company_date(unit.now)
    draft = Invoice(
        customer_id=billed.id,
        status=InvoiceStatus.DRAFT,
        issue_date=today,
        due_date=rules.due_date(today, billed.payment_days),
        currency="EUR",
        paid_cents=0,
        credited_cents=0,
        refunded_cents=0,
        note=data.note,
        created_at=unit.now,
    )
    _set_items(draft, data.items)
    unit.session.add(draft)
    await unit.session.flush()
    audit.record(unit, "invoice.create", "invoice", draft.id, billed.name, after=invoices.told(draft))
    return await invoices.view(unit, draft)


async def _customer_to_bill(unit: Unit, customer_id: int) -> Customer:
    billed = await repository.customers.customer(unit.session, customer_id)
    if billed is None:
        raise Unprocessable(f"There is no customer {customer_id}.", "customerId")
    if not billed.is_active:
        raise Unprocessable(f"Customer {billed.number} is not active: activate it first.", "customerId")
    return billed


def _set_items(draft: Invoice, items: Sequence[InvoiceItemInput]) -> None:
    """Give the draft these items and the sums they add up to."""
    sums = [rules.item_sum(item.quantity_milli, item.unit_price_cents, item.vat_percent) for item in items]
    draft.items = [
        InvoiceItem(position=position, net_cents=own.net_cents, vat_cents=own.vat_cents, **item.model_dump())
        for position, (item, own) in enumerate(zip(items, sums, strict=True), start=1)
    ]
    total = rules.invoice_sum(sums)
    if total.gross_cents < 0:
        raise Unprocessable("An invoice is not of less than nothing: credit the one to be corrected.", "items")
    draft.net_cents, draft.vat_cents, draft.gross_cents = total.net_cents, total.vat_cents, total.gross_cents


async def change_draft(unit: Unit, invoice_id: int, patch: InvoicePatch) -> InvoiceView:
    """Change a draft; what was sent is immutable. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    draft = await invoices.to_change(unit, invoice_id, patch.version)
    await invoices.step(unit, draft, InvoiceAct.EDIT)
    before = invoices.told(draft)
    if "customer_id" in patch.model_fields_set and patch.customer_id != draft.customer_id:
        billed = await _customer_to_bill(unit, patch.customer_id)
        draft.customer_id = billed.id
        draft.due_date = rules.due_date(draft.issue_date, billed.payment_days)
    if "items" in patch.model_fields_set:
        _set_items(draft, patch.items)
        repository.invoices.touch(draft)
    if "note" in patch.model_fields_set:
        draft.note = patch.note
    await unit.session.flush()
    before, after = audit.differences(before, invoices.told(draft))
    if after:
        audit.record(unit, "invoice.change", "invoice", draft.id, before=before, after=after)
    return await invoices.view(unit, draft)
