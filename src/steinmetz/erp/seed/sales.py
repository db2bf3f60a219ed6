"""Invoices, what is on them, and how they are paid or not: day by day, in the order of their numbers.

The fate of an invoice is drawn when it is issued; what of it lies before today has happened. So its row is final
at once, while its payments, its credit note and its cancellation wait for their day.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import NamedTuple, assert_never

from steinmetz.erp.modules.finance.rules import (
    CUSTOMER_SERIES,
    FIRST_CUSTOMER,
    InvoiceStatus,
    ItemSum,
    PaymentMethod,
    PostingLine,
    credit_number,
    credit_series_name,
    due_date,
    invoice_number,
    invoice_sum,
    is_overdue,
    item_sum,
    lines_of_payment,
    lines_of_refund,
    lines_of_sending,
    on_paper,
    reversed_lines,
    series_name,
)
from steinmetz.erp.seed.articles import ARTICLES, Article
from steinmetz.erp.seed.books import Books
from steinmetz.erp.seed.rows import (
    CompanyRow,
    CreditNoteItemRow,
    CreditNoteRow,
    CustomerRow,
    InvoiceItemRow,
    InvoiceRow,
    JournalEntryRow,
    Json,
    NumberSeriesRow,
    PaymentRow,
    RefundRow,
    TransactionRow,
)
from steinmetz.erp.seed.workdays import ONE_DAY, at, days, is_workday, on_or_after, window_start, workdays_later

SaleRow = (
    InvoiceRow
    | InvoiceItemRow
    | PaymentRow
    | CreditNoteRow
    | CreditNoteItemRow
    | RefundRow
    | JournalEntryRow
    | TransactionRow
)

_SEASON = (0.92, 0.94, 1.04, 1.0, 1.02, 1.05, 0.97, 0.84, 1.04, 1.08, 1.10, 1.0)
"""January to December."""
_GROWTH_A_YEAR = 0.07
_DRAFT_DAYS = 8
"""Of the last so many workdays, some invoices are still drafts."""
_REASONS = ("Rücksendung", "Mengendifferenz", "Transportschaden", "Falsch berechneter Preis")


class ActKind(StrEnum):
    PAY = "pay"
    CANCEL = "cancel"
    CREDIT = "credit"
    REFUND = "refund"


class Act(NamedTuple):
    """What will happen to a sent invoice; ordered by day."""

    day: date
    number: int
    """Distinct, so that equal days keep the order in which acts were drawn."""
    kind: ActKind
    invoice: InvoiceRow
    amount_cents: int
    """Of a payment, a credit note or a refund."""
    method: PaymentMethod
    lines: list[PostingLine]
    """Of the sending, for a cancellation to reverse."""
    moved_before_cents: int
    """What was paid before this payment."""
    item: InvoiceItemRow | None = None
    """What is credited."""


class Done(NamedTuple):
    """An act that has happened, with the id of the payment, credit note or refund that it made."""

    act: Act
    made_id: int


class _Fate(NamedTuple):
    payments: list[tuple[date, int]]
    method: PaymentMethod
    cancelled_on: date | None = None
    credited_on: date | None = None
    credited: InvoiceItemRow | None = None
    """The item that is taken back."""
    refunded_on: date | None = None
    """When its money went back, if it was paid before it was credited."""


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

    def __init__(
        self, count: int, company: CompanyRow, customers: list[CustomerRow], seed: int, today: date, books: Books
    ) -> None:
        self._rng = Random(f"{seed}/sales")
        # Its own dice: whether an invoice is corrected changes nothing about those after it.
        self._corrections = Random(f"{seed}/credit notes")
        seller = {name: value for name, value in company._asdict().items() if name not in {"id", "version"}}
        self._parties: list[Json] = [{"seller": seller, "customer": on_paper(each)} for each in customers]
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
        self._credit_series: Counter[int] = Counter()
        self._invoices = self._items = self._payments = self._credit_notes = self._refunds = self._acts = 0
        self.sent: list[tuple[InvoiceRow, CustomerRow]] = []
        """What was sent on the day that `on` is at."""
        self.done: list[Done] = []
        """What was paid, credited, refunded or cancelled on that day."""

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
        for year, last in sorted(self._credit_series.items()):
            yield NumberSeriesRow(credit_series_name(year), last + 1)

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
        fate = _Fate([], PaymentMethod.TRANSFER) if is_draft else self._fate(customer, day, total.gross_cents)
        fate = self._corrected(fate, day, items, total.gross_cents)
        happened = [(paid_on, cents) for paid_on, cents in fate.payments if paid_on < self._today]
        paid_cents = sum(cents for _, cents in happened)
        credited_cents, refunded_cents = self._moved_back(fate)
        due = due_date(day, customer.payment_days)
        status = self._status(is_draft, due, fate, paid_cents + credited_cents >= total.gross_cents)
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
            credited_cents=credited_cents,
            refunded_cents=refunded_cents,
            note=f"Ihre Bestellung {rng.randint(10_000, 99_999)}" if rng.random() < 0.35 else "",
            sent_at=None if is_draft else written,
            paid_at=at(happened[-1][0], 0.5) if status is InvoiceStatus.PAID else None,
            cancelled_at=at(fate.cancelled_on, 0.6) if fate.cancelled_on and not is_draft else None,
            created_at=written - timedelta(minutes=rng.randint(2, 40)),
            version=1
            if is_draft
            else 2
            + len(happened)
            + (credited_cents > 0)
            + (refunded_cents > 0)
            + (status in {"overdue", "cancelled"}),
            parties=None if is_draft else self._parties[customer.id - 1],
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
            self._wait(paid_on, ActKind.PAY, invoice, cents, fate.method, moved_before_cents=paid_before)
            paid_before += cents
        if credited_cents and fate.credited_on is not None:
            self._wait(fate.credited_on, ActKind.CREDIT, invoice, credited_cents, fate.method, item=fate.credited)
        if refunded_cents and fate.refunded_on is not None:
            self._wait(fate.refunded_on, ActKind.REFUND, invoice, refunded_cents, fate.method)
        if fate.cancelled_on is not None:
            self._wait(fate.cancelled_on, ActKind.CANCEL, invoice, 0, fate.method, lines=lines)

    def _corrected(self, fate: _Fate, day: date, items: list[InvoiceItemRow], gross_cents: int) -> _Fate:
        """The same fate, or one in which an item is taken back: before it is paid, or afterwards with a refund."""
        dice = self._corrections
        if dice.random() >= 0.02 or len(items) < 2 or len(fate.payments) != 1:
            return fate
        item = dice.choice(items)
        item_cents = item.net_cents + item.vat_cents
        paid_on, _ = fate.payments[0]
        credited_on = workdays_later(day, 1 + dice.randrange(4))
        if credited_on < paid_on:
            payments = [(paid_on, gross_cents - item_cents)]
            return fate._replace(payments=payments, credited_on=credited_on, credited=item)
        credited_on = workdays_later(paid_on, 2)
        return fate._replace(credited_on=credited_on, credited=item, refunded_on=workdays_later(credited_on, 3))

    def _moved_back(self, fate: _Fate) -> tuple[int, int]:
        """What was credited, and what was refunded, before today."""
        if fate.credited is None or fate.credited_on is None or fate.credited_on >= self._today:
            return 0, 0
        cents = fate.credited.net_cents + fate.credited.vat_cents
        is_refunded = fate.refunded_on is not None and fate.refunded_on < self._today
        return cents, cents if is_refunded else 0

    def _happen(self, act: Act) -> Iterator[SaleRow]:
        match act.kind:
            case ActKind.PAY:
                yield from self._pay(act)
            case ActKind.CANCEL:
                yield from self._cancel(act)
            case ActKind.CREDIT:
                yield from self._credit(act)
            case ActKind.REFUND:
                yield from self._refund(act)
            case _:
                assert_never(act.kind)

    def _cancel(self, act: Act) -> Iterator[SaleRow]:
        self.done.append(Done(act, 0))
        what = f"Storno Rechnung {act.invoice.number}"
        source = f"cancellation:{act.invoice.id}"
        yield from self._books.post(act.day, what, source, reversed_lines(act.lines), 0.6)

    def _pay(self, act: Act) -> Iterator[SaleRow]:
        invoice = act.invoice
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

    def _credit(self, act: Act) -> Iterator[SaleRow]:
        item, invoice = act.item, act.invoice
        assert item is not None
        self._credit_notes += 1
        self._credit_series[act.day.year] += 1
        self.done.append(Done(act, self._credit_notes))
        number = credit_number(act.day.year, self._credit_series[act.day.year])
        yield CreditNoteRow(
            id=self._credit_notes,
            number=number,
            invoice_id=invoice.id,
            issue_date=act.day,
            reason=_REASONS[self._credit_notes % len(_REASONS)],
            currency="EUR",
            net_cents=item.net_cents,
            vat_cents=item.vat_cents,
            gross_cents=act.amount_cents,
            created_at=at(act.day, 0.55),
            parties=invoice.parties,
        )
        yield CreditNoteItemRow(
            id=self._credit_notes,
            credit_note_id=self._credit_notes,
            position=1,
            description=item.description,
            quantity_milli=item.quantity_milli,
            unit=item.unit,
            unit_price_cents=item.unit_price_cents,
            vat_percent=item.vat_percent,
            net_cents=item.net_cents,
            vat_cents=item.vat_cents,
        )
        lines = reversed_lines(lines_of_sending([ItemSum(item.vat_percent, item.net_cents, item.vat_cents)]))
        what = f"Rechnungskorrektur {number} zu {invoice.number}"
        yield from self._books.post(act.day, what, f"credit:{self._credit_notes}", lines, 0.55)

    def _refund(self, act: Act) -> Iterator[SaleRow]:
        self._refunds += 1
        self.done.append(Done(act, self._refunds))
        yield RefundRow(
            id=self._refunds,
            invoice_id=act.invoice.id,
            amount_cents=act.amount_cents,
            method=act.method,
            paid_on=act.day,
            reference=act.invoice.number or "",
            created_at=at(act.day, 0.58),
        )
        lines = lines_of_refund(act.method, act.amount_cents)
        what = f"Erstattung zu {act.invoice.number}"
        yield from self._books.post(act.day, what, f"refund:{self._refunds}", lines, 0.58)

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
            return _Fate([], PaymentMethod.TRANSFER)
        method = self._method(gross_cents)
        if method in {PaymentMethod.CARD, PaymentMethod.CASH}:
            return _Fate([(day, gross_cents)], method)
        after = customer.payment_days + self._delays[customer.id - 1] + rng.gauss(0, 4)
        paid_on = on_or_after(day + timedelta(days=max(1, round(after))))
        if method is PaymentMethod.TRANSFER and rng.random() < 0.04 and gross_cents > 1_000:
            first = gross_cents // 2
            rest_on = on_or_after(paid_on + timedelta(days=21))
            return _Fate([(paid_on, first), (rest_on, gross_cents - first)], method)
        return _Fate([(paid_on, gross_cents)], method)

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

    def _wait(
        self,
        day: date,
        kind: ActKind,
        invoice: InvoiceRow,
        amount_cents: int,
        method: PaymentMethod,
        *,
        lines: list[PostingLine] | None = None,
        moved_before_cents: int = 0,
        item: InvoiceItemRow | None = None,
    ) -> None:
        self._acts += 1
        act = Act(day, self._acts, kind, invoice, amount_cents, method, lines or [], moved_before_cents, item)
        heappush(self._waiting, act)
