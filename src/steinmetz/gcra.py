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


def decide(rate: Rate, arrival_s: float | None, now_s: float, cost: int = 1) -> Allowed | Denied:
    """Whether ``cost`` more are allowed at ``now_s``, given the remembered arrival time (None: never seen)."""
    arrival_s = now_s if arrival_s is None else max(arrival_s, now_s)
    early_s = arrival_s - now_s - (rate.burst - cost) * rate.period_s
    # A hair of tolerance: sums of periods must not deny by their rounding.
    return Denied(early_s) if early_s > 1e-9 else Allowed(arrival_s + cost * rate.period_s)


class Gcra:
    """One `Rate` for many keys; at most ``max_keys`` are remembered.

    When full, keys whose bucket has drained are forgotten for free. Where that makes little room, those that would
    drain first are forgotten too, an eighth at a time, so that a flood of new keys costs each of them little;
    ``forgotten`` counts them.
    """

    def __init__(self, rate: Rate, *, max_keys: int = 10_000) -> None:
        self.rate = rate
        self.max_keys = max_keys
        self.forgotten = 0
        self._arrivals_s: dict[Hashable, float] = {}
        self._most = max_keys - max(1, max_keys // 8)
        """How many are left when room has been made."""

    def __len__(self) -> int:
        return len(self._arrivals_s)

    def peek(self, key: Hashable, now_s: float, cost: int = 1) -> Allowed | Denied:
        """What `take` would say, without taking."""
        return decide(self.rate, self._arrivals_s.get(key), now_s, cost)

    def take(self, key: Hashable, now_s: float, cost: int = 1) -> Allowed | Denied:
        """``cost`` more for ``key``; a denial costs nothing. More than a burst at once is never allowed."""
        decision = self.peek(key, now_s, cost)
        if isinstance(decision, Allowed):
            self._remember(key, decision.arrival_s, now_s)
        return decision

    def charge(self, key: Hashable, now_s: float, cost: int = 1) -> float:
        """`take` in one number: the seconds to wait, 0 if it was allowed. For the path that all requests take."""
        rate, arrival_s = self.rate, self._arrivals_s.get(key, now_s)
        if arrival_s < now_s:
            arrival_s = now_s
        arrival_s += cost * rate.period_s
        early_s = arrival_s - now_s - rate.burst * rate.period_s
        if early_s > 1e-9:
            return early_s
        if key in self._arrivals_s:
            self._arrivals_s[key] = arrival_s
        else:
            self._remember(key, arrival_s, now_s)
        return 0.0

    def give_back(self, key: Hashable, cost: int = 1) -> None:
        """Undo one `take`."""
        if key in self._arrivals_s:
            self._arrivals_s[key] -= cost * self.rate.period_s

    def _remember(self, key: Hashable, arrival_s: float, now_s: float) -> None:
        if len(self._arrivals_s) >= self.max_keys and key not in self._arrivals_s:
            self._make_room(now_s)
        self._arrivals_s[key] = arrival_s

    def _make_room(self, now_s: float) -> None:
        kept = {key: at for key, at in self._arrivals_s.items() if at > now_s}
        if (surplus := len(kept) - self._most) > 0:
            kept = dict(sorted(kept.items(), key=lambda pair: pair[1])[surplus:])
            self.forgotten += surplus
        self._arrivals_s = kept
