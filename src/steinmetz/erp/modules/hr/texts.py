"""What an employee is told about his leave."""

from __future__ import annotations

from steinmetz.erp.kit.language import Phrase

APPROVED_TITLE = Phrase(en="Your leave is approved", de="Ihre Abwesenheit ist genehmigt")
REJECTED_TITLE = Phrase(en="Your leave is rejected", de="Ihre Abwesenheit ist abgelehnt")
DECIDED = Phrase(en="{first} to {last}, by {by}.", de="{first} bis {last}, von {by}.")
DECIDED_WITH_REASON = Phrase(
    en="{first} to {last}, by {by}: {reason}", de="{first} bis {last}, von {by}: {reason}"
)
