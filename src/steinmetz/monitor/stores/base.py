"""The port behind which the monitor's figures are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from steinmetz.monitor.analysis.statistics import Table


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


class StatisticsStore(Protocol):
    """Keeps samples by name, statements by shape, and the newest slow queries; all of it bounded."""

    def add(self, name: str, duration_ns: int, *, failed: bool, slow: bool) -> None:
        """Count one sample, taken now."""

    def ran(self, fingerprint: str, name: str, text: str, duration_ns: int) -> None:
        """Count one run of a statement."""

    def remember_slow(self, query: SlowQuery) -> None:
        """Keep ``query`` until too many newer ones have come."""

    def table(self, window_s: float | None = None) -> Table:
        """The statistics since the start, or of about the last ``window_s`` seconds.

        Raises `ValueError` for a window that is not kept.
        """

    def patterns(self, limit: int) -> list[Pattern]:
        """The most frequent statements, most frequent first."""

    def slow(self, limit: int) -> list[SlowQuery]:
        """The newest slow queries, newest first."""

    def clear(self) -> None:
        """Forget everything."""
