"""What one realtime server has done so far: counters, and what `Server.stats` says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

MAX_COUNTED_EVENTS = 1_000
OTHER_EVENTS = "(other)"


class Statistics:
    """Counters of this process since its start; bounded in what they are counted by."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """Connections and events turned away, by reason."""
        self.recoveries: Counter[str] = Counter()
        """Clients that came back and showed a pid, by what became of them (`recovery.Outcome`)."""
        self.dropped_volatile = 0
        self.slow_clients = 0
        self._emits: Counter[str] = Counter()

    def emitted(self, event: str) -> None:
        known = event in self._emits or len(self._emits) < MAX_COUNTED_EVENTS
        self._emits[event if known else OTHER_EVENTS] += 1

    @property
    def emits(self) -> Mapping[str, int]:
        """Emissions by event name; what came after `MAX_COUNTED_EVENTS` names is one entry."""
        return self._emits
