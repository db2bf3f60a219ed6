"""What one realtime server has done so far: plain counters. `figures` says what is made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from steinmetz.realtime.server.histogram import Histogram

MAX_COUNTED_EVENTS = 1_000
MAX_COUNTED_REASONS = 200
OTHER_EVENTS = "(other)"
OTHER_REASONS = "(other)"
STALL_S = 0.05
"""A turn of the loop that writes for longer than this makes everybody else wait."""


class Statistics:
    """Counters of this process since its start; bounded in what they are counted by."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """Connections and events turned away, by reason."""
        self.invalid_payloads: Counter[str] = Counter()
        """What clients sent or acknowledged and broke the schema of the event, by event."""
        self.broken_payloads: Counter[str] = Counter()
        """What the server emitted or acknowledged itself and broke the schema of the event, by event."""
        self.recoveries: Counter[str] = Counter()
        """Clients that came back and showed a pid, by what became of them (`recovery.Outcome`)."""
        self.sessions_opened = 0
        self.sessions_closed = 0
        self.deliveries = 0
        """In namespaces that have ended; and the bytes. What is said elsewhere, see `figures.delivered`."""
        self.delivered_bytes = 0
        self.bytes_in = 0
        """Of all transports, as they came: frames, or bodies of requests."""
        self.revocations = 0
        """Calls of `Server.revoke` of this process."""
        self.dropped_volatile = 0
        """Volatile emissions, once for each client that was not ready."""
        self.replaced_newest = 0
        """Emissions that gave way to a newer one under their key, once for each client for which they waited."""
        self.slow_clients = 0
        """Clients cut off because too much waited for them."""
        self.collections = 0
        """Full collections by `Collector`; its last pause and its worst one, in seconds."""
        self.collection_pause_s = 0.0
        self.worst_collection_pause_s = 0.0
        self.received: dict[str, int] = {}
        """Events of clients by name, as far as there was a handler of that name; all others are one entry."""
        self.round_trips = Histogram()
        """From a PING to its PONG."""
        self.writes = Histogram()
        """How long broadcasts have held up the loop, once for each turn in which any were written."""
        self.stalls = 0
        """Of these, those above `STALL_S`."""
        self._emits: Counter[str] = Counter()

    def wrote(self, duration_s: float) -> None:
        """The broadcasts of one turn of the loop have been written."""
        self.writes.add(duration_s)
        self.stalls += duration_s > STALL_S

    def collected(self, pause_s: float) -> None:
        """A full collection has stopped the process for ``pause_s`` seconds."""
        self.collections += 1
        self.collection_pause_s = pause_s
        self.worst_collection_pause_s = max(self.worst_collection_pause_s, pause_s)

    def refuse(self, reason: str) -> None:
        """Count a refusal whose words are an application's; after `MAX_COUNTED_REASONS` of them as another one."""
        known = reason in self.refused or len(self.refused) < MAX_COUNTED_REASONS
        self.refused[reason if known else OTHER_REASONS] += 1

    def heard(self, event: str) -> None:
        """A client has sent ``event``, for which there is a handler of that name."""
        known = event in self.received or len(self.received) < MAX_COUNTED_EVENTS
        name = event if known else OTHER_EVENTS
        self.received[name] = self.received.get(name, 0) + 1

    def emitted(self, event: str) -> None:
        known = event in self._emits or len(self._emits) < MAX_COUNTED_EVENTS
        self._emits[event if known else OTHER_EVENTS] += 1

    @property
    def emits(self) -> Mapping[str, int]:
        """Emissions by event name; what came after `MAX_COUNTED_EVENTS` names is one entry."""
        return self._emits
