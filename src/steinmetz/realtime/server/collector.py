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

from steinmetz.clock import Clock, SystemClock, thread_ns
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from steinmetz.realtime.server.statistics import Statistics

YOUNG, MIDDLE, OLD = 2_000, 250, 1_000_000
"""`gc.set_threshold`: a look at the youngest after so many allocations, which takes 0.02 ms and leaves little
garbage lying about; at what has survived that after half a million; at the oldest never by itself."""
LOOK_EVERY_S = 1.0
QUIET_LOOKS = 2
"""So many looks in a row between which the loop had hardly anything to do: the process is idle."""
QUIET_SHARE = 0.1
"""Of a core, at most, for the loop of an idle process. Allocations would not tell: who frees as much as he
allocates has none, however busy he is."""
AT_EARLIEST_S = 30.0
"""A process that is idle every other moment need not use them all."""
BUSY_EVERY_S = 15.0
"""A process that has not been idle for so long collects all the same: the longer it waits, the longer it stands
still, and the more memory lies about as garbage."""
AT_LATEST_S = 60.0
"""So does one that is idle now and then, but not when it is time, or that seems to have nothing."""
THOROUGH_EVERY = 12
"""Each so manieth collection of an idle process looks at what earlier ones have set aside, too: half a second."""
THOROUGH_AT_LATEST_S = 3_600.0
"""A process that is never idle looks at it all the same."""


class Collector:
    """The collector's policy for a process that serves sockets. Process-wide: for programs, not for libraries.

    >>> collector = Collector(io.statistics)
    >>> collector.start()

    What survives a collection is set aside (`gc.freeze`): the next one looks only at what came since, so its pause
    does not grow with the idle connections. Cycles among what was set aside wait for the next thorough one.
    ``afterwards`` is done at the end of each collection and part of its pause: what else may hold up the process
    while nobody waits, such as giving memory back. ``used_ns`` tells what the loop's thread has used of a core.
    """

    def __init__(
        self,
        statistics: Statistics,
        clock: Clock | None = None,
        *,
        afterwards: Callable[[], None] | None = None,
        used_ns: Callable[[], int] = thread_ns,
    ) -> None:
        self._statistics = statistics
        self._clock = clock or SystemClock()
        self._afterwards = afterwards
        self._used_ns = used_ns
        self._tasks = Tasks("collector")
        self._before: tuple[int, int, int] | None = None
        self._looked_s = 0.0
        self._used_by_then_ns = 0
        self._quiet_looks = 0
        self._idle_s = 0.0
        self._collected_s = 0.0
        self._thorough_s = 0.0
        self._since_thorough = 0

    def start(self) -> None:
        """Collect, set aside what there is (modules, routes, schemas), and take over; on the running loop."""
        if self._before is None:
            self._before = gc.get_threshold()
            gc.collect()
            gc.freeze()
            gc.set_threshold(YOUNG, MIDDLE, OLD)
            self._collected_s = self._thorough_s = self._clock.monotonic_s()
            self._take_readings()
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
        self._quiet_looks = self._quiet_looks + 1 if self._was_quiet() else 0
        self._take_readings()
        now_s = self._clock.monotonic_s()
        since_s = now_s - self._collected_s
        is_idle = self._quiet_looks >= QUIET_LOOKS
        if is_idle:
            self._idle_s = now_s
        is_worn = now_s - max(self._idle_s, self._collected_s) >= BUSY_EVERY_S
        _, young_since, middle_since = gc.get_count()
        has_leisure = is_idle and since_s >= AT_EARLIEST_S
        if is_worn or since_s >= AT_LATEST_S or (has_leisure and young_since + middle_since > 0):
            is_high_time = now_s - self._thorough_s >= THOROUGH_AT_LATEST_S
            self.collect(thorough=is_high_time or (has_leisure and self._since_thorough >= THOROUGH_EVERY - 1))

    def collect(self, *, thorough: bool = False) -> None:
        """Collect now, and set aside what survives; for programs that know when nobody waits.

        A ``thorough`` collection looks at what earlier ones have set aside, too.
        """
        started_s = self._clock.monotonic_s()
        if thorough:
            gc.unfreeze()
            self._thorough_s = started_s
        self._since_thorough = 0 if thorough else self._since_thorough + 1
        gc.collect()
        gc.freeze()
        if self._afterwards is not None:
            self._afterwards()
        self._collected_s, self._quiet_looks = self._clock.monotonic_s(), 0
        self._take_readings()
        self._statistics.collected(self._collected_s - started_s)

    def _was_quiet(self) -> bool:
        """Whether the loop has hardly used its core since the last readings."""
        since_s = self._clock.monotonic_s() - self._looked_s
        return (self._used_ns() - self._used_by_then_ns) / 1e9 <= QUIET_SHARE * since_s

    def _take_readings(self) -> None:
        self._looked_s, self._used_by_then_ns = self._clock.monotonic_s(), self._used_ns()
