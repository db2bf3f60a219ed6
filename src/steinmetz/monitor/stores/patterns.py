"""The findings of this process, each habit once, in its memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.patterns import Finding, PatternKind

KEPT = 500
ROUTES = 10


@dataclass(slots=True)
class Habit:
    """A pattern that was found once or more; ``worst`` is the finding with the most runs.

    ``routes`` are the names of the first ten kinds of units of work that it was found in.
    """

    id: int
    worst: Finding
    first_seen: datetime
    last_seen: datetime
    times: int = 0
    runs: int = 0
    total_ns: int = 0
    saved_ns: int = 0
    routes: list[str] = field(default_factory=list)
    told_s: float | None = None


class PatternStore:
    """Keeps `KEPT` habits; the one not seen for the longest time goes first, and ``dropped`` counts it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self._habits: OrderedDict[object, Habit] = OrderedDict()
        self._next_id = 1
        self.dropped = 0

    def add(self, finding: Finding, tell_every_s: float = 3600.0) -> bool:
        """Count ``finding``; whether it is to be told: it was not within the last ``tell_every_s``."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        with self._lock:
            habit = self._habits.get(finding.key)
            if habit is None:
                if len(self._habits) >= KEPT:
                    self._habits.popitem(last=False)
                    self.dropped += 1
                habit = self._habits[finding.key] = Habit(self._next_id, finding, now, now)
                self._next_id += 1
            else:
                self._habits.move_to_end(finding.key)
            habit.last_seen = now
            habit.times += 1
            habit.runs += finding.count
            habit.total_ns += finding.total_ns
            habit.saved_ns += finding.saved_ns
            if finding.count > habit.worst.count:
                habit.worst = finding
            if finding.scope and finding.scope not in habit.routes and len(habit.routes) < ROUTES:
                habit.routes.append(finding.scope)
            if habit.told_s is not None and now_s - habit.told_s < tell_every_s:
                return False
            habit.told_s = now_s
            return True

    def habits(self, kinds: Collection[PatternKind] = ()) -> list[Habit]:
        """Those of ``kinds`` (all if empty), the one that could save the most time first."""
        with self._lock:
            found = [habit for habit in self._habits.values() if not kinds or habit.worst.kind in kinds]
        return sorted(found, key=lambda habit: (-habit.saved_ns, -habit.total_ns, habit.id))
