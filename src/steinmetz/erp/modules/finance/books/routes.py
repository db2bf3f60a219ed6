"""Accounts, the journal and the reports over HTTP: for managers and auditors, who alone see wages and the bank.

Kept by role, for a clerk must not be given what a manager's request has computed.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query

from steinmetz.cache import cached, valid_until
from steinmetz.erp.db import Unit
from steinmetz.erp.dependencies import Reading, Writing, reads_as, writes_as
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.answers import Answer, Listing, answer, listing
from steinmetz.erp.kit.days import company_date, next_midnight
from steinmetz.erp.kit.fields import RecordId, ReferenceFilter, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.finance.books import reports, service
from steinmetz.erp.modules.finance.books.reports import Period
from steinmetz.erp.modules.finance.books.schemas import (
    AccountInput,
    AccountPatch,
    AccountView,
    BalanceLineView,
    BalanceSheetView,
    EntryInput,
    EntryRow,
    EntrySort,
    EntryView,
    FinancialView,
    ProfitLossView,
    ReportLineView,
    ReversalInput,
    SheetLineView,
    SidesView,
)
from steinmetz.erp.modules.finance.chart import AccountKind

router = APIRouter(prefix="/api", tags=["books"])

FOR_READERS = [reads_as(Role.MANAGER)]
FOR_WRITERS = [writes_as(Role.MANAGER)]

Since = Annotated[dt.date | None, Query(alias="from", description="This day or later")]
Until = Annotated[dt.date | None, Query(alias="to", description="This day or earlier")]

EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
First = Annotated[
    dt.date | None,
    Query(alias="from", ge=EARLIEST, le=LATEST, description="First day; the first of the year if left out"),
]
Last = Annotated[
    dt.date | None, Query(alias="to", ge=EARLIEST, le=LATEST, description="Last day; today if left out")
]
At = Annotated[dt.date | None, Query(description="Balances at the end of this day; of everything if left out")]


def _period(unit: Unit, first: dt.date | None, last: dt.date | None) -> Period:
    """Raises `Unprocessable`."""
    if last is None:
        valid_until(next_midnight(unit.now))
    try:
        return reports.period_of(first, last, company_date(unit.now))
    except ValueError as error:
        raise Unprocessable(str(error), "from") from None


@router.get("/accounts", response_model=Listing[AccountView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def list_accounts(
    unit: Reading,
    paging: Paging,
    kind: Annotated[AccountKind | None, Query(description="Only accounts of this kind")] = None,
    q: Annotated[Text, Query(max_length=100, description="Part of a number or name")] = "",
    at: At = None,
) -> Any:
    """The chart of accounts by number, with balances: debit positive."""
    return listing(await service.accounts(unit, paging, kind=kind, search=q.strip(), at=at))


@router.post("/accounts", response_model=Answer[AccountView], status_code=201, dependencies=FOR_WRITERS)
async def open_account(unit: Writing, data: AccountInput) -> Any:
    """Open an account that the chart does not have yet."""
    return answer(await service.open_account(unit, data))


@router.get("/accounts/{account_id}", response_model=Answer[AccountView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def get_account(unit: Reading, account_id: RecordId, at: At = None) -> Any:
    """One account and what it holds, at the end of a day if one is named."""
    return answer(await service.account(unit, account_id, at))


@router.patch("/accounts/{account_id}", response_model=Answer[AccountView], dependencies=FOR_WRITERS)
async def change_account(unit: Writing, account_id: RecordId, patch: AccountPatch) -> Any:
    """Rename an account, or close it for manual entries."""
    return answer(await service.change_account(unit, account_id, patch))


@router.get("/journal-entries", response_model=Listing[EntryRow], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def list_journal_entries(
    unit: Reading,
    paging: Paging,
    since: Since = None,
    until: Until = None,
    source: Annotated[
        Text, Query(max_length=40, description="`invoice:17`, or `invoice` for all that invoices made")
    ] = "",
    account: Annotated[
        str, Query(pattern=r"^([0-9]{1,8})?$", description="Number of an account that is posted to")
    ] = "",
    sort: EntrySort = "-date",
) -> Any:
    """What was posted, with its sum: the newest day first."""
    wanted = service.EntryFilter(since, until, source.strip(), account)
    return listing(await service.entries(unit, paging, wanted, sort=sort))


@router.post("/journal-entries", response_model=Answer[EntryView], status_code=201, dependencies=FOR_WRITERS)
async def post_journal_entry(unit: Writing, data: EntryInput) -> Any:
    """Post a manual entry: lines that add up to zero. The account of receivables is kept by invoices alone."""
    return answer(await service.post_by_hand(unit, data))


@router.get("/journal-entries/{entry_id}", response_model=Answer[EntryView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def get_journal_entry(unit: Reading, entry_id: RecordId) -> Any:
    """One entry with its posting lines."""
    return answer(await service.entry(unit, entry_id))


@router.post(
    "/journal-entries/{entry_id}/reverse",
    response_model=Answer[EntryView],
    status_code=201,
    dependencies=FOR_WRITERS,
)
async def reverse_journal_entry(unit: Writing, entry_id: RecordId, data: ReversalInput) -> Any:
    """Take an entry back by its exact opposite, once. What a document has posted is corrected through it."""
    return answer(await service.reverse(unit, entry_id, data))


@router.get("/transactions", response_model=Listing[SheetLineView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def list_transactions(
    unit: Reading,
    paging: Paging,
    account_id: Annotated[ReferenceFilter | None, Query(alias="accountId")] = None,
    since: Since = None,
    until: Until = None,
) -> Any:
    """Posting lines, the newest day first: the sheet of an account, or of all."""
    page = await service.transactions(unit, paging, account_id=account_id, since=since, until=until)
    return listing(page)


@router.get("/reports/profit-loss", response_model=Answer[ProfitLossView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def get_profit_loss(unit: Reading, first: First = None, last: Last = None) -> Any:
    """What was earned and spent in a period, by account, and what is left of it."""
    period = _period(unit, first, last)
    found = reports.profit_loss(await service.account_sums(unit, period))
    shown = ProfitLossView(
        first=period.first,
        last=period.last,
        income=[ReportLineView.model_validate(line) for line in found.income],
        expenses=[ReportLineView.model_validate(line) for line in found.expenses],
        income_cents=found.income_cents,
        expenses_cents=found.expenses_cents,
        result_cents=found.result_cents,
    )
    return answer(shown)


@router.get("/reports/balance-sheet", response_model=Answer[BalanceSheetView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def get_balance_sheet(unit: Reading, first: First = None, last: Last = None) -> Any:
    """What the company has and owes at the end of a period, and what it had and owed before it."""
    period = _period(unit, first, last)
    found = reports.balance_sheet(await service.account_sums(unit, period))
    shown = BalanceSheetView(
        first=period.first,
        last=period.last,
        assets=[BalanceLineView.model_validate(line) for line in found.assets],
        liabilities=[BalanceLineView.model_validate(line) for line in found.liabilities],
        equity=[BalanceLineView.model_validate(line) for line in found.equity],
        opening=SidesView.model_validate(found.opening),
        closing=SidesView.model_validate(found.closing),
        result_of_period_cents=found.closing.result_cents - found.opening.result_cents,
    )
    return answer(shown)


@router.get("/reports/financial", response_model=Answer[FinancialView], dependencies=FOR_READERS)
@cached(ttl=300, vary_on="role", live=True)
async def get_financial_report(unit: Reading, first: First = None, last: Last = None) -> Any:
    """A period in figures, from revenue to overdue invoices, beside the period before it."""
    return answer(await finance.figures.financial(unit, _period(unit, first, last)))
