from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from steinmetz.erp.modules.finance.chart import INPUT_VAT_19, SALARIES, VAT_19
from steinmetz.erp.seed.rows import AccountRow, EmployeeRow, JournalEntryRow, TransactionRow
from steinmetz.erp.seed.workdays import last_workday, window_start


def account_id(company: Any, number: str) -> int:
    return int(next(account.id for account in company.all(AccountRow) if account.number == number))


def test_wages_are_posted_on_the_last_workday_of_each_month(company: Any) -> None:
    salaries = account_id(company, SALARIES.number)
    paid = {line.date: line.amount_cents for line in company.all(TransactionRow) if line.account_id == salaries}

    assert 23 <= len(paid) <= 25
    for day, cents in paid.items():
        assert day == last_workday(day)
        employed = [
            employee.salary_cents
            for employee in company.all(EmployeeRow)
            if employee.hired_on <= day and (employee.left_on is None or employee.left_on >= day.replace(day=1))
        ]
        assert cents == sum(employed)


def test_vat_of_a_month_is_settled_on_the_tenth_of_the_next(company: Any) -> None:
    entries = company.by_id(JournalEntryRow)
    vat = {account_id(company, VAT_19.number), account_id(company, INPUT_VAT_19.number)}
    returns = [entry for entry in entries.values() if entry.description == "Umsatzsteuer-Voranmeldung"]

    assert returns
    for entry in returns:
        assert 10 <= entry.date.day <= 12
        end_of_month = entry.date.replace(day=1) - timedelta(days=1)
        owed = sum(
            line.amount_cents
            for line in company.all(TransactionRow)
            if line.account_id in vat and line.date <= end_of_month
        )
        settled = sum(
            line.amount_cents
            for line in company.all(TransactionRow)
            if line.account_id in vat
            and entries[line.entry_id].description == entry.description
            and line.date <= entry.date
        )
        earlier = sum(
            line.amount_cents
            for line in company.all(TransactionRow)
            if line.account_id in vat
            and entries[line.entry_id].description == entry.description
            and line.date <= end_of_month
        )
        assert settled - earlier == -owed


def test_every_monthly_bill_comes_every_month(company: Any) -> None:
    months = Counter(
        entry.description.rsplit(" ", 1)[0]
        for entry in company.all(JournalEntryRow)
        if entry.source == "monthly" and entry.date < company.today.replace(day=1)
    )

    assert set(months.values()) == {24}


def test_the_books_are_opened_once_on_the_first_day(tiny: Any) -> None:
    opening = [entry for entry in tiny.all(JournalEntryRow) if entry.source == "opening"]

    assert [(entry.id, entry.date) for entry in opening] == [(1, window_start(tiny.today))]


def test_supplier_bills_are_paid_once_and_after_their_day(company: Any) -> None:
    bills = [entry for entry in company.all(JournalEntryRow) if entry.source.startswith("purchase:")]
    by_source: dict[str, list[JournalEntryRow]] = {}
    for entry in bills:
        by_source.setdefault(entry.source, []).append(entry)

    for bill, *payments in by_source.values():
        assert len(payments) <= 1
        assert all(payment.date >= bill.date + timedelta(days=14) for payment in payments)
    assert len(by_source) == pytest.approx(0.15 * company.scale.invoices, rel=0.4)
