"""Whether a SELECT could return any number of rows, by its text alone."""

from __future__ import annotations

import re

from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.analysis.place import Place
from steinmetz.sql.facts import StatementFacts, Verb

ROWS_FROM = 1_000
"""Rows from which a SELECT without a bound is worth telling."""

_NESTED = re.compile(r"\([^()]*\)")
_BOUNDED = re.compile(r"\b(limit|fetch\s+(first|next)|top)\b", re.IGNORECASE)
_KEY_LIST = re.compile(r"\bin\s*\(\s*(\?|:|%|\$|__\[)|=\s*any\s*\(", re.IGNORECASE)


def may_be_unbounded(facts: StatementFacts) -> bool:
    """No LIMIT of its own, and no list of keys that bounds it. Whether it matters is for the rows to say."""
    if facts.verb is not Verb.SELECT or _KEY_LIST.search(facts.text):
        return False
    outer = facts.text
    while (shorter := _NESTED.sub(" ", outer)) != outer:
        outer = shorter
    return not _BOUNDED.search(outer)


def unbounded(facts: StatementFacts, rows: int, place: Place | None, scope: str, total_ns: int) -> Finding:
    return Finding(
        kind=PatternKind.UNBOUNDED_SELECT,
        fingerprint=facts.fingerprint,
        statement=facts.text,
        remedy=(
            "Return a page: .order_by(key).limit(n), and begin the next one after the last key; if all rows are "
            "wanted, stream them with .execution_options(yield_per=n)."
        ),
        place=place,
        scope=scope,
        count=rows,
        total_ns=total_ns,
        evidence={"rows": rows},
    )
