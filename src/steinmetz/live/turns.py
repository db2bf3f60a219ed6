"""Whose turn it is to be computed again: bounded for each answer, and bounded for all together. Pure.

All that ask make a round: the dearest first (cost x listeners), each once, before anybody has a second turn. No
answer has more turns a second than its `Rate`, and all of them together take no more than `SHARE` of one core
(trap T32).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from steinmetz.gcra import Allowed, Rate, decide

K = TypeVar("K", bound=Hashable)

SHARE = 0.25
"""Of one core, for computing answers again; the rest is for those who ask."""
SAVED_S = 0.5
"""What may be spent at once after a quiet time, in seconds of computing."""


class Turns(Generic[K]):
    """Bound: an entry for each answer that has asked; whoever ends one calls `forget`. ``now_s`` never goes
    back."""

    def __init__(self, share: float = SHARE, saved_s: float = SAVED_S) -> None:
        self._share = share
        self._most_s = saved_s
        self._left_s = saved_s
        self._counted_s = 0.0
        self._waiting: dict[K, float] = {}
        self._rates: dict[K, Rate] = {}
        self._arrivals_s: dict[K, float] = {}
        self._round: list[K] = []

    def __len__(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def ask(self, key: K, rate: Rate, weight: float = 0.0) -> None:
        """``key`` wants a turn; one is enough, however often it asks before."""
        self._waiting[key] = weight
        self._rates[key] = rate

    def withdraw(self, key: K) -> None:
        """It wants none any more."""
        self._waiting.pop(key, None)

    def forget(self, key: K) -> None:
        """There is no such answer any more."""
        self.withdraw(key)
        self._rates.pop(key, None)
        self._arrivals_s.pop(key, None)

    def spent(self, cost_s: float, now_s: float) -> None:
        """Computing took ``cost_s`` of a core."""
        self._save(now_s)
        self._left_s -= cost_s

    def next(self, now_s: float) -> tuple[K | None, float | None]:
        """Who is next; or None and in how many seconds to ask again, None for as soon as somebody has asked."""
        if not self._waiting:
            return None, None
        self._save(now_s)
        if self._left_s < 0:
            return None, -self._left_s / self._share
        self._round = [key for key in self._round if key in self._waiting]
        chosen, soonest_s = self._allowed(self._round, now_s)
        if chosen is None:
            # Either the round is over, or those left in it may not yet: then the next one begins beside it.
            others = self._waiting.keys() - set(self._round)
            by_weight = sorted(others, key=lambda key: -self._waiting[key])
            if not self._round:
                self._round = by_weight
            chosen, other_s = self._allowed(by_weight, now_s)
            soonest_s = min((wait_s for wait_s in (soonest_s, other_s) if wait_s is not None), default=None)
        if chosen is None:
            return None, soonest_s
        del self._waiting[chosen]
        if chosen in self._round:
            self._round.remove(chosen)
        return chosen, None

    def _allowed(self, keys: list[K], now_s: float) -> tuple[K | None, float | None]:
        """The first of ``keys`` that its rate lets pass; or in how many seconds there is one."""
        soonest_s: float | None = None
        for key in keys:
            verdict = decide(self._rates[key], self._arrivals_s.get(key), now_s)
            if isinstance(verdict, Allowed):
                self._arrivals_s[key] = verdict.arrival_s
                return key, None
            soonest_s = verdict.retry_after_s if soonest_s is None else min(soonest_s, verdict.retry_after_s)
        return None, soonest_s

    def _save(self, now_s: float) -> None:
        elapsed_s, self._counted_s = now_s - self._counted_s, now_s
        self._left_s = min(self._most_s, self._left_s + max(0.0, elapsed_s) * self._share)
