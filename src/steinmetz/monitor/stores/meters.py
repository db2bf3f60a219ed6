"""Where durations are counted: one list append each, folded into statistics later by whoever turns the store.

An append is one atomic step, in free-threaded builds, too, and takes 40 ns; the histogram's arithmetic is done for
many at once, off the query's path. Only the front of a list is ever taken away, by one thread under the store's
lock, so no duration is lost or counted twice.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from threading import RLock
from typing import Any

from steinmetz.monitor.analysis.statistics import OTHER, Statistics
from steinmetz.monitor.analysis.window import Kind, Subject, other

LONGEST_KEY = 200
"""Characters of a name or route; what is longer is cut."""
RETIRED = 1_000
"""Meters that have just left and are asked once more for durations that came late."""


class Cell:
    """The figures of one subject: of the open minute, and of all closed ones that have been settled."""

    __slots__ = ("changed", "open", "pending", "slow", "subject", "whole")

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.pending: list[int] = []
        self.slow: list[None] = []
        self.open: Statistics | None = None
        self.whole: Statistics | None = None
        self.changed = False
        """Since the store last told others of it."""

    def taken(self) -> tuple[list[int], list[None]]:
        """What is pending, taken away: the durations, and a mark for each slow one."""
        # A mark comes after its sample, so they are taken in the other order: never more marks than samples.
        slow = self.slow[:]
        if slow:
            del self.slow[: len(slow)]
        batch = self.pending[:]
        del self.pending[: len(batch)]
        return batch, slow

    def fold(self) -> list[int]:
        """Count what is pending in the open minute; returns the durations."""
        batch, slow = self.taken()
        self.changed = True
        if self.open is None:
            self.open = Statistics()
        self.open.add_all(batch)
        self.open.slow += len(slow)
        return batch

    @property
    def total_ns(self) -> int:
        """All durations, those pending included."""
        total = sum(self.pending) if self.pending else 0
        if self.open is not None:
            total += self.open.total_ns
        if self.whole is not None:
            total += self.whole.total_ns
        return total

    @property
    def count(self) -> int:
        return sum(part.count for part in (self.open, self.whole) if part is not None)

    def settle(self, closed: Statistics) -> None:
        """Add a closed minute to the whole."""
        if self.whole is None:
            self.whole = Statistics(dense=True)
        self.whole.merge(closed)

    def give(self, heir: Cell) -> None:
        """Leave all figures to another cell."""
        if self.whole is not None:
            heir.settle(self.whole)
        if self.open is not None:
            if heir.open is None:
                heir.open = Statistics()
            heir.open.merge(self.open)
        if self.whole is not None or self.open is not None:
            heir.changed = True
        self.whole = self.open = None

    def forget(self) -> None:
        self.taken()
        self.whole = self.open = None
        self.changed = False


class CellMeter:
    """The `steinmetz.monitor.stores.base.Meter` over one cell, and a second one for runs inside a track.

    One that had to make room is not lost: its next duration brings it back as a newcomer.
    """

    __slots__ = ("__weakref__", "_roster", "add", "debt", "inside", "nested", "samples")

    def __init__(self, subject: Subject, roster: Roster) -> None:
        self._roster = roster
        self.samples = Cell(subject)
        self.nested: Cell | None = None
        self.debt = 0
        self.add: Callable[[int], object]
        self.inside: Callable[[int], object]

    def __getattr__(self, name: str) -> Any:
        """`add` and `inside` while it has no place: not set, as a bound method would tie it to itself in a knot
        that only the collector undoes, a million times."""
        if name == "add":
            return self._add_again
        if name == "inside":
            return self._inside_again
        raise AttributeError(f"a meter has no {name!r}")

    @property
    def subject(self) -> Subject:
        return self.samples.subject

    def failed(self, duration_ns: int) -> None:
        self.add(~duration_ns)

    def failed_inside(self, duration_ns: int) -> None:
        self.inside(~duration_ns)

    def slow(self) -> None:
        self.samples.slow.append(None)

    def cells(self) -> tuple[Cell, ...]:
        return (self.samples,) if self.nested is None else (self.samples, self.nested)

    def weight(self, ebb_ns: int) -> int:
        """Its total time, less what has ebbed away since it came."""
        total = self.samples.total_ns + self.debt - ebb_ns
        return total if self.nested is None else total + self.nested.total_ns

    def enter(self) -> None:
        self.add = self.samples.pending.append
        if self.nested is not None:
            self.inside = self.nested.pending.append

    def leave(self) -> None:
        del self.add
        if self.nested is not None:
            del self.inside

    def _add_again(self, duration_ns: int) -> None:
        self._roster.admit(self)
        self.samples.pending.append(duration_ns)

    def _inside_again(self, duration_ns: int) -> None:
        self._roster.admit(self, nested=True)
        assert self.nested is not None  # admit has made it
        self.nested.pending.append(duration_ns)


class Roster:
    """The meters of one kind, at most ``capacity``: the heavy ones by total time; the rest share ``(other)``.

    When it is full, the median of the weights is taken off each, and who has nothing left (at least half of them)
    leaves its figures to ``(other)``: the purge of the Frequent Items sketch (Anderson et al., "A High-Performance
    Algorithm for Identifying Frequent Items in Data Streams", 2017). As each purge takes at least median x
    capacity / 2 from the sum, everyone whose time exceeds 2 / capacity of the total time is sure to be kept, in
    whatever order they come; a newcomer costs O(1) on average.
    """

    def __init__(self, kind: Kind, capacity: int, lock: RLock, folded: Callable[[Cell, list[int]], None]) -> None:
        self.kind = kind
        self.capacity = capacity
        self.meters: dict[str, CellMeter] = {}
        self.ebb_ns = 0
        self.departed: list[Subject] = []
        """Who has left since this was last emptied: those to whom their figures were told must hear of it."""
        self.listens = False
        self._lock = lock
        self._folded = folded
        self._known: weakref.WeakValueDictionary[str, CellMeter] = weakref.WeakValueDictionary()
        self._retired: deque[CellMeter] = deque(maxlen=RETIRED)
        self.other = self._other()

    def _other(self) -> CellMeter:
        meter = CellMeter(other(self.kind), self)
        meter.nested = Cell(other(self.kind, inside=True))
        meter.enter()
        return meter

    def meter(self, key: str, name: str, text: str = "") -> CellMeter:
        """The meter of ``key``; the same object for as long as anybody keeps it."""
        meter = self.meters.get(key)
        if meter is not None:
            return meter
        with self._lock:
            if key == OTHER:
                return self.other
            key, name = key[:LONGEST_KEY], name[:LONGEST_KEY]
            meter = self.meters.get(key) or self._known.get(key)
            if meter is None:
                meter = self._known[key] = CellMeter(Subject(self.kind, key, name, text), self)
            self.admit(meter)
            return meter

    def admit(self, meter: CellMeter, *, nested: bool = False) -> None:
        """Take in a newcomer, or one that had to leave."""
        with self._lock:
            if nested and meter.nested is None:
                subject = meter.subject
                meter.nested = Cell(Subject(self.kind, subject.key, subject.name, subject.text, inside=True))
                if meter.subject.key in self.meters:
                    meter.enter()
            if meter.subject.key in self.meters or meter is self.other:
                return
            if len(self.meters) >= self.capacity:
                self._purge()
            meter.debt = self.ebb_ns
            self.meters[meter.subject.key] = meter
            meter.enter()

    def cells(self) -> Iterator[Cell]:
        for meter in (self.other, *self.meters.values()):
            yield from meter.cells()

    def fold(self) -> None:
        """Count what is pending everywhere."""
        for meter in self._retired:
            samples, nested = meter.samples, meter.nested
            if samples.pending or samples.slow or (nested is not None and nested.pending):
                self._take(meter)
        for meter in (self.other, *self.meters.values()):
            samples, nested = meter.samples, meter.nested
            if samples.pending or samples.slow:
                self._folded(samples, samples.fold())
            if nested is not None and nested.pending:
                nested.fold()

    def _purge(self) -> None:
        weighed = sorted([(meter.weight(self.ebb_ns), key) for key, meter in self.meters.items()])
        median = weighed[len(weighed) // 2][0]
        self.ebb_ns += median
        for weight, key in weighed:
            if weight > median:
                break
            meter = self.meters.pop(key)
            meter.leave()
            self._retired.append(meter)
            self._take(meter)

    def _take(self, meter: CellMeter) -> None:
        """Leave to ``(other)`` what a meter holds that is not among ours.

        A thread may have looked up its list before it left, and append to it a moment later: so it is asked again
        for a while.
        """
        if meter.subject.key in self.meters:
            return
        for cell, heir in zip(meter.cells(), self.other.cells(), strict=False):
            batch, slow = cell.taken()
            if not cell.subject.inside:
                self._folded(cell, batch)
            heir.pending += batch
            heir.slow += slow
            if cell.open is not None or cell.whole is not None:
                if self.listens:
                    self.departed.append(cell.subject)
                cell.give(heir)

    def clear(self) -> None:
        """Forget all figures; meters that somebody keeps come back when they count again."""
        for meter in self.meters.values():
            meter.leave()
            for cell in meter.cells():
                cell.forget()
        for cell in self.other.cells():
            cell.forget()
        self.meters.clear()
        self.departed.clear()
        self.ebb_ns = 0

    def __repr__(self) -> str:
        return f"<Roster {self.kind} {len(self.meters)} of {self.capacity}>"
