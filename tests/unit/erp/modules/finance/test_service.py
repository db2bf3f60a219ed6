"""Acts on invoices keep the books balanced, the numbers gap-free and sent documents unchanged, on both engines."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from sqlalchemy import func, select

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import SYSTEM
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.books.reports import Period
from steinmetz.erp.modules.finance.models import Account, JournalEntry, NumberSeries, Transaction
from steinmetz.erp.modules.finance.rules import InvoiceStatus, PaymentMethod
from steinmetz.erp.modules.finance.schemas import (
    CompanyPatch,
    CreditInput,
    CreditNoteView,
    CustomerInput,
    CustomerPatch,
    InvoiceInput,
    InvoiceItemInput,
    InvoicePatch,
    InvoiceView,
    PaymentInput,
    RefundInput,
)
from steinmetz.erp.modules.system.models import AuditEntry

pytestmark = pytest.mark.anyio

ITEMS = [
    InvoiceItemInput(description="Drehteil", quantity_milli=2_000, unit_price_cents=10_000, vat_percent=19),
    InvoiceItemInput(description="Handbuch", quantity_milli=1_000, unit_price_cents=1_500, vat_percent=7),
]
GROSS_CENTS = 20_000 + 3_800 + 1_500 + 105


async def draft(database: Database, **customer: object) -> InvoiceView:
    async with database.unit() as unit:
        billed = await service.create_customer(unit, CustomerInput.model_validate({"name": "Muster", **customer}))
        return await service.draft_invoice(unit, InvoiceInput(customer_id=billed.id, items=ITEMS))


async def sent(database: Database, **customer: object) -> InvoiceView:
    drafted = await draft(database, **customer)
    async with database.unit() as unit:
        return await service.send_invoice(unit, drafted.id, drafted.version)


async def pay(database: Database, invoice: InvoiceView, cents: int, **more: object) -> InvoiceView:
    data = {"version": invoice.version, "amount_cents": cents, **more}
    async with database.unit() as unit:
        return await service.pay_invoice(unit, invoice.id, PaymentInput.model_validate(data))


async def balances(unit: Unit) -> dict[str, int]:
    """What every account holds; each entry is checked to add up to zero."""
    entries = select(Transaction.entry_id).group_by(Transaction.entry_id)
    assert (await unit.session.scalars(entries.having(func.sum(Transaction.amount_cents) != 0))).all() == []
    statement = (
        select(Account.number, func.sum(Transaction.amount_cents))
        .join(Transaction, Transaction.account_id == Account.id)
        .group_by(Account.number)
    )
    return {number: int(cents) for number, cents in (await unit.session.execute(statement)) if cents}


async def test_a_draft_adds_up_and_has_no_number_yet(database: Database) -> None:
    drafted = await draft(database, payment_days=30)
    assert (drafted.status, drafted.number, drafted.version) == (InvoiceStatus.DRAFT, None, 1)
    assert (drafted.net_cents, drafted.vat_cents, drafted.gross_cents) == (21_500, 3_905, GROSS_CENTS)
    assert [item.position for item in drafted.items] == [1, 2]
    assert drafted.due_date == dt.date(2026, 4, 1)
    async with database.unit(writes=False) as unit:
        assert await service.invoice(unit, drafted.id) == drafted
        assert await balances(unit) == {}


async def test_sending_gives_number_and_dates_and_posts_the_receivable(
    database: Database, clock: FakeClock
) -> None:
    drafted = await draft(database)
    clock.advance(3 * 86_400)
    async with database.unit() as unit:
        done = await service.send_invoice(unit, drafted.id, drafted.version)
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
        assert [(each.number, each.cents) for each in await service.cash_balances(unit)] == [
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
        assert (await service.list_payments(unit, PageQuery())).total == 0
        assert (await balances(unit))["1400"] == GROSS_CENTS


async def test_the_same_payment_sent_twice_is_booked_once(database: Database) -> None:
    invoice = await sent(database)
    once = await pay(database, invoice, 100)
    with pytest.raises(Conflict) as refused:
        await pay(database, invoice, 100)
    assert refused.value.extra["current"]["version"] == once.version
    assert refused.value.extra["current"]["paidCents"] == 100


async def test_cancelling_posts_everything_back(database: Database, clock: FakeClock) -> None:
    invoice = await sent(database)
    async with database.unit() as unit:
        done = await service.cancel_invoice(unit, invoice.id, invoice.version)
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
        await service.cancel_invoice(unit, drafted.id, drafted.version)
        assert await unit.session.scalar(select(func.count()).select_from(JournalEntry)) == 0


async def test_what_was_paid_on_cannot_be_cancelled(database: Database) -> None:
    invoice = await pay(database, await sent(database), 100)
    with pytest.raises(Conflict, match="100 cents were paid"):
        async with database.unit() as unit:
            await service.cancel_invoice(unit, invoice.id, invoice.version)


async def test_a_sent_invoice_is_immutable(database: Database) -> None:
    invoice = await sent(database)
    with pytest.raises(Conflict, match="To edit is not possible: the invoice is sent"):
        async with database.unit() as unit:
            await service.change_draft(unit, invoice.id, InvoicePatch(version=invoice.version, note="doch nicht"))


async def test_changing_only_the_items_is_a_new_version(database: Database) -> None:
    drafted = await draft(database)
    items = [ITEMS[0].model_copy(update={"description": "Frästeil"}), ITEMS[1]]
    async with database.unit() as unit:
        changed = await service.change_draft(unit, drafted.id, InvoicePatch(version=drafted.version, items=items))
    assert (changed.version, changed.gross_cents) == (2, GROSS_CENTS)
    assert [item.description for item in changed.items] == ["Frästeil", "Handbuch"]


async def test_an_invoice_of_nothing_cannot_be_sent(database: Database) -> None:
    drafted = await draft(database)
    free = [ITEMS[0].model_copy(update={"unit_price_cents": 0})]
    async with database.unit() as unit:
        changed = await service.change_draft(unit, drafted.id, InvoicePatch(version=1, items=free))
    with pytest.raises(Unprocessable, match="nothing to pay"):
        async with database.unit() as unit:
            await service.send_invoice(unit, changed.id, changed.version)
    async with database.unit(writes=False) as unit:
        assert (await service.invoice(unit, drafted.id)).status is InvoiceStatus.DRAFT
        assert await unit.session.get(NumberSeries, "invoice:2026") is None


async def test_a_rolled_back_sending_leaves_no_gap(database: Database) -> None:
    first, second = await draft(database), await draft(database)
    async with database.sessions() as session:
        unit = Unit(session, SYSTEM, database.clock.now(), "", print, writes=True)
        assert (await service.send_invoice(unit, first.id, first.version)).number == "RE-2026-00001"
        await session.rollback()
    async with database.unit() as unit:
        assert (await service.send_invoice(unit, second.id, second.version)).number == "RE-2026-00001"


async def test_clerks_who_send_at_once_get_numbers_without_gaps(database: Database) -> None:
    drafts = [await draft(database) for _ in range(8)]

    async def send(drafted: InvoiceView) -> str | None:
        async with database.unit() as unit:
            return (await service.send_invoice(unit, drafted.id, drafted.version)).number

    numbers = await asyncio.gather(*(send(each) for each in drafts))
    assert sorted(numbers, key=str) == [f"RE-2026-{value:05d}" for value in range(1, 9)]
    async with database.unit(writes=False) as unit:
        assert (await balances(unit))["1400"] == 8 * GROSS_CENTS


async def test_clerks_who_book_the_same_payment_at_once_book_it_once(database: Database) -> None:
    invoice = await sent(database)
    done = await asyncio.gather(*(pay(database, invoice, GROSS_CENTS) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, InvoiceView) for each in done) == 1
    assert sum(isinstance(each, Conflict) for each in done) == 3
    async with database.unit(writes=False) as unit:
        assert (await balances(unit))["1200"] == GROSS_CENTS


async def test_the_numbers_of_a_new_year_begin_anew(database: Database, clock: FakeClock) -> None:
    assert (await sent(database)).number == "RE-2026-00001"
    clock.advance(305 * 86_400)
    assert (await sent(database)).number == "RE-2027-00001"


async def test_invoices_are_overdue_from_the_day_after_they_were_due(database: Database) -> None:
    invoice = await sent(database, payment_days=3)
    settled = await sent(database, payment_days=3)
    await pay(database, settled, GROSS_CENTS)
    await draft(database, payment_days=0)
    async with database.unit() as unit:
        assert await service.mark_overdue(unit, invoice.due_date) == 0
    async with database.unit() as unit:
        assert await service.mark_overdue(unit, invoice.due_date + dt.timedelta(days=1)) == 1
    async with database.unit() as unit:
        assert await service.mark_overdue(unit, invoice.due_date + dt.timedelta(days=1)) == 0
        fallen = await service.invoice(unit, invoice.id)
        assert (fallen.status, fallen.version) == (InvoiceStatus.OVERDUE, invoice.version + 1)
        owed = await service.owed(unit)
        assert (owed.open.count, owed.open.cents) == (1, GROSS_CENTS)
        assert owed.overdue == owed.open
        audited = select(AuditEntry).where(AuditEntry.action == "invoice.fall_due")
        assert [entry.entity_id for entry in await unit.session.scalars(audited)] == [str(invoice.id)]
    assert (await pay(database, fallen, GROSS_CENTS)).status is InvoiceStatus.PAID


async def test_revenue_is_what_was_sent_and_not_cancelled(database: Database, clock: FakeClock) -> None:
    await sent(database, name="Alt")
    clock.advance(31 * 86_400)
    await pay(database, await sent(database, name="Bau"), GROSS_CENTS)
    cancelled = await sent(database)
    await draft(database)
    async with database.unit() as unit:
        await service.cancel_invoice(unit, cancelled.id, cancelled.version)
        today = dt.date(2026, 4, 2)
        months = await service.revenue_by_month(unit, today)
        assert [(each.month.month, each.net_cents) for each in months[-3:]] == [(2, 0), (3, 21_500), (4, 21_500)]
        assert len(months) == 12
        best = await service.top_customers(unit, today)
        assert [(name, cents) for _, name, cents in best] == [("Alt", 21_500), ("Bau", 21_500)]


async def test_customers_are_numbered_after_the_last(database: Database) -> None:
    async with database.unit() as unit:
        first = await service.create_customer(unit, CustomerInput(name="Ärzte GmbH", city="Köln"))
        second = await service.create_customer(unit, CustomerInput(name="Bau AG"))
        assert (first.number, second.number) == ("K-10001", "K-10002")
        first.number = "K-20000"
        await unit.session.delete(await unit.session.get(NumberSeries, "customer"))
    async with database.unit() as unit:
        assert (await service.create_customer(unit, CustomerInput(name="Chemie"))).number == "K-20001"


async def test_a_customer_is_changed_by_who_has_read_it_last(database: Database) -> None:
    async with database.unit() as unit:
        made = await service.create_customer(unit, CustomerInput(name="Muster", city="Köln"))
    async with database.unit() as unit:
        changed = await service.change_customer(unit, made.id, CustomerPatch(version=1, city="Bonn"))
        assert (changed.city, changed.name, changed.version) == ("Bonn", "Muster", 2)
    with pytest.raises(Conflict) as refused:
        async with database.unit() as unit:
            await service.change_customer(unit, made.id, CustomerPatch(version=1, city="Ulm"))
    assert refused.value.extra["current"]["city"] == "Bonn"
    with pytest.raises(NotFound):
        async with database.unit() as unit:
            await service.change_customer(unit, 999, CustomerPatch(version=1, city="Ulm"))
    async with database.unit() as unit:
        audited = select(AuditEntry).where(AuditEntry.action == "customer.change")
        (entry,) = (await unit.session.scalars(audited)).all()
        assert (entry.before, entry.after) == ({"city": "Köln"}, {"city": "Bonn"})


async def test_who_is_not_active_is_not_billed(database: Database) -> None:
    async with database.unit() as unit:
        made = await service.create_customer(unit, CustomerInput(name="Muster"))
        await service.change_customer(unit, made.id, CustomerPatch(version=1, is_active=False))
        with pytest.raises(Unprocessable, match="not active"):
            await service.draft_invoice(unit, InvoiceInput(customer_id=made.id, items=ITEMS))
        with pytest.raises(Unprocessable, match="no customer 999"):
            await service.draft_invoice(unit, InvoiceInput(customer_id=999, items=ITEMS))


async def test_pages_of_customers_show_each_once_in_order(database: Database) -> None:
    async with database.unit() as unit:
        for name in ("Bau", "Abel", "Bau", "Zoll", "Abel", "Mohr", "Bau"):
            await service.create_customer(unit, CustomerInput(name=name, city=name[::-1]))
    async with database.unit(writes=False) as unit:
        for sort in ("name", "-name", "number", "-city"):
            seen, cursor = [], None
            while True:
                page = await service.list_customers(unit, PageQuery(2, cursor), sort=sort)
                assert page.total == 7
                seen += page.rows
                cursor = page.next
                if cursor is None:
                    break
            keys = [(getattr(row, sort.removeprefix("-")), row.id) for row in seen]
            assert keys == sorted(set(keys), reverse=sort.startswith("-"))
            assert len(keys) == 7


async def test_pages_of_invoices_show_each_once_in_order(database: Database) -> None:
    for days in (3, 1, 3, 2, 1):
        await draft(database, payment_days=days)
    columns = {"id": "id", "issueDate": "issue_date", "dueDate": "due_date", "grossCents": "gross_cents"}
    async with database.unit(writes=False) as unit:
        for sort in ("id", "-id", "issueDate", "-dueDate", "-grossCents"):
            seen, cursor = [], None
            while True:
                page = await service.list_invoices(unit, PageQuery(2, cursor), service.InvoiceFilter(), sort=sort)
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
            page = await service.list_invoices(unit, PageQuery(), service.InvoiceFilter(**filters))  # type: ignore[arg-type]
            assert page.total == len(page.rows)
            return [row.id for row in page.rows]

    assert await found(statuses=(InvoiceStatus.SENT, InvoiceStatus.PAID)) == [wanted.id]
    assert await found(customer_id=wanted.customer_id) == [wanted.id]
    assert await found(since=dt.date(2026, 3, 3)) == []
    assert await found(until=dt.date(2026, 3, 2)) == [wanted.id, 1]
    assert await found(search="u_a") == [wanted.id]
    assert await found(search="0%I") == [1]
    assert await found(search="00001") == [wanted.id]


# Credit notes and refunds


def credit_of(invoice: InvoiceView, *items: InvoiceItemInput) -> CreditInput:
    return CreditInput(version=invoice.version, reason="Rücksendung", items=list(items) or None)


async def credit(database: Database, invoice: InvoiceView, *items: InvoiceItemInput) -> CreditNoteView:
    async with database.unit() as unit:
        return await service.credit_invoice(unit, invoice.id, credit_of(invoice, *items))


async def read(database: Database, invoice_id: int) -> InvoiceView:
    async with database.unit(writes=False) as unit:
        return await service.invoice(unit, invoice_id)


async def test_a_list_adds_up_what_was_billed_paid_and_is_open(database: Database) -> None:
    await draft(database, name="Entwurf")
    settled, late = await sent(database, name="Zahlt"), await sent(database, name="Spät", payment_days=0)
    settled = await pay(database, settled, GROSS_CENTS)
    await credit(database, settled)
    await pay(database, late, 1_000)
    async with database.unit() as unit:
        assert await service.mark_overdue(unit, late.due_date + dt.timedelta(days=1)) == 1
    async with database.unit(writes=False) as unit:
        every = await service.sums_of_list(unit, service.InvoiceFilter())
        found = await service.sums_of_list(unit, service.InvoiceFilter(search="spät"))
        nothing = await service.sums_of_list(unit, service.InvoiceFilter(customer_id=10**6))
    assert (every.count, every.draft_count, every.open_count, every.overdue_count) == (3, 1, 1, 1)
    assert (every.net_cents, every.gross_cents) == (2 * 21_500, 2 * GROSS_CENTS)
    assert (every.paid_cents, every.credited_cents) == (GROSS_CENTS + 1_000, GROSS_CENTS)
    assert (every.open_cents, every.overdue_cents) == (GROSS_CENTS - 1_000, GROSS_CENTS - 1_000)
    assert every.refund_due_cents == GROSS_CENTS
    assert (found.count, found.open_cents, found.refund_due_cents) == (1, GROSS_CENTS - 1_000, 0)
    assert set(nothing.model_dump().values()) == {0}


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
        assert await service.credit_note(unit, note.id) == note
        assert (await service.owed(unit)).open.cents == GROSS_CENTS - 11_900
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


async def test_what_was_paid_too_much_is_owed_to_the_customer_and_refunded(database: Database) -> None:
    paid = await pay(database, await sent(database), GROSS_CENTS)
    await credit(database, paid, ITEMS[1])
    shown = await read(database, paid.id)
    assert (shown.status, shown.open_cents, shown.refund_due_cents) == (InvoiceStatus.PAID, 0, 1_605)

    async def refund(cents: int, version: int) -> InvoiceView:
        async with database.unit() as unit:
            return await service.refund(unit, paid.id, RefundInput(version=version, amount_cents=cents))

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
        page = await service.list_refunds(unit, PageQuery(), invoice_id=paid.id)
        assert [row.amount_cents for row in page.rows] == [1_600, 5]


async def test_only_what_was_sent_is_credited_and_what_is_credited_is_not_cancelled(database: Database) -> None:
    drafted = await draft(database)
    with pytest.raises(Conflict, match="the invoice is draft"):
        await credit(database, drafted)
    invoice = await sent(database)
    with pytest.raises(Conflict, match="the invoice is sent"):
        async with database.unit() as unit:
            await service.refund(unit, invoice.id, RefundInput(version=invoice.version, amount_cents=1))
    await credit(database, invoice, ITEMS[1])
    credited = await read(database, invoice.id)
    with pytest.raises(Conflict, match="credit the rest of it"):
        async with database.unit() as unit:
            await service.cancel_invoice(unit, credited.id, credited.version)


async def test_clerks_who_credit_the_same_invoice_at_once_credit_it_once(database: Database) -> None:
    invoice = await sent(database)
    done = await asyncio.gather(*(credit(database, invoice) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, CreditNoteView) for each in done) == 1
    assert sum(isinstance(each, Conflict) for each in done) == 3
    async with database.unit(writes=False) as unit:
        assert (await service.list_credit_notes(unit, PageQuery(), service.CreditNoteFilter())).total == 1
        assert await balances(unit) == {}


async def test_revenue_is_less_by_a_credit_note_in_its_own_month(database: Database, clock: FakeClock) -> None:
    invoice = await sent(database, name="Alt")
    clock.advance(31 * 86_400)
    await credit(database, invoice, ITEMS[1])
    today = dt.date(2026, 4, 2)
    async with database.unit(writes=False) as unit:
        months = await service.revenue_by_month(unit, today)
        assert [(each.month.month, each.net_cents) for each in months[-2:]] == [(3, 21_500), (4, -1_500)]
        assert [(name, cents) for _, name, cents in await service.top_customers(unit, today)] == [("Alt", 20_000)]


async def test_credit_notes_are_found_by_invoice_customer_and_day(database: Database) -> None:
    first, second = await sent(database), await sent(database, name="Bau")
    for invoice in (first, second):
        await credit(database, invoice, ITEMS[1])

    async def found(**filters: object) -> list[str]:
        async with database.unit(writes=False) as unit:
            wanted = service.CreditNoteFilter(**filters)  # type: ignore[arg-type]
            page = await service.list_credit_notes(unit, PageQuery(), wanted)
            assert page.total == len(page.rows)
            return [row.number for row in page.rows]

    assert await found() == ["GS-2026-00002", "GS-2026-00001"]
    assert await found(invoice_id=first.id) == ["GS-2026-00001"]
    assert await found(customer_id=second.customer_id) == ["GS-2026-00002"]
    assert await found(since=dt.date(2026, 3, 3)) == await found(until=dt.date(2026, 3, 1)) == []


# Figures of a period, and our company


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
        await service.cancel_invoice(unit, cancelled.id, cancelled.version)
        april = await service.financial(unit, Period(dt.date(2026, 4, 1), dt.date(2026, 4, 30)))
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


async def test_our_company_is_changed_by_who_has_read_it_last(database: Database) -> None:
    async with database.unit() as unit:
        assert (await service.company(unit)).name == "Unser Unternehmen"
        patch = CompanyPatch(version=1, name="Wir GmbH", iban="de02 1203 0000 0000 2020 51")
        changed = await service.change_company(unit, patch)
    assert (changed.name, changed.iban, changed.version) == ("Wir GmbH", "DE02120300000000202051", 2)
    with pytest.raises(Conflict) as refused:
        async with database.unit() as unit:
            await service.change_company(unit, CompanyPatch(version=1, city="Ulm"))
    assert refused.value.extra["current"]["name"] == "Wir GmbH"
