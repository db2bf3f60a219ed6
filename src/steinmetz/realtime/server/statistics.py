"""What one realtime server has done so far: counters, and what `Server.stats` says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

MAX_LISTED_ROOMS = 1_000
MAX_COUNTED_EVENTS = 1_000
MAX_COUNTED_REASONS = 200
OTHER_EVENTS = "(other)"
OTHER_REASONS = "(other)"


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
        self._emits: Counter[str] = Counter()

    def collected(self, pause_s: float) -> None:
        """A full collection has stopped the process for ``pause_s`` seconds."""
        self.collections += 1
        self.collection_pause_s = pause_s
        self.worst_collection_pause_s = max(self.worst_collection_pause_s, pause_s)

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


def summary(server: Server) -> dict[str, Any]:
    """What `Server.stats` says: at most `MAX_LISTED_ROOMS` rooms, and none whose name is nobody's business."""
    config = server.config
    rooms = {
        room
        for namespace in server.namespaces()
        for room in namespace.adapter.rooms()
        if not (config.private_room(room) or config.unlisted_room(room))
    }
    return {
        "activeConnections": sum(client.admitted() for client in server.clients.values()),
        "rooms": sorted(rooms)[:MAX_LISTED_ROOMS],
        "events": dict(server.statistics.emits),
        "uptime": int(server.clock.monotonic_s() - server.started_s),
    }
