"""Figures are what was sent, paid and corrected in their time, on both engines."""

from __future__ import annotations

import datetime as dt

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.books.reports import Period
from tests.unit.erp.modules.finance.invoicing import GROSS_CENTS, ITEMS, credit, draft, pay, sent

pytestmark = pytest.mark.anyio


async def test_revenue_is_what_was_sent_and_not_cancelled(database: Database, clock: FakeClock) -> None:
    await sent(database, name="Alt")
    clock.advance(31 * 86_400)
    await pay(database, await sent(database, name="Bau"), GROSS_CENTS)
    cancelled = await sent(database)
    await draft(database)
    async with database.unit() as unit:
        await service.invoices.cancel_invoice(unit, cancelled.id, cancelled.version)
        today = dt.date(2026, 4, 2)
        months = await service.figures.revenue_by_month(unit, today)
        assert [(each.month.month, each.net_cents) for each in months[-3:]] == [(2, 0), (3, 21_500), (4, 21_500)]
        assert len(months) == 12
        best = await service.figures.top_customers(unit, today)
        assert [(name, cents) for _, name, cents in best] == [("Alt", 21_500), ("Bau", 21_500)]


async def test_revenue_is_less_by_a_credit_note_in_its_own_month(database: Database, clock: FakeClock) -> None:
    invoice = await sent(database, name="Alt")
    clock.advance(31 * 86_400)
    await credit(database, invoice, ITEMS[1])
    today = dt.date(2026, 4, 2)
    async with database.unit(writes=False) as unit:
        months = await service.figures.revenue_by_month(unit, today)
        assert [(each.month.month, each.net_cents) for each in months[-2:]] == [(3, 21_500), (4, -1_500)]
        assert [(name, cents) for _, name, cents in await service.figures.top_customers(unit, today)] == [
            ("Alt", 20_000)
        ]


async def test_a_period_in_figures_tells_what_happened_in_it_and_what_was_left(
    database: Database, clock: FakeClock
) -> None:
    old = await sent(database, payment_days=3)
    await pay(database, old, 5)
    clock.advance(31 * 86_400)
    paid = await pay(database, await sent(database), GROSS_CENTS)
    await credit(database, paid, ITEMS[1])
    cancelled = await sent(database)
    async with database.unit() as unit:
        await service.invoices.cancel_invoice(unit, cancelled.id, cancelled.version)
        april = await service.figures.financial(unit, Period(dt.date(2026, 4, 1), dt.date(2026, 4, 30)))
    assert (april.revenue_cents, april.expenses_cents, april.result_cents) == (20_000, 0, 20_000)
    assert april.receivables_cents == GROSS_CENTS - 5 - 1_605
    assert april.cash_cents == GROSS_CENTS + 5
    assert april.vat_owed_cents == 2 * 3_905 - 105
    told = {
        name: (each.count, each.sum_cents)
        for name in ("sent", "paid", "overdue", "cancelled")
        if (each := getattr(april, f"invoices_{name}"))
    }
    assert told == {
        "sent": (2, 2 * GROSS_CENTS),
        "paid": (1, GROSS_CENTS),
        "overdue": (1, GROSS_CENTS - 5),
        "cancelled": (1, GROSS_CENTS),
    }
    assert (april.credit_notes.count, april.credit_notes.sum_cents) == (1, 1_605)
    assert (april.payments.sum_cents, april.refunds.count) == (GROSS_CENTS, 0)
    march = april.before
    assert (march.first, march.last) == (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    assert (march.revenue_cents, march.receivables_cents) == (21_500, GROSS_CENTS - 5)
    assert (march.invoices_overdue.count, march.invoices_overdue.sum_cents) == (1, GROSS_CENTS - 5)
