"""What came of a change, from the figures before and after it. Pure: the figures are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from steinmetz.monitor.analysis.regression import ENOUGH, compare
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.changes.change import Change, Outcome, StatementChange, Summary, overall
from steinmetz.sql.facts import Verb
from steinmetz.sql.shape import shape_of

BEFORE_S = 3_600.0
AFTER_S = 3_600.0
"""An hour on either side is compared, as far as figures reach."""
STATEMENTS_JUDGED = 100
"""Those with the most time; the others are left out."""

_READS = frozenset({Verb.SELECT})


@dataclass(frozen=True, slots=True)
class Stretch:
    """The statistics of one statement from ``start`` on, for ``length_s``."""

    start: datetime
    length_s: float
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class History:
    """One statement and its figures in stretches, oldest first."""

    fingerprint: str
    name: str
    text: str
    stretches: Sequence[Stretch]


def concerned(change: Change, text: str) -> bool:
    """Whether a statement may run otherwise after the change: its text names a table of it, or it names none."""
    return not change.tables or not shape_of(text).identifiers.isdisjoint(change.tables)


def judge(change: Change, histories: Sequence[History], now: datetime) -> Outcome:
    """Compare what ran within an hour before the change with what ran within an hour after it.

    A stretch in which the change lies belongs to neither side. An outcome is settled when the hour is over.
    """
    sides = []
    for history in histories:
        before = _between(history, change.at - timedelta(seconds=BEFORE_S), change.at)
        after = _between(history, change.at, change.at + timedelta(seconds=AFTER_S))
        if after.count and before.count:
            sides.append((history, before, after))
    sides.sort(key=lambda side: side[1].total_ns + side[2].total_ns, reverse=True)
    del sides[STATEMENTS_JUDGED:]
    among = sum(min(before.count, after.count) >= ENOUGH for _, before, after in sides)
    statements = tuple(
        StatementChange(
            history.fingerprint,
            history.name,
            history.text,
            shape_of(history.text).verb not in _READS,
            summary_of(before),
            summary_of(after),
            compare(before.histogram, after.histogram, among),
        )
        for history, before, after in sides
    )
    settled = now >= change.at + timedelta(seconds=AFTER_S + _longest_s(histories))
    return Outcome(overall(statements), statements, settled)


def summary_of(statistics: Statistics) -> Summary:
    return Summary(
        statistics.count,
        round(statistics.mean_ns / 1e6, 3),
        *(round(statistics.quantile(q) / 1e6, 3) for q in (0.5, 0.95, 0.99)),
    )


def _between(history: History, start: datetime, end: datetime) -> Statistics:
    result = Statistics()
    for stretch in history.stretches:
        if stretch.start >= start and stretch.start + timedelta(seconds=stretch.length_s) <= end:
            result.merge(stretch.statistics)
    return result


def _longest_s(histories: Sequence[History]) -> float:
    lengths = [stretch.length_s for history in histories for stretch in history.stretches]
    return max(lengths, default=0.0)
