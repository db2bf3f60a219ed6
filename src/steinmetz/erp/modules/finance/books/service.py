"""The books: accounts, journal entries, and what is added up from them.

Entries are immutable and balance, every one of them: `post` is the only way in. What was posted wrongly by hand is
taken back by its exact opposite, once. Entries that a document made (an invoice, a payment) are corrected through
that document, so that the receivables account goes on holding what the invoices leave open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit import patches
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.modules.finance import rules
from steinmetz.erp.modules.finance.books import reports, repository
from steinmetz.erp.modules.finance.books.reports import AccountSum, Period
from steinmetz.erp.modules.finance.books.repository import Balance, EntryFilter
from steinmetz.erp.modules.finance.books.schemas import (
    AccountInput,
    AccountPatch,
    AccountView,
    EntryInput,
    EntryRow,
    EntryView,
    LineView,
    ReversalInput,
)
from steinmetz.erp.modules.finance.chart import (
    CHART,
    KEPT_BY_INVOICES,
    LIQUID,
    PAYABLES,
    POSTED_BY_INVOICES,
    RECEIVABLES,
    VAT_ACCOUNTS,
    AccountKind,
)
from steinmetz.erp.modules.finance.models import Account
from steinmetz.erp.modules.finance.rules import PostingLine
from steinmetz.erp.modules.system.service import audit

__all__ = [
    "Balance",
    "EntryFilter",
    "Stocks",
    "account",
    "account_sums",
    "accounts",
    "balances_of",
    "change_account",
    "entries",
    "entry",
    "open_account",
    "post",
    "post_by_hand",
    "reverse",
    "stocks",
    "transactions",
]


@dataclass(frozen=True, slots=True)
class Stocks:
    """What the books hold at the end of a period, each on the side where it is usually above zero."""

    receivables_cents: int
    payables_cents: int
    cash_cents: int
    vat_owed_cents: int


# Accounts


async def accounts(
    unit: Unit,
    paging: PageQuery,
    *,
    kind: AccountKind | None = None,
    search: str = "",
    at: dt.date | None = None,
) -> Page:
    """The chart by number, each account with its balance at the end of ``at`` (None: of everything posted)."""
    window = Window(repository.ACCOUNT_SORT, is_descending=False, after=paging.after(str, int), limit=paging.limit)
    return await repository.accounts(unit.session, window, kind, search, at)


async def account(unit: Unit, account_id: int, at: dt.date | None = None) -> AccountView:
    """Raises `NotFound`."""
    found = await repository.account(unit.session, account_id, at)
    if found is None:
        raise NotFound("account", account_id)
    return AccountView.model_validate(found)


async def open_account(unit: Unit, data: AccountInput) -> AccountView:
    """A new account of the chart. Raises `Conflict` for a number that is taken."""
    taken = await repository.account_ids(unit.session, [data.number])
    if taken:
        current = (await account(unit, taken[data.number])).model_dump(mode="json", by_alias=True)
        raise Conflict(f"The number {data.number} is taken.", current)
    opened = Account(**data.model_dump(), is_active=True)
    unit.session.add(opened)
    await unit.session.flush()
    after = {"number": opened.number, "kind": opened.kind}
    audit.record(unit, "account.create", "account", opened.id, f"{opened.number} {opened.name}", after=after)
    return await account(unit, opened.id)


async def change_account(unit: Unit, account_id: int, patch: AccountPatch) -> AccountView:
    """Rename an account, close it for manual entries or open it again.

    Raises `NotFound`, `Conflict`, `Unprocessable`.
    """
    changed = await repository.account_to_change(unit.session, account_id)
    if changed is None:
        raise NotFound("account", account_id)
    if changed.version != patch.version:
        current = (await account(unit, account_id)).model_dump(mode="json", by_alias=True)
        raise Conflict("The account was changed meanwhile.", current)
    wanted = patches.wanted_by(patch)
    if wanted.get("is_active") is False and changed.number in POSTED_BY_INVOICES:
        raise Unprocessable(f"Invoices post to account {changed.number}: it stays open.", "isActive")
    before, after = patches.apply(changed, wanted)
    if after:
        await unit.session.flush()
        summary = f"{changed.number} {changed.name}"
        audit.record(unit, "account.change", "account", changed.id, summary, before, after)
    return await account(unit, account_id)


# Journal entries


async def post(
    unit: Unit,
    lines: Sequence[PostingLine],
    date: dt.date,
    description: str,
    source: str,
    reverses_id: int | None = None,
) -> int:
    """Post an entry and return its id; accounts of the chart that this company does not have yet are opened.

    Raises `ValueError` for lines that do not add up to zero: no such entry is ever written.
    """
    if not rules.balances(lines):
        raise ValueError(f"an entry must add up to zero: {description}")
    numbers = {line.account for line in lines}
    ids = await repository.account_ids(unit.session, numbers)
    if missing := sorted(numbers - ids.keys()):
        await repository.open_accounts(unit.session, [CHART[number] for number in missing])
        ids = await repository.account_ids(unit.session, numbers)
    posted = await repository.post(
        unit.session,
        lines,
        ids,
        date=date,
        description=description,
        source=source,
        at=unit.now,
        reverses_id=reverses_id,
    )
    return posted.id


async def entries(unit: Unit, paging: PageQuery, wanted: EntryFilter, *, sort: str = "-date") -> Page:
    """Journal entries, the newest first unless ``sort`` says otherwise."""
    by = sort.removeprefix("-")
    kinds: tuple[type, ...] = (int,) if by == "id" else (dt.date, int)
    window = Window(repository.ENTRY_SORTS[by], sort.startswith("-"), paging.after(*kinds), paging.limit)
    return await repository.entries(unit.session, window, wanted)


async def entry(unit: Unit, entry_id: int) -> EntryView:
    """The entry with its posting lines. Raises `NotFound`."""
    found = await repository.entry(unit.session, entry_id)
    if found is None:
        raise NotFound("journal entry", entry_id)
    own = EntryRow.model_validate(found).model_dump()
    lines = [LineView.model_validate(line) for line in await repository.lines_of(unit.session, entry_id)]
    return EntryView(**own, lines=lines)


async def post_by_hand(unit: Unit, data: EntryInput) -> EntryView:
    """A manual entry. Raises `Unprocessable`."""
    date = _not_later(data.date, company_date(unit.now))
    if any(line.amount_cents == 0 for line in data.lines):
        raise Unprocessable("A line of nothing posts nothing: leave it out.", "lines")
    rest = sum(line.amount_cents for line in data.lines)
    if rest:
        raise Unprocessable(f"The lines add up to {rest} cents, they must add up to 0.", "lines")
    known = await repository.accounts_to_post_to(unit.session, [line.account_id for line in data.lines])
    for line in data.lines:
        if line.account_id not in known:
            raise Unprocessable(f"There is no account {line.account_id}.", "lines")
        used = known[line.account_id]
        if used.number in KEPT_BY_INVOICES:
            raise Unprocessable(
                f"Account {used.number} holds what invoices leave open: send, pay or credit an invoice instead.",
                "lines",
            )
        if not used.is_active:
            raise Unprocessable(f"Account {used.number} is closed: open it first.", "lines")
    lines = [PostingLine(known[line.account_id].number, line.amount_cents) for line in data.lines]
    posted = await post(unit, lines, date, data.description, rules.BY_HAND)
    amount_cents = sum(line.amount_cents for line in data.lines if line.amount_cents > 0)
    after = {"date": date, "amountCents": amount_cents}
    audit.record(unit, "journal.post", "journal_entry", posted, data.description, after=after)
    return await entry(unit, posted)


def _not_later(date: dt.date | None, today: dt.date) -> dt.date:
    if date is not None and date > today:
        raise Unprocessable("An entry cannot be posted before its day.", "date")
    return date or today


async def reverse(unit: Unit, entry_id: int, data: ReversalInput) -> EntryView:
    """Post the exact opposite of an entry, once. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    today = company_date(unit.now)
    taken_back = await repository.entry_to_reverse(unit.session, entry_id)
    if taken_back is None:
        raise NotFound("journal entry", entry_id)
    shown = await entry(unit, entry_id)
    if reason := rules.why_not_reversible(shown.source, shown.reversed_by_id):
        raise Conflict(reason, shown.model_dump(mode="json", by_alias=True))
    date = _not_later(data.date, today)
    if date < shown.date:
        raise Unprocessable(f"The entry is of {shown.date}: it cannot be taken back before.", "date")
    lines = rules.reversed_lines(PostingLine(line.account_number, line.amount_cents) for line in shown.lines)
    description = f"Storno: {data.reason or shown.description}"[:200]
    posted = await post(unit, lines, date, description, rules.reversal_source(entry_id), reverses_id=entry_id)
    audit.record(
        unit,
        "journal.reverse",
        "journal_entry",
        entry_id,
        shown.description,
        after={"reversedById": posted, "date": date, "reason": data.reason},
    )
    return await entry(unit, posted)


async def transactions(
    unit: Unit,
    paging: PageQuery,
    *,
    account_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Page:
    """Posting lines, the newest day first."""
    window = Window(
        repository.TRANSACTION_SORT, is_descending=True, after=paging.after(dt.date, int), limit=paging.limit
    )
    return await repository.transactions(unit.session, window, account_id, since, until)


# Sums


async def account_sums(unit: Unit, period: Period) -> list[AccountSum]:
    """What was posted to every account before the period and in it."""
    return await repository.account_sums(unit.session, period.first, period.last)


async def balances_of(unit: Unit, numbers: Sequence[str], at: dt.date | None = None) -> list[Balance]:
    """What these accounts hold, by all that is posted."""
    return await repository.balances_of(unit.session, numbers, at)


def stocks(sums: Sequence[AccountSum]) -> Stocks:
    """What the accounts hold at the end of the period that ``sums`` are of."""

    def held(*numbers: str) -> int:
        return reports.balance_at_end(sums, numbers)

    return Stocks(
        receivables_cents=held(RECEIVABLES.number),
        payables_cents=-held(PAYABLES.number),
        cash_cents=held(*LIQUID),
        vat_owed_cents=-held(*VAT_ACCOUNTS),
    )
