"""The figures as they are shown: plain dictionaries in camelCase, times in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from steinmetz.monitor.analysis.statistics import Statistics, Table
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores.base import Figures, StatisticsStore

PATTERNS_SHOWN = 20

SortBy = Literal["total", "count", "p95", "most"]
"""By total time, by count, by the 95th percentile, or by the most statements in one run of a route."""

_WEIGHTS: dict[SortBy, Callable[[Statistics], float]] = {
    "total": lambda statistics: statistics.total_ns,
    "count": lambda statistics: statistics.count,
    "p95": lambda statistics: statistics.quantile(0.95),
    "most": lambda statistics: statistics.most_statements,
}


def query_stats(store: StatisticsStore, window_s: float | None = None) -> dict[str, Any]:
    """What GET /api/diagnostics/query-stats shows as ``stats``: samples since the start, or of a window.

    Raises `ValueError` for a window that is not kept.
    """
    table = store.table(window_s)
    merged = Statistics()
    for statistics in table.names.values():
        merged.merge(statistics)
    return {
        "totalQueries": merged.count,
        "slowQueries": merged.slow,
        "averageExecutionTime": ms(merged.mean_ns),
        "queryBreakdown": breakdown(table),
        "slowestQueries": [
            {"name": sample.name, "executionTime": ms(sample.duration_ns), "timestamp": instant(sample.at)}
            for sample in table.slowest()
        ],
        "patterns": [
            {
                "pattern": pattern.text,
                "name": pattern.name,
                "count": pattern.count,
                "avgTime": ms(pattern.total_ns / pattern.count),
            }
            for pattern in store.patterns(PATTERNS_SHOWN)
        ],
    }


def breakdown(table: Table) -> dict[str, dict[str, float]]:
    """The contracted figures of each name."""
    return {name: {"count": found.count, **_times(found)} for name, found in table.names.items()}


def ranking(
    store: StatisticsStore, kind: Kind, window_s: float | None = None, sort: SortBy = "total"
) -> list[Figures]:
    """The figures of all statements or routes, the heaviest first, equal ones by key.

    Raises `ValueError` for a window that is not kept.
    """
    weight = _WEIGHTS[sort]
    found = store.figures(kind, window_s).values()
    return sorted(found, key=lambda each: (-weight(each.statistics), each.key))


def statement_report(figures: Figures) -> dict[str, Any]:
    """One statement, runs inside and outside of tracks together; ``totalTime`` is exact."""
    found = figures.statistics
    return {
        "fingerprint": figures.key,
        "name": figures.name,
        "statement": figures.text,
        **_counts(found),
        **_times(found),
    }


def route_report(figures: Figures) -> dict[str, Any]:
    """One route: its own times, and what its runs asked of the database."""
    found = figures.statistics
    return {
        "route": figures.name,
        **_counts(found),
        **_times(found),
        "statements": found.statements,
        "statementsPerRun": round(found.statements / found.count, 2) if found.count else 0.0,
        "mostStatements": found.most_statements,
        "databaseTime": ms(found.db_ns),
    }


def _counts(found: Statistics) -> dict[str, Any]:
    return {
        "count": found.count,
        "errors": found.errors,
        "slow": found.slow,
        "totalTime": ms(found.total_ns),
    }


def _times(found: Statistics) -> dict[str, float]:
    return {
        "avgTime": ms(found.mean_ns),
        "minTime": ms(found.min_ns),
        "maxTime": ms(found.max_ns),
        "p50": ms(found.quantile(0.50)),
        "p95": ms(found.quantile(0.95)),
        "p99": ms(found.quantile(0.99)),
    }


def ms(duration_ns: float) -> float:
    return round(duration_ns / 1e6, 3)


def instant(at: datetime) -> str:
    """ISO 8601 with milliseconds and ``Z``."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
