"""Credit notes take back what was billed, never more, and keep the books balanced, on both engines."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.models import NumberSeries
from steinmetz.erp.modules.finance.repository.credit_notes import CreditNoteFilter
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import CreditNoteView, RefundInput
from tests.unit.erp.modules.finance.invoicing import GROSS_CENTS, ITEMS, balances, credit, draft, pay, read, sent

pytestmark = pytest.mark.anyio


async def test_a_credit_note_takes_back_a_part_and_leaves_the_rest_open(
    database: Database, clock: FakeClock
) -> None:
    invoice = await sent(database)
    half = ITEMS[0].model_copy(update={"quantity_milli": 1_000})
    note = await credit(database, invoice, half)
    assert (note.number, note.invoice_number, note.issue_date) == (
        "GS-2026-00001",
        "RE-2026-00001",
        dt.date(2026, 3, 2),
    )
    assert (note.net_cents, note.vat_cents, note.gross_cents) == (10_000, 1_900, 11_900)
    shown = await read(database, invoice.id)
    assert (shown.status, shown.credited_cents, shown.open_cents) == (
        InvoiceStatus.SENT,
        11_900,
        GROSS_CENTS - 11_900,
    )
    assert [each.number for each in shown.credit_notes] == ["GS-2026-00001"]
    assert (shown.gross_cents, shown.items, shown.number) == (invoice.gross_cents, invoice.items, invoice.number)
    async with database.unit(writes=False) as unit:
        assert await service.credit_notes.credit_note(unit, note.id) == note
        assert (await service.figures.owed(unit)).open.cents == GROSS_CENTS - 11_900
        held = await balances(unit)
        assert (held["1400"], held["8400"], held["1776"]) == (GROSS_CENTS - 11_900, -10_000, -1_900)
    with pytest.raises(Unprocessable, match=f"Only {GROSS_CENTS - 11_900} cents are open"):
        await pay(database, shown, GROSS_CENTS)
    paid = await pay(database, shown, GROSS_CENTS - 11_900)
    assert (paid.status, paid.open_cents, paid.refund_due_cents) == (InvoiceStatus.PAID, 0, 0)


async def test_without_items_all_that_is_left_is_credited_and_settles_the_invoice(
    database: Database, clock: FakeClock
) -> None:
    invoice = await sent(database)
    whole = await credit(database, invoice)
    assert [(item.description, item.net_cents) for item in whole.items] == [
        (item.description, item.net_cents) for item in invoice.items
    ]
    shown = await read(database, invoice.id)
    assert (shown.status, shown.paid_cents, shown.paid_at) == (InvoiceStatus.PAID, 0, clock.now())
    async with database.unit(writes=False) as unit:
        assert await balances(unit) == {}
    with pytest.raises(Unprocessable, match="credited already"):
        await credit(database, shown)

    other = await sent(database)
    await credit(database, other, ITEMS[0].model_copy(update={"quantity_milli": 1_000}))
    rest = await credit(database, await read(database, other.id))
    assert [(item.description, item.vat_percent, item.net_cents) for item in rest.items] == [
        ("Restbetrag der Rechnung RE-2026-00002", 19, 10_000),
        ("Restbetrag der Rechnung RE-2026-00002", 7, 1_500),
    ]
    assert rest.number == "GS-2026-00003"
    assert (await read(database, other.id)).credited_cents == GROSS_CENTS


async def test_no_rate_is_credited_by_more_than_was_billed(database: Database) -> None:
    invoice = await sent(database)
    for item in (
        ITEMS[0].model_copy(update={"quantity_milli": 2_001}),
        ITEMS[1].model_copy(update={"vat_percent": 0}),
        ITEMS[1].model_copy(update={"unit_price_cents": 0}),
    ):
        with pytest.raises(Unprocessable):
            await credit(database, invoice, item)
    assert await read(database, invoice.id) == invoice
    async with database.unit(writes=False) as unit:
        assert await unit.session.get(NumberSeries, "credit:2026") is None


async def test_only_what_was_sent_is_credited_and_what_is_credited_is_not_cancelled(database: Database) -> None:
    drafted = await draft(database)
    with pytest.raises(Conflict, match="the invoice is draft"):
        await credit(database, drafted)
    invoice = await sent(database)
    with pytest.raises(Conflict, match="the invoice is sent"):
        async with database.unit() as unit:
            await service.payments.refund(unit, invoice.id, RefundInput(version=invoice.version, amount_cents=1))
    await credit(database, invoice, ITEMS[1])
    credited = await read(database, invoice.id)
    with pytest.raises(Conflict, match="credit the rest of it"):
        async with database.unit() as unit:
            await service.invoices.cancel_invoice(unit, credited.id, credited.version)


async def test_clerks_who_credit_the_same_invoice_at_once_credit_it_once(database: Database) -> None:
    invoice = await sent(database)
    done = await asyncio.gather(*(credit(database, invoice) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, CreditNoteView) for each in done) == 1
    assert sum(isinstance(each, Conflict) for each in done) == 3
    async with database.unit(writes=False) as unit:
        assert (await service.credit_notes.list_credit_notes(unit, PageQuery(), CreditNoteFilter())).total == 1
        assert await balances(unit) == {}


async def test_credit_notes_are_found_by_invoice_customer_and_day(database: Database) -> None:
    first, second = await sent(database), await sent(database, name="Bau")
    for invoice in (first, second):
        await credit(database, invoice, ITEMS[1])

    async def found(**filters: object) -> list[str]:
        async with database.unit(writes=False) as unit:
            wanted = CreditNoteFilter(**filters)  # type: ignore[arg-type]
            page = await service.credit_notes.list_credit_notes(unit, PageQuery(), wanted)
            assert page.total == len(page.rows)
            return [row.number for row in page.rows]

    assert await found() == ["GS-2026-00002", "GS-2026-00001"]
    assert await found(invoice_id=first.id) == ["GS-2026-00001"]
    assert await found(customer_id=second.customer_id) == ["GS-2026-00002"]
    assert await found(since=dt.date(2026, 3, 3)) == await found(until=dt.date(2026, 3, 1)) == []
