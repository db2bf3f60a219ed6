"""Invoices, what is on them, and how they are paid or not: day by day, in the order of their numbers.

The fate of an invoice is drawn when it is issued; what of it lies before today has happened. So its row is final
at once, while its payments and its cancellation wait for their day.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import NamedTuple

from steinmetz.erp.modules.finance.rules import (
    CUSTOMER_SERIES,
    FIRST_CUSTOMER,
    InvoiceStatus,
    ItemSum,
    PaymentMethod,
    PostingLine,
    due_date,
    invoice_number,
    invoice_sum,
    is_overdue,
    item_sum,
    lines_of_payment,
    lines_of_sending,
    reversed_lines,
    series_name,
)
from steinmetz.erp.seed.articles import ARTICLES, Article
from steinmetz.erp.seed.books import Books
from steinmetz.erp.seed.rows import (
    CustomerRow,
    InvoiceItemRow,
    InvoiceRow,
    JournalEntryRow,
    NumberSeriesRow,
    PaymentRow,
    TransactionRow,
)
from steinmetz.erp.seed.workdays import ONE_DAY, at, days, is_workday, on_or_after, window_start, workdays_later

SaleRow = InvoiceRow | InvoiceItemRow | PaymentRow | JournalEntryRow | TransactionRow

_SEASON = (0.92, 0.94, 1.04, 1.0, 1.02, 1.05, 0.97, 0.84, 1.04, 1.08, 1.10, 1.0)
"""January to December."""
_GROWTH_A_YEAR = 0.07
_DRAFT_DAYS = 8
"""Of the last so many workdays, some invoices are still drafts."""


class Act(NamedTuple):
    """What will happen to a sent invoice; ordered by day."""

    day: date
    number: int
    """Distinct, so that equal days keep the order in which acts were drawn."""
    invoice: InvoiceRow
    amount_cents: int
    """Of a payment; 0 cancels."""
    method: PaymentMethod
    lines: list[PostingLine]
    """Of the sending, for a cancellation to reverse."""
    paid_before_cents: int


class Done(NamedTuple):
    """An act that has happened, with its payment's id (0: it was a cancellation)."""

    act: Act
    payment_id: int


class _Fate(NamedTuple):
    payments: list[tuple[date, int]]
    method: PaymentMethod
    cancelled_on: date | None


def invoices_a_day(count: int, today: date, rng: Random) -> dict[date, int]:
    """``count`` invoices over the workdays before ``today``, by season, growth and chance, exactly."""
    first = window_start(today)
    weights = {
        day: _SEASON[day.month - 1] * (1 + _GROWTH_A_YEAR * (day - first).days / 365) * (0.6 + 0.8 * rng.random())
        for day in days(first, today - ONE_DAY)
        if is_workday(day)
    }
    total = sum(weights.values())
    shares = accumulate(weights.values())
    reached = 0
    plan = {}
    for day, share in zip(weights, shares, strict=True):
        until = round(count * share / total)
        plan[day] = until - reached
        reached = until
    return plan


class Sales:
    """Issues and settles; keeps only what still waits for its day."""

    def __init__(self, count: int, customers: list[CustomerRow], seed: int, today: date, books: Books) -> None:
        self._rng = Random(f"{seed}/sales")
        self._today = today
        self._books = books
        self._customers = customers
        # Few buy much: the weight falls with a customer's place in a shuffled order.
        self._purchase_weights = list(
            accumulate(self._rng.paretovariate(1.3) if each.is_active else 0.3 for each in customers)
        )
        self._article_weights = list(accumulate(article.weight for article in ARTICLES))
        self._delays = [self._rng.gauss(1.5, 6) for _ in customers]
        self._plan = invoices_a_day(count, today, self._rng)
        self._drafts_from = self._first_day_with_drafts()
        self._waiting: list[Act] = []
        self._series: Counter[int] = Counter()
        self._invoices = self._items = self._payments = self._acts = 0
        self.sent: list[tuple[InvoiceRow, CustomerRow]] = []
        """What was sent on the day that `on` is at."""
        self.done: list[Done] = []
        """What was paid or cancelled on that day."""

    def _first_day_with_drafts(self) -> date:
        workdays = list(self._plan)
        return workdays[max(0, len(workdays) - _DRAFT_DAYS)]

    def on(self, day: date) -> Iterator[SaleRow]:
        """The rows of ``day``; days come in order."""
        self.sent, self.done = [], []
        count = self._plan.get(day, 0)
        for number in range(count):
            yield from self._issue(day, (number + self._rng.random()) / count)
        while self._waiting and self._waiting[0].day <= day:
            yield from self._happen(heappop(self._waiting))

    def series(self) -> Iterator[NumberSeriesRow]:
        """Where the numbers of each year, and those of customers, go on."""
        yield NumberSeriesRow(CUSTOMER_SERIES, FIRST_CUSTOMER + len(self._customers))
        for year, last in sorted(self._series.items()):
            yield NumberSeriesRow(series_name(year), last + 1)

    def _issue(self, day: date, share: float) -> Iterator[SaleRow]:
        rng = self._rng
        customer = self._buyer(day)
        self._invoices += 1
        invoice_id = self._invoices
        items = [self._item(invoice_id, position, customer) for position in range(1, self._positions() + 1)]
        sums = [ItemSum(item.vat_percent, item.net_cents, item.vat_cents) for item in items]
        total = invoice_sum(sums)
        written = at(day, share)
        is_draft = day >= self._drafts_from and rng.random() < 0.25
        fate = (
            _Fate([], PaymentMethod.TRANSFER, None) if is_draft else self._fate(customer, day, total.gross_cents)
        )
        happened = [(paid_on, cents) for paid_on, cents in fate.payments if paid_on < self._today]
        paid_cents = sum(cents for _, cents in happened)
        due = due_date(day, customer.payment_days)
        status = self._status(is_draft, due, fate, paid_cents == total.gross_cents)
        invoice = InvoiceRow(
            id=invoice_id,
            number=None if is_draft else self._next_number(day.year),
            customer_id=customer.id,
            status=status,
            issue_date=day,
            due_date=due,
            currency="EUR",
            net_cents=total.net_cents,
            vat_cents=total.vat_cents,
            gross_cents=total.gross_cents,
            paid_cents=paid_cents,
            note=f"Ihre Bestellung {rng.randint(10_000, 99_999)}" if rng.random() < 0.35 else "",
            sent_at=None if is_draft else written,
            paid_at=at(happened[-1][0], 0.5) if status is InvoiceStatus.PAID else None,
            cancelled_at=at(fate.cancelled_on, 0.6) if fate.cancelled_on and not is_draft else None,
            created_at=written - timedelta(minutes=rng.randint(2, 40)),
            version=1 if is_draft else 2 + len(happened) + (status in {"overdue", "cancelled"}),
        )
        yield invoice
        yield from items
        if is_draft:
            return
        lines = lines_of_sending(sums)
        yield from self._books.post(day, f"Rechnung {invoice.number}", f"invoice:{invoice_id}", lines, share)
        self.sent.append((invoice, customer))
        paid_before = 0
        for paid_on, cents in happened:
            self._wait(Act(paid_on, self._next_act(), invoice, cents, fate.method, [], paid_before))
            paid_before += cents
        if fate.cancelled_on is not None:
            self._wait(Act(fate.cancelled_on, self._next_act(), invoice, 0, fate.method, lines, 0))

    def _happen(self, act: Act) -> Iterator[SaleRow]:
        invoice = act.invoice
        if not act.amount_cents:
            self.done.append(Done(act, 0))
            reversal = reversed_lines(act.lines)
            what = f"Storno Rechnung {invoice.number}"
            yield from self._books.post(act.day, what, f"cancellation:{invoice.id}", reversal, 0.6)
            return
        self._payments += 1
        self.done.append(Done(act, self._payments))
        yield PaymentRow(
            id=self._payments,
            invoice_id=invoice.id,
            amount_cents=act.amount_cents,
            method=act.method,
            paid_on=act.day,
            reference=invoice.number or "",
            created_at=at(act.day, 0.5),
        )
        lines = lines_of_payment(act.method, act.amount_cents)
        what = f"Zahlung zu {invoice.number}"
        yield from self._books.post(act.day, what, f"payment:{self._payments}", lines, 0.5)

    def _buyer(self, day: date) -> CustomerRow:
        """A customer who was known on ``day``; who is inactive has bought nothing for half a year."""
        while True:
            place = bisect(self._purchase_weights, self._rng.random() * self._purchase_weights[-1])
            customer = self._customers[min(place, len(self._customers) - 1)]
            if customer.created_at.date() < day and (
                customer.is_active or day < self._today - timedelta(days=180)
            ):
                return customer

    def _positions(self) -> int:
        return 1 + bisect((0.18, 0.48, 0.72, 0.88, 0.96), self._rng.random())

    def _item(self, invoice_id: int, position: int, customer: CustomerRow) -> InvoiceItemRow:
        rng = self._rng
        article: Article = ARTICLES[bisect(self._article_weights, rng.random() * self._article_weights[-1])]
        # Most orders are small: the cube keeps to the lower end.
        quantity_milli = 1_000 * (article.least + int((article.most - article.least + 1) * rng.random() ** 2))
        if article.unit == "h":
            quantity_milli += 250 * int(4 * rng.random())
        unit_price_cents = int(100 * (article.low + (article.high - article.low) * rng.random()))
        vat_percent = article.vat_percent if customer.country == "DE" else 0
        amount = item_sum(quantity_milli, unit_price_cents, vat_percent)
        self._items += 1
        return InvoiceItemRow(
            id=self._items,
            invoice_id=invoice_id,
            position=position,
            description=article.title,
            quantity_milli=quantity_milli,
            unit=article.unit,
            unit_price_cents=unit_price_cents,
            vat_percent=vat_percent,
            net_cents=amount.net_cents,
            vat_cents=amount.vat_cents,
        )

    def _fate(self, customer: CustomerRow, day: date, gross_cents: int) -> _Fate:
        rng = self._rng
        chance = rng.random()
        if chance < 0.012:
            cancelled_on = workdays_later(day, 1 + int(rng.random() * 5))
            return _Fate([], PaymentMethod.TRANSFER, cancelled_on if cancelled_on < self._today else None)
        if chance < 0.022:
            return _Fate([], PaymentMethod.TRANSFER, None)
        method = self._method(gross_cents)
        if method in {PaymentMethod.CARD, PaymentMethod.CASH}:
            return _Fate([(day, gross_cents)], method, None)
        after = customer.payment_days + self._delays[customer.id - 1] + rng.gauss(0, 4)
        paid_on = on_or_after(day + timedelta(days=max(1, round(after))))
        if method is PaymentMethod.TRANSFER and rng.random() < 0.04 and gross_cents > 1_000:
            first = gross_cents // 2
            rest_on = on_or_after(paid_on + timedelta(days=21))
            return _Fate([(paid_on, first), (rest_on, gross_cents - first)], method, None)
        return _Fate([(paid_on, gross_cents)], method, None)

    def _method(self, gross_cents: int) -> PaymentMethod:
        chance = self._rng.random()
        if gross_cents < 100_000:
            if chance < 0.06:
                return PaymentMethod.CASH
            if chance < 0.16:
                return PaymentMethod.CARD
        return PaymentMethod.DEBIT if chance > 0.88 else PaymentMethod.TRANSFER

    def _status(self, is_draft: bool, due: date, fate: _Fate, settled: bool) -> InvoiceStatus:
        if is_draft:
            return InvoiceStatus.DRAFT
        if fate.cancelled_on is not None:
            return InvoiceStatus.CANCELLED
        if settled:
            return InvoiceStatus.PAID
        return InvoiceStatus.OVERDUE if is_overdue(due, self._today) else InvoiceStatus.SENT

    def _next_number(self, year: int) -> str:
        self._series[year] += 1
        return invoice_number(year, self._series[year])

    def _next_act(self) -> int:
        self._acts += 1
        return self._acts

    def _wait(self, act: Act) -> None:
        heappush(self._waiting, act)
