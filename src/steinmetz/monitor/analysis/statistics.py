"""Statistics by name, in a table that cannot grow without bound."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from steinmetz.monitor.analysis.histogram import Histogram

OTHER = "(other)"
"""The name that all samples share for which the table had no room."""

SLOWEST_KEPT = 10


class Statistics:
    """Count, errors, slow ones, sum, extremes and distribution of one name's durations (ns)."""

    __slots__ = ("count", "errors", "histogram", "max_ns", "min_ns", "slow", "total_ns")

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self.slow = 0
        self.total_ns = 0
        self.min_ns = 0
        self.max_ns = 0
        self.histogram = Histogram()

    def add(self, duration_ns: int, failed: bool = False, slow: bool = False) -> None:
        if not self.count or duration_ns < self.min_ns:
            self.min_ns = duration_ns
        if duration_ns > self.max_ns:
            self.max_ns = duration_ns
        self.count += 1
        self.total_ns += duration_ns
        if failed:
            self.errors += 1
        if slow:
            self.slow += 1
        self.histogram.add(duration_ns)

    def merge(self, other: Statistics) -> None:
        """Add all of ``other``, as if its durations had been added here."""
        if not other.count:
            return
        self.min_ns = min(self.min_ns, other.min_ns) if self.count else other.min_ns
        self.max_ns = max(self.max_ns, other.max_ns)
        self.count += other.count
        self.errors += other.errors
        self.slow += other.slow
        self.total_ns += other.total_ns
        self.histogram += other.histogram

    @property
    def mean_ns(self) -> float:
        return self.total_ns / self.count if self.count else 0.0

    def quantile(self, q: float) -> int:
        """The histogram's quantile (ns), kept within the exact extremes."""
        return min(max(self.histogram.quantile(q), self.min_ns), self.max_ns)


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One measured duration among the slowest."""

    duration_ns: int
    name: str
    at: datetime


class Table:
    """The statistics of at most ``limit`` names, and the slowest samples of all.

    A name beyond the limit is counted under `OTHER`; ``overflowed`` says how many samples that were.
    """

    __slots__ = ("_slowest", "limit", "names", "overflowed", "slowest_floor_ns")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.names: dict[str, Statistics] = {}
        self.overflowed = 0
        self.slowest_floor_ns = -1
        self._slowest: list[Sample] = []

    def of(self, name: str) -> Statistics:
        """The statistics of ``name``, made if there is room for one more."""
        statistics = self.names.get(name)
        if statistics is None:
            if len(self.names) >= self.limit and name != OTHER:
                self.overflowed += 1
                return self.of(OTHER)
            statistics = self.names.setdefault(name, Statistics())
        return statistics

    def offer(self, sample: Sample) -> None:
        """Keep ``sample`` if it is among the slowest; callers spare the call below `slowest_floor_ns`."""
        insort(self._slowest, sample)
        del self._slowest[:-SLOWEST_KEPT]
        if len(self._slowest) == SLOWEST_KEPT:
            self.slowest_floor_ns = self._slowest[0].duration_ns

    def slowest(self) -> list[Sample]:
        """The slowest samples, slowest first."""
        return self._slowest[::-1]

    @staticmethod
    def merged(tables: Iterable[Table], limit: int) -> Table:
        result = Table(limit)
        for table in tables:
            for name, statistics in list(table.names.items()):
                result.of(name).merge(statistics)
            for sample in table.slowest():
                result.offer(sample)
            result.overflowed += table.overflowed
        return result
