"""The books while the company lives: accounts, journal entries that balance, and the balances so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from steinmetz.erp.modules.finance.rules import CHART, AccountKind, ChartAccount, PostingLine, balances
from steinmetz.erp.seed.rows import AccountRow, JournalEntryRow, TransactionRow
from steinmetz.erp.seed.workdays import at

_ASSET, _LIABILITY = AccountKind.ASSET, AccountKind.LIABILITY
_EQUITY, _EXPENSE = AccountKind.EQUITY, AccountKind.EXPENSE

MACHINES = ChartAccount("0210", "Maschinen", _ASSET)
EQUIPMENT = ChartAccount("0400", "Betriebsausstattung", _ASSET)
LOAN = ChartAccount("0650", "Verbindlichkeiten gegenüber Kreditinstituten", _LIABILITY)
EQUITY = ChartAccount("0800", "Gezeichnetes Kapital", _EQUITY)
RESERVES = ChartAccount("0840", "Kapitalrücklage", _EQUITY)
INPUT_VAT_19 = ChartAccount("1576", "Abziehbare Vorsteuer 19 %", _ASSET)
PAYABLES = ChartAccount("1600", "Verbindlichkeiten aus Lieferungen und Leistungen", _LIABILITY)
WAGE_TAX = ChartAccount("1741", "Verbindlichkeiten aus Lohn- und Kirchensteuer", _LIABILITY)
SOCIAL_SECURITY = ChartAccount("1742", "Verbindlichkeiten im Rahmen der sozialen Sicherheit", _LIABILITY)
INTEREST = ChartAccount("2120", "Zinsaufwendungen für langfristige Verbindlichkeiten", _EXPENSE)
MATERIAL = ChartAccount("3400", "Wareneingang 19 % Vorsteuer", _EXPENSE)
SALARIES = ChartAccount("4120", "Gehälter", _EXPENSE)
SOCIAL_COSTS = ChartAccount("4130", "Gesetzliche soziale Aufwendungen", _EXPENSE)
RENT = ChartAccount("4210", "Miete für unbewegliche Wirtschaftsgüter", _EXPENSE)
ENERGY = ChartAccount("4240", "Gas, Strom, Wasser", _EXPENSE)
TRADE_TAX = ChartAccount("4320", "Gewerbesteuer", _EXPENSE)
INSURANCE = ChartAccount("4360", "Versicherungen", _EXPENSE)
VEHICLES = ChartAccount("4570", "Mietleasing Kraftfahrzeuge", _EXPENSE)
ADVERTISING = ChartAccount("4600", "Werbekosten", _EXPENSE)
TRAVEL = ChartAccount("4660", "Reisekosten Arbeitnehmer", _EXPENSE)
FREIGHT = ChartAccount("4730", "Ausgangsfrachten", _EXPENSE)
REPAIRS = ChartAccount("4805", "Reparaturen und Instandhaltung von Maschinen", _EXPENSE)
DEPRECIATION = ChartAccount("4830", "Abschreibungen auf Sachanlagen", _EXPENSE)
TELEPHONE = ChartAccount("4920", "Telefon", _EXPENSE)
BANK_CHARGES = ChartAccount("4970", "Nebenkosten des Geldverkehrs", _EXPENSE)

OWN_CHART = (
    MACHINES,
    EQUIPMENT,
    LOAN,
    EQUITY,
    RESERVES,
    INPUT_VAT_19,
    PAYABLES,
    WAGE_TAX,
    SOCIAL_SECURITY,
    INTEREST,
    MATERIAL,
    SALARIES,
    SOCIAL_COSTS,
    RENT,
    ENERGY,
    TRADE_TAX,
    INSURANCE,
    VEHICLES,
    ADVERTISING,
    TRAVEL,
    FREIGHT,
    REPAIRS,
    DEPRECIATION,
    TELEPHONE,
    BANK_CHARGES,
)
"""What this company keeps besides the accounts of invoices and payments; numbers of SKR03."""


class Books:
    """Posts entries; knows every account's balance (debit positive)."""

    def __init__(self) -> None:
        own = {account.number: account for account in OWN_CHART}
        chart = [account for _, account in sorted({**own, **CHART}.items())]
        self.accounts = [
            AccountRow(number, account.number, account.name, account.kind)
            for number, account in enumerate(chart, 1)
        ]
        self.balance: Counter[str] = Counter()
        self._ids = {account.number: account.id for account in self.accounts}
        self._entries = self._lines = 0

    def post(
        self, day: date, description: str, source: str, lines: Iterable[PostingLine], share: float = 0.4
    ) -> Iterator[JournalEntryRow | TransactionRow]:
        """The rows of one entry, posted at ``share`` of the office hours of ``day``."""
        lines = [line for line in lines if line.amount_cents]
        assert balances(lines), f"{description} of {day} does not balance"
        self._entries += 1
        yield JournalEntryRow(self._entries, day, description, source, at(day, share))
        for line in lines:
            self._lines += 1
            self.balance[line.account] += line.amount_cents
            yield TransactionRow(self._lines, self._entries, self._ids[line.account], day, line.amount_cents)
