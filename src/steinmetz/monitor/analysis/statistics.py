"""Statistics of durations, by name, in a table that cannot grow without bound."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from steinmetz.monitor.analysis.histogram import MAX_NS, DenseHistogram, Histogram

OTHER = "(other)"
"""The name that all samples share for which there was no room."""

SLOWEST_KEPT = 10


class Statistics:
    """Count, errors, slow ones, sum, extremes and distribution of the durations (ns) of one thing.

    The durations of a route are those of its runs, and three figures tell what these asked of the database:
    ``statements`` in all, ``most_statements`` in one run, and their time ``db_ns``; elsewhere they stay 0.
    """

    __slots__ = (
        "count", "db_ns", "errors", "histogram", "max_ns", "min_ns", "most_statements", "slow", "statements",
        "total_ns",
    )  # fmt: skip

    def __init__(self, *, dense: bool = False) -> None:
        self.count = 0
        self.errors = 0
        self.slow = 0
        self.total_ns = 0
        self.min_ns = 0
        self.max_ns = 0
        self.statements = 0
        self.most_statements = 0
        self.db_ns = 0
        self.histogram: Histogram = DenseHistogram() if dense else Histogram()

    def add(self, duration_ns: int, failed: bool = False, slow: bool = False) -> None:
        """Count one duration; negative ones count as 0."""
        duration_ns = max(duration_ns, 0)
        self.add_all([~duration_ns if failed else duration_ns])
        self.slow += slow

    def add_all(self, durations_ns: Sequence[int]) -> None:
        """Count many durations; that of a failed run comes as its complement, ``~duration_ns``."""
        if not durations_ns:
            return
        lowest = min(durations_ns)
        if lowest < 0:
            self.errors += sum(duration < 0 for duration in durations_ns)
            durations_ns = [duration if duration >= 0 else ~duration for duration in durations_ns]
            lowest = min(durations_ns)
        highest = max(durations_ns)
        if not self.count or lowest < self.min_ns:
            self.min_ns = lowest
        if highest > self.max_ns:
            self.max_ns = highest
        self.count += len(durations_ns)
        self.total_ns += sum(durations_ns)
        if highest > MAX_NS:
            durations_ns = [min(duration, MAX_NS) for duration in durations_ns]
        self.histogram.add_all(durations_ns)

    def merge(self, other: Statistics) -> None:
        """Add all of ``other``, as if its durations had been added here."""
        if other.count:
            self.min_ns = min(self.min_ns, other.min_ns) if self.count else other.min_ns
            self.max_ns = max(self.max_ns, other.max_ns)
            self.count += other.count
            self.total_ns += other.total_ns
            self.histogram += other.histogram
        self.errors += other.errors
        self.slow += other.slow
        self.statements += other.statements
        self.most_statements = max(self.most_statements, other.most_statements)
        self.db_ns += other.db_ns

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


class Slowest:
    """The slowest samples; callers spare the call at or below ``floor_ns``."""

    __slots__ = ("_samples", "floor_ns")

    def __init__(self) -> None:
        self.floor_ns = -1
        self._samples: list[Sample] = []

    def offer(self, sample: Sample) -> None:
        """Keep ``sample`` if it is among the slowest."""
        insort(self._samples, sample)
        del self._samples[:-SLOWEST_KEPT]
        if len(self._samples) == SLOWEST_KEPT:
            self.floor_ns = self._samples[0].duration_ns

    def samples(self) -> list[Sample]:
        """Slowest first."""
        return self._samples[::-1]


class Table:
    """The statistics of at most ``limit`` names and of `OTHER`, and the slowest samples of all.

    A name beyond the limit is counted under `OTHER`; ``overflowed`` says how many samples that were.
    """

    __slots__ = ("_slowest", "limit", "names", "overflowed")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.names: dict[str, Statistics] = {}
        self.overflowed = 0
        self._slowest = Slowest()

    def of(self, name: str) -> Statistics:
        """The statistics of ``name``, made if there is room for one more."""
        statistics = self.names.get(name)
        if statistics is None:
            if len(self.names) >= self.limit and name != OTHER:
                self.overflowed += 1
                return self.of(OTHER)
            statistics = self.names.setdefault(name, Statistics())
        return statistics

    def merge(self, name: str, statistics: Statistics) -> None:
        """Count all of ``statistics`` under ``name``, or under `OTHER` if there is no room."""
        if name not in self.names and len(self.names) >= self.limit and name != OTHER:
            self.overflowed += statistics.count
            name = OTHER
        found = self.names.get(name)
        if found is None:
            found = self.names[name] = Statistics()
        found.merge(statistics)

    def offer(self, sample: Sample) -> None:
        """Keep ``sample`` if it is among the slowest."""
        self._slowest.offer(sample)

    def slowest(self) -> list[Sample]:
        """The slowest samples, slowest first."""
        return self._slowest.samples()

    @staticmethod
    def merged(tables: Iterable[Table], limit: int) -> Table:
        result = Table(limit)
        for table in tables:
            for name, statistics in list(table.names.items()):
                result.merge(name, statistics)
            for sample in table.slowest():
                result.offer(sample)
            result.overflowed += table.overflowed
        return result
