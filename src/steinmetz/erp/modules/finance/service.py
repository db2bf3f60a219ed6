"""Our company, customers, invoices, payments, credit notes, and the figures that other modules ask for.

Every act on an invoice goes the same way: lock it, compare the version, ask `rules.TRANSITIONS`, change it, post
its journal entry, write the audit log. All of that is one commit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit.days import company_date, midnight, month_bounds
from steinmetz.erp.kit.pagination import Large, Page, PageQuery
from steinmetz.erp.modules.finance import extracts, repository, rules
from steinmetz.erp.modules.finance.books import reports
from steinmetz.erp.modules.finance.books import service as books
from steinmetz.erp.modules.finance.books.reports import Period
from steinmetz.erp.modules.finance.books.schemas import CountedView, FiguresView, FinancialView
from steinmetz.erp.modules.finance.books.service import Balance
from steinmetz.erp.modules.finance.chart import LIQUID
from steinmetz.erp.modules.finance.extracts import Extract, WrongSum
from steinmetz.erp.modules.finance.models import (
    Company,
    CreditNote,
    CreditNoteItem,
    Customer,
    Invoice,
    InvoiceItem,
    Payment,
    Refund,
)
from steinmetz.erp.modules.finance.repository import CreditNoteFilter, InvoiceFilter, StatusSums, Sums
from steinmetz.erp.modules.finance.rules import InvoiceAct, InvoiceStatus, ItemSum
from steinmetz.erp.modules.finance.schemas import (
    CompanyPatch,
    CompanyView,
    CreditInput,
    CreditNoteRow,
    CreditNoteView,
    CustomerInput,
    CustomerPatch,
    CustomerView,
    InvoiceInput,
    InvoiceItemInput,
    InvoiceItemView,
    InvoicePatch,
    InvoiceSumsView,
    InvoiceView,
    PaymentInput,
    RefundInput,
)
from steinmetz.erp.modules.finance.windows import Window, page_of
from steinmetz.erp.modules.system import service as audit

__all__ = [
    "Balance",
    "CreditNoteFilter",
    "CustomerInput",
    "Extract",
    "InvoiceFilter",
    "InvoiceItemInput",
    "InvoicePatch",
    "Owed",
    "Page",
    "Revenue",
    "Sums",
    "WrongSum",
    "cancel_invoice",
    "cash_at",
    "cash_balances",
    "change_company",
    "change_customer",
    "change_draft",
    "company",
    "create_customer",
    "credit_invoice",
    "credit_note",
    "customer",
    "draft_invoice",
    "extract",
    "financial",
    "find_customer",
    "invoice",
    "last_id",
    "list_credit_notes",
    "list_customers",
    "list_invoices",
    "list_payments",
    "list_refunds",
    "mark_overdue",
    "owed",
    "owed_at",
    "pay_invoice",
    "refund",
    "revenue_by_month",
    "send_invoice",
    "sums_of_list",
    "top_customers",
    "wrong_sums",
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


# Our own company


async def company(unit: Unit) -> CompanyView:
    """Who sends the invoices."""
    found = await repository.company(unit.session)
    return CompanyView.model_validate(found or _nameless())


def _nameless() -> Company:
    """What stands for a company that has no row, as after a restore of other tables only."""
    fields = {name: "" for name in CompanyView.model_fields if name not in {"name", "country", "version"}}
    return Company(id=1, name="Unser Unternehmen", country="DE", version=1, **fields)


async def change_company(unit: Unit, patch: CompanyPatch) -> CompanyView:
    """Change what the patch names; what was sent keeps what stood on it. Raises `Conflict`."""
    changed = await repository.company_to_change(unit.session)
    if changed is None:
        changed = _nameless()
        unit.session.add(changed)
    if changed.version != patch.version:
        current = CompanyView.model_validate(changed).model_dump(mode="json", by_alias=True)
        raise Conflict("The company's data was changed meanwhile.", current)
    wanted = patch.model_dump(exclude_unset=True, exclude={"version"})
    before = {name: getattr(changed, name) for name in wanted if getattr(changed, name) != wanted[name]}
    for name in before:
        setattr(changed, name, wanted[name])
    if before:
        await unit.session.flush()
        after = {name: wanted[name] for name in before}
        audit.record(unit, "company.change", "company", 1, changed.name, before, after)
    return CompanyView.model_validate(changed)


# Customers


async def list_customers(unit: Unit, paging: PageQuery, *, search: str = "", sort: str = "name") -> Page:
    """Customers whose name, number or city contains ``search``."""
    column = repository.CUSTOMER_SORTS[sort.removeprefix("-")].key
    window = Window(sort, paging.after(str, int), paging.limit)
    rows, total = await repository.customers(unit.session, window, search)
    return page_of(rows, total, paging.limit, lambda row: (getattr(row, column), row.id))


async def customer(unit: Unit, customer_id: int) -> Customer:
    """Raises `NotFound`."""
    found = await repository.customer(unit.session, customer_id)
    if found is None:
        raise NotFound("customer", customer_id)
    return found


async def create_customer(unit: Unit, data: CustomerInput) -> Customer:
    """A new customer under the next number."""
    number = rules.customer_number(await _next_customer_value(unit))
    created = Customer(number=number, is_active=True, created_at=unit.now, **data.model_dump())
    unit.session.add(created)
    await unit.session.flush()
    after = CustomerView.model_validate(created).model_dump(mode="json", by_alias=True)
    audit.record(unit, "customer.create", "customer", created.id, created.name, after=after)
    return created


async def _next_customer_value(unit: Unit) -> int:
    first = rules.FIRST_CUSTOMER
    if not await repository.has_series(unit.session, rules.CUSTOMER_SERIES):
        last = rules.customer_value(await repository.last_customer_number(unit.session, rules.CUSTOMER_PREFIX))
        first = max(first, (last or 0) + 1)
    return await repository.take_number(unit.session, rules.CUSTOMER_SERIES, first)


async def change_customer(unit: Unit, customer_id: int, patch: CustomerPatch) -> Customer:
    """Change what the patch names. Raises `NotFound`, `Conflict`."""
    changed = await repository.customer_to_change(unit.session, customer_id)
    if changed is None:
        raise NotFound("customer", customer_id)
    if changed.version != patch.version:
        current = CustomerView.model_validate(changed).model_dump(mode="json", by_alias=True)
        raise Conflict("The customer was changed meanwhile.", current)
    wanted = patch.model_dump(exclude_unset=True, exclude={"version"})
    differing = [name for name in wanted if getattr(changed, name) != wanted[name]]
    before = {to_camel(name): getattr(changed, name) for name in differing}
    for name in differing:
        setattr(changed, name, wanted[name])
    if before:
        await unit.session.flush()
        after = {to_camel(name): wanted[name] for name in differing}
        audit.record(unit, "customer.change", "customer", changed.id, changed.name, before, after)
    return changed


# Invoices


async def list_invoices(unit: Unit, paging: PageQuery, wanted: InvoiceFilter, *, sort: str = "-id") -> Page:
    column = repository.INVOICE_SORTS[sort.removeprefix("-")].key
    kinds: dict[str, tuple[type, ...]] = {"id": (int,), "gross_cents": (Large, int)}
    window = Window(sort, paging.after(*kinds.get(column, (dt.date, int))), paging.limit)
    rows, total = await repository.invoices(unit.session, window, wanted)

    def place(row: Any) -> tuple[int | dt.date, ...]:
        return (row.id,) if column == "id" else (getattr(row, column), row.id)

    return page_of(rows, total, paging.limit, place)


async def sums_of_list(unit: Unit, wanted: InvoiceFilter) -> InvoiceSumsView:
    """What the invoices of a list add up to; drafts and cancelled ones are counted alone."""
    by_status = await repository.sums_of_list(unit.session, wanted)

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
    found = await repository.invoice(unit.session, invoice_id)
    if found is None:
        raise NotFound("invoice", invoice_id)
    return await _view(unit, found)


_OWN_FIELDS = InvoiceView.model_fields.keys() - {"customer_name", "payments", "credit_notes", "refunds"}


async def _view(unit: Unit, shown: Invoice) -> InvoiceView:
    fields: dict[str, Any] = {name: getattr(shown, name) for name in _OWN_FIELDS}
    fields["customer_name"] = await repository.customer_name(unit.session, shown.customer_id)
    fields["payments"] = await repository.payments_of(unit.session, shown.id)
    fields["credit_notes"] = (
        await repository.credit_notes_of(unit.session, shown.id) if shown.credited_cents else []
    )
    fields["refunds"] = await repository.refunds_of(unit.session, shown.id) if shown.refunded_cents else []
    return InvoiceView.model_validate(fields, from_attributes=True)


_AUDITED = sorted(_OWN_FIELDS - {"id", "version", "items", "created_at"})


def _told(told: Invoice) -> dict[str, Any]:
    """The document as it stands, for the audit log."""
    items = [InvoiceItemView.model_validate(item).model_dump(mode="json", by_alias=True) for item in told.items]
    return {to_camel(name): getattr(told, name) for name in _AUDITED} | {"items": items}


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
    audit.record(unit, "invoice.create", "invoice", draft.id, billed.name, after=_told(draft))
    return await _view(unit, draft)


async def _customer_to_bill(unit: Unit, customer_id: int) -> Customer:
    billed = await repository.customer(unit.session, customer_id)
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


async def _to_change(unit: Unit, invoice_id: int, version: int) -> Invoice:
    """The invoice, locked, as the caller has read it. Raises `NotFound`, `Conflict`."""
    found = await repository.invoice_to_change(unit.session, invoice_id)
    if found is None:
        raise NotFound("invoice", invoice_id)
    if found.version != version:
        raise await _conflict(unit, found, "The invoice was changed meanwhile.")
    return found


async def _conflict(unit: Unit, current: Invoice, detail: str) -> Conflict:
    return Conflict(detail, (await _view(unit, current)).model_dump(mode="json", by_alias=True))


async def _step(unit: Unit, changed: Invoice, act: InvoiceAct) -> None:
    """Move the invoice by ``act``. Raises `Conflict` where its status does not allow it."""
    following = rules.next_status(changed.status, act)
    if following is None:
        raise await _conflict(unit, changed, f"To {act.value} is not possible: the invoice is {changed.status}.")
    changed.status = following


async def change_draft(unit: Unit, invoice_id: int, patch: InvoicePatch) -> InvoiceView:
    """Change a draft; what was sent is immutable. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    draft = await _to_change(unit, invoice_id, patch.version)
    await _step(unit, draft, InvoiceAct.EDIT)
    before = _told(draft)
    if "customer_id" in patch.model_fields_set and patch.customer_id != draft.customer_id:
        billed = await _customer_to_bill(unit, patch.customer_id)
        draft.customer_id = billed.id
        draft.due_date = rules.due_date(draft.issue_date, billed.payment_days)
    if "items" in patch.model_fields_set:
        _set_items(draft, patch.items)
        repository.touch(draft)
    if "note" in patch.model_fields_set:
        draft.note = patch.note
    await unit.session.flush()
    before, after = audit.differences(before, _told(draft))
    if after:
        audit.record(unit, "invoice.change", "invoice", draft.id, before=before, after=after)
    return await _view(unit, draft)


async def send_invoice(unit: Unit, invoice_id: int, version: int) -> InvoiceView:
    """Give a draft its number, its dates and its journal entry. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    sent = await _to_change(unit, invoice_id, version)
    before = _told(sent)
    await _step(unit, sent, InvoiceAct.SEND)
    if sent.gross_cents <= 0:
        raise Unprocessable("There is nothing to pay on this invoice: it cannot be sent.", "items")
    today = company_date(unit.now)
    billed = await customer(unit, sent.customer_id)
    sent.issue_date = today
    sent.due_date = rules.due_date(today, billed.payment_days)
    sent.sent_at = unit.now
    value = await repository.take_number(unit.session, rules.series_name(today.year))
    sent.number = rules.invoice_number(today.year, value)
    sent.parties = {"seller": await _seller(unit), "customer": rules.on_paper(billed)}
    lines = rules.lines_of_sending(item_sums(sent.items))
    await books.post(unit, lines, today, f"Rechnung {sent.number}", f"invoice:{sent.id}")
    await unit.session.flush()
    audit.record(
        unit,
        "invoice.send",
        "invoice",
        sent.id,
        f"{sent.number} {billed.name}",
        *audit.differences(before, _told(sent)),
    )
    return await _view(unit, sent)


def item_sums(items: Sequence[InvoiceItem | CreditNoteItem]) -> list[ItemSum]:
    """What each item amounts to."""
    return [ItemSum(item.vat_percent, item.net_cents, item.vat_cents) for item in items]


async def _seller(unit: Unit) -> dict[str, Any]:
    """Our company as it stands on a document of today."""
    return (await company(unit)).model_dump(exclude={"version"})


def _open_cents(shown: Invoice) -> int:
    """What is left on it; below zero it is owed to the customer."""
    return rules.balance_cents(
        shown.status, shown.gross_cents, shown.paid_cents, shown.credited_cents, shown.refunded_cents
    )


async def pay_invoice(unit: Unit, invoice_id: int, data: PaymentInput) -> InvoiceView:
    """Book a payment on an open invoice. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    paid = await _to_change(unit, invoice_id, data.version)
    today = company_date(unit.now)
    paid_on = data.paid_on or today
    if paid_on > today:
        raise Unprocessable("A payment cannot be booked before its day.", "paidOn")
    before = _told(paid)
    open_cents = _open_cents(paid)
    act = rules.payment_act(open_cents, data.amount_cents)
    if act is None and paid.status in rules.OPEN:
        raise Unprocessable(f"Only {open_cents} cents are open on this invoice.", "amountCents")
    await _step(unit, paid, act or InvoiceAct.SETTLE)
    paid.paid_cents += data.amount_cents
    if act is InvoiceAct.SETTLE:
        paid.paid_at = unit.now
    payment = Payment(
        invoice_id=paid.id,
        amount_cents=data.amount_cents,
        method=data.method,
        paid_on=paid_on,
        reference=data.reference,
        created_at=unit.now,
    )
    unit.session.add(payment)
    await unit.session.flush()
    lines = rules.lines_of_payment(data.method, data.amount_cents)
    await books.post(unit, lines, paid_on, f"Zahlung zu {paid.number}", f"payment:{payment.id}")
    before, after = audit.differences(before, _told(paid))
    after["paymentId"] = payment.id
    audit.record(unit, "invoice.pay", "invoice", paid.id, paid.number or "", before, after)
    return await _view(unit, paid)


async def credit_invoice(unit: Unit, invoice_id: int, data: CreditInput) -> CreditNoteView:
    """Correct a sent invoice by a credit note with a number of its own; without items by all that is left of it.

    Raises `NotFound`, `Conflict`, `Unprocessable`.
    """
    credited = await _to_change(unit, invoice_id, data.version)
    if rules.next_status(credited.status, InvoiceAct.CREDIT) is None:
        await _step(unit, credited, InvoiceAct.CREDIT)
    before = _told(credited)
    items = await _items_to_credit(unit, credited, data.items)
    total = rules.invoice_sum(item_sums(items))
    act = rules.credit_act(_open_cents(credited), total.gross_cents)
    await _step(unit, credited, act)
    credited.credited_cents += total.gross_cents
    if act is InvoiceAct.SETTLE:
        credited.paid_at = unit.now
    today = company_date(unit.now)
    value = await repository.take_number(unit.session, rules.credit_series_name(today.year))
    billed = await customer(unit, credited.customer_id)
    as_sent = await repository.parties_of_invoice(unit.session, credited.id) or {}
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
        parties={"seller": await _seller(unit), "customer": as_sent.get("customer") or rules.on_paper(billed)},
        items=items,
    )
    unit.session.add(note)
    await unit.session.flush()
    lines = rules.reversed_lines(rules.lines_of_sending(item_sums(items)))
    description = f"Rechnungskorrektur {note.number} zu {credited.number}"
    await books.post(unit, lines, today, description, f"credit:{note.id}")
    before, after = audit.differences(before, _told(credited))
    after |= {"creditNoteId": note.id, "reason": data.reason}
    summary = f"{credited.number} {note.number}"
    audit.record(unit, "invoice.credit", "invoice", credited.id, summary, before, after)
    return await credit_note(unit, note.id)


async def _items_to_credit(
    unit: Unit, credited: Invoice, wanted: Sequence[InvoiceItemInput] | None
) -> list[CreditNoteItem]:
    """The items of a new credit note, never more of a rate than is left of it. Raises `Unprocessable`."""
    earlier = (
        item_sums(await repository.credited_items(unit.session, credited.id)) if credited.credited_cents else []
    )
    left = rules.left_to_credit(item_sums(credited.items), earlier)
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
        sums = item_sums(credited.items)
        fields = [{name: getattr(item, name) for name in InvoiceItemInput.model_fields} for item in credited.items]
    else:
        sums = list(left.values())
        fields = [rules.rest_item(credited.number or "", each) for each in sums]
    return [
        CreditNoteItem(position=position, **own, net_cents=amount.net_cents, vat_cents=amount.vat_cents)
        for position, (own, amount) in enumerate(zip(fields, sums, strict=True), start=1)
    ]


async def refund(unit: Unit, invoice_id: int, data: RefundInput) -> InvoiceView:
    """Book money back to a customer who paid more than is owed.

    Raises `NotFound`, `Conflict`, `Unprocessable`.
    """
    refunded = await _to_change(unit, invoice_id, data.version)
    today = company_date(unit.now)
    paid_on = data.paid_on or today
    if paid_on > today:
        raise Unprocessable("A refund cannot be booked before its day.", "paidOn")
    before = {"refundedCents": refunded.refunded_cents}
    due_cents = max(0, -_open_cents(refunded))
    await _step(unit, refunded, InvoiceAct.REFUND)
    if data.amount_cents > due_cents:
        raise Unprocessable(f"Only {due_cents} cents are owed to the customer on this invoice.", "amountCents")
    refunded.refunded_cents += data.amount_cents
    booked = Refund(
        invoice_id=refunded.id,
        amount_cents=data.amount_cents,
        method=data.method,
        paid_on=paid_on,
        reference=data.reference,
        created_at=unit.now,
    )
    unit.session.add(booked)
    await unit.session.flush()
    lines = rules.lines_of_refund(data.method, data.amount_cents)
    await books.post(unit, lines, paid_on, f"Erstattung zu {refunded.number}", f"refund:{booked.id}")
    audit.record(
        unit,
        "invoice.refund",
        "invoice",
        refunded.id,
        refunded.number or "",
        before=before,
        after={"refundedCents": refunded.refunded_cents, "refundId": booked.id},
    )
    return await _view(unit, refunded)


async def cancel_invoice(unit: Unit, invoice_id: int, version: int) -> InvoiceView:
    """Cancel an invoice on which nothing was paid or credited; one that was sent is posted back.

    Raises `NotFound`, `Conflict`.
    """
    cancelled = await _to_change(unit, invoice_id, version)
    before = _told(cancelled)
    was_sent = cancelled.status in rules.OPEN
    if was_sent and cancelled.paid_cents:
        raise await _conflict(
            unit, cancelled, f"{cancelled.paid_cents} cents were paid on this invoice: it cannot be cancelled."
        )
    if was_sent and cancelled.credited_cents:
        raise await _conflict(
            unit, cancelled, "There is a credit note on this invoice: credit the rest of it instead of cancelling."
        )
    await _step(unit, cancelled, InvoiceAct.CANCEL)
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
        *audit.differences(before, _told(cancelled)),
    )
    return await _view(unit, cancelled)


async def mark_overdue(unit: Unit, today: dt.date) -> int:
    """Sent invoices whose due date lies before ``today`` become overdue; returns how many did."""
    fallen = await repository.fall_due(unit.session, today)
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


async def list_payments(
    unit: Unit,
    paging: PageQuery,
    *,
    invoice_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Page:
    """Payments, newest first."""
    window = Window("-id", paging.after(int), paging.limit)
    rows, total = await repository.payments(unit.session, window, invoice_id, since, until)
    return page_of(rows, total, paging.limit, lambda row: (row.id,))


async def list_refunds(
    unit: Unit,
    paging: PageQuery,
    *,
    invoice_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Page:
    """Refunds, newest first."""
    window = Window("-id", paging.after(int), paging.limit)
    rows, total = await repository.refunds(unit.session, window, invoice_id, since, until)
    return page_of(rows, total, paging.limit, lambda row: (row.id,))


async def list_credit_notes(unit: Unit, paging: PageQuery, wanted: CreditNoteFilter) -> Page:
    """Credit notes, newest first."""
    window = Window("-id", paging.after(int), paging.limit)
    rows, total = await repository.credit_notes(unit.session, window, wanted)
    return page_of(rows, total, paging.limit, lambda row: (row.id,))


async def credit_note(unit: Unit, credit_note_id: int) -> CreditNoteView:
    """The whole document. Raises `NotFound`."""
    found = await repository.credit_note(unit.session, credit_note_id)
    if found is None:
        raise NotFound("credit note", credit_note_id)
    items = await repository.credit_note_items(unit.session, credit_note_id)
    return CreditNoteView(
        **CreditNoteRow.model_validate(found).model_dump(),
        items=[InvoiceItemView.model_validate(item) for item in items],
    )


# Figures


async def revenue_by_month(unit: Unit, today: dt.date, months: int = 12) -> list[Revenue]:
    """Net revenue of the last ``months`` months, oldest first; months without any are there with 0."""
    firsts = rules.months_until(today, months)
    net = await repository.net_by_month(unit.session, rules.BILLED, firsts[0], month_bounds(today)[1])
    return [Revenue(first, net.get((first.year, first.month), 0)) for first in firsts]


async def top_customers(
    unit: Unit, today: dt.date, months: int = 12, limit: int = 5
) -> list[tuple[int, str, int]]:
    """(customer id, name, net cents) of those billed most in the last ``months`` months."""
    first = rules.months_until(today, months)[0]
    return await repository.net_by_customer(unit.session, rules.BILLED, first, month_bounds(today)[1], limit)


async def owed(unit: Unit) -> Owed:
    by_status = await repository.owed_by_status(unit.session, rules.OPEN)
    every = by_status.values()
    return Owed(
        open=Sums(sum(each.count for each in every), sum(each.cents for each in every)),
        overdue=by_status.get(InvoiceStatus.OVERDUE, Sums()),
    )


async def cash_balances(unit: Unit) -> list[Balance]:
    """The cash box and the bank, by account."""
    return await books.balances_of(unit, LIQUID)


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
        invoices_sent=_counted(await repository.sums_of_invoices(session, Invoice.issue_date, first, after)),
        invoices_paid=_counted(await repository.sums_of_invoices(session, Invoice.paid_at, begins, ends)),
        invoices_overdue=_counted(await repository.open_at(session, last, ends, is_overdue=True)),
        invoices_cancelled=_counted(
            await repository.sums_of_invoices(session, Invoice.cancelled_at, begins, ends)
        ),
        credit_notes=_counted(await repository.sums_of_credit_notes(session, first, last)),
        payments=_counted(await repository.sums_of_payments(session, first, last)),
        refunds=_counted(await repository.sums_of_refunds(session, first, last)),
    )


def _counted(sums: Sums) -> CountedView:
    return CountedView(count=sums.count, sum_cents=sums.cents)


# Extracts: whole ranges of records, for files and checks


async def last_id(unit: Unit, subject: Extract) -> int:
    """The greatest id of these records; 0 where there are none."""
    return await extracts.last_id(unit.session, subject)


async def extract(unit: Unit, subject: Extract, first_id: int, last_id: int) -> list[dict[str, Any]]:
    """The records with ids from ``first_id`` to ``last_id``, both included, as columns and values, by id."""
    return await extracts.rows(unit.session, subject, first_id, last_id)


async def wrong_sums(unit: Unit, first_id: int, last_id: int) -> list[WrongSum]:
    """Of the invoices with these ids, both included, those whose sums are not what their items add up to."""
    return await extracts.wrong_sums(unit.session, first_id, last_id)


async def find_customer(unit: Unit, *, name: str, email: str) -> int | None:
    """The id of the oldest customer of this name and, in whatever case, e-mail address."""
    return await extracts.customer_by_mail(unit.session, name, email)


async def owed_at(unit: Unit, day: dt.date) -> Sums:
    """What customers owed at the end of ``day``: sent by then, neither settled nor cancelled."""
    return await repository.open_at(unit.session, day, midnight(day + dt.timedelta(days=1)))


async def cash_at(unit: Unit, day: dt.date) -> list[Balance]:
    """The cash box and the bank at the end of ``day``, by account."""
    return await books.balances_of(unit, LIQUID, day)
