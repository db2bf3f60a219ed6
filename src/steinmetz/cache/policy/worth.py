"""Whether keeping the answers of a route is worth it, by what was kept for nothing (trap T10).

An answer was kept *for nothing* if a write dropped it before anybody was given it, or if a write came while it was
being computed. It was *of use* as often as it was given to somebody who did not compute it: hits and joined
flights. A route whose answers are written more often than they are read pays for keeping (bytes, index, waiting
for commits) and gets nothing back; it by-passes itself for a while and is then tried again. Answers that nobody
asked for a second time, but nobody wrote either, count on neither side.
"""

from __future__ import annotations

SPOILT = 50
"""Answers kept for nothing before a route is judged at all."""
SPOILT_ON_TRIAL = 10
"""The same for a route that comes back from a by-pass."""
LEAVE_BELOW = 0.1
"""Uses per answer kept for nothing, below which keeping stops."""
RETURN_ABOVE = 0.3
"""What a trial must reach: more than what was left at, so that a route on the edge does not swing."""
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0


class Worth:
    """The judgement of one route; ``bypasses_until_s`` is on the monotonic clock, 0 while answers are kept."""

    __slots__ = ("_pause_s", "_spoilt", "_used_before", "bypasses_until_s", "on_trial", "pauses")

    def __init__(self) -> None:
        self.bypasses_until_s = 0.0
        self.on_trial = False
        self.pauses = 0
        self._pause_s = FIRST_PAUSE_S
        self._spoilt = 0
        self._used_before = 0

    def spoilt(self, uses: int, now_s: float) -> bool:
        """An answer was kept for nothing; ``uses`` counts all uses so far. Whether a by-pass begins with it."""
        self._spoilt += 1
        if self._spoilt < (SPOILT_ON_TRIAL if self.on_trial else SPOILT):
            return False
        rate = (uses - self._used_before) / self._spoilt
        self._spoilt, self._used_before = 0, uses
        if rate >= (RETURN_ABOVE if self.on_trial else LEAVE_BELOW):
            self.on_trial, self._pause_s = False, FIRST_PAUSE_S
            return False
        self.bypasses_until_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self.pauses += 1
        return True

    def is_over(self, now_s: float, uses: int) -> bool:
        """Whether the by-pass has had its time; if so, a trial begins."""
        if now_s < self.bypasses_until_s:
            return False
        self.bypasses_until_s = 0.0
        self.on_trial = True
        self._spoilt, self._used_before = 0, uses
        return True
