"""Money that comes in for an invoice, and money that goes back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.modules.finance import repository, rules
from steinmetz.erp.modules.finance.books import service as books
from steinmetz.erp.modules.finance.models import Invoice, Payment, Refund
from steinmetz.erp.modules.finance.rules import InvoiceAct
from steinmetz.erp.modules.finance.schemas import InvoiceView, PaymentInput, RefundInput
from steinmetz.erp.modules.finance.service import invoices
from steinmetz.erp.modules.system.service import audit


async def pay_invoice(unit: Unit, invoice_id: int, data: PaymentInput) -> InvoiceView:
    """Book a payment on an open invoice. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    paid = await invoices.to_change(unit, invoice_id, data.version)
    moved = _moved(unit, paid, data, "A payment")
    before = invoices.told(paid)
    left_cents = invoices.open_cents(paid)
    act = rules.payment_act(left_cents, data.amount_cents)
    if act is None and paid.status in rules.OPEN:
        raise Unprocessable(f"Only {left_cents} cents are open on this invoice.", "amountCents")
    await invoices.step(unit, paid, act or InvoiceAct.SETTLE)
    paid.paid_cents += data.amount_cents
    if act is InvoiceAct.SETTLE:
        paid.paid_at = unit.now
    payment = Payment(**moved)
    unit.session.add(payment)
    await unit.session.flush()
    lines = rules.lines_of_payment(data.method, data.amount_cents)
    await books.post(unit, lines, payment.paid_on, f"Zahlung zu {paid.number}", f"payment:{payment.id}")
    before, after = audit.differences(before, invoices.told(paid))
    after["paymentId"] = payment.id
    audit.record(unit, "invoice.pay", "invoice", paid.id, paid.number or "", before, after)
    return await invoices.view(unit, paid)


async def refund(unit: Unit, invoice_id: int, data: RefundInput) -> InvoiceView:
    """Book money back to a customer who paid more than is owed.

    Raises `NotFound`, `Conflict`, `Unprocessable`.
    """
    refunded = await invoices.to_change(unit, invoice_id, data.version)
    moved = _moved(unit, refunded, data, "A refund")
    before = {"refundedCents": refunded.refunded_cents}
    due_cents = max(0, -invoices.open_cents(refunded))
    await invoices.step(unit, refunded, InvoiceAct.REFUND)
    if data.amount_cents > due_cents:
        raise Unprocessable(f"Only {due_cents} cents are owed to the customer on this invoice.", "amountCents")
    refunded.refunded_cents += data.amount_cents
    booked = Refund(**moved)
    unit.session.add(booked)
    await unit.session.flush()
    lines = rules.lines_of_refund(data.method, data.amount_cents)
    await books.post(unit, lines, booked.paid_on, f"Erstattung zu {refunded.number}", f"refund:{booked.id}")
    audit.record(
        unit,
        "invoice.refund",
        "invoice",
        refunded.id,
        refunded.number or "",
        before=before,
        after={"refundedCents": refunded.refunded_cents, "refundId": booked.id},
    )
    return await invoices.view(unit, refunded)


def _moved(unit: Unit, invoice: Invoice, data: PaymentInput | RefundInput, what: str) -> dict[str, Any]:
    """What is kept of money that moved for an invoice. Raises `Unprocessable` for a day that is to come."""
    today = company_date(unit.now)
    paid_on = data.paid_on or today
    if paid_on > today:
        raise Unprocessable(f"{what} cannot be booked before its day.", "paidOn")
    return {
        "invoice_id": invoice.id,
        "amount_cents": data.amount_cents,
        "method": data.method,
        "paid_on": paid_on,
        "reference": data.reference,
        "created_at": unit.now,
    }


async def list_payments(
    unit: Unit,
    paging: PageQuery,
    *,
    invoice_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Page:
    """Payments, newest first."""
    window = Window(
        repository.payments.PAYMENT_SORT, is_descending=True, after=paging.after(int), limit=paging.limit
    )
    return await repository.payments.payments(unit.session, window, invoice_id, since, until)


async def list_refunds(
    unit: Unit,
    paging: PageQuery,
    *,
    invoice_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Page:
    """Refunds, newest first."""
    window = Window(
        repository.payments.REFUND_SORT, is_descending=True, after=paging.after(int), limit=paging.limit
    )
    return await repository.payments.refunds(unit.session, window, invoice_id, since, until)
