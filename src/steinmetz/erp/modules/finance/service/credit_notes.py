"""Credit notes: what corrects an invoice that was sent."""

from __future__ import annotations

from collections.abc import Sequence

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import NotFound, Unprocessable
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.modules.finance import repository, rules
from steinmetz.erp.modules.finance.books import service as books
from steinmetz.erp.modules.finance.models import CreditNote, CreditNoteItem, Invoice
from steinmetz.erp.modules.finance.repository.credit_notes import CreditNoteFilter
from steinmetz.erp.modules.finance.rules import InvoiceAct
from steinmetz.erp.modules.finance.schemas import (
    CreditInput,
    CreditNoteRow,
    CreditNoteView,
    InvoiceItemInput,
    InvoiceItemView,
)
from steinmetz.erp.modules.finance.service import company, customers, invoices
from steinmetz.erp.modules.system.service import audit


async def credit_invoice(unit: Unit, invoice_id: int, data: CreditInput) -> CreditNoteView:
    """Correct a sent invoice by a credit note with a number of its own; without items by all that is left of it.

    Raises `NotFound`, `Conflict`, `Unprocessable`.
    """
    credited = await invoices.to_change(unit, invoice_id, data.version)
    if rules.next_status(credited.status, InvoiceAct.CREDIT) is None:
        await invoices.step(unit, credited, InvoiceAct.CREDIT)
    before = invoices.told(credited)
    items = await _items_to_credit(unit, credited, data.items)
    total = rules.invoice_sum(invoices.item_sums(items))
    act = rules.credit_act(invoices.open_cents(credited), total.gross_cents)
    await invoices.step(unit, credited, act)
    credited.credited_cents += total.gross_cents
    if act is InvoiceAct.SETTLE:
        credited.paid_at = unit.now
    today = company_date(unit.now)
    value = await repository.numbers.take_number(unit.session, rules.credit_series_name(today.year))
    billed = await customers.customer(unit, credited.customer_id)
    as_sent = await repository.invoices.parties_of_invoice(unit.session, credited.id) or {}
    note = CreditNote(
        number=rules.credit_number(today.year, value),
        invoice_id=credited.id,
        issue_date=today,
        reason=data.reason,
        currency=credited.currency,
        net_cents=total.net_cents,
        vat_cents=total.vat_cents,
        gross_cents=total.gross_cents,
        created_at=unit.now,
        parties={
            "seller": await company.seller(unit),
            "customer": as_sent.get("customer") or rules.on_paper(billed),
        },
        items=items,
    )
    unit.session.add(note)
    await unit.session.flush()
    lines = rules.reversed_lines(rules.lines_of_sending(invoices.item_sums(items)))
    description = f"Rechnungskorrektur {note.number} zu {credited.number}"
    await books.post(unit, lines, today, description, f"credit:{note.id}")
    before, after = audit.differences(before, invoices.told(credited))
    after |= {"creditNoteId": note.id, "reason": data.reason}
    summary = f"{credited.number} {note.number}"
    audit.record(unit, "invoice.credit", "invoice", credited.id, summary, before, after)
    return await credit_note(unit, note.id)


async def _items_to_credit(
    unit: Unit, credited: Invoice, wanted: Sequence[InvoiceItemInput] | None
) -> list[CreditNoteItem]:
    """The items of a new credit note, never more of a rate than is left of it. Raises `Unprocessable`."""
    earlier = (
        invoices.item_sums(await repository.credit_notes.credited_items(unit.session, credited.id))
        if credited.credited_cents
        else []
    )
    left = rules.left_to_credit(invoices.item_sums(credited.items), earlier)
    if rules.invoice_sum(left.values()).gross_cents <= 0:
        raise Unprocessable("All of this invoice is credited already.", "items")
    if wanted is not None:
        sums = [rules.item_sum(item.quantity_milli, item.unit_price_cents, item.vat_percent) for item in wanted]
        try:
            sums = rules.credit_sums(sums, left)
        except ValueError as error:
            raise Unprocessable(str(error), "items") from None
        fields = [item.model_dump() for item in wanted]
    elif not earlier:
        sums = invoices.item_sums(credited.items)
        fields = [{name: getattr(item, name) for name in InvoiceItemInput.model_fields} for item in credited.items]
    else:
        sums = list(left.values())
        fields = [rules.rest_item(credited.number or "", each) for each in sums]
    return [
        CreditNoteItem(position=position, **own, net_cents=amount.net_cents, vat_cents=amount.vat_cents)
        for position, (own, amount) in enumerate(zip(fields, sums, strict=True), start=1)
    ]


async def list_credit_notes(unit: Unit, paging: PageQuery, wanted: CreditNoteFilter) -> Page:
    """Credit notes, newest first."""
    window = Window(
        repository.credit_notes.CREDIT_NOTE_SORT, is_descending=True, after=paging.after(int), limit=paging.limit
    )
    return await repository.credit_notes.credit_notes(unit.session, window, wanted)


async def credit_note(unit: Unit, credit_note_id: int) -> CreditNoteView:
    """The whole document. Raises `NotFound`."""
    found = await repository.credit_notes.credit_note(unit.session, credit_note_id)
    if found is None:
        raise NotFound("credit note", credit_note_id)
    items = await repository.credit_notes.credit_note_items(unit.session, credit_note_id)
    return CreditNoteView(
        **CreditNoteRow.model_validate(found).model_dump(),
        items=[InvoiceItemView.model_validate(item) for item in items],
    )
