"""What the books ask of the database, alike on SQLite and PostgreSQL; decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named, upsert
from steinmetz.erp.kit.windows import Column, Window, contains
from steinmetz.erp.modules.finance.books.reports import AccountSum
from steinmetz.erp.modules.finance.chart import AccountKind, ChartAccount
from steinmetz.erp.modules.finance.models import Account, JournalEntry, Transaction
from steinmetz.erp.modules.finance.rules import PostingLine

ACCOUNT_SORT: tuple[Column, ...] = (Account.number, Account.id)
ENTRY_SORTS: dict[str, tuple[Column, ...]] = {
    "id": (JournalEntry.id,),
    "date": (JournalEntry.date, JournalEntry.id),
}
TRANSACTION_SORT: tuple[Column, ...] = (Transaction.date, Transaction.id)


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds."""

    number: str
    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class EntryFilter:
    since: dt.date | None = None
    until: dt.date | None = None
    source: str = ""
    """All of it (``invoice:17``), or what stands before the colon (``invoice``)."""
    account: str = ""
    """Number of an account that the entry posts to."""

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.since is not None:
            wanted.append(JournalEntry.date >= self.since)
        if self.until is not None:
            wanted.append(JournalEntry.date <= self.until)
        if self.source:
            kind = JournalEntry.source.startswith(f"{self.source}:", autoescape=True)
            wanted.append(or_(JournalEntry.source == self.source, kind))
        if self.account:
            posted = select(Transaction.entry_id).join(Account).where(Account.number == self.account)
            wanted.append(JournalEntry.id.in_(posted))
        return wanted


# Accounts


@named
async def accounts(
    session: AsyncSession, window: Window, kind: AccountKind | None, search: str, at: dt.date | None
) -> Page:
    """Accounts with their balances at the end of ``at`` (None: of everything posted)."""
    conditions: list[ColumnElement[bool]] = []
    if kind is not None:
        conditions.append(Account.kind == kind)
    if search:
        conditions.append(or_(contains(Account.name, search), contains(Account.number, search)))
    statement = window.of(_accounts(at).where(*conditions))
    rows = (await session.execute(statement)).all()
    total = await session.scalar(select(func.count()).select_from(Account).where(*conditions))
    return window.page(rows, total)


@named
async def account(session: AsyncSession, account_id: int, at: dt.date | None) -> Row[*tuple[Any, ...]] | None:
    return (await session.execute(_accounts(at).where(Account.id == account_id))).one_or_none()


def _accounts(at: dt.date | None) -> Select[*tuple[Any, ...]]:
    posted = select(func.coalesce(func.sum(Transaction.amount_cents), 0)).where(
        Transaction.account_id == Account.id
    )
    if at is not None:
        posted = posted.where(Transaction.date <= at)
    balance = posted.correlate(Account).scalar_subquery().label("balance_cents")
    return select(
        Account.id, Account.number, Account.name, Account.kind, Account.is_active, Account.version, balance
    )


@named
async def account_to_change(session: AsyncSession, account_id: int) -> Account | None:
    """The account, its row locked until the end of the unit."""
    return await session.get(Account, account_id, with_for_update=True, populate_existing=True)


@named
async def accounts_to_post_to(session: AsyncSession, ids: Iterable[int]) -> dict[int, Account]:
    """Accounts by id; nobody closes them until the end of the unit."""
    wanted = Account.id.in_(sorted(set(ids)))
    statement = select(Account).where(wanted).order_by(Account.id).with_for_update(read=True)
    return {account.id: account for account in await session.scalars(statement)}


@named
async def account_ids(session: AsyncSession, numbers: Iterable[str]) -> dict[str, int]:
    statement = select(Account.number, Account.id).where(Account.number.in_(sorted(set(numbers))))
    return dict((await session.execute(statement)).all())


@named
async def open_accounts(session: AsyncSession, accounts: Iterable[ChartAccount]) -> None:
    """Add accounts to the chart; those that are there already stay as they are."""
    values = [
        {"number": each.number, "name": each.name, "kind": each.kind, "is_active": True, "version": 1}
        for each in accounts
    ]
    await session.execute(
        upsert(session)(Account).values(values).on_conflict_do_nothing(index_elements=[Account.number])
    )


# Journal entries and posting lines


@named
async def post(
    session: AsyncSession,
    lines: Sequence[PostingLine],
    ids: dict[str, int],
    *,
    date: dt.date,
    description: str,
    source: str,
    at: datetime,
    reverses_id: int | None = None,
) -> JournalEntry:
    """Write a journal entry with its posting lines."""
    entry = JournalEntry(date=date, description=description, source=source, created_at=at, reverses_id=reverses_id)
    session.add(entry)
    await session.flush()
    session.add_all(
        Transaction(entry_id=entry.id, account_id=ids[line.account], date=date, amount_cents=line.amount_cents)
        for line in lines
    )
    await session.flush()
    return entry


def _entries() -> Select[*tuple[Any, ...]]:
    debit = case((Transaction.amount_cents > 0, Transaction.amount_cents), else_=0)
    amount = select(func.coalesce(func.sum(debit), 0)).where(Transaction.entry_id == JournalEntry.id)
    reversal = aliased(JournalEntry)
    reversed_by = select(reversal.id).where(reversal.reverses_id == JournalEntry.id)
    return select(
        JournalEntry.id,
        JournalEntry.date,
        JournalEntry.description,
        JournalEntry.source,
        amount.correlate(JournalEntry).scalar_subquery().label("amount_cents"),
        JournalEntry.reverses_id,
        reversed_by.correlate(JournalEntry).scalar_subquery().label("reversed_by_id"),
        JournalEntry.created_at,
    )


@named
async def entries(session: AsyncSession, window: Window, wanted: EntryFilter) -> Page:
    conditions = wanted.conditions()
    statement = window.of(_entries().where(*conditions))
    rows = (await session.execute(statement)).all()
    total = await session.scalar(select(func.count()).select_from(JournalEntry).where(*conditions))
    return window.page(rows, total)


@named
async def entry(session: AsyncSession, entry_id: int) -> Row[*tuple[Any, ...]] | None:
    """The entry without its lines."""
    return (await session.execute(_entries().where(JournalEntry.id == entry_id))).one_or_none()


@named
async def entry_to_reverse(session: AsyncSession, entry_id: int) -> JournalEntry | None:
    """The entry, its row locked until the end of the unit."""
    return await session.get(JournalEntry, entry_id, with_for_update=True, populate_existing=True)


def _lines() -> Select[*tuple[Any, ...]]:
    return select(
        Transaction.id,
        Transaction.entry_id,
        Transaction.account_id,
        Account.number.label("account_number"),
        Account.name.label("account_name"),
        Transaction.date,
        Transaction.amount_cents,
    ).join(Account, Account.id == Transaction.account_id)


@named
async def lines_of(session: AsyncSession, entry_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The posting lines of an entry."""
    return (await session.execute(_lines().where(Transaction.entry_id == entry_id).order_by(Transaction.id))).all()


@named
async def transactions(
    session: AsyncSession, window: Window, account_id: int | None, since: dt.date | None, until: dt.date | None
) -> Page:
    conditions: list[ColumnElement[bool]] = []
    if account_id is not None:
        conditions.append(Transaction.account_id == account_id)
    if since is not None:
        conditions.append(Transaction.date >= since)
    if until is not None:
        conditions.append(Transaction.date <= until)
    lines = _lines().join(JournalEntry, JournalEntry.id == Transaction.entry_id)
    lines = lines.add_columns(JournalEntry.description, JournalEntry.source).where(*conditions)
    rows = (await session.execute(window.of(lines))).all()
    total = await session.scalar(select(func.count()).select_from(Transaction).where(*conditions))
    return window.page(rows, total)


# Sums


@named
async def balances_of(session: AsyncSession, numbers: Sequence[str], at: dt.date | None = None) -> list[Balance]:
    """At the end of ``at``; with everything that is posted if that is None."""
    is_posted = Transaction.account_id == Account.id
    if at is not None:
        is_posted &= Transaction.date <= at
    statement = (
        select(Account.number, Account.name, func.coalesce(func.sum(Transaction.amount_cents), 0))
        .join(Transaction, is_posted, isouter=True)
        .where(Account.number.in_(numbers))
        .group_by(Account.number, Account.name)
        .order_by(Account.number)
    )
    return [Balance(number, name, int(cents)) for number, name, cents in (await session.execute(statement))]


@named
async def account_sums(session: AsyncSession, first: dt.date, last: dt.date) -> list[AccountSum]:
    """What was posted to every account before ``first``, and from ``first`` to ``last``; by number."""
    before = case((Transaction.date < first, Transaction.amount_cents), else_=0)
    within = case((Transaction.date >= first, Transaction.amount_cents), else_=0)
    posted = (
        select(
            Transaction.account_id,
            func.sum(before).label("before_cents"),
            func.sum(within).label("within_cents"),
        )
        .where(Transaction.date <= last)
        .group_by(Transaction.account_id)
        .subquery()
    )
    statement = (
        select(
            Account.id, Account.number, Account.name, Account.kind, posted.c.before_cents, posted.c.within_cents
        )
        .join(posted, posted.c.account_id == Account.id)
        .order_by(Account.number)
    )
    return [
        AccountSum(key, number, name, kind, int(before_cents), int(within_cents))
        for key, number, name, kind, before_cents, within_cents in await session.execute(statement)
    ]
