"""The books take only what balances, and take back by hand only what was posted by hand; on both engines."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.modules.finance.books import service
from steinmetz.erp.modules.finance.books.reports import Period
from steinmetz.erp.modules.finance.books.schemas import (
    AccountInput,
    AccountPatch,
    EntryInput,
    EntryView,
    ReversalInput,
)
from steinmetz.erp.modules.finance.chart import CHART, AccountKind
from steinmetz.erp.modules.finance.models import JournalEntry
from steinmetz.erp.modules.finance.rules import PostingLine
from steinmetz.erp.modules.system.models import AuditEntry

pytestmark = pytest.mark.anyio

SUPPLIES, CASH, BANK = "4930", "1000", "1200"


async def ids(database: Database) -> dict[str, int]:
    async with database.unit(writes=False) as unit:
        page = await service.accounts(unit, PageQuery(100))
        return {row.number: row.id for row in page.rows}


async def by_hand(database: Database, *lines: tuple[str, int], date: dt.date | None = None) -> EntryView:
    known = await ids(database)
    body = [{"account_id": known[number], "amount_cents": cents} for number, cents in lines]
    async with database.unit() as unit:
        data = EntryInput.model_validate({"date": date, "description": "Bürobedarf", "lines": body})
        return await service.post_by_hand(unit, data)


async def test_every_company_has_the_chart_from_the_beginning(database: Database) -> None:
    async with database.unit(writes=False) as unit:
        page = await service.accounts(unit, PageQuery(100))
    shown = {row.number: (row.name, row.kind) for row in page.rows}
    assert shown == {number: (account.name, account.kind) for number, account in CHART.items()}
    assert list(shown) == sorted(shown)
    assert page.total == len(CHART)


async def test_an_account_holds_what_was_posted_until_the_day(database: Database) -> None:
    await by_hand(database, (SUPPLIES, 500), (CASH, -500), date=dt.date(2026, 2, 1))
    await by_hand(database, (SUPPLIES, 40), (CASH, -40))
    key = (await ids(database))[SUPPLIES]
    async with database.unit(writes=False) as unit:
        assert (await service.account(unit, key)).balance_cents == 540
        assert (await service.account(unit, key, dt.date(2026, 2, 1))).balance_cents == 500
        assert (await service.account(unit, key, dt.date(2026, 1, 31))).balance_cents == 0
        found = await service.accounts(unit, PageQuery(), kind=AccountKind.EXPENSE, search="bürobed")
        assert [(row.number, row.balance_cents) for row in found.rows] == [(SUPPLIES, 540)]
        with pytest.raises(NotFound):
            await service.account(unit, 9_999)


async def test_an_account_is_opened_once_renamed_and_closed(database: Database) -> None:
    async with database.unit() as unit:
        opened = await service.open_account(
            unit, AccountInput(number="4945", name="Fortbildung", kind=AccountKind.EXPENSE)
        )
    assert (opened.is_active, opened.version, opened.balance_cents) == (True, 1, 0)
    with pytest.raises(Conflict, match="4945 is taken") as refused:
        async with database.unit() as unit:
            await service.open_account(unit, AccountInput(number="4945", name="Noch", kind=AccountKind.ASSET))
    assert refused.value.extra["current"]["name"] == "Fortbildung"
    async with database.unit() as unit:
        changed = await service.change_account(
            unit, opened.id, AccountPatch(version=1, name="Fortbildungskosten", is_active=False)
        )
    assert (changed.name, changed.is_active, changed.version) == ("Fortbildungskosten", False, 2)
    async with database.unit(writes=False) as unit:
        audited = select(AuditEntry).where(AuditEntry.action == "account.change")
        (entry,) = (await unit.session.scalars(audited)).all()
        assert entry.after == {"name": "Fortbildungskosten", "isActive": False}
    with pytest.raises(Conflict, match="changed meanwhile"):
        async with database.unit() as unit:
            await service.change_account(unit, opened.id, AccountPatch(version=1, name="Anders"))
    with pytest.raises(Unprocessable, match="4945 is closed"):
        await by_hand(database, ("4945", 5), (CASH, -5))


async def test_what_invoices_post_to_stays_open(database: Database) -> None:
    key = (await ids(database))["1400"]
    with pytest.raises(Unprocessable, match="it stays open"):
        async with database.unit() as unit:
            await service.change_account(unit, key, AccountPatch(version=1, is_active=False))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (((SUPPLIES, 500), (CASH, -499)), "add up to 1 cents"),
        (((SUPPLIES, 0), (CASH, 0)), "posts nothing"),
        (((SUPPLIES, 500), ("1400", -500)), "holds what invoices leave open"),
    ],
)
async def test_an_entry_that_makes_no_sense_is_refused_whole(
    database: Database, lines: tuple[tuple[str, int], ...], said: str
) -> None:
    with pytest.raises(Unprocessable, match=said):
        await by_hand(database, *lines)
    with pytest.raises(Unprocessable, match="before its day"):
        await by_hand(database, (SUPPLIES, 5), (CASH, -5), date=dt.date(2026, 3, 3))
    async with database.unit(writes=False) as unit:
        assert await unit.session.scalar(select(func.count()).select_from(JournalEntry)) == 0


async def test_lines_that_do_not_balance_cannot_be_posted_by_any_code(database: Database) -> None:
    with pytest.raises(ValueError, match="must add up to zero"):
        async with database.unit() as unit:
            await service.post(unit, [PostingLine(CASH, 1)], dt.date(2026, 3, 2), "schief", "test")
    async with database.unit(writes=False) as unit:
        assert (await service.entries(unit, PageQuery(), service.EntryFilter())).total == 0


async def test_an_entry_is_taken_back_once_by_its_exact_opposite(database: Database, clock: FakeClock) -> None:
    posted = await by_hand(database, (SUPPLIES, 500), (CASH, -300), (BANK, -200), date=dt.date(2026, 2, 27))
    assert (posted.source, posted.amount_cents, posted.reversed_by_id) == ("manual", 500, None)
    clock.advance(86_400)
    with pytest.raises(Unprocessable, match="cannot be taken back before"):
        async with database.unit() as unit:
            await service.reverse(unit, posted.id, ReversalInput(date=dt.date(2026, 2, 26)))
    async with database.unit() as unit:
        back = await service.reverse(unit, posted.id, ReversalInput(reason="Privat"))
    assert (back.source, back.description) == (f"reversal:{posted.id}", "Storno: Privat")
    assert (back.date, back.reverses_id) == (dt.date(2026, 3, 3), posted.id)
    assert [(line.account_number, line.amount_cents) for line in back.lines] == [
        (SUPPLIES, -500),
        (CASH, 300),
        (BANK, 200),
    ]
    for entry_id, said in ((posted.id, "reversed already"), (back.id, "a reversal itself")):
        with pytest.raises(Conflict, match=said):
            async with database.unit() as unit:
                await service.reverse(unit, entry_id, ReversalInput())
    async with database.unit(writes=False) as unit:
        assert (await service.entry(unit, posted.id)).reversed_by_id == back.id
        assert all(balance.cents == 0 for balance in await service.balances_of(unit, (SUPPLIES, CASH, BANK)))


async def test_entries_and_lines_are_found_by_day_source_and_account(database: Database) -> None:
    old = await by_hand(database, (SUPPLIES, 1), (CASH, -1), date=dt.date(2026, 1, 5))
    new = await by_hand(database, (SUPPLIES, 2), (BANK, -2))
    async with database.unit() as unit:
        await service.post(unit, [PostingLine(BANK, 9), PostingLine("0800", -9)], new.date, "Einlage", "opening")

    async def found(sort: str = "-date", **filters: object) -> list[int]:
        async with database.unit(writes=False) as unit:
            wanted = service.EntryFilter(**filters)  # type: ignore[arg-type]
            page = await service.entries(unit, PageQuery(), wanted, sort=sort)
            assert page.total == len(page.rows)
            return [row.id for row in page.rows]

    assert await found(source="manual") == [new.id, old.id]
    assert await found(source="man") == []
    assert await found(until=dt.date(2026, 1, 31)) == [old.id]
    assert await found(account=BANK, sort="id") == [new.id, new.id + 1]
    async with database.unit(writes=False) as unit:
        key = (await ids(database))[SUPPLIES]
        lines = await service.transactions(unit, PageQuery(1), account_id=key)
        assert [(line.amount_cents, line.account_number) for line in lines.rows] == [(2, SUPPLIES)]
        assert (lines.rows[0].description, lines.rows[0].source) == ("Bürobedarf", "manual")
        assert lines.total == 2
        rest = await service.transactions(unit, PageQuery(1, lines.next), account_id=key)
        assert [(line.amount_cents, line.entry_id) for line in rest.rows] == [(1, old.id)]
        assert rest.next is None


async def test_stocks_lie_on_their_usual_side(database: Database) -> None:
    async with database.unit() as unit:
        day = dt.date(2026, 3, 2)
        purchase = [PostingLine("3400", 1_000), PostingLine("1576", 190), PostingLine("1600", -1_190)]
        await service.post(unit, purchase, day, "Einkauf", "purchase:1")
        sale = [PostingLine("1400", 2_380), PostingLine("8400", -2_000), PostingLine("1776", -380)]
        await service.post(unit, sale, day, "Verkauf", "test")
        stocks = service.stocks(await service.account_sums(unit, Period(day, day)))
    assert stocks == service.Stocks(
        receivables_cents=2_380, payables_cents=1_190, cash_cents=0, vat_owed_cents=190
    )
