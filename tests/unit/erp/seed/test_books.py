from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from steinmetz.erp.modules.finance.chart import BANK, CASH_BOX, CHART, MACHINES, PAYABLES, RECEIVABLES
from steinmetz.erp.modules.finance.rules import PostingLine
from steinmetz.erp.seed.books import Books
from steinmetz.erp.seed.rows import AccountRow, InvoiceRow, JournalEntryRow, TransactionRow


def balances(company: Any) -> Counter[str]:
    numbers = {account.id: account.number for account in company.all(AccountRow)}
    sums: Counter[str] = Counter()
    for line in company.all(TransactionRow):
        sums[numbers[line.account_id]] += line.amount_cents
    return sums


def test_an_entry_that_does_not_balance_is_never_posted() -> None:
    lopsided = [PostingLine(BANK.number, 100), PostingLine(RECEIVABLES.number, -99)]

    with pytest.raises(AssertionError, match="does not balance"):
        list(Books().post(date(2026, 3, 2), "schief", "test", lopsided))


def test_the_chart_holds_every_account_that_invoices_post_to_in_the_order_of_numbers() -> None:
    numbers = [account.number for account in Books().accounts]

    assert set(CHART) <= set(numbers)
    assert all(first < second for first, second in pairwise(numbers))


def test_every_entry_balances_and_its_lines_bear_its_date(company: Any) -> None:
    lines = defaultdict(list)
    for line in company.all(TransactionRow):
        lines[line.entry_id].append(line)

    for entry in company.all(JournalEntryRow):
        own = lines.pop(entry.id)
        assert sum(line.amount_cents for line in own) == 0
        assert {line.date for line in own} == {entry.date}
        assert entry.date < company.today
        assert len(entry.description) <= 200
    assert not lines


def test_entries_are_posted_in_the_order_of_their_days(company: Any) -> None:
    dates = [entry.date for entry in company.all(JournalEntryRow)]

    assert dates == sorted(dates)


def test_receivables_are_what_open_invoices_still_owe(company: Any) -> None:
    owed = sum(
        invoice.gross_cents - invoice.credited_cents - invoice.paid_cents + invoice.refunded_cents
        for invoice in company.all(InvoiceRow)
        if invoice.status in {"sent", "overdue", "paid"}
    )

    assert balances(company)[RECEIVABLES.number] == owed


def test_the_bank_account_never_falls_below_zero(company: Any) -> None:
    bank = next(account.id for account in company.all(AccountRow) if account.number == BANK.number)
    moved: Counter[date] = Counter()
    for line in company.all(TransactionRow):
        if line.account_id == bank:
            moved[line.date] += line.amount_cents

    balance = 0
    for day in sorted(moved):
        balance += moved[day]
        assert balance > 0, day


def test_balances_lie_on_the_side_of_their_kind(company: Any) -> None:
    sums = balances(company)

    assert sums[CASH_BOX.number] >= 0
    assert sums[MACHINES.number] > 0
    assert sums[PAYABLES.number] <= 0


def test_the_company_earns_more_than_it_spends_but_not_wonders(make_company: Any, today: date) -> None:
    from steinmetz.erp.seed.scale import Scale

    scale = Scale("medium", employees=100, customers=160, invoices=2_000, time_entries=100, jobs=1, areas=1)
    company = make_company(scale, 1, today)
    kinds = {account.number: account.kind for account in company.all(AccountRow)}
    sums = balances(company)
    income = -sum(cents for number, cents in sums.items() if kinds[number] == "income")
    expenses = sum(cents for number, cents in sums.items() if kinds[number] == "expense")

    assert 1.02 < income / expenses < 1.25
    lines = len(company.all(TransactionRow))
    assert lines == pytest.approx(scale.posting_lines, rel=0.1)
