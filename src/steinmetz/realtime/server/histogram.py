"""Durations in a fixed number of buckets: what operators ask of them, in 80 numbers whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from math import log2

SMALLEST_S = 0.0001
STEPS = 4
"""Buckets an octave: a quantile is at most 19 % too high."""
BUCKETS = 20 * STEPS
"""Up to 105 s; what takes longer is in the last."""


class Histogram:
    """Not for a hot path of its own: `add` takes 0.3 us."""

    __slots__ = ("_buckets", "count", "sum_s", "worst_s")

    def __init__(self) -> None:
        self._buckets = [0] * BUCKETS
        self.count = 0
        self.sum_s = 0.0
        self.worst_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one duration."""
        place = 0 if duration_s <= SMALLEST_S else int(log2(duration_s / SMALLEST_S) * STEPS)
        self._buckets[min(place, BUCKETS - 1)] += 1
        self.count += 1
        self.sum_s += duration_s
        self.worst_s = max(self.worst_s, duration_s)

    def quantile_s(self, share: float) -> float | None:
        """Below which ``share`` of all lie, 0 to 1; None of nothing."""
        if not self.count:
            return None
        wanted = share * self.count
        place = next(place for place, seen in enumerate(accumulate(self._buckets)) if seen >= wanted)
        return min(_end_s(place), self.worst_s)

    def octaves(self) -> Iterator[tuple[float, int]]:
        """(upper bound in seconds, how many are not above it), growing: the buckets of a Prometheus histogram."""
        seen = 0
        for start in range(0, BUCKETS, STEPS):
            seen += sum(self._buckets[start : start + STEPS])
            yield _end_s(start + STEPS - 1), seen

    def as_json(self) -> dict[str, float | int | None]:
        """``{count, p50Ms, p99Ms, worstMs}``; None where nothing was counted."""
        return {
            "count": self.count,
            "p50Ms": _ms(self.quantile_s(0.5)),
            "p99Ms": _ms(self.quantile_s(0.99)),
            "worstMs": _ms(self.worst_s if self.count else None),
        }


def _end_s(place: int) -> float:
    return SMALLEST_S * 2 ** ((place + 1) / STEPS)


def _ms(duration_s: float | None) -> float | None:
    return None if duration_s is None else round(duration_s * 1000, 3)
