"""The figures of this process, in its memory.

Bounds: 1,500 statements, 500 names and 500 routes, the heavy ones by total time (`Roster`); what finds no room is
counted under ``(other)``. Of each the whole since the start, the minutes of the last day as far as they fit into
16 MB (the last 60 always do), the last 24 hours in 8 MB; 500 slow queries. At most 64 MB in all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import nlargest

from steinmetz.clock import Clock, SystemClock, perf_ns
from steinmetz.monitor.analysis.packing import unpack
from steinmetz.monitor.analysis.statistics import OTHER, SLOWEST_KEPT, Sample, Slowest, Statistics, Table
from steinmetz.monitor.analysis.window import (
    DAY,
    HOUR,
    Kind,
    Period,
    Ring,
    Subject,
    Wanted,
    check_window,
    other,
    summed,
)
from steinmetz.monitor.stores.base import Figures, Moment, Pattern, SlowQuery
from steinmetz.monitor.stores.meters import Cell, CellMeter, Roster

CAPACITIES = {Kind.STATEMENT: 1_500, Kind.NAME: 500, Kind.ROUTE: 500, Kind.TIMING: 32}
NAMES_SHOWN = 1_000
HOUR_SUBJECTS = 500
MINUTES_BYTES = 16_000_000
MINUTE_BYTES = MINUTES_BYTES // 61
HOURS_KEPT = 24
HOURS_BYTES = 8_000_000
SLOW_KEPT = 500
TICK_S = 0.25
"""How often what was counted is folded into statistics; between, a duration takes 40 bytes."""
PACKED_A_TICK = 50
UNITS_PENDING = 5_000
"""Requests and other units of work that wait to be counted; with more, the store turns early."""


class MemoryStore:
    """The `steinmetz.monitor.stores.base.StatisticsStore` of one process; any thread may use it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # A clock that is not the machine's moves when it likes: it is asked each time.
        self._foretells = isinstance(clock, SystemClock)
        self._fold_at_ns = 0
        self._lock = threading.RLock()
        self._rosters = {kind: Roster(kind, most, self._lock, self._folded) for kind, most in CAPACITIES.items()}
        self._statements = self._rosters[Kind.STATEMENT]
        self._names = self._rosters[Kind.NAME]
        self._routes = self._rosters[Kind.ROUTE]
        self._timings = self._rosters[Kind.TIMING]
        self.turn_at_ns = 0
        self._begin()

    def _begin(self) -> None:
        self._minute = self._minute_now()
        self._slowest = Slowest()
        self._slowest_now = Slowest()
        self._minutes = Ring(DAY, MINUTES_BYTES)
        self._hours = Ring(HOURS_KEPT, HOURS_BYTES)
        self._hour: dict[Subject, Statistics] = {}
        self._hour_slowest = Slowest()
        self._units: deque[tuple[str, int, int, int, bool]] = deque()
        self._unpacked: deque[tuple[Period, list[tuple[Subject, Statistics]], int]] = deque()
        self._slow: deque[SlowQuery] = deque(maxlen=SLOW_KEPT)

    def clear(self) -> None:
        with self._lock:
            for roster in self._rosters.values():
                roster.clear()
            self._begin()

    # -- counting -----------------------------------------------------------------------------------------------

    def meter(self, fingerprint: str, name: str, text: str) -> CellMeter:
        return self._statements.meter(fingerprint, name, text)

    def timing(self, name: str) -> CellMeter:
        return self._timings.meter(name, name)

    def add(self, name: str, duration_ns: int, *, failed: bool, slow: bool) -> None:
        if perf_ns() >= self.turn_at_ns:
            self.turn()
        meter = self._names.meter(name, name)
        meter.add(~duration_ns if failed else duration_ns)
        if slow:
            meter.slow()

    def route(self, name: str, duration_ns: int, statements: int, db_ns: int, *, failed: bool = False) -> None:
        if perf_ns() >= self.turn_at_ns or len(self._units) >= UNITS_PENDING:
            self.turn()
        self._units.append((name, duration_ns, statements, db_ns, failed))

    def _count_units(self) -> None:
        """Count the units of work that are pending. Under the lock."""
        while self._units:
            name, duration_ns, statements, db_ns, failed = self._units.popleft()
            cell = self._routes.meter(name, name).samples
            if cell.open is None:
                cell.open = Statistics()
            figures = cell.open
            figures.add(duration_ns, failed)
            figures.statements += statements
            figures.most_statements = max(figures.most_statements, statements)
            figures.db_ns += db_ns
            cell.changed = True

    def remember_slow(self, query: SlowQuery) -> None:
        self._slow.append(query)

    # -- turning ------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        if not self._foretells and perf_ns() < self._fold_at_ns and self._minute_now() == self._minute:
            return
        if not self._lock.acquire(blocking=False):
            return  # another thread is at it
        try:
            self._turn()
            self._pack(PACKED_A_TICK)
        finally:
            self._lock.release()

    def _turn(self) -> None:
        """Fold; and if the minute is over, close it. Under the lock."""
        self._count_units()
        for roster in self._rosters.values():
            roster.fold()
        minute = self._minute_now()
        if minute > self._minute:
            self._close(minute)
        left_s = max(0.0, (self._minute + 1) * 60 - self._now_s())
        self._fold_at_ns = perf_ns() + int(min(TICK_S, left_s) * 1e9)
        if self._foretells:
            self.turn_at_ns = self._fold_at_ns

    def _folded(self, cell: Cell, batch: list[int]) -> None:
        """Look among durations that have just been counted for the slowest ones; told to the second."""
        if not cell.subject.is_sample or not batch:
            return
        floor_ns = min(self._slowest.floor_ns, self._slowest_now.floor_ns)
        if max(batch) <= floor_ns and min(batch) >= ~floor_ns:
            return
        now = self._clock.now()
        above = [each if each >= 0 else ~each for each in batch if not ~floor_ns <= each <= floor_ns]
        for duration_ns in nlargest(SLOWEST_KEPT, above):
            sample = Sample(duration_ns, cell.subject.name, now)
            self._slowest.offer(sample)
            self._slowest_now.offer(sample)

    def _close(self, minute: int) -> None:
        closed: list[tuple[Cell, Statistics]] = []
        for roster in self._rosters.values():
            for cell in roster.cells():
                if cell.open is not None:
                    closed.append((cell, cell.open))
                    cell.settle(cell.open)
                    cell.open = None
        if closed:
            period = Period(self._minute, 1)
            period.slowest = self._slowest_now
            self._minutes.append(period)
            self._unpacked.append((period, [(cell.subject, figures) for cell, figures in closed], MINUTE_BYTES))
            for cell, figures in closed:
                subject = self._hour_subject(cell.subject)
                if subject not in self._hour:
                    self._hour[subject] = Statistics(dense=True)
                self._hour[subject].merge(figures)
            for sample in self._slowest_now.samples():
                self._hour_slowest.offer(sample)
        self._closed(self._minute, closed)
        if minute // HOUR > self._minute // HOUR:
            self._close_hour()
        self._slowest_now = Slowest()
        self._minute = minute

    def _hour_subject(self, subject: Subject) -> Subject:
        """Under whom ``subject`` is counted in the open hour."""
        if subject in self._hour or len(self._hour) < HOUR_SUBJECTS:
            return subject
        return other(subject.kind, subject.inside)

    def _close_hour(self) -> None:
        if self._hour:
            period = Period(self._minute // HOUR * HOUR, HOUR)
            period.slowest = self._hour_slowest
            self._hours.append(period)
            self._unpacked.append((period, list(self._hour.items()), HOURS_BYTES // (HOURS_KEPT + 1)))
        self._hour, self._hour_slowest = {}, Slowest()

    def _closed(self, minute: int, closed: list[tuple[Cell, Statistics]]) -> None:
        """A minute is over; for stores that tell others of it. Under the lock, before the hour is closed."""

    def _pack(self, most: int) -> None:
        """Pack so many figures of closed periods, a few at a time: nobody's query waits for a thousand."""
        while self._unpacked and most > 0:
            period, figures, budget_bytes = self._unpacked[0]
            for subject, statistics in figures[-most:]:
                period.count(subject, statistics)
            done = min(most, len(figures))
            del figures[-most:]
            most -= done
            if not figures:
                self._unpacked.popleft()
                period.seal(budget_bytes)
                self._minutes.fit()
                self._hours.fit()

    # -- figures ------------------------------------------------------------------------------------------------

    def table(self, window_s: float | None = None) -> Table:
        with self._lock:
            sums = summed(pair for pair in self._read(window_s) if pair[0].is_sample)
            table = Table(NAMES_SHOWN)
            for subject, statistics in _heaviest_first(sums):
                table.merge(subject.name, statistics)
            if OTHER in table.names:
                table.overflowed = table.names[OTHER].count
            for sample in self._slowest_of(window_s):
                table.offer(sample)
            return table

    def figures(self, kind: Kind, window_s: float | None = None) -> dict[str, Figures]:
        if kind is Kind.NAME:
            return {name: Figures(name, name, "", found) for name, found in self.table(window_s).names.items()}
        result: dict[str, Figures] = {}
        with self._lock:
            for subject, statistics in self._read(window_s):
                if subject.kind is kind:
                    found = result.get(subject.key)
                    if found is None:
                        found = Figures(subject.key, subject.name, subject.text, Statistics())
                        result[subject.key] = found
                    found.statistics.merge(statistics)
        return {key: found for key, found in result.items() if _ever(found.statistics)}

    def history(self, kind: Kind, key: str | None, since: datetime) -> list[Moment]:
        with self._lock:
            self._settle()
            oldest_s = max(since.timestamp(), self._now_s() - DAY * 60)
            stretches: dict[tuple[int, int], Statistics] = {}
            for start, length, statistics in self._stretches(oldest_s, Wanted(kind, key)):
                stretches.setdefault((start, length), Statistics()).merge(statistics)
        return [
            Moment(datetime.fromtimestamp(start * 60, UTC), length * 60, statistics)
            for (start, length), statistics in sorted(stretches.items(), key=lambda item: item[0])
        ]

    def patterns(self, limit: int) -> list[Pattern]:
        found = self.figures(Kind.STATEMENT).values()
        shown = sorted(found, key=lambda each: each.statistics.count, reverse=True)[:limit]
        return [
            Pattern(each.text or each.name, each.name, each.statistics.count, each.statistics.total_ns)
            for each in shown
        ]

    def slow(self, limit: int) -> list[SlowQuery]:
        return list(self._slow)[: -limit - 1 : -1]

    def dropped(self) -> dict[str, int]:
        with self._lock:
            self._settle()
            return {
                kind.value: sum(cell.count for cell in roster.other.cells())
                for kind, roster in self._rosters.items()
            }

    async def refresh(self) -> bool:
        """There is nobody else."""
        return True

    def _read(self, window_s: float | None) -> Iterable[tuple[Subject, Statistics]]:
        """All figures of a window, in parts. Under the lock."""
        if window_s is not None:
            check_window(window_s)
        self._settle()
        cells = [cell for roster in self._rosters.values() for cell in roster.cells()]
        yield from ((cell.subject, cell.open) for cell in cells if cell.open is not None)
        if window_s is None:
            yield from ((cell.subject, cell.whole) for cell in cells if cell.whole is not None)
            return
        if window_s > HOUR * 60:
            yield from self._hour.items()
        for period in self._periods(window_s):
            yield from ((subject, unpack(packed)) for subject, packed in period.cells.items())

    def _stretches(self, oldest_s: float, wanted: Wanted) -> Iterator[tuple[int, int, Statistics]]:
        """The open minute, the closed ones, and the hours before these. Settled, under the lock."""
        for roster in self._rosters.values():
            for cell in roster.cells():
                if cell.open is not None and wanted.is_met_by(cell.subject):
                    yield self._minute, 1, cell.open
        minutes = self._minutes.since(oldest_s)
        first = next(iter(self._minutes), None)
        hours = [hour for hour in self._hours.since(oldest_s) if first is None or hour.end <= first.start]
        for period in (*hours, *minutes):
            for statistics in period.of(wanted):
                yield period.start, period.length, statistics

    def _periods(self, window_s: float) -> list[Period]:
        """The closed periods of a window: those whose end lies in it."""
        ring = self._minutes if window_s <= HOUR * 60 else self._hours
        return ring.since(self._now_s() - window_s)

    def _slowest_of(self, window_s: float | None) -> list[Sample]:
        if window_s is None:
            return self._slowest.samples()
        periods = [self._slowest_now, *(period.slowest for period in self._periods(window_s))]
        if window_s > HOUR * 60:
            periods.append(self._hour_slowest)
        return [sample for slowest in periods for sample in slowest.samples()]

    def _settle(self) -> None:
        """Bring all up to date for a reader. Under the lock."""
        self._turn()
        self._pack(1_000_000)

    def _now_s(self) -> float:
        return self._clock.now().timestamp()

    def _minute_now(self) -> int:
        return int(self._now_s() // 60)


def _ever(statistics: Statistics) -> bool:
    return bool(statistics.count or statistics.slow)


def _heaviest_first(sums: dict[Subject, Statistics]) -> list[tuple[Subject, Statistics]]:
    return sorted(sums.items(), key=lambda item: item[1].total_ns, reverse=True)
