"""What one realtime server has done so far: counters, and what `Server.stats` says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

MAX_COUNTED_EVENTS = 1_000
MAX_COUNTED_REASONS = 200
OTHER_EVENTS = "(other)"
OTHER_REASONS = "(other)"


class Statistics:
    """Counters of this process since its start; bounded in what they are counted by."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """Connections and events turned away, by reason."""
        self.revocations = 0
        """Calls of `Server.revoke` of this process."""
        self.dropped_volatile = 0
        self.slow_clients = 0
        self._emits: Counter[str] = Counter()

    def refuse(self, reason: str) -> None:
        """Count a refusal whose words are an application's; after `MAX_COUNTED_REASONS` of them as another one."""
        known = reason in self.refused or len(self.refused) < MAX_COUNTED_REASONS
        self.refused[reason if known else OTHER_REASONS] += 1

    def emitted(self, event: str) -> None:
        known = event in self._emits or len(self._emits) < MAX_COUNTED_EVENTS
        self._emits[event if known else OTHER_EVENTS] += 1

    @property
    def emits(self) -> Mapping[str, int]:
        """Emissions by event name; what came after `MAX_COUNTED_EVENTS` names is one entry."""
        return self._emits
