"""The figures of this process, in its memory.

Bounds: 1,000 names since the start, 300 in each of the last 60 minutes and 24 hours, 2,000 statement shapes, 500
slow queries. What finds no room is counted under ``(other)``.
"""

from __future__ import annotations

import threading
from collections import deque

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.statistics import OTHER, Sample, Table
from steinmetz.monitor.stores.base import Pattern, SlowQuery

NAMES = 1_000
NAMES_A_WINDOW = 300
MINUTES = 60
HOURS = 24
SHAPES = 2_000
SLOW_KEPT = 500


class _Runs:
    """How often one statement shape ran, and for how long altogether."""

    __slots__ = ("count", "name", "text", "total_ns")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.count = 0
        self.total_ns = 0


class MemoryStore:
    """The `steinmetz.monitor.stores.base.StatisticsStore` of one process.

    Threads may add at the same time: counters are only ever incremented in place; a new minute takes the lock. A
    minute that is over is settled a minute later, so that a thread that holds its table can still add to it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self._all = Table(NAMES)
        self._minute = self._minute_now()
        self._open = Table(NAMES)
        self._closing = (self._minute, Table(NAMES))
        self._minutes: deque[tuple[int, Table]] = deque(maxlen=MINUTES)
        self._hours: deque[tuple[int, Table]] = deque(maxlen=HOURS)
        self._shapes: dict[str, _Runs] = {}
        self._slow: deque[SlowQuery] = deque(maxlen=SLOW_KEPT)

    def add(self, name: str, duration_ns: int, *, failed: bool, slow: bool) -> None:
        if self._minute_now() != self._minute:
            self._turn()
        table = self._open
        table.of(name).add(duration_ns, failed, slow)
        if duration_ns > table.slowest_floor_ns:
            with self._lock:
                table.offer(Sample(duration_ns, name, self._clock.now()))

    def ran(self, fingerprint: str, name: str, text: str, duration_ns: int) -> None:
        runs = self._shapes.get(fingerprint)
        if runs is None:
            if len(self._shapes) >= SHAPES:
                fingerprint = name = text = OTHER
            runs = self._shapes.setdefault(fingerprint, _Runs(name, text))
        runs.count += 1
        runs.total_ns += duration_ns

    def remember_slow(self, query: SlowQuery) -> None:
        self._slow.append(query)

    def table(self, window_s: float | None = None) -> Table:
        if window_s is None:
            with self._lock:
                return Table.merged([self._all, self._closing[1], self._open], NAMES)
        if not 0 < window_s <= HOURS * 3600:
            raise ValueError(f"a window lasts more than 0 and at most {HOURS * 3600} s, not {window_s}")
        self._turn()
        with self._lock:
            kept, length = (self._minutes, 60) if window_s <= MINUTES * 60 else (self._hours, 3600)
            # A period counts if its end lies within the window.
            oldest_s = self._clock.monotonic_s() - window_s
            tables = [table for number, table in kept if (number + 1) * length > oldest_s]
            if (self._closing[0] + 1) * 60 > oldest_s:
                tables.append(self._closing[1])
            return Table.merged([*tables, self._open], NAMES)

    def patterns(self, limit: int) -> list[Pattern]:
        runs = list(self._shapes.values())
        runs.sort(key=lambda run: run.count, reverse=True)
        return [Pattern(run.text, run.name, run.count, run.total_ns) for run in runs[:limit]]

    def slow(self, limit: int) -> list[SlowQuery]:
        return list(self._slow)[: -limit - 1 : -1]

    def _minute_now(self) -> int:
        return int(self._clock.monotonic_s() // 60)

    def _turn(self) -> None:
        """If the open minute is over, close it, and settle the one that was closed before."""
        with self._lock:
            minute = self._minute_now()
            if minute == self._minute:
                return
            number, settled = self._closing
            self._closing = (self._minute, self._open)
            self._minute, self._open = minute, Table(NAMES)
            self._all = Table.merged([self._all, settled], NAMES)
            small = Table.merged([settled], NAMES_A_WINDOW)
            self._minutes.append((number, small))
            hour = number // 60
            if self._hours and self._hours[-1][0] == hour:
                small = Table.merged([self._hours.pop()[1], small], NAMES_A_WINDOW)
            self._hours.append((hour, small))
