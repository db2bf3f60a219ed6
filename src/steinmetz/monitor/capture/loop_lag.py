"""How long the event loop was blocked, so that a query is not called slow for what other code did.

A heartbeat is due every 20 ms; where it comes late, the loop was blocked from the moment it was due. The time that
such a block shares with an awaited query is no part of the query. Up to one period at the head of each block goes
unseen, and what a tracked coroutine itself computes without awaiting counts as a block, too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from steinmetz.clock import perf_ns

PERIOD_S = 0.02
TOLERANCE_NS = 2_000_000
"""Lateness that timers have on an idle loop."""
BLOCKS_KEPT = 256


class LoopLag:
    """The recent blocks of one event loop; ``late`` hears at each heartbeat by how much it was late (ns)."""

    def __init__(
        self, now_ns: Callable[[], int] = perf_ns, late: Callable[[int], object] = lambda late_ns: None
    ) -> None:
        self.watching = False
        self.late = late
        self.latest_ns = 0
        self._now_ns = now_ns
        self._blocks: deque[tuple[int, int]] = deque(maxlen=BLOCKS_KEPT)
        self._due_ns: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Watch the running loop until `stop`."""
        self.stop()
        self._loop = asyncio.get_running_loop()
        self._schedule()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop = self._due_ns = None
        self.watching = False

    def beat(self) -> None:
        """The heartbeat has come; called by the loop."""
        now_ns = self._now_ns()
        if self._due_ns is not None:
            self.late(max(0, now_ns - self._due_ns))
        if self._due_ns is not None and now_ns - self._due_ns > TOLERANCE_NS:
            self._blocks.append((self._due_ns, now_ns))
            self.latest_ns = now_ns
        self._schedule()

    def _schedule(self) -> None:
        self.watching = True
        self._due_ns = self._now_ns() + int(PERIOD_S * 1e9)
        if self._loop is not None:
            self._timer = self._loop.call_later(PERIOD_S, self.beat)

    def within(self, start_ns: int, end_ns: int) -> int:
        """For how much of the interval the loop was blocked, in ns."""
        blocked = 0
        if self._due_ns is not None and end_ns - self._due_ns > TOLERANCE_NS:
            # The loop runs whoever waited longest first; the late heartbeat itself comes after.
            blocked += end_ns - max(start_ns, self._due_ns)
        if self.latest_ns > start_ns:
            for began_ns, ended_ns in reversed(self._blocks):
                if ended_ns <= start_ns:
                    break
                blocked += max(0, min(ended_ns, end_ns) - max(began_ns, start_ns))
        return blocked
