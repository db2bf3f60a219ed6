"""The chart of accounts: a subset of SKR03, the German standard chart for trade and industry; pure.

The one list of it: a migration gives every company these accounts, invoices post to some of them, the demo company
to more. A company may open others beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """An account of the chart, by its SKR03 number."""

    number: str
    name: str
    kind: AccountKind


_ASSET, _LIABILITY, _EQUITY = AccountKind.ASSET, AccountKind.LIABILITY, AccountKind.EQUITY
_INCOME, _EXPENSE = AccountKind.INCOME, AccountKind.EXPENSE

SOFTWARE = ChartAccount("0027", "EDV-Software", _ASSET)
LAND = ChartAccount("0085", "Grundstückswerte eigener bebauter Grundstücke", _ASSET)
MACHINES = ChartAccount("0210", "Maschinen", _ASSET)
CARS = ChartAccount("0320", "Pkw", _ASSET)
EQUIPMENT = ChartAccount("0400", "Betriebsausstattung", _ASSET)
OFFICE_EQUIPMENT = ChartAccount("0420", "Büroeinrichtung", _ASSET)
SMALL_ASSETS = ChartAccount("0480", "Geringwertige Wirtschaftsgüter", _ASSET)
LOAN = ChartAccount("0650", "Verbindlichkeiten gegenüber Kreditinstituten", _LIABILITY)
EQUITY = ChartAccount("0800", "Gezeichnetes Kapital", _EQUITY)
RESERVES = ChartAccount("0840", "Kapitalrücklage", _EQUITY)
PROFIT_CARRIED = ChartAccount("0860", "Gewinnvortrag vor Verwendung", _EQUITY)
TAX_PROVISIONS = ChartAccount("0955", "Steuerrückstellungen", _LIABILITY)
PROVISIONS = ChartAccount("0970", "Sonstige Rückstellungen", _LIABILITY)
DEFERRED_EXPENSES = ChartAccount("0980", "Aktive Rechnungsabgrenzung", _ASSET)
CASH_BOX = ChartAccount("1000", "Kasse", _ASSET)
BANK = ChartAccount("1200", "Bank", _ASSET)
IN_TRANSIT = ChartAccount("1360", "Geldtransit", _ASSET)
RECEIVABLES = ChartAccount("1400", "Forderungen aus Lieferungen und Leistungen", _ASSET)
OTHER_ASSETS = ChartAccount("1500", "Sonstige Vermögensgegenstände", _ASSET)
INPUT_VAT_7 = ChartAccount("1571", "Abziehbare Vorsteuer 7 %", _ASSET)
INPUT_VAT_19 = ChartAccount("1576", "Abziehbare Vorsteuer 19 %", _ASSET)
PAYABLES = ChartAccount("1600", "Verbindlichkeiten aus Lieferungen und Leistungen", _LIABILITY)
OTHER_LIABILITIES = ChartAccount("1700", "Sonstige Verbindlichkeiten", _LIABILITY)
WAGES_OWED = ChartAccount("1740", "Verbindlichkeiten aus Lohn und Gehalt", _LIABILITY)
WAGE_TAX = ChartAccount("1741", "Verbindlichkeiten aus Lohn- und Kirchensteuer", _LIABILITY)
SOCIAL_SECURITY = ChartAccount("1742", "Verbindlichkeiten im Rahmen der sozialen Sicherheit", _LIABILITY)
VAT_7 = ChartAccount("1771", "Umsatzsteuer 7 %", _LIABILITY)
VAT_19 = ChartAccount("1776", "Umsatzsteuer 19 %", _LIABILITY)
VAT_PREPAID = ChartAccount("1780", "Umsatzsteuer-Vorauszahlungen", _LIABILITY)
INTEREST = ChartAccount("2120", "Zinsaufwendungen für langfristige Verbindlichkeiten", _EXPENSE)
INTEREST_EARNED = ChartAccount("2650", "Sonstige Zinsen und ähnliche Erträge", _INCOME)
OTHER_INCOME = ChartAccount("2700", "Sonstige Erträge", _INCOME)
MATERIAL_7 = ChartAccount("3300", "Wareneingang 7 % Vorsteuer", _EXPENSE)
MATERIAL = ChartAccount("3400", "Wareneingang 19 % Vorsteuer", _EXPENSE)
STOCK = ChartAccount("3980", "Bestand Waren", _ASSET)
WAGES = ChartAccount("4110", "Löhne", _EXPENSE)
SALARIES = ChartAccount("4120", "Gehälter", _EXPENSE)
SOCIAL_COSTS = ChartAccount("4130", "Gesetzliche soziale Aufwendungen", _EXPENSE)
RENT = ChartAccount("4210", "Miete für unbewegliche Wirtschaftsgüter", _EXPENSE)
ENERGY = ChartAccount("4240", "Gas, Strom, Wasser", _EXPENSE)
CLEANING = ChartAccount("4250", "Reinigung", _EXPENSE)
TRADE_TAX = ChartAccount("4320", "Gewerbesteuer", _EXPENSE)
INSURANCE = ChartAccount("4360", "Versicherungen", _EXPENSE)
FEES = ChartAccount("4380", "Beiträge", _EXPENSE)
VEHICLE_COSTS = ChartAccount("4530", "Laufende Kfz-Betriebskosten", _EXPENSE)
VEHICLES = ChartAccount("4570", "Mietleasing Kraftfahrzeuge", _EXPENSE)
ADVERTISING = ChartAccount("4600", "Werbekosten", _EXPENSE)
ENTERTAINMENT = ChartAccount("4650", "Bewirtungskosten", _EXPENSE)
TRAVEL = ChartAccount("4660", "Reisekosten Arbeitnehmer", _EXPENSE)
FREIGHT = ChartAccount("4730", "Ausgangsfrachten", _EXPENSE)
REPAIRS = ChartAccount("4805", "Reparaturen und Instandhaltung von Maschinen", _EXPENSE)
DEPRECIATION = ChartAccount("4830", "Abschreibungen auf Sachanlagen", _EXPENSE)
OTHER_COSTS = ChartAccount("4900", "Sonstige betriebliche Aufwendungen", _EXPENSE)
POSTAGE = ChartAccount("4910", "Porto", _EXPENSE)
TELEPHONE = ChartAccount("4920", "Telefon", _EXPENSE)
OFFICE_SUPPLIES = ChartAccount("4930", "Bürobedarf", _EXPENSE)
LEGAL_COSTS = ChartAccount("4950", "Rechts- und Beratungskosten", _EXPENSE)
AUDIT_COSTS = ChartAccount("4957", "Abschluss- und Prüfungskosten", _EXPENSE)
BANK_CHARGES = ChartAccount("4970", "Nebenkosten des Geldverkehrs", _EXPENSE)
REVENUE_FREE = ChartAccount("8120", "Steuerfreie Umsätze § 4 Nr. 1a UStG", _INCOME)
REVENUE_7 = ChartAccount("8300", "Erlöse 7 % USt", _INCOME)
REVENUE_19 = ChartAccount("8400", "Erlöse 19 % USt", _INCOME)

CHART: dict[str, ChartAccount] = {
    account.number: account for account in list(globals().values()) if isinstance(account, ChartAccount)
}
"""Every account above, in the order of numbers."""

LIQUID = (CASH_BOX.number, BANK.number)
"""The accounts whose balances are the company's cash."""

VAT_ACCOUNTS = (INPUT_VAT_7.number, INPUT_VAT_19.number, VAT_7.number, VAT_19.number, VAT_PREPAID.number)
"""Their balances together are the VAT that is owed to the state, or by it."""

POSTED_BY_INVOICES = frozenset(
    account.number for account in (CASH_BOX, BANK, RECEIVABLES, VAT_7, VAT_19, REVENUE_FREE, REVENUE_7, REVENUE_19)
)
"""What sending, paying, crediting and refunding post to: these accounts cannot be closed."""

KEPT_BY_INVOICES = frozenset({RECEIVABLES.number})
"""Nobody posts here by hand: the balance is what the invoices leave open, to the cent."""
