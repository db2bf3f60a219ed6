"""Accounts, journal entries, posting lines and reports as they look from outside.

Money in cents, debit positive.
"""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from steinmetz.erp.kit.fields import Reference, Text, Version, unchanged
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.finance.chart import AccountKind

MAX_LINES = 200
MAX_LINE_CENTS = 10**13
"""A hundred billion euros: with `MAX_LINES` no sum leaves what JSON can count."""

EntrySort = Literal["id", "-id", "date", "-date"]

AccountNumber = Annotated[str, Field(pattern=r"^[0-9]{4,8}$", description="4 to 8 digits, as in SKR03")]
AccountName = Annotated[Text, Field(min_length=1, max_length=120)]
Description = Annotated[Text, Field(min_length=1, max_length=200)]


class AccountView(Schema):
    id: int
    number: str
    name: str
    kind: AccountKind
    is_active: bool
    """Whether it takes new manual entries."""
    balance_cents: int
    """Debit positive: what an asset holds is above zero, what is owed or earned below."""
    version: int


class AccountInput(Input):
    """A new account of the chart."""

    number: AccountNumber
    name: AccountName
    kind: AccountKind

    model_config = example(number="4945", name="Fortbildungskosten", kind="expense")


class AccountPatch(Input):
    """What is left out stays as it is; number and kind stay for ever, for reports of the past rest on them."""

    version: Version
    name: AccountName = unchanged()
    is_active: bool = unchanged()

    model_config = example(version=1, isActive=False)


class EntryRow(Schema):
    """A journal entry in a list."""

    id: int
    date: dt.date
    description: str
    source: str
    """What it was made from: ``invoice:17``, ``payment:9``, ``credit:3``, ``manual``, ``reversal:12``."""
    amount_cents: int
    """The sum of its debits, which is that of its credits."""
    reverses_id: int | None
    reversed_by_id: int | None
    created_at: datetime


class LineView(Schema):
    """A posting line."""

    id: int
    entry_id: int
    account_id: int
    account_number: str
    account_name: str
    date: dt.date
    amount_cents: int
    """Debit positive, credit negative; the lines of an entry add up to zero."""


class SheetLineView(LineView):
    """A posting line in a list of its own, with what its entry says."""

    description: str
    source: str


class EntryView(EntryRow):
    lines: list[LineView]


class LineInput(Input):
    account_id: Reference
    amount_cents: Annotated[int, Field(strict=True, ge=-MAX_LINE_CENTS, le=MAX_LINE_CENTS)]
    """Debit positive, credit negative; not 0."""

    model_config = example(accountId=47, amountCents=12_500)


class EntryInput(Input):
    """A manual journal entry: two lines or more that add up to zero."""

    date: dt.date | None = None
    """Today if left out; never later."""
    description: Description
    lines: Annotated[list[LineInput], Field(min_length=2, max_length=MAX_LINES)]

    model_config = example(
        date="2026-03-02",
        description="Fortbildung, bar bezahlt",
        lines=[{"accountId": 47, "amountCents": 12_500}, {"accountId": 15, "amountCents": -12_500}],
    )


class ReversalInput(Input):
    """Why an entry is taken back, and on which day."""

    date: dt.date | None = None
    """Today if left out; never later, and not before the entry itself."""
    reason: Annotated[Text, Field(max_length=120)] = ""

    model_config = example(reason="Falsches Konto")


class ReportLineView(Schema):
    """An account in a report; income and debts are positive, as their side of the report wants them."""

    account_id: int
    number: str
    name: str
    amount_cents: int


class BalanceLineView(Schema):
    account_id: int
    number: str
    name: str
    opening_cents: int
    """At the end of the day before ``from``."""
    closing_cents: int
    """At the end of ``to``."""


class Report(Schema):
    first: dt.date = Field(serialization_alias="from")
    last: dt.date = Field(serialization_alias="to")
    currency: str = "EUR"


class ProfitLossView(Report):
    """Income and expenses of a period by account."""

    income: list[ReportLineView]
    expenses: list[ReportLineView]
    income_cents: int
    expenses_cents: int
    result_cents: int


class SidesView(Schema):
    """``assetsCents = liabilitiesCents + equityCents + resultCents``, always."""

    assets_cents: int
    liabilities_cents: int
    equity_cents: int
    result_cents: int
    """All that was earned and spent until then and not yet given to equity."""


class BalanceSheetView(Report):
    """What the company has and owes at the end of ``to``, and on the day before ``from``."""

    assets: list[BalanceLineView]
    liabilities: list[BalanceLineView]
    equity: list[BalanceLineView]
    opening: SidesView
    closing: SidesView
    result_of_period_cents: int


class CountedView(Schema):
    count: int
    sum_cents: int


class FiguresView(Schema):
    """A period in figures; stocks such as cash are those at its end."""

    first: dt.date = Field(serialization_alias="from")
    last: dt.date = Field(serialization_alias="to")
    revenue_cents: int
    """Income of all kinds, net, less credit notes."""
    expenses_cents: int
    result_cents: int
    receivables_cents: int
    payables_cents: int
    """What we owe to suppliers."""
    cash_cents: int
    vat_owed_cents: int
    """To the tax office; below zero it owes us."""
    invoices_sent: CountedView
    """Issued in the period, gross."""
    invoices_paid: CountedView
    """Settled in the period, gross."""
    invoices_overdue: CountedView
    """Past due at the end of the period, and what was open on them then."""
    invoices_cancelled: CountedView
    credit_notes: CountedView
    payments: CountedView
    """Received."""
    refunds: CountedView
    """Sent back."""


class FinancialView(FiguresView):
    """A period and the one before it: as many months before whole months, else as many days."""

    currency: str = "EUR"
    before: FiguresView
