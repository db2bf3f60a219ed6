"""The port behind which the monitor's figures are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from steinmetz.monitor.analysis.statistics import Statistics, Table
from steinmetz.monitor.analysis.window import Kind


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """One query that took longer than its threshold; its details are redacted already."""

    name: str
    duration_ms: float
    threshold_ms: float
    at: datetime
    details: dict[str, object]
    id: str = ""
    """12 hexadecimal digits, unlike any other's, of this process or another."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One statement shape and how often it ran."""

    text: str
    name: str
    count: int
    total_ns: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The statistics of one statement (``key`` is its fingerprint), name, route or timing.

    ``text`` is a statement's shape without values, empty for all else.
    """

    key: str
    name: str
    text: str
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Moment:
    """The statistics of one stretch of time: a minute, or an hour where minutes are kept no more."""

    start: datetime
    length_s: int
    statistics: Statistics


class Meter(Protocol):
    """Where the runs of one statement, or of one timing, are counted.

    It may be kept for ever and called from any thread. Nobody reads a clock here: a duration belongs to the minute
    that is open, so whoever adds many compares the time that he has taken anyway with the store's ``turn_at_ns``
    *before* he adds, and calls `StatisticsStore.turn` if it is reached.
    """

    @property
    def add(self) -> Callable[[int], object]:
        """Count one sample: a duration in ns, at least 0."""

    @property
    def inside(self) -> Callable[[int], object]:
        """Count one run inside a `track`: it is seen among the statements, it is no sample of its own."""

    def failed(self, duration_ns: int) -> None:
        """`add` for a run that ended in an error."""

    def failed_inside(self, duration_ns: int) -> None:
        """`inside` for a run that ended in an error."""

    def slow(self) -> None:
        """The sample added last was slower than its threshold."""


class StatisticsStore(Protocol):
    """Keeps figures by statement, name, route and timing, and the newest slow queries; all of it bounded."""

    turn_at_ns: int
    """When `turn` is due, in ``perf_ns``; 0 if that cannot be foretold, so at any time."""

    def meter(self, fingerprint: str, name: str, text: str) -> Meter:
        """The meter of a statement; the same one for as long as anybody keeps it."""

    def timing(self, name: str) -> Meter:
        """The meter of durations that are no query, such as waiting for the pool."""

    def turn(self) -> None:
        """Count what the meters hold, and close the minute if it is over. To be called about every
        `steinmetz.monitor.stores.memory.TICK_S`, by whoever sees first that it is due."""

    def add(self, name: str, duration_ns: int, *, failed: bool, slow: bool) -> None:
        """Count one sample under a name (of a `track`), taken now."""

    def route(self, name: str, duration_ns: int, statements: int, db_ns: int, *, failed: bool = False) -> None:
        """Count one run of a request's route, a job, an event or a command, and what it asked of the database."""

    def remember_slow(self, query: SlowQuery) -> None:
        """Keep ``query`` until too many newer ones have come."""

    def table(self, window_s: float | None = None) -> Table:
        """The samples by name since the start, or of about the last ``window_s`` seconds, and the slowest of them.

        Raises `ValueError` for a window that is not kept.
        """

    def figures(self, kind: Kind, window_s: float | None = None) -> dict[str, Figures]:
        """The statistics of all of one kind, by key. Raises `ValueError` as `table` does."""

    def history(self, kind: Kind, key: str | None, since: datetime) -> list[Moment]:
        """Minute by minute, oldest first, at most the last day: what can be compared before and after a change.

        Without a key that of all of a kind together.
        """

    def patterns(self, limit: int) -> list[Pattern]:
        """The most frequent statements, most frequent first."""

    def slow(self, limit: int) -> list[SlowQuery]:
        """The newest slow queries, newest first."""

    def dropped(self) -> dict[str, int]:
        """By kind: how many runs are counted under ``(other)`` since the start, as there was no room for more."""

    async def refresh(self) -> bool:
        """Bring in what other processes have counted up to now; False if that cannot be had."""

    def clear(self) -> None:
        """Forget everything."""
