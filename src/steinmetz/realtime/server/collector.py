"""When this process looks for garbage in cycles: rarely, and while nobody waits (trap T23).

CPython's collector runs when enough has been allocated, which is when the server is busiest, and a full collection
looks at every object of every idle connection: 70 to 90 ms at 18,000 of them. What the server itself leaves behind
is freed by reference counts alone, so a full collection is for what applications leave, and can wait.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from steinmetz.clock import Clock, SystemClock
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from steinmetz.realtime.server.statistics import Statistics

YOUNG, MIDDLE, OLD = 20_000, 25, 1_000_000
"""`gc.set_threshold`: allocations between two looks at the youngest; the oldest is never looked at by itself."""
LOOK_EVERY_S = 1.0
QUIET_LOOKS = 2
"""So many looks in a row with hardly an allocation: the process is idle."""
QUIET_COLLECTIONS = 1
"""Of the youngest generation between two looks, at most, while the process is idle."""
AT_EARLIEST_S = 30.0
"""A process that is idle every other moment need not use them all."""
AT_LATEST_S = 300.0
"""A process that is never idle collects all the same."""
THOROUGH_EVERY = 12
"""Each so manieth collection looks at what an earlier one has set aside, too."""


class Collector:
    """The collector's policy for a process that serves sockets. Process-wide: for programs, not for libraries.

    >>> collector = Collector(io.statistics)
    >>> collector.start()

    What survives a collection is set aside (`gc.freeze`): the next one looks only at what came since, so its pause
    does not grow with the idle connections. Cycles among what was set aside wait for the next thorough one.
    ``afterwards`` is done at the end of each collection and part of its pause: what else may hold up the process
    while nobody waits, such as giving memory back.
    """

    def __init__(
        self, statistics: Statistics, clock: Clock | None = None, *, afterwards: Callable[[], None] | None = None
    ) -> None:
        self._statistics = statistics
        self._clock = clock or SystemClock()
        self._afterwards = afterwards
        self._tasks = Tasks("collector")
        self._before: tuple[int, int, int] | None = None
        self._collected_s = 0.0
        self._collections = 0
        self._quiet_looks = 0
        self._young_seen = 0

    def start(self) -> None:
        """Collect, set aside what there is (modules, routes, schemas), and take over; on the running loop."""
        if self._before is None:
            self._before = gc.get_threshold()
            gc.collect()
            gc.freeze()
            gc.set_threshold(YOUNG, MIDDLE, OLD)
            self._collected_s = self._clock.monotonic_s()
            self._young_seen = _young_collections()
            self._tasks.spawn("looks", self._run())

    async def stop(self) -> None:
        """Leave the collector as it was found. Idempotent."""
        await self._tasks.aclose()
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Collect if the process is idle and there may be something, or if it is high time."""
        young = _young_collections()
        is_quiet = young - self._young_seen <= QUIET_COLLECTIONS
        self._young_seen = young
        self._quiet_looks = self._quiet_looks + 1 if is_quiet else 0
        since_s = self._clock.monotonic_s() - self._collected_s
        is_idle = self._quiet_looks >= QUIET_LOOKS and since_s >= AT_EARLIEST_S
        _, young_since, middle_since = gc.get_count()
        if since_s >= AT_LATEST_S or (is_idle and young_since + middle_since > 0):
            self.collect()

    def collect(self) -> None:
        """Collect now, and set aside what survives; for programs that know when nobody waits."""
        self._collections += 1
        if self._collections % THOROUGH_EVERY == 0:
            gc.unfreeze()
        started_s = self._clock.monotonic_s()
        gc.collect()
        gc.freeze()
        if self._afterwards is not None:
            self._afterwards()
        ended_s = self._clock.monotonic_s()
        self._collected_s, self._quiet_looks = ended_s, 0
        self._young_seen = _young_collections()
        self._statistics.collected(ended_s - started_s)


def _young_collections() -> int:
    count: int = gc.get_stats()[0]["collections"]
    return count
