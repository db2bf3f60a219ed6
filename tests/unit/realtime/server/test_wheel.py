"""One timer for everybody."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.clock import FakeClock, SystemClock
from steinmetz.realtime.server.wheel import Wheel

pytestmark = pytest.mark.anyio
TICK_S = 0.25


class Entry:
    """Notes when it was served, and comes again after ``again_s`` seconds if that is given."""

    def __init__(self, again_s: float | None = None) -> None:
        self.wheel_slot = 0
        self.served_at: list[float] = []
        self._again_s = again_s

    def on_due(self, now_s: float) -> float | None:
        self.served_at.append(now_s)
        return None if self._again_s is None else now_s + self._again_s


def test_an_entry_is_served_when_it_is_due_and_at_most_a_tick_later() -> None:
    clock = FakeClock()
    wheel, entry = Wheel(clock, TICK_S), Entry()
    due_s = clock.monotonic_s() + 1.1
    wheel.schedule(entry, due_s)
    for _ in range(8):
        clock.advance(TICK_S)
        wheel.run_due()
    assert len(entry.served_at) == 1
    assert due_s <= entry.served_at[0] <= due_s + TICK_S


def test_an_entry_waits_in_one_place_and_an_earlier_deadline_wins() -> None:
    clock = FakeClock()
    wheel, entry = Wheel(clock, TICK_S), Entry()
    start_s = clock.monotonic_s()
    wheel.schedule(entry, start_s + 10)
    wheel.schedule(entry, start_s + 20)
    wheel.schedule(entry, start_s + 5)
    for _ in range(4):
        clock.advance(7)
        wheel.run_due()
    assert entry.served_at == [start_s + 7]


def test_an_entry_that_says_when_comes_again() -> None:
    clock = FakeClock()
    wheel, entry = Wheel(clock, TICK_S), Entry(again_s=1.0)
    wheel.schedule(entry, clock.monotonic_s())
    for _ in range(10):
        clock.advance(1)
        wheel.run_due()
    assert len(entry.served_at) == 10


def test_a_deadline_in_the_past_is_served_once_a_tick_and_not_in_a_circle() -> None:
    clock = FakeClock()
    wheel, entry = Wheel(clock, TICK_S), Entry(again_s=-100)
    wheel.schedule(entry, clock.monotonic_s() - 50)
    wheel.run_due()
    assert len(entry.served_at) == 1


async def test_a_crowded_slot_is_served_in_turns_of_the_loop() -> None:
    clock = FakeClock()
    wheel, entries = Wheel(clock, TICK_S), [Entry() for _ in range(1_200)]
    for entry in entries:
        wheel.schedule(entry, clock.monotonic_s())
    wheel.start(asyncio.get_running_loop())
    wheel.run_due()
    assert sum(len(entry.served_at) for entry in entries) == 500
    async with asyncio.timeout(5):
        while not all(entry.served_at for entry in entries):
            await asyncio.sleep(0)
    assert all(len(entry.served_at) == 1 for entry in entries)
    wheel.stop()


async def test_the_timer_follows_the_earliest_deadline() -> None:
    clock = SystemClock()
    wheel, late, early = Wheel(clock, 0.001), Entry(), Entry()
    wheel.start(asyncio.get_running_loop())
    wheel.schedule(late, clock.monotonic_s() + 60)
    wheel.schedule(early, clock.monotonic_s() + 0.01)
    async with asyncio.timeout(5):
        while not early.served_at:
            await asyncio.sleep(0.001)
    assert not late.served_at
    wheel.stop()
    assert late.wheel_slot == 0


@given(st.lists(st.floats(0, 30), max_size=20), st.floats(0.1, 5))
def test_nobody_is_served_early_or_forgotten(delays: list[float], step_s: float) -> None:
    clock = FakeClock()
    start_s = clock.monotonic_s()
    wheel = Wheel(clock, TICK_S)
    entries = [(delay, Entry()) for delay in delays]
    for delay, entry in entries:
        wheel.schedule(entry, start_s + delay)
    while clock.monotonic_s() < start_s + 31 + step_s:
        wheel.run_due()
        clock.advance(step_s)
    for delay, entry in entries:
        assert len(entry.served_at) == 1
        assert start_s + delay <= entry.served_at[0] <= start_s + delay + TICK_S + step_s
