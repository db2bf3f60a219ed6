"""A readable name for a statement nobody has named: ``select invoices 1a2b3c4d``."""

from __future__ import annotations

import re

from steinmetz.sql.facts import StatementFacts, Verb

_MAIN = re.compile(
    r'\b(?:from|into|update|join|table|truncate|call)\s+(?:only\s+)?((?:"[^"]+"|[\w.])+)', re.IGNORECASE
)
_LONGEST = 60


def name_of(facts: StatementFacts) -> str:
    """Verb, the first relation in the text, and the head of the fingerprint, which tells it from its likes."""
    verb = facts.verb.value
    if facts.verb in (Verb.OTHER, Verb.TRANSACTION, Verb.DDL):
        verb = facts.text.split(None, 1)[0].lower() if facts.text else "empty"
    words = [verb[:_LONGEST]]
    if match := _MAIN.search(facts.text):
        words.append(match[1].replace('"', "")[:_LONGEST])
    return " ".join([*words, facts.fingerprint[:8]])
