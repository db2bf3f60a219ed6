"""What people are told because time has passed."""

from __future__ import annotations

from steinmetz.erp.kit.language import Phrase

OVERDUE_TITLE = Phrase(en="Overdue since {day}", de="Überfällig seit {day}")
ONE_OVERDUE = Phrase(en="One invoice has become overdue.", de="Eine Rechnung ist überfällig geworden.")
SOME_OVERDUE = Phrase(
    en="{count} invoices have become overdue.", de="{count} Rechnungen sind überfällig geworden."
)
