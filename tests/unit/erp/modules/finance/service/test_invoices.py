"""Invoices are sent with gap-free numbers, fall due, are cancelled and found, on both engines."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from sqlalchemy import func, select

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import Conflict, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import SYSTEM
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.models import JournalEntry, NumberSeries
from steinmetz.erp.modules.finance.repository.invoices import InvoiceFilter
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import InvoicePatch, InvoiceView
from steinmetz.erp.modules.system.models import AuditEntry
from tests.unit.erp.modules.finance.invoicing import GROSS_CENTS, ITEMS, balances, credit, draft, pay, sent

pytestmark = pytest.mark.anyio


async def test_sending_gives_number_and_dates_and_posts_the_receivable(
    database: Database, clock: FakeClock
) -> None:
    drafted = await draft(database)
    clock.advance(3 * 86_400)
    async with database.unit() as unit:
        done = await service.invoices.send_invoice(unit, drafted.id, drafted.version)
    assert (done.status, done.number) == (InvoiceStatus.SENT, "RE-2026-00001")
    assert (done.issue_date, done.due_date) == (dt.date(2026, 3, 5), dt.date(2026, 3, 19))
    assert done.sent_at == clock.now()
    async with database.unit(writes=False) as unit:
        assert await balances(unit) == {
            "1400": GROSS_CENTS,
            "8400": -20_000,
            "1776": -3_800,
            "8300": -1_500,
            "1771": -105,
        }
        entry = (await unit.session.scalars(select(JournalEntry))).one()
        assert (entry.source, entry.date) == (f"invoice:{done.id}", dt.date(2026, 3, 5))


async def test_an_invoice_of_nothing_cannot_be_sent(database: Database) -> None:
    drafted = await draft(database)
    free = [ITEMS[0].model_copy(update={"unit_price_cents": 0})]
    async with database.unit() as unit:
        changed = await service.drafts.change_draft(unit, drafted.id, InvoicePatch(version=1, items=free))
    with pytest.raises(Unprocessable, match="nothing to pay"):
        async with database.unit() as unit:
            await service.invoices.send_invoice(unit, changed.id, changed.version)
    async with database.unit(writes=False) as unit:
        assert (await service.invoices.invoice(unit, drafted.id)).status is InvoiceStatus.DRAFT
        assert await unit.session.get(NumberSeries, "invoice:2026") is None


async def test_a_rolled_back_sending_leaves_no_gap(database: Database) -> None:
    first, second = await draft(database), await draft(database)
    async with database.sessions() as session:
        unit = Unit(session, SYSTEM, database.clock.now(), "", print, writes=True)
        assert (await service.invoices.send_invoice(unit, first.id, first.version)).number == "RE-2026-00001"
        await session.rollback()
    async with database.unit() as unit:
        assert (await service.invoices.send_invoice(unit, second.id, second.version)).number == "RE-2026-00001"


async def test_clerks_who_send_at_once_get_numbers_without_gaps(database: Database) -> None:
    drafts = [await draft(database) for _ in range(8)]

    async def send(drafted: InvoiceView) -> str | None:
        async with database.unit() as unit:
            return (await service.invoices.send_invoice(unit, drafted.id, drafted.version)).number

    numbers = await asyncio.gather(*(send(each) for each in drafts))
    assert sorted(numbers, key=str) == [f"RE-2026-{value:05d}" for value in range(1, 9)]
    async with database.unit(writes=False) as unit:
        assert (await balances(unit))["1400"] == 8 * GROSS_CENTS


async def test_the_numbers_of_a_new_year_begin_anew(database: Database, clock: FakeClock) -> None:
    assert (await sent(database)).number == "RE-2026-00001"
    clock.advance(305 * 86_400)
    assert (await sent(database)).number == "RE-2027-00001"


async def test_cancelling_posts_everything_back(database: Database, clock: FakeClock) -> None:
    invoice = await sent(database)
    async with database.unit() as unit:
        done = await service.invoices.cancel_invoice(unit, invoice.id, invoice.version)
    assert (done.status, done.number, done.cancelled_at) == (
        InvoiceStatus.CANCELLED,
        invoice.number,
        clock.now(),
    )
    async with database.unit(writes=False) as unit:
        assert await balances(unit) == {}


async def test_a_draft_is_cancelled_without_a_trace_in_the_books(database: Database) -> None:
    drafted = await draft(database)
    async with database.unit() as unit:
        await service.invoices.cancel_invoice(unit, drafted.id, drafted.version)
        assert await unit.session.scalar(select(func.count()).select_from(JournalEntry)) == 0


async def test_what_was_paid_on_cannot_be_cancelled(database: Database) -> None:
    invoice = await pay(database, await sent(database), 100)
    with pytest.raises(Conflict, match="100 cents were paid"):
        async with database.unit() as unit:
            await service.invoices.cancel_invoice(unit, invoice.id, invoice.version)


async def test_invoices_are_overdue_from_the_day_after_they_were_due(database: Database) -> None:
    invoice = await sent(database, payment_days=3)
    settled = await sent(database, payment_days=3)
    await pay(database, settled, GROSS_CENTS)
    await draft(database, payment_days=0)
    async with database.unit() as unit:
        assert await service.invoices.mark_overdue(unit, invoice.due_date) == 0
    async with database.unit() as unit:
        assert await service.invoices.mark_overdue(unit, invoice.due_date + dt.timedelta(days=1)) == 1
    async with database.unit() as unit:
        assert await service.invoices.mark_overdue(unit, invoice.due_date + dt.timedelta(days=1)) == 0
        fallen = await service.invoices.invoice(unit, invoice.id)
        assert (fallen.status, fallen.version) == (InvoiceStatus.OVERDUE, invoice.version + 1)
        owed = await service.figures.owed(unit)
        assert (owed.open.count, owed.open.cents) == (1, GROSS_CENTS)
        assert owed.overdue == owed.open
        audited = select(AuditEntry).where(AuditEntry.action == "invoice.fall_due")
        assert [entry.entity_id for entry in await unit.session.scalars(audited)] == [str(invoice.id)]
    assert (await pay(database, fallen, GROSS_CENTS)).status is InvoiceStatus.PAID


async def test_pages_of_invoices_show_each_once_in_order(database: Database) -> None:
    for days in (3, 1, 3, 2, 1):
        await draft(database, payment_days=days)
    columns = {"id": "id", "issueDate": "issue_date", "dueDate": "due_date", "grossCents": "gross_cents"}
    async with database.unit(writes=False) as unit:
        for sort in ("id", "-id", "issueDate", "-dueDate", "-grossCents"):
            seen, cursor = [], None
            while True:
                page = await service.invoices.list_invoices(unit, PageQuery(2, cursor), InvoiceFilter(), sort=sort)
                seen += page.rows
                cursor = page.next
                if cursor is None:
                    break
            keys = [(getattr(row, columns[sort.removeprefix("-")]), row.id) for row in seen]
            assert keys == sorted(set(keys), reverse=sort.startswith("-"))
            assert len(keys) == 5


async def test_invoices_are_found_by_status_customer_date_and_name(database: Database) -> None:
    await draft(database, name="100%ig GmbH")
    wanted = await sent(database, name="Bau_AG")

    async def found(**filters: object) -> list[int]:
        async with database.unit(writes=False) as unit:
            page = await service.invoices.list_invoices(unit, PageQuery(), InvoiceFilter(**filters))  # type: ignore[arg-type]
            assert page.total == len(page.rows)
            return [row.id for row in page.rows]

    assert await found(statuses=(InvoiceStatus.SENT, InvoiceStatus.PAID)) == [wanted.id]
    assert await found(customer_id=wanted.customer_id) == [wanted.id]
    assert await found(since=dt.date(2026, 3, 3)) == []
    assert await found(until=dt.date(2026, 3, 2)) == [wanted.id, 1]
    assert await found(search="u_a") == [wanted.id]
    assert await found(search="0%I") == [1]
    assert await found(search="00001") == [wanted.id]


async def test_a_list_adds_up_what_was_billed_paid_and_is_open(database: Database) -> None:
    await draft(database, name="Entwurf")
    settled, late = await sent(database, name="Zahlt"), await sent(database, name="Spät", payment_days=0)
    settled = await pay(database, settled, GROSS_CENTS)
    await credit(database, settled)
    await pay(database, late, 1_000)
    async with database.unit() as unit:
        assert await service.invoices.mark_overdue(unit, late.due_date + dt.timedelta(days=1)) == 1
    async with database.unit(writes=False) as unit:
        every = await service.invoices.sums_of_list(unit, InvoiceFilter())
        found = await service.invoices.sums_of_list(unit, InvoiceFilter(search="spät"))
        nothing = await service.invoices.sums_of_list(unit, InvoiceFilter(customer_id=10**6))
    assert (every.count, every.draft_count, every.open_count, every.overdue_count) == (3, 1, 1, 1)
    assert (every.net_cents, every.gross_cents) == (2 * 21_500, 2 * GROSS_CENTS)
    assert (every.paid_cents, every.credited_cents) == (GROSS_CENTS + 1_000, GROSS_CENTS)
    assert (every.open_cents, every.overdue_cents) == (GROSS_CENTS - 1_000, GROSS_CENTS - 1_000)
    assert every.refund_due_cents == GROSS_CENTS
    assert (found.count, found.open_cents, found.refund_due_cents) == (1, GROSS_CENTS - 1_000, 0)
    assert set(nothing.model_dump().values()) == {0}
