"""How often each event is sent and heard, over the last minute: differences of counters."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from steinmetz.realtime.server.statistics import Statistics

LOOK_EVERY_S = 5.0
LOOKS = 12
"""One minute."""


class Look(NamedTuple):
    at_s: float
    sent: dict[str, int]
    heard: dict[str, int]


class Rates:
    """An entry of the timer wheel. Bound: `LOOKS` copies of two tables of counters."""

    wheel_slot = 0

    def __init__(self, statistics: Statistics, now_s: Callable[[], float]) -> None:
        self._statistics = statistics
        self._now_s = now_s
        self._looks: deque[Look] = deque([self._look(now_s())], maxlen=LOOKS)

    def _look(self, now_s: float) -> Look:
        return Look(now_s, dict(self._statistics.emits), dict(self._statistics.received))

    def on_due(self, now_s: float) -> float:
        """The wheel's call: remember how far the counters are."""
        self._looks.append(self._look(now_s))
        return now_s + LOOK_EVERY_S

    def as_json(self) -> dict[str, object]:
        """``{windowS, out: {event: a second}, in: {event: a second}}``, without the silent ones."""
        before, now = self._looks[0], self._look(self._now_s())
        window_s = now.at_s - before.at_s
        return {
            "windowS": round(window_s, 1),
            "out": _rates(before.sent, now.sent, window_s),
            "in": _rates(before.heard, now.heard, window_s),
        }


def _rates(before: Mapping[str, int], now: Mapping[str, int], window_s: float) -> dict[str, float]:
    if window_s <= 0:
        return {}
    grown = {name: count - before.get(name, 0) for name, count in now.items()}
    return {name: round(count / window_s, 3) for name, count in grown.items() if count}
