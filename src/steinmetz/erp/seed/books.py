"""The books while the company lives: accounts, journal entries that balance, and the balances so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from steinmetz.erp.modules.finance.chart import CHART
from steinmetz.erp.modules.finance.rules import PostingLine, balances
from steinmetz.erp.seed.rows import AccountRow, JournalEntryRow, TransactionRow
from steinmetz.erp.seed.workdays import at


class Books:
    """Posts entries; knows every account's balance (debit positive)."""

    def __init__(self) -> None:
        self.accounts = [
            AccountRow(number, account.number, account.name, account.kind, is_active=True, version=1)
            for number, account in enumerate(CHART.values(), 1)
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
        yield JournalEntryRow(self._entries, day, description, source, at(day, share), reverses_id=None)
        for line in lines:
            self._lines += 1
            self.balance[line.account] += line.amount_cents
            yield TransactionRow(self._lines, self._entries, self._ids[line.account], day, line.amount_cents)
