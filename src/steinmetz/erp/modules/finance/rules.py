"""States of invoices, VAT, money and the lines that post them; pure.

Theory of this room. An invoice walks through `TRANSITIONS` and nowhere else. Sending, paying and cancelling each
post one journal entry whose lines add up to zero (debit positive, credit negative), so that the books balance
whatever sequence of acts led to them. A sent invoice never changes its items; cancelling posts the exact opposite
of sending.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


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


TRANSITIONS: dict[tuple[InvoiceStatus, InvoiceAct], InvoiceStatus] = {
    (InvoiceStatus.DRAFT, InvoiceAct.EDIT): InvoiceStatus.DRAFT,
    (InvoiceStatus.DRAFT, InvoiceAct.SEND): InvoiceStatus.SENT,
    (InvoiceStatus.DRAFT, InvoiceAct.CANCEL): InvoiceStatus.CANCELLED,
    (InvoiceStatus.SENT, InvoiceAct.PAY_PART): InvoiceStatus.SENT,
    (InvoiceStatus.SENT, InvoiceAct.SETTLE): InvoiceStatus.PAID,
    (InvoiceStatus.SENT, InvoiceAct.FALL_DUE): InvoiceStatus.OVERDUE,
    (InvoiceStatus.SENT, InvoiceAct.CANCEL): InvoiceStatus.CANCELLED,
    (InvoiceStatus.OVERDUE, InvoiceAct.PAY_PART): InvoiceStatus.OVERDUE,
    (InvoiceStatus.OVERDUE, InvoiceAct.SETTLE): InvoiceStatus.PAID,
    (InvoiceStatus.OVERDUE, InvoiceAct.CANCEL): InvoiceStatus.CANCELLED,
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


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """An account of the chart, by its SKR03 number."""

    number: str
    name: str
    kind: AccountKind


CASH_BOX = ChartAccount("1000", "Kasse", AccountKind.ASSET)
BANK = ChartAccount("1200", "Bank", AccountKind.ASSET)
RECEIVABLES = ChartAccount("1400", "Forderungen aus Lieferungen und Leistungen", AccountKind.ASSET)
VAT_7 = ChartAccount("1771", "Umsatzsteuer 7 %", AccountKind.LIABILITY)
VAT_19 = ChartAccount("1776", "Umsatzsteuer 19 %", AccountKind.LIABILITY)
REVENUE_FREE = ChartAccount("8120", "Steuerfreie Umsätze § 4 Nr. 1a UStG", AccountKind.INCOME)
REVENUE_7 = ChartAccount("8300", "Erlöse 7 % USt", AccountKind.INCOME)
REVENUE_19 = ChartAccount("8400", "Erlöse 19 % USt", AccountKind.INCOME)

CHART: dict[str, ChartAccount] = {
    account.number: account
    for account in (
        CASH_BOX,
        BANK,
        RECEIVABLES,
        VAT_7,
        VAT_19,
        REVENUE_FREE,
        REVENUE_7,
        REVENUE_19,
    )
}
"""The accounts that invoices and payments post to; a company may keep more."""

LIQUID = (CASH_BOX.number, BANK.number)
"""The accounts whose balances are the company's cash."""

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


def reversed_lines(lines: Iterable[PostingLine]) -> list[PostingLine]:
    """The exact opposite, as a cancellation posts it."""
    return [PostingLine(line.account, -line.amount_cents) for line in lines]


def balances(lines: Sequence[PostingLine]) -> bool:
    """Whether the lines of an entry add up to zero."""
    return sum(line.amount_cents for line in lines) == 0
