"""What the company buys and pays: material, wages, rent, taxes. Every amount grows with the number of employees,
so that the balance of income and costs is the same at every scale."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

from steinmetz.erp.modules.finance import chart
from steinmetz.erp.modules.finance.chart import BANK, CASH_BOX, VAT_7, VAT_19, ChartAccount
from steinmetz.erp.modules.finance.rules import PostingLine, rounded
from steinmetz.erp.seed.articles import PURCHASES
from steinmetz.erp.seed.books import Books
from steinmetz.erp.seed.rows import EmployeeRow, JournalEntryRow, TransactionRow
from steinmetz.erp.seed.workdays import (
    first_workday,
    is_last_of_month,
    is_workday,
    last_workday,
    on_or_after,
    window_start,
)

CostRow = JournalEntryRow | TransactionRow

_PURCHASES_AN_INVOICE = 0.15
_MATERIAL_A_PURCHASE = 1_380_000
"""Cents, net, on average."""


class Monthly(NamedTuple):
    """A bill that comes each month: cents an employee, and the day it is paid at the earliest (<= 26, so that the
    next workday is in the same month)."""

    account: ChartAccount
    description: str
    cents: int
    day: int
    vat_percent: int = 19


_MONTHLY = (
    Monthly(chart.RENT, "Miete Werk und Verwaltung", 19_000, 1),
    Monthly(chart.VEHICLES, "Leasing Fuhrpark", 5_200, 1),
    Monthly(chart.INSURANCE, "Betriebsversicherungen", 3_100, 3, vat_percent=0),
    Monthly(chart.TELEPHONE, "Telefon und Netz", 1_300, 5),
    Monthly(chart.ENERGY, "Strom und Gas", 9_400, 15),
    Monthly(chart.REPAIRS, "Instandhaltung Maschinenpark", 6_800, 18),
    Monthly(chart.FREIGHT, "Spedition, Monatsabrechnung", 7_600, 20),
    Monthly(chart.TRAVEL, "Reisekosten der Mitarbeiter", 4_400, 22),
    Monthly(chart.ADVERTISING, "Messen und Anzeigen", 3_900, 25),
    Monthly(chart.BANK_CHARGES, "Kontoführung", 180, 26, vat_percent=0),
)

_OPENING_BANK = 2_000_000
_MACHINES = 4_200_000
_EQUIPMENT = 800_000
_LOAN = 1_500_000
_SHARE_CAPITAL = 500_000
"""Cents an employee, in the opening balance."""
_FLOAT = 30_000
"""Cents that stay in the cash box."""
_INTEREST = 6_200
_DEPRECIATION = 41_000
_TRADE_TAX = 60_000
"""Cents an employee: a month, a month, a quarter."""


class Costs:
    """Keeps unpaid supplier bills and what is owed to the state until its day."""

    def __init__(self, invoices: int, employees: list[EmployeeRow], seed: int, today: date, books: Books) -> None:
        self._rng = Random(f"{seed}/costs")
        self._employees = employees
        self._size = len(employees)
        self._today = today
        self._books = books
        self._bills: list[tuple[date, int, str, int]] = []
        self._purchases = 0
        self._purchases_due = 0.0
        start = window_start(today)
        self._purchases_a_day = _PURCHASES_AN_INVOICE * invoices / ((today - start).days * 5 / 7)
        self._vat_owed: dict[str, int] = {}
        self._wage_tax_owed = self._social_security_owed = 0

    def opening(self, day: date) -> Iterator[CostRow]:
        """The opening balance: what the owners brought in."""
        size = self._size
        reserves = _OPENING_BANK + _MACHINES + _EQUIPMENT - _LOAN - _SHARE_CAPITAL
        lines = (
            PostingLine(BANK.number, _OPENING_BANK * size),
            PostingLine(chart.MACHINES.number, _MACHINES * size),
            PostingLine(chart.EQUIPMENT.number, _EQUIPMENT * size),
            PostingLine(chart.LOAN.number, -_LOAN * size),
            PostingLine(chart.EQUITY.number, -_SHARE_CAPITAL * size),
            PostingLine(chart.RESERVES.number, -reserves * size),
        )
        yield from self._books.post(day, "Eröffnungsbilanz", "opening", lines, 0.0)

    def on(self, day: date) -> Iterator[CostRow]:
        """The rows of ``day``, after its sales; days come in order."""
        if is_workday(day):
            yield from self._buy(day)
            yield from self._pay_bills(day)
            yield from self._monthly(day)
            if day == on_or_after(day.replace(day=10)):
                yield from self._pay_the_state(day)
            if day == last_workday(day):
                yield from self._wages(day)
                yield from self._bank_the_cash(day)
        if is_last_of_month(day):
            yield from self._close_month(day)

    def _buy(self, day: date) -> Iterator[CostRow]:
        self._purchases_due += self._purchases_a_day
        while self._purchases < int(self._purchases_due):
            self._purchases += 1
            net_cents = int(_MATERIAL_A_PURCHASE * (0.3 + 1.4 * self._rng.random()))
            vat_cents = rounded(net_cents * 19, 100)
            what = f"Eingangsrechnung {self._purchases}: {self._rng.choice(PURCHASES)}"
            lines = (
                PostingLine(chart.MATERIAL.number, net_cents),
                PostingLine(chart.INPUT_VAT_19.number, vat_cents),
                PostingLine(chart.PAYABLES.number, -net_cents - vat_cents),
            )
            yield from self._books.post(day, what, f"purchase:{self._purchases}", lines, self._rng.random())
            pay_on = on_or_after(day + timedelta(days=14 + int(20 * self._rng.random())))
            heappush(self._bills, (pay_on, self._purchases, what, net_cents + vat_cents))

    def _pay_bills(self, day: date) -> Iterator[CostRow]:
        while self._bills and self._bills[0][0] <= day:
            _, number, what, gross_cents = heappop(self._bills)
            lines = self._from_bank(chart.PAYABLES, gross_cents)
            yield from self._books.post(day, f"Zahlung {what}", f"purchase:{number}", lines)

    def _monthly(self, day: date) -> Iterator[CostRow]:
        for bill in _MONTHLY:
            if day != on_or_after(day.replace(day=bill.day)):
                continue
            net_cents = int(bill.cents * self._size * (0.94 + 0.12 * self._rng.random()))
            vat_cents = rounded(net_cents * bill.vat_percent, 100)
            lines = (
                PostingLine(bill.account.number, net_cents),
                PostingLine(chart.INPUT_VAT_19.number, vat_cents),
                PostingLine(BANK.number, -net_cents - vat_cents),
            )
            yield from self._books.post(day, f"{bill.description} {day:%m/%Y}", "monthly", lines)
        if day == first_workday(day):
            interest = self._from_bank(chart.INTEREST, _INTEREST * self._size)
            yield from self._books.post(day, f"Darlehenszinsen {day:%m/%Y}", "monthly", interest)
            if day.month % 3 == 2:
                trade_tax = self._from_bank(chart.TRADE_TAX, _TRADE_TAX * self._size)
                yield from self._books.post(day, "Gewerbesteuer, Vorauszahlung", "tax", trade_tax)

    def _wages(self, day: date) -> Iterator[CostRow]:
        """16 % wage tax and 20 % social security of the gross, and 21 % more, wait for the 10th of next month."""
        month = day.replace(day=1)
        gross_cents = sum(
            each.salary_cents
            for each in self._employees
            if each.hired_on <= day and (each.left_on is None or each.left_on >= month)
        )
        employer_cents = gross_cents * 21 // 100
        self._wage_tax_owed = gross_cents * 16 // 100
        self._social_security_owed = gross_cents * 20 // 100 + employer_cents
        net_cents = gross_cents + employer_cents - self._wage_tax_owed - self._social_security_owed
        lines = (
            PostingLine(chart.SALARIES.number, gross_cents),
            PostingLine(chart.SOCIAL_COSTS.number, employer_cents),
            PostingLine(chart.WAGE_TAX.number, -self._wage_tax_owed),
            PostingLine(chart.SOCIAL_SECURITY.number, -self._social_security_owed),
            PostingLine(BANK.number, -net_cents),
        )
        yield from self._books.post(day, f"Entgelt {day:%m/%Y}", "payroll", lines, 0.8)

    def _bank_the_cash(self, day: date) -> Iterator[CostRow]:
        surplus = self._books.balance[CASH_BOX.number] - _FLOAT
        if surplus > 0:
            lines = (PostingLine(BANK.number, surplus), PostingLine(CASH_BOX.number, -surplus))
            yield from self._books.post(day, "Kasse an Bank", "cash", lines, 0.95)

    def _pay_the_state(self, day: date) -> Iterator[CostRow]:
        """On the 10th: VAT of the month before, and what was withheld from its wages."""
        if self._vat_owed:
            lines = [PostingLine(number, -cents) for number, cents in self._vat_owed.items()]
            lines.append(PostingLine(BANK.number, sum(self._vat_owed.values())))
            yield from self._books.post(day, "Umsatzsteuer-Voranmeldung", "tax", lines)
        if self._wage_tax_owed:
            lines = [
                PostingLine(chart.WAGE_TAX.number, self._wage_tax_owed),
                PostingLine(chart.SOCIAL_SECURITY.number, self._social_security_owed),
                PostingLine(BANK.number, -self._wage_tax_owed - self._social_security_owed),
            ]
            yield from self._books.post(day, "Lohnsteuer und Sozialabgaben", "tax", lines)

    def _close_month(self, day: date) -> Iterator[CostRow]:
        depreciation = _DEPRECIATION * self._size
        lines = (
            PostingLine(chart.DEPRECIATION.number, depreciation),
            PostingLine(chart.MACHINES.number, -depreciation),
        )
        yield from self._books.post(day, f"Abschreibung {day:%m/%Y}", "monthly", lines, 0.9)
        accounts = (VAT_19.number, VAT_7.number, chart.INPUT_VAT_19.number)
        self._vat_owed = {number: self._books.balance[number] for number in accounts}

    def _from_bank(self, account: ChartAccount, cents: int) -> list[PostingLine]:
        return [PostingLine(account.number, cents), PostingLine(BANK.number, -cents)]
