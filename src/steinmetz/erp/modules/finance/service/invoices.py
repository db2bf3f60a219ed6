"""Invoices: their list, the document, and how it goes from draft to sent, overdue or cancelled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic.alias_generators import to_camel

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.pagination import Large, Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.modules.finance import repository, rules
from steinmetz.erp.modules.finance.books import service as books
from steinmetz.erp.modules.finance.models import CreditNoteItem, Invoice, InvoiceItem
from steinmetz.erp.modules.finance.repository.invoices import InvoiceFilter, StatusSums
from steinmetz.erp.modules.finance.rules import InvoiceAct, InvoiceStatus, ItemSum
from steinmetz.erp.modules.finance.schemas import InvoiceItemView, InvoiceSumsView, InvoiceView
from steinmetz.erp.modules.finance.service import company, customers
from steinmetz.erp.modules.system.service import audit


async def list_invoices(unit: Unit, paging: PageQuery, wanted: InvoiceFilter, *, sort: str = "-id") -> Page:
    by = sort.removeprefix("-")
    kinds: dict[str, tuple[type, ...]] = {"id": (int,), "grossCents": (Large, int)}
    after = paging.after(*kinds.get(by, (dt.date, int)))
    window = Window(repository.invoices.INVOICE_SORTS[by], sort.startswith("-"), after, paging.limit)
    return await repository.invoices.invoices(unit.session, window, wanted)


async def sums_of_list(unit: Unit, wanted: InvoiceFilter) -> InvoiceSumsView:
    """What the invoices of a list add up to; drafts and cancelled ones are counted alone."""
    by_status = await repository.invoices.sums_of_list(unit.session, wanted)

    def of(*statuses: InvoiceStatus) -> list[StatusSums]:
        return [by_status[status] for status in statuses if status in by_status]

    def left(each: StatusSums) -> int:
        return each.gross_cents - each.credited_cents - each.paid_cents

    billed, owed, overdue = of(*rules.BILLED), of(*rules.OPEN), of(InvoiceStatus.OVERDUE)
    return InvoiceSumsView(
        count=sum(each.count for each in by_status.values()),
        net_cents=sum(each.net_cents for each in billed),
        gross_cents=sum(each.gross_cents for each in billed),
        credited_cents=sum(each.credited_cents for each in billed),
        paid_cents=sum(each.paid_cents for each in billed),
        open_count=sum(each.count for each in owed),
        open_cents=sum(left(each) for each in owed),
        overdue_count=sum(each.count for each in overdue),
        overdue_cents=sum(left(each) for each in overdue),
        draft_count=sum(each.count for each in of(InvoiceStatus.DRAFT)),
        refund_due_cents=sum(each.overpaid_cents for each in of(InvoiceStatus.PAID)),
    )


async def invoice(unit: Unit, invoice_id: int) -> InvoiceView:
    """The whole document. Raises `NotFound`."""
    found = await repository.invoices.invoice(unit.session, invoice_id)
    if found is None:
        raise NotFound("invoice", invoice_id)
    return await view(unit, found)


_OWN_FIELDS = InvoiceView.model_fields.keys() - {"customer_name", "payments", "credit_notes", "refunds"}


async def view(unit: Unit, shown: Invoice) -> InvoiceView:
    fields: dict[str, Any] = {name: getattr(shown, name) for name in _OWN_FIELDS}
    fields["customer_name"] = await repository.customers.customer_name(unit.session, shown.customer_id)
    fields["payments"] = await repository.payments.payments_of(unit.session, shown.id)
    fields["credit_notes"] = (
        await repository.credit_notes.credit_notes_of(unit.session, shown.id) if shown.credited_cents else []
    )
    fields["refunds"] = (
        await repository.payments.refunds_of(unit.session, shown.id) if shown.refunded_cents else []
    )
    return InvoiceView.model_validate(fields, from_attributes=True)


_AUDITED = sorted(_OWN_FIELDS - {"id", "version", "items", "created_at"})


def told(shown: Invoice) -> dict[str, Any]:
    """The document as it stands, for the audit log."""
    items = [InvoiceItemView.model_validate(item).model_dump(mode="json", by_alias=True) for item in shown.items]
    return {to_camel(name): getattr(shown, name) for name in _AUDITED} | {"items": items}


async def to_change(unit: Unit, invoice_id: int, version: int) -> Invoice:
    """The invoice, locked, as the caller has read it. Raises `NotFound`, `Conflict`."""
    found = await repository.invoices.invoice_to_change(unit.session, invoice_id)
    if found is None:
        raise NotFound("invoice", invoice_id)
    if found.version != version:
        raise await conflict(unit, found, "The invoice was changed meanwhile.")
    return found


async def conflict(unit: Unit, current: Invoice, detail: str) -> Conflict:
    return Conflict(detail, (await view(unit, current)).model_dump(mode="json", by_alias=True))


async def step(unit: Unit, changed: Invoice, act: InvoiceAct) -> None:
    """Move the invoice by ``act``. Raises `Conflict` where its status does not allow it."""
    following = rules.next_status(changed.status, act)
    if following is None:
        raise await conflict(unit, changed, f"To {act.value} is not possible: the invoice is {changed.status}.")
    changed.status = following


def item_sums(items: Sequence[InvoiceItem | CreditNoteItem]) -> list[ItemSum]:
    """What each item amounts to."""
    return [ItemSum(item.vat_percent, item.net_cents, item.vat_cents) for item in items]


def open_cents(shown: Invoice) -> int:
    """What is left on it; below zero it is owed to the customer."""
    return rules.balance_cents(
        shown.status, shown.gross_cents, shown.paid_cents, shown.credited_cents, shown.refunded_cents
    )


async def send_invoice(unit: Unit, invoice_id: int, version: int) -> InvoiceView:
    """Give a draft its number, its dates and its journal entry. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    sent = await to_change(unit, invoice_id, version)
    before = told(sent)
    await step(unit, sent, InvoiceAct.SEND)
    if sent.gross_cents <= 0:
        raise Unprocessable("There is nothing to pay on this invoice: it cannot be sent.", "items")
    today = company_date(unit.now)
    billed = await customers.customer(unit, sent.customer_id)
    sent.issue_date = today
    sent.due_date = rules.due_date(today, billed.payment_days)
    sent.sent_at = unit.now
    value = await repository.numbers.take_number(unit.session, rules.series_name(today.year))
    sent.number = rules.invoice_number(today.year, value)
    sent.parties = {"seller": await company.seller(unit), "customer": rules.on_paper(billed)}
    lines = rules.lines_of_sending(item_sums(sent.items))
    await books.post(unit, lines, today, f"Rechnung {sent.number}", f"invoice:{sent.id}")
    await unit.session.flush()
    audit.record(
        unit,
        "invoice.send",
        "invoice",
        sent.id,
        f"{sent.number} {billed.name}",
        *audit.differences(before, told(sent)),
    )
    return await view(unit, sent)


async def cancel_invoice(unit: Unit, invoice_id: int, version: int) -> InvoiceView:
    """Cancel an invoice on which nothing was paid or credited; one that was sent is posted back.

    Raises `NotFound`, `Conflict`.
    """
    cancelled = await to_change(unit, invoice_id, version)
    before = told(cancelled)
    was_sent = cancelled.status in rules.OPEN
    if was_sent and cancelled.paid_cents:
        raise await conflict(
            unit, cancelled, f"{cancelled.paid_cents} cents were paid on this invoice: it cannot be cancelled."
        )
    if was_sent and cancelled.credited_cents:
        raise await conflict(
            unit, cancelled, "There is a credit note on this invoice: credit the rest of it instead of cancelling."
        )
    await step(unit, cancelled, InvoiceAct.CANCEL)
    cancelled.cancelled_at = unit.now
    if was_sent:
        lines = rules.reversed_lines(rules.lines_of_sending(item_sums(cancelled.items)))
        await books.post(
            unit,
            lines,
            company_date(unit.now),
            f"Storno Rechnung {cancelled.number}",
            f"cancellation:{cancelled.id}",
        )
    await unit.session.flush()
    audit.record(
        unit,
        "invoice.cancel",
        "invoice",
        cancelled.id,
        cancelled.number or "",
        *audit.differences(before, told(cancelled)),
    )
    return await view(unit, cancelled)


async def mark_overdue(unit: Unit, today: dt.date) -> int:
    """Sent invoices whose due date lies before ``today`` become overdue; returns how many did."""
    fallen = await repository.invoices.fall_due(unit.session, today)
    for invoice_id, number in fallen:
        audit.record(
            unit,
            "invoice.fall_due",
            "invoice",
            invoice_id,
            number or "",
            before={"status": InvoiceStatus.SENT},
            after={"status": InvoiceStatus.OVERDUE},
        )
    return len(fallen)
