"""Customers, invoices, payments, and the figures of the books that other modules ask for.

Every act on an invoice goes the same way: lock it, compare the version, ask `rules.TRANSITIONS`, change it, post
its journal entry, write the audit log. All of that is one commit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit.days import company_date, month_bounds
from steinmetz.erp.kit.pagination import Large, PageQuery, encode_cursor
from steinmetz.erp.modules.finance import extracts, repository, rules
from steinmetz.erp.modules.finance.extracts import Extract, WrongSum
from steinmetz.erp.modules.finance.models import Customer, Invoice, InvoiceItem, Payment
from steinmetz.erp.modules.finance.repository import Balance, InvoiceFilter, Sums, Window
from steinmetz.erp.modules.finance.rules import InvoiceAct, InvoiceStatus, ItemSum, PostingLine
from steinmetz.erp.modules.finance.schemas import (
    CustomerInput,
    CustomerPatch,
    CustomerView,
    InvoiceInput,
    InvoiceItemInput,
    InvoiceItemView,
    InvoicePatch,
    InvoiceView,
    PaymentInput,
)
from steinmetz.erp.modules.system import service as audit

__all__ = [
    "Balance",
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
    "change_customer",
    "change_draft",
    "create_customer",
    "customer",
    "draft_invoice",
    "extract",
    "find_customer",
    "invoice",
    "last_id",
    "list_customers",
    "list_invoices",
    "list_payments",
    "mark_overdue",
    "owed",
    "owed_at",
    "pay_invoice",
    "revenue_by_month",
    "send_invoice",
    "top_customers",
    "wrong_sums",
]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, the cursor of those after them, and how many there are in all."""

    rows: Sequence[Any]
    next: str | None
    total: int


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


def _page(
    rows: Sequence[Any], total: int, limit: int, place: Callable[[Any], tuple[int | str | dt.date, ...]]
) -> Page:
    """The repository gives one row too many where a next page exists."""
    kept = rows[:limit]
    has_next = len(rows) > limit
    return Page(kept, encode_cursor(*place(kept[-1])) if has_next else None, total)


# Customers


async def list_customers(unit: Unit, paging: PageQuery, *, search: str = "", sort: str = "name") -> Page:
    """Customers whose name, number or city contains ``search``."""
    column = repository.CUSTOMER_SORTS[sort.removeprefix("-")].key
    window = Window(sort, paging.after(str, int), paging.limit)
    rows, total = await repository.customers(unit.session, window, search)
    return _page(rows, total, paging.limit, lambda row: (getattr(row, column), row.id))


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

    return _page(rows, total, paging.limit, place)


async def invoice(unit: Unit, invoice_id: int) -> InvoiceView:
    """The whole document. Raises `NotFound`."""
    found = await repository.invoice(unit.session, invoice_id)
    if found is None:
        raise NotFound("invoice", invoice_id)
    return await _view(unit, found)


_OWN_FIELDS = InvoiceView.model_fields.keys() - {"customer_name", "payments"}


async def _view(unit: Unit, shown: Invoice) -> InvoiceView:
    fields: dict[str, Any] = {name: getattr(shown, name) for name in _OWN_FIELDS}
    fields["customer_name"] = await repository.customer_name(unit.session, shown.customer_id)
    fields["payments"] = await repository.payments_of(unit.session, shown.id)
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
        raise Unprocessable("An invoice of less than nothing is a credit note, which this is not.", "items")
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
    lines = rules.lines_of_sending(_item_sums(sent))
    await _post(unit, lines, today, f"Rechnung {sent.number}", f"invoice:{sent.id}")
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


def _item_sums(invoice: Invoice) -> list[ItemSum]:
    return [ItemSum(item.vat_percent, item.net_cents, item.vat_cents) for item in invoice.items]


async def _post(unit: Unit, lines: Sequence[PostingLine], date: dt.date, description: str, source: str) -> None:
    """Post an entry; accounts of the chart that this company has not yet used are opened."""
    numbers = {line.account for line in lines}
    ids = await repository.account_ids(unit.session, numbers)
    if missing := sorted(numbers - ids.keys()):
        await repository.open_accounts(unit.session, [rules.CHART[number] for number in missing])
        ids = await repository.account_ids(unit.session, numbers)
    await repository.post(unit.session, lines, ids, date=date, description=description, source=source, at=unit.now)


async def pay_invoice(unit: Unit, invoice_id: int, data: PaymentInput) -> InvoiceView:
    """Book a payment on an open invoice. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    paid = await _to_change(unit, invoice_id, data.version)
    today = company_date(unit.now)
    paid_on = data.paid_on or today
    if paid_on > today:
        raise Unprocessable("A payment cannot be booked before its day.", "paidOn")
    before = _told(paid)
    open_cents = paid.gross_cents - paid.paid_cents
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
    await _post(unit, lines, paid_on, f"Zahlung zu {paid.number}", f"payment:{payment.id}")
    before, after = audit.differences(before, _told(paid))
    after["paymentId"] = payment.id
    audit.record(unit, "invoice.pay", "invoice", paid.id, paid.number or "", before, after)
    return await _view(unit, paid)


async def cancel_invoice(unit: Unit, invoice_id: int, version: int) -> InvoiceView:
    """Cancel an invoice on which nothing was paid; one that was sent is posted back.

    Raises `NotFound`, `Conflict`.
    """
    cancelled = await _to_change(unit, invoice_id, version)
    before = _told(cancelled)
    was_sent = cancelled.status in rules.OPEN
    if was_sent and cancelled.paid_cents:
        raise await _conflict(
            unit, cancelled, f"{cancelled.paid_cents} cents were paid on this invoice: it cannot be cancelled."
        )
    await _step(unit, cancelled, InvoiceAct.CANCEL)
    cancelled.cancelled_at = unit.now
    if was_sent:
        lines = rules.reversed_lines(rules.lines_of_sending(_item_sums(cancelled)))
        await _post(
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
    return _page(rows, total, paging.limit, lambda row: (row.id,))


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
    return await repository.balances_of(unit.session, rules.LIQUID)


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
    return await extracts.owed_at(unit.session, day)


async def cash_at(unit: Unit, day: dt.date) -> list[Balance]:
    """The cash box and the bank at the end of ``day``, by account."""
    return await extracts.balances_at(unit.session, rules.LIQUID, day)
