"""The collector works while nobody waits, or when it is high time; and leaves the process as it found it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import AsyncIterator, Iterator

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime.server.collector import (
    AT_EARLIEST_S,
    AT_LATEST_S,
    BUSY_EVERY_S,
    LOOK_EVERY_S,
    QUIET_LOOKS,
    QUIET_SHARE,
    THOROUGH_AT_LATEST_S,
    THOROUGH_EVERY,
    YOUNG,
    Collector,
)
from steinmetz.realtime.server.statistics import Statistics

pytestmark = pytest.mark.anyio


@pytest.fixture
def statistics() -> Statistics:
    return Statistics()


@pytest.fixture(autouse=True)
def set_aside_again() -> Iterator[None]:
    """The suite has set thousands of modules aside; who looks at them again in each test makes it slow."""
    yield
    gc.freeze()


class Core:
    """What the loop's thread has used of its core."""

    def __init__(self) -> None:
        self.used_ns = 0

    def __call__(self) -> int:
        return self.used_ns

    def work(self, share: float) -> None:
        """As if the loop had been busy for so much of the time between two looks."""
        self.used_ns += round(share * LOOK_EVERY_S * 1e9)


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
async def collector(statistics: Statistics, clock: FakeClock, core: Core) -> AsyncIterator[Collector]:
    """Started, in a process that allocates nothing by itself between two looks."""
    collector = Collector(statistics, clock, used_ns=core)
    collector.start()
    gc.disable()
    yield collector
    gc.enable()
    await collector.stop()


def something_to_collect() -> None:
    """As if objects had outlived two collections of the young."""
    gc.collect(1)


def look(collector: Collector, clock: FakeClock, times: int = 1) -> None:
    for _ in range(times):
        clock.advance(LOOK_EVERY_S)
        collector.look()


def look_busy(collector: Collector, clock: FakeClock, core: Core, seconds: float) -> None:
    """As a process that is always busy, for so long."""
    for _ in range(int(seconds / LOOK_EVERY_S)):
        something_to_collect()
        core.work(2 * QUIET_SHARE)
        look(collector, clock)


def collect(collector: Collector, clock: FakeClock) -> None:
    clock.advance(AT_EARLIEST_S)
    something_to_collect()
    look(collector, clock, QUIET_LOOKS)


class Knot:
    """A cycle: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


async def test_an_idle_process_collects_once_and_then_rests(
    collector: Collector, statistics: Statistics, clock: FakeClock
) -> None:
    clock.advance(AT_EARLIEST_S)
    something_to_collect()
    look(collector, clock, QUIET_LOOKS)
    assert statistics.collections == 1
    assert statistics.worst_collection_pause_s == statistics.collection_pause_s == 0.0
    look(collector, clock, int(AT_EARLIEST_S / LOOK_EVERY_S) + 1)
    assert statistics.collections == 1


async def test_idle_moments_are_not_all_used(
    collector: Collector, statistics: Statistics, clock: FakeClock
) -> None:
    for _ in range(int(AT_EARLIEST_S / LOOK_EVERY_S) - 1):
        something_to_collect()
        look(collector, clock)
    assert statistics.collections == 0
    look(collector, clock)
    assert statistics.collections == 1


async def test_a_busy_process_is_left_in_peace_for_a_while_only(
    collector: Collector, statistics: Statistics, clock: FakeClock, core: Core
) -> None:
    look_busy(collector, clock, core, BUSY_EVERY_S - LOOK_EVERY_S)
    assert statistics.collections == 0
    look_busy(collector, clock, core, LOOK_EVERY_S)
    assert statistics.collections == 1


async def test_a_burst_after_a_quiet_time_is_not_held_up(
    collector: Collector, statistics: Statistics, clock: FakeClock, core: Core
) -> None:
    look(collector, clock, int(BUSY_EVERY_S / LOOK_EVERY_S) + 1)
    look_busy(collector, clock, core, BUSY_EVERY_S - LOOK_EVERY_S)
    assert statistics.collections == 0
    look(collector, clock, QUIET_LOOKS)
    assert statistics.collections == 1


async def test_an_idle_process_without_anything_new_is_looked_at_seldom(
    collector: Collector, statistics: Statistics, clock: FakeClock
) -> None:
    gc.collect(2)
    look(collector, clock, int(AT_LATEST_S / LOOK_EVERY_S) - 1)
    assert statistics.collections == 0
    look(collector, clock)
    assert statistics.collections == 1


async def test_who_frees_as_much_as_he_allocates_is_busy_all_the_same(
    collector: Collector, statistics: Statistics, clock: FakeClock, core: Core
) -> None:
    look_busy(collector, clock, core, BUSY_EVERY_S)
    assert statistics.collections == 1
    look(collector, clock, int(AT_EARLIEST_S / LOOK_EVERY_S) - 1)
    assert statistics.collections == 1
    something_to_collect()
    look(collector, clock)
    assert statistics.collections == 2


async def test_a_busy_process_looks_at_what_was_set_aside_once_an_hour(
    collector: Collector, statistics: Statistics, clock: FakeClock, core: Core
) -> None:
    knot: Knot | None = Knot()
    held = weakref.ref(knot)
    collector.collect()
    knot = None
    look_busy(collector, clock, core, THOROUGH_AT_LATEST_S - BUSY_EVERY_S)
    assert statistics.collections > 2 * THOROUGH_EVERY
    assert held() is not None
    look_busy(collector, clock, core, BUSY_EVERY_S)
    assert held() is None


async def test_a_program_may_ask_for_a_thorough_collection(collector: Collector) -> None:
    knot: Knot | None = Knot()
    held = weakref.ref(knot)
    collector.collect()
    knot = None
    collector.collect()
    assert held() is not None
    collector.collect(thorough=True)
    assert held() is None


async def test_cycles_go_and_what_was_set_aside_is_looked_at_again(
    collector: Collector, statistics: Statistics, clock: FakeClock
) -> None:
    knot: Knot | None = Knot()
    held = weakref.ref(knot)
    collect(collector, clock)
    knot = None
    while statistics.collections < THOROUGH_EVERY - 1:
        collect(collector, clock)
    assert held() is not None
    collect(collector, clock)
    assert statistics.collections == THOROUGH_EVERY
    assert held() is None


async def test_the_process_is_left_as_it_was_found(statistics: Statistics) -> None:
    before, set_aside = gc.get_threshold(), gc.get_freeze_count()
    collector = Collector(statistics)
    collector.start()
    collector.start()
    assert gc.get_threshold()[0] == YOUNG
    assert gc.get_freeze_count() > set_aside
    await collector.stop()
    await collector.stop()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


async def test_a_pause_is_counted_and_the_worst_is_kept() -> None:
    statistics = Statistics()
    for pause_s in (0.07, 0.02):
        statistics.collected(pause_s)
    assert (statistics.collections, statistics.collection_pause_s) == (2, 0.02)
    assert statistics.worst_collection_pause_s == 0.07


async def test_what_else_holds_up_the_process_is_done_at_the_end_and_is_part_of_the_pause(
    statistics: Statistics, clock: FakeClock
) -> None:
    collector = Collector(statistics, clock, afterwards=lambda: clock.advance(0.25))
    collector.collect()
    assert statistics.worst_collection_pause_s == 0.25
