"""What a run of the workload showed: counts, latencies, hits beside those of an oracle; pure.

The oracle is a cache that recomputes every answer and compares: it could have hit exactly when the bytes are
those of the last answer to the same path. No cache that never lies can hit more often, so our hits are told as a
share of the oracle's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.ledger import Ledger

MAX_PATHS = 20_000
MAX_EVENTS = 64
OTHER = "(other)"


class Latencies:
    """Log-linear counts of microseconds, 64 steps to the octave: a value is at most 1.6 % too low."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, duration_ms: float) -> None:
        us = max(0, int(duration_ms * 1000))
        shift = max(0, us.bit_length() - 7)
        self.counts[us >> shift << shift] += 1

    def quantile_ms(self, q: float) -> float:
        """0.0 when nothing was counted."""
        rank = q * self.counts.total()
        for us in sorted(self.counts):
            rank -= self.counts[us]
            if rank <= 0:
                return us / 1000
        return 0.0


@dataclass(slots=True)
class RouteTally:
    """All requests of one route."""

    requests: int = 0
    refused: int = 0
    x_cache: Counter[str] = field(default_factory=Counter)
    oracle_hits: int = 0
    latencies: Latencies = field(default_factory=Latencies)


class Oracle:
    """Which answers recompute-and-compare could have given from memory. Bounded: forgets the oldest path."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, int]] = {}
        self.hits = 0
        self.reads = 0

    def take(self, path: str, variant: str, body: bytes) -> bool:
        """An answer came for a caller of ``variant``: could it have been kept?

        What another variant got with the same bytes counts as kept, too.
        """
        self.reads += 1
        answers = self._last.get(path)
        if answers is None:
            answers = self._last[path] = {}
            if len(self._last) > MAX_PATHS:
                del self._last[next(iter(self._last))]
        digest = hash(body)
        could_hit = digest in answers.values()
        self.hits += could_hit
        answers[variant] = digest
        return could_hit


class Tally:
    """The sum of a run; `summary` is what ``--json`` writes."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self.ledger = Ledger()
        self.start_counting()

    def start_counting(self) -> None:
        """Forget what was counted, and keep what was learnt: the end of a warm-up.

        Stale answers go on adding up: a lie is one whenever it was told.
        """
        self.routes: dict[str, RouteTally] = {}
        self.statuses: Counter[int] = Counter()
        self.x_cache: Counter[str] = Counter()
        self.reads = Latencies()
        self.writes = Latencies()
        self.events: Counter[str] = Counter()
        self.events_backwards = 0
        """Overviews pushed to a screen that had already shown a newer one."""
        self.polls = 0
        self.broken = 0
        """Requests without an answer: connection lost or no answer in time."""
        self.sockets_lost = 0
        self.oracle.hits = self.oracle.reads = 0
        self.elapsed_s = 0.0

    def take(self, call: Call, reply: Reply, body: bytes, variant: str, duration_ms: float) -> None:
        """An answer of the workload came."""
        route = self.routes.setdefault(call.route, RouteTally())
        route.requests += 1
        route.latencies.add(duration_ms)
        self.statuses[reply.status] += 1
        if not reply.is_good:
            route.refused += 1
        if call.is_write:
            self.writes.add(duration_ms)
            return
        self.reads.add(duration_ms)
        route.x_cache[reply.x_cache or "none"] += 1
        self.x_cache[reply.x_cache or "none"] += 1
        if reply.is_good:
            route.oracle_hits += self.oracle.take(call.path, variant, body)

    def hear(self, event: str) -> None:
        """A screen heard an event."""
        known = event in self.events or len(self.events) < MAX_EVENTS
        self.events[event if known else OTHER] += 1

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def read_count(self) -> int:
        return self.x_cache.total()

    @property
    def refused(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 400)

    @property
    def hit_rate(self) -> float:
        """Hits among all reads, cached routes or not; 0 when there were none."""
        return self.x_cache["HIT"] / self.read_count if self.read_count else 0.0

    @property
    def oracle_hit_rate(self) -> float:
        return self.oracle.hits / self.oracle.reads if self.oracle.reads else 0.0

    def summary(self) -> dict[str, Any]:
        """Everything as one JSON object; durations in milliseconds."""
        ledger = self.ledger
        return {
            "elapsedSeconds": round(self.elapsed_s, 3),
            "requests": self.requests,
            "reads": self.read_count,
            "writes": self.requests - self.read_count,
            "broken": self.broken,
            "refused": self.refused,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "xCache": dict(sorted(self.x_cache.items())),
            "hitRate": round(self.hit_rate, 4),
            "oracleHitRate": round(self.oracle_hit_rate, 4),
            "readMs": _percentiles(self.reads),
            "writeMs": _percentiles(self.writes),
            "routes": {
                name: {
                    "requests": route.requests,
                    "refused": route.refused,
                    "xCache": dict(sorted(route.x_cache.items())),
                    "oracleHits": route.oracle_hits,
                    **_percentiles(route.latencies),
                }
                for name, route in sorted(self.routes.items())
            },
            "polls": self.polls,
            "events": dict(sorted(self.events.items())),
            "eventsBackwards": self.events_backwards,
            "socketsLost": self.sockets_lost,
            "versionsChecked": ledger.checked,
            "stale": ledger.stale,
            "backwards": ledger.backwards,
            "findings": [
                {"path": found.path, "record": found.record, "shown": found.shown, "required": found.required}
                for found in ledger.findings
            ],
        }


def _percentiles(latencies: Latencies) -> dict[str, float]:
    return {f"p{round(q * 100)}": latencies.quantile_ms(q) for q in (0.5, 0.95, 0.99)}
