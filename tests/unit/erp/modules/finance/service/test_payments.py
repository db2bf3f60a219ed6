"""Money that comes in and goes back is booked once and never beyond what is owed, on both engines."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.rules import InvoiceStatus, PaymentMethod
from steinmetz.erp.modules.finance.schemas import InvoiceView, RefundInput
from tests.unit.erp.modules.finance.invoicing import GROSS_CENTS, ITEMS, balances, credit, draft, pay, read, sent

pytestmark = pytest.mark.anyio


async def test_a_part_payment_leaves_it_open_and_the_rest_settles_it(database: Database, clock: FakeClock) -> None:
    invoice = await sent(database)
    part = await pay(database, invoice, 5_000, method="cash")
    assert (part.status, part.paid_cents, part.paid_at) == (InvoiceStatus.SENT, 5_000, None)
    whole = await pay(database, part, GROSS_CENTS - 5_000, paid_on=dt.date(2026, 3, 1))
    assert (whole.status, whole.paid_cents, whole.paid_at) == (InvoiceStatus.PAID, GROSS_CENTS, clock.now())
    assert [each.method for each in whole.payments] == [PaymentMethod.CASH, PaymentMethod.TRANSFER]
    async with database.unit(writes=False) as unit:
        held = await balances(unit)
        assert (held["1000"], held["1200"]) == (5_000, GROSS_CENTS - 5_000)
        assert "1400" not in held
        assert [(each.number, each.cents) for each in await service.figures.cash_balances(unit)] == [
            ("1000", 5_000),
            ("1200", GROSS_CENTS - 5_000),
        ]


async def test_nobody_pays_more_than_is_open_nor_tomorrow(database: Database) -> None:
    invoice = await sent(database)
    with pytest.raises(Unprocessable, match="Only 25405 cents are open"):
        await pay(database, invoice, GROSS_CENTS + 1)
    with pytest.raises(Unprocessable, match="before its day"):
        await pay(database, invoice, 1, paid_on=dt.date(2026, 3, 3))
    with pytest.raises(Conflict, match="the invoice is draft"):
        await pay(database, await draft(database), 1)
    async with database.unit(writes=False) as unit:
        assert (await service.payments.list_payments(unit, PageQuery())).total == 0
        assert (await balances(unit))["1400"] == GROSS_CENTS


async def test_the_same_payment_sent_twice_is_booked_once(database: Database) -> None:
    invoice = await sent(database)
    once = await pay(database, invoice, 100)
    with pytest.raises(Conflict) as refused:
        await pay(database, invoice, 100)
    assert refused.value.extra["current"]["version"] == once.version
    assert refused.value.extra["current"]["paidCents"] == 100


async def test_clerks_who_book_the_same_payment_at_once_book_it_once(database: Database) -> None:
    invoice = await sent(database)
    done = await asyncio.gather(*(pay(database, invoice, GROSS_CENTS) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, InvoiceView) for each in done) == 1
    assert sum(isinstance(each, Conflict) for each in done) == 3
    async with database.unit(writes=False) as unit:
        assert (await balances(unit))["1200"] == GROSS_CENTS


async def test_what_was_paid_too_much_is_owed_to_the_customer_and_refunded(database: Database) -> None:
    paid = await pay(database, await sent(database), GROSS_CENTS)
    await credit(database, paid, ITEMS[1])
    shown = await read(database, paid.id)
    assert (shown.status, shown.open_cents, shown.refund_due_cents) == (InvoiceStatus.PAID, 0, 1_605)

    async def refund(cents: int, version: int) -> InvoiceView:
        async with database.unit() as unit:
            return await service.payments.refund(unit, paid.id, RefundInput(version=version, amount_cents=cents))

    with pytest.raises(Unprocessable, match="Only 1605 cents are owed"):
        await refund(1_606, shown.version)
    part = await refund(5, shown.version)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await refund(5, shown.version)
    done = await refund(1_600, part.version)
    assert (done.refunded_cents, done.refund_due_cents) == (1_605, 0)
    assert [each.amount_cents for each in done.refunds] == [5, 1_600]
    async with database.unit(writes=False) as unit:
        held = await balances(unit)
        assert "1400" not in held
        assert held["1200"] == GROSS_CENTS - 1_605
        page = await service.payments.list_refunds(unit, PageQuery(), invoice_id=paid.id)
        assert [row.amount_cents for row in page.rows] == [1_600, 5]
