"""The review of some days: where the time went, what became slower or faster, and how changes turned out.

Pure: the periods and the log are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from steinmetz.monitor.analysis.regression import ENOUGH, Comparison, Verdict, compare
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.changes.change import Entry, Summary, shown
from steinmetz.monitor.changes.judge import summary_of

NAMES_SHOWN = 15
LATEST = timedelta(days=1)
"""The last day is compared with all before it."""


@dataclass(frozen=True, slots=True)
class Period:
    """What one name took in one hour or, where no hour tells it, in one minute."""

    name: str
    start: datetime
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class NameReview:
    """One name over the whole stretch; ``share`` of all time, 0 to 1. ``comparison`` is of its last day."""

    name: str
    summary: Summary
    total_s: float
    share: float
    slow: int
    errors: int
    comparison: Comparison
    is_new: bool


@dataclass(frozen=True, slots=True)
class Review:
    since: datetime
    until: datetime
    queries: int
    total_s: float
    slow: int
    errors: int
    names: tuple[NameReview, ...]
    """Those with the most time, most first."""
    moved: tuple[NameReview, ...]
    """Those whose last day was slower or faster than the days before, the largest change first."""
    changes: tuple[Entry, ...]
    """Newest first."""


def review(periods: Iterable[Period], changes: Sequence[Entry], since: datetime, until: datetime) -> Review:
    """Sum up ``since`` to ``until``."""
    earlier: dict[str, Statistics] = {}
    latest: dict[str, Statistics] = {}
    for period in periods:
        if since <= period.start < until:
            side = latest if period.start >= until - LATEST else earlier
            side.setdefault(period.name, Statistics()).merge(period.statistics)
    names = earlier.keys() | latest.keys()
    total_ns = sum(each.total_ns for side in (earlier, latest) for each in side.values())
    among = sum(min(earlier[name].count, latest[name].count) >= ENOUGH for name in earlier.keys() & latest.keys())
    reviewed = []
    for name in names:
        before, after = earlier.get(name, Statistics()), latest.get(name, Statistics())
        whole = Statistics()
        whole.merge(before)
        whole.merge(after)
        reviewed.append(
            NameReview(
                name,
                summary_of(whole),
                whole.total_ns / 1e9,
                whole.total_ns / total_ns if total_ns else 0.0,
                whole.slow,
                whole.errors,
                compare(before.histogram, after.histogram, among),
                is_new=bool(earlier) and name not in earlier,
            )
        )
    reviewed.sort(key=lambda each: (-each.total_s, each.name))
    moved = [each for each in reviewed if each.comparison.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)]
    moved.sort(key=lambda each: max(each.comparison.ratio, 1 / each.comparison.ratio), reverse=True)
    return Review(
        since,
        until,
        sum(each.summary.count for each in reviewed),
        total_ns / 1e9,
        sum(each.slow for each in reviewed),
        sum(each.errors for each in reviewed),
        tuple(reviewed[:NAMES_SHOWN]),
        tuple(moved[:NAMES_SHOWN]),
        tuple(entry for entry in changes if since <= entry.change.at < until),
    )


def as_json(found: Review) -> dict[str, Any]:
    """For ``steinmetz report --json``."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "queries": found.queries,
        "totalSeconds": round(found.total_s, 3),
        "slowQueries": found.slow,
        "errors": found.errors,
        "names": [_name(each) for each in found.names],
        "moved": [_name(each) for each in found.moved],
        "changes": [shown(entry) for entry in found.changes],
    }


def _name(each: NameReview) -> dict[str, Any]:
    return {
        "name": each.name,
        "count": each.summary.count,
        "totalSeconds": round(each.total_s, 3),
        "share": round(each.share, 4),
        "avgTime": each.summary.mean_ms,
        "p95": each.summary.p95_ms,
        "slow": each.slow,
        "errors": each.errors,
        "isNew": each.is_new,
        "lastDay": each.comparison.verdict.value,
        "ratio": round(each.comparison.ratio, 3),
    }
