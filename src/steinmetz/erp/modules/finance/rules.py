"""States of invoices, VAT, money and the lines that post them; pure.

Theory of this room. An invoice walks through `TRANSITIONS` and nowhere else. Sending, paying, crediting, refunding
and cancelling each post one journal entry whose lines add up to zero (debit positive, credit negative), so that
the books balance whatever sequence of acts led to them. A sent invoice never changes its items. It is corrected by
credit notes, each a document of its own; cancelling takes back, by the exact opposite of sending, an invoice that
nothing has happened to yet.

The balance of an invoice is ``gross - credited - (paid - refunded)``: above zero the customer owes it, below zero
we owe it to the customer. The receivables account holds the balances of all invoices, and nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from steinmetz.erp.modules.finance.chart import (
    BANK,
    CASH_BOX,
    RECEIVABLES,
    REVENUE_7,
    REVENUE_19,
    REVENUE_FREE,
    VAT_7,
    VAT_19,
)


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    OVERDUE = "overdue"
    PAID = "paid"
    CANCELLED = "cancelled"


class InvoiceAct(StrEnum):
    """What may happen to an invoice."""

    EDIT = "edit"
    SEND = "send"
    PAY_PART = "pay part"
    SETTLE = "settle"
    FALL_DUE = "fall due"
    CANCEL = "cancel"
    CREDIT = "credit"
    """By less than is open, or after it was settled."""
    REFUND = "refund"


TRANSITIONS: dict[tuple[InvoiceStatus, InvoiceAct], InvoiceStatus] = {
    (InvoiceStatus.DRAFT, InvoiceAct.EDIT): InvoiceStatus.DRAFT,
    (InvoiceStatus.DRAFT, InvoiceAct.SEND): InvoiceStatus.SENT,
    (InvoiceStatus.DRAFT, InvoiceAct.CANCEL): InvoiceStatus.CANCELLED,
    (InvoiceStatus.SENT, InvoiceAct.PAY_PART): InvoiceStatus.SENT,
    (InvoiceStatus.SENT, InvoiceAct.SETTLE): InvoiceStatus.PAID,
    (InvoiceStatus.SENT, InvoiceAct.FALL_DUE): InvoiceStatus.OVERDUE,
    (InvoiceStatus.SENT, InvoiceAct.CANCEL): InvoiceStatus.CANCELLED,
    (InvoiceStatus.SENT, InvoiceAct.CREDIT): InvoiceStatus.SENT,
    (InvoiceStatus.OVERDUE, InvoiceAct.PAY_PART): InvoiceStatus.OVERDUE,
    (InvoiceStatus.OVERDUE, InvoiceAct.SETTLE): InvoiceStatus.PAID,
    (InvoiceStatus.OVERDUE, InvoiceAct.CANCEL): InvoiceStatus.CANCELLED,
    (InvoiceStatus.OVERDUE, InvoiceAct.CREDIT): InvoiceStatus.OVERDUE,
    (InvoiceStatus.PAID, InvoiceAct.CREDIT): InvoiceStatus.PAID,
    (InvoiceStatus.PAID, InvoiceAct.REFUND): InvoiceStatus.PAID,
}

OPEN = (InvoiceStatus.SENT, InvoiceStatus.OVERDUE)
"""Sent and not yet settled: what customers owe."""

BILLED = (InvoiceStatus.SENT, InvoiceStatus.OVERDUE, InvoiceStatus.PAID)
"""What counts as revenue: sent, and not cancelled."""


class PaymentMethod(StrEnum):
    TRANSFER = "transfer"
    DEBIT = "debit"
    CARD = "card"
    CASH = "cash"


REVENUE_OF_RATE = {19: REVENUE_19, 7: REVENUE_7, 0: REVENUE_FREE}
VAT_OF_RATE = {19: VAT_19, 7: VAT_7}
VAT_RATES = tuple(REVENUE_OF_RATE)
"""§ 12 UStG: 19 and 7 percent; 0 for what is free of tax."""


@dataclass(frozen=True, slots=True)
class ItemSum:
    """What one item amounts to."""

    vat_percent: int
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class InvoiceSum:
    net_cents: int
    vat_cents: int

    @property
    def gross_cents(self) -> int:
        return self.net_cents + self.vat_cents


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One line of a journal entry: debit positive, credit negative."""

    account: str
    amount_cents: int


def rounded(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` to a whole number, half away from zero.

    The commercial rounding of DIN 1333: half up for what is charged, and its mirror for a discount, so that an
    amount and its reversal cancel exactly.
    """
    half_up = (2 * abs(numerator) + denominator) // (2 * denominator)
    return half_up if numerator >= 0 else -half_up


def item_sum(quantity_milli: int, unit_price_cents: int, vat_percent: int) -> ItemSum:
    """Net and VAT of one item, each rounded to cents.

    Raises `ValueError` for a rate that the law does not know.
    """
    if vat_percent not in REVENUE_OF_RATE:
        raise ValueError(f"VAT is {', '.join(map(str, VAT_RATES))} percent, not {vat_percent}")
    net_cents = rounded(quantity_milli * unit_price_cents, 1000)
    return ItemSum(vat_percent, net_cents, rounded(net_cents * vat_percent, 100))


def invoice_sum(items: Iterable[ItemSum]) -> InvoiceSum:
    """The sums of an invoice are the sums of its items: what is printed below adds up to what is printed above."""
    net_cents = vat_cents = 0
    for item in items:
        net_cents += item.net_cents
        vat_cents += item.vat_cents
    return InvoiceSum(net_cents, vat_cents)


def next_status(status: InvoiceStatus, act: InvoiceAct) -> InvoiceStatus | None:
    """Where ``act`` leads from ``status``; None where it is not allowed."""
    return TRANSITIONS.get((status, act))


def payment_act(open_cents: int, amount_cents: int) -> InvoiceAct | None:
    """Whether a payment settles an invoice or a part of it; None where it is not above 0 or more than is open."""
    if not 0 < amount_cents <= open_cents:
        return None
    return InvoiceAct.SETTLE if amount_cents == open_cents else InvoiceAct.PAY_PART


def balance_cents(status: InvoiceStatus, gross: int, paid: int, credited: int, refunded: int) -> int:
    """What is left between us and the customer on one invoice, in cents; nothing on a draft or a cancelled one."""
    return gross - credited - paid + refunded if status in BILLED else 0


def credit_act(open_cents: int, amount_cents: int) -> InvoiceAct:
    """Whether a credit note settles an open invoice; ``open_cents`` is 0 or less on one that is settled."""
    return InvoiceAct.SETTLE if 0 < open_cents <= amount_cents else InvoiceAct.CREDIT


def due_date(issue_date: dt.date, payment_days: int) -> dt.date:
    return issue_date + dt.timedelta(days=payment_days)


def is_overdue(due: dt.date, today: dt.date) -> bool:
    """An invoice is overdue from the day after its due date."""
    return due < today


def series_name(year: int) -> str:
    """The number series of the invoices of a year."""
    return f"invoice:{year}"


def invoice_number(year: int, value: int) -> str:
    return f"RE-{year}-{value:05d}"


def credit_series_name(year: int) -> str:
    """The number series of the credit notes of a year."""
    return f"credit:{year}"


def credit_number(year: int, value: int) -> str:
    return f"GS-{year}-{value:05d}"


CUSTOMER_SERIES = "customer"
CUSTOMER_PREFIX = "K-"
FIRST_CUSTOMER = 10_001


def customer_number(value: int) -> str:
    return f"{CUSTOMER_PREFIX}{value}"


def customer_value(number: str | None) -> int | None:
    """What a customer number counts; None for one that another house gave."""
    digits = (number or "").removeprefix(CUSTOMER_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def months_until(today: dt.date, count: int) -> list[dt.date]:
    """The first days of ``count`` months, oldest first; the last is the month of ``today``."""
    newest = today.year * 12 + today.month - 1
    return [dt.date(month // 12, month % 12 + 1, 1) for month in range(newest - count + 1, newest + 1)]


def lines_of_sending(items: Iterable[ItemSum]) -> list[PostingLine]:
    """Receivables against revenue and VAT, one line a rate; lines of nothing are left out."""
    net_of_rate: defaultdict[int, int] = defaultdict(int)
    vat_of_rate: defaultdict[int, int] = defaultdict(int)
    for item in items:
        net_of_rate[item.vat_percent] += item.net_cents
        vat_of_rate[item.vat_percent] += item.vat_cents
    gross_cents = sum(net_of_rate.values()) + sum(vat_of_rate.values())
    lines = [PostingLine(RECEIVABLES.number, gross_cents)]
    for rate, revenue in REVENUE_OF_RATE.items():
        lines.append(PostingLine(revenue.number, -net_of_rate[rate]))
        if rate in VAT_OF_RATE:
            lines.append(PostingLine(VAT_OF_RATE[rate].number, -vat_of_rate[rate]))
    return [line for line in lines if line.amount_cents]


def lines_of_payment(method: PaymentMethod, amount_cents: int) -> list[PostingLine]:
    """The cash box or the bank against receivables."""
    liquid = CASH_BOX if method is PaymentMethod.CASH else BANK
    return [PostingLine(liquid.number, amount_cents), PostingLine(RECEIVABLES.number, -amount_cents)]


def lines_of_refund(method: PaymentMethod, amount_cents: int) -> list[PostingLine]:
    """What paying moved, back."""
    return reversed_lines(lines_of_payment(method, amount_cents))


def reversed_lines(lines: Iterable[PostingLine]) -> list[PostingLine]:
    """The exact opposite, as a cancellation posts it."""
    return [PostingLine(line.account, -line.amount_cents) for line in lines]


def balances(lines: Sequence[PostingLine]) -> bool:
    """Whether the lines of an entry add up to zero."""
    return sum(line.amount_cents for line in lines) == 0


# Documents

CUSTOMER_ON_PAPER = ("number", "name", "contact", "street", "postal_code", "city", "country", "vat_id")
"""What of a customer stands on a document."""


def on_paper(customer: Any) -> dict[str, str]:
    """The customer as a document of today names it; it stays so whatever is changed later."""
    return {name: getattr(customer, name) for name in CUSTOMER_ON_PAPER}


IBAN_LENGTHS = range(15, 35)


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN without blanks fit (ISO 13616: rearranged it is 1 modulo 97)."""
    if len(text) not in IBAN_LENGTHS or not text.isascii() or not text.isalnum() or not text[:2].isalpha():
        return False
    moved = text[4:] + text[:4]
    return text[2:4].isdigit() and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


# Entries of the journal

BY_HAND = "manual"
"""The source of an entry that somebody has posted without a document."""

DOCUMENTS = {
    "invoice": "cancel or credit the invoice",
    "cancellation": "send a new invoice",
    "payment": "credit and refund the invoice",
    "credit": "send a new invoice",
    "refund": "send a new invoice",
}
"""Sources of entries that belong to a document, and how they are corrected instead."""


def reversal_source(entry_id: int) -> str:
    return f"reversal:{entry_id}"


def why_not_reversible(source: str, reversed_by_id: int | None) -> str | None:
    """Why an entry cannot be reversed; None if it can."""
    kind = source.partition(":")[0]
    if reversed_by_id is not None:
        return f"The entry is reversed already, by entry {reversed_by_id}."
    if kind == "reversal":
        return "The entry is a reversal itself: post a new entry instead."
    if kind in DOCUMENTS:
        return f"The entry belongs to a document ({source}): {DOCUMENTS[kind]} instead."
    return None


# Crediting


def by_rate(items: Iterable[ItemSum]) -> dict[int, ItemSum]:
    """The sums of the items of each rate, highest rate first."""
    net_of_rate: defaultdict[int, int] = defaultdict(int)
    vat_of_rate: defaultdict[int, int] = defaultdict(int)
    for item in items:
        net_of_rate[item.vat_percent] += item.net_cents
        vat_of_rate[item.vat_percent] += item.vat_cents
    return {rate: ItemSum(rate, net_of_rate[rate], vat_of_rate[rate]) for rate in VAT_RATES if rate in net_of_rate}


def left_to_credit(billed: Iterable[ItemSum], credited: Iterable[ItemSum]) -> dict[int, ItemSum]:
    """What of each rate is not yet credited; a rate of which nothing is left is not in it."""
    opposite = [ItemSum(each.vat_percent, -each.net_cents, -each.vat_cents) for each in credited]
    return {rate: left for rate, left in by_rate([*billed, *opposite]).items() if left.net_cents or left.vat_cents}


def is_within(amount: int, bound: int) -> bool:
    """Whether ``amount`` lies between nothing and ``bound``, below zero for a rate that is all discount."""
    return 0 <= amount <= bound if bound >= 0 else bound <= amount <= 0


def rest_item(invoice_number: str, left: ItemSum) -> dict[str, Any]:
    """The item that credits all that is left of one rate, after credit notes before it."""
    return {
        "description": f"Restbetrag der Rechnung {invoice_number}",
        "quantity_milli": 1000,
        "unit": "Stk",
        "unit_price_cents": left.net_cents,
        "vat_percent": left.vat_percent,
    }


def credit_sums(wanted: Sequence[ItemSum], left: dict[int, ItemSum]) -> list[ItemSum]:
    """The sums of a credit note's items, ``left`` being what of each rate can still be credited.

    VAT is rounded item by item, so parts can come to a cent or two more than the whole. What was billed at a rate
    is what can be corrected: the difference falls on the rate's last item, and a credit of all the net that is
    left takes all the VAT that is left.

    Raises `ValueError` where a rate, or the whole, would be credited by more than is left of it.
    """
    sums = list(wanted)
    for rate, own in by_rate(wanted).items():
        bound = left.get(rate, ItemSum(rate, 0, 0))
        if not is_within(own.net_cents, bound.net_cents):
            raise ValueError(
                f"At {rate} % VAT {bound.net_cents} cents net are left to credit, not {own.net_cents}: "
                "leave out the items to credit all that is left."
            )
        is_all = own.net_cents == bound.net_cents
        if is_all or not is_within(own.vat_cents, bound.vat_cents):
            last = max(place for place, item in enumerate(sums) if item.vat_percent == rate)
            vat_cents = sums[last].vat_cents + bound.vat_cents - own.vat_cents
            sums[last] = ItemSum(rate, sums[last].net_cents, vat_cents)
    gross_cents = invoice_sum(sums).gross_cents
    left_cents = invoice_sum(left.values()).gross_cents
    if not 0 < gross_cents <= left_cents:
        raise ValueError(f"A credit note is of 1 to {left_cents} cents here, not of {gross_cents}.")
    return sums
