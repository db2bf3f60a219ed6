"""The generic cell rate algorithm: a leaky bucket kept as one number, the theoretical arrival time.

After ITU-T I.371, annex A.1. `decide` is pure; `Gcra` remembers for a bounded number of keys.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then one every ``period_s`` seconds."""

    burst: int
    period_s: float

    def __post_init__(self) -> None:
        if self.burst < 1 or self.period_s <= 0:
            raise ValueError("a rate needs burst >= 1 and period_s > 0")


@dataclass(frozen=True, slots=True)
class Allowed:
    arrival_s: float
    """The theoretical arrival time to remember."""


@dataclass(frozen=True, slots=True)
class Denied:
    retry_after_s: float
    """From now on, the moment at which one is allowed again."""


def decide(rate: Rate, arrival_s: float | None, now_s: float) -> Allowed | Denied:
    """Whether one more is allowed at ``now_s``, given the remembered arrival time (None: never seen)."""
    arrival_s = now_s if arrival_s is None else max(arrival_s, now_s)
    early_s = arrival_s - now_s - (rate.burst - 1) * rate.period_s
    # A hair of tolerance: sums of periods must not deny by their rounding.
    return Denied(early_s) if early_s > 1e-9 else Allowed(arrival_s + rate.period_s)


class Gcra:
    """One `Rate` for many keys; at most ``max_keys`` are remembered.

    When full, keys whose bucket has drained are forgotten for free; if there are none, the one that would drain
    first is, and ``forgotten`` counts it.
    """

    def __init__(self, rate: Rate, *, max_keys: int = 10_000) -> None:
        self.rate = rate
        self.max_keys = max_keys
        self.forgotten = 0
        self._arrivals_s: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._arrivals_s)

    def peek(self, key: Hashable, now_s: float) -> Allowed | Denied:
        """What `take` would say, without taking."""
        return decide(self.rate, self._arrivals_s.get(key), now_s)

    def take(self, key: Hashable, now_s: float) -> Allowed | Denied:
        """One more for ``key``; a denial costs the key nothing."""
        decision = self.peek(key, now_s)
        if isinstance(decision, Allowed):
            if key not in self._arrivals_s and len(self._arrivals_s) >= self.max_keys:
                self._make_room(now_s)
            self._arrivals_s[key] = decision.arrival_s
        return decision

    def give_back(self, key: Hashable) -> None:
        """Undo one `take`."""
        if key in self._arrivals_s:
            self._arrivals_s[key] -= self.rate.period_s

    def _make_room(self, now_s: float) -> None:
        self._arrivals_s = {key: at for key, at in self._arrivals_s.items() if at > now_s}
        if len(self._arrivals_s) >= self.max_keys:
            del self._arrivals_s[min(self._arrivals_s, key=self._arrivals_s.__getitem__)]
            self.forgotten += 1
