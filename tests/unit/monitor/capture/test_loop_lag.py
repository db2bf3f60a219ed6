"""The time a loop was blocked is no part of the queries awaited meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from steinmetz.monitor.capture.loop_lag import PERIOD_S, LoopLag

MS = 1_000_000
PERIOD_NS = int(PERIOD_S * 1e9)


class Ticking:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def lag(clock: Ticking) -> LoopLag:
    lag = LoopLag(clock)
    lag.beat()
    return lag


def test_an_idle_loop_has_no_lag(lag: LoopLag, clock: Ticking) -> None:
    for _ in range(10):
        clock.now_ns += PERIOD_NS
        lag.beat()
    assert lag.within(0, clock.now_ns) == 0


def test_a_late_heartbeat_is_a_block(lag: LoopLag, clock: Ticking) -> None:
    clock.now_ns = PERIOD_NS + 80 * MS
    lag.beat()
    assert lag.within(0, clock.now_ns) == 80 * MS
    assert lag.within(clock.now_ns, clock.now_ns + 5 * MS) == 0


def test_only_the_common_time_counts(lag: LoopLag, clock: Ticking) -> None:
    clock.now_ns = PERIOD_NS + 80 * MS
    lag.beat()
    assert lag.within(PERIOD_NS + 30 * MS, PERIOD_NS + 50 * MS) == 20 * MS
    assert lag.within(PERIOD_NS + 70 * MS, PERIOD_NS + 200 * MS) <= 200 * MS
    assert lag.within(0, PERIOD_NS - 1) == 0


def test_a_heartbeat_that_has_not_come_yet_counts_too(lag: LoopLag, clock: Ticking) -> None:
    clock.now_ns = PERIOD_NS + 50 * MS
    assert lag.within(PERIOD_NS + 10 * MS, clock.now_ns) == 40 * MS


def test_what_is_not_watched_has_no_lag(clock: Ticking) -> None:
    lag = LoopLag(clock)
    clock.now_ns = 10**12
    assert not lag.watching
    assert lag.within(0, clock.now_ns) == 0


@pytest.mark.anyio
async def test_it_beats_on_the_running_loop_until_it_is_stopped() -> None:
    beats = 0
    came = asyncio.Event()

    class Counting(LoopLag):
        def beat(self) -> None:
            nonlocal beats
            beats += 1
            super().beat()
            if beats == 2:
                came.set()

    lag = Counting()
    lag.start()
    await asyncio.wait_for(came.wait(), 5)
    lag.stop()
    assert not lag.watching
