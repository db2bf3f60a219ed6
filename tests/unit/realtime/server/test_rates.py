"""Rates of the last minute are differences of counters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Server
from steinmetz.realtime.server.rates import LOOKS, Rates
from steinmetz.realtime.server.statistics import Statistics
from steinmetz.realtime.testing import connect


def test_an_old_burst_is_forgotten_after_a_minute() -> None:
    statistics, clock = Statistics(), FakeClock()
    rates = Rates(statistics, clock.monotonic_s)
    assert rates.as_json() == {"windowS": 0.0, "out": {}, "in": {}}
    for _ in range(100):
        statistics.emitted("a")
        statistics.heard("b")
    for _ in range(LOOKS):
        clock.advance(5)
        told = rates.as_json()
        rates.on_due(clock.monotonic_s())
    assert told == {"windowS": 60.0, "out": {"a": 1.667}, "in": {"b": 1.667}}
    clock.advance(5)
    assert rates.as_json() == {"windowS": 60.0, "out": {}, "in": {}}


@pytest.mark.anyio
async def test_a_server_looks_by_itself(io: Server, pass_time: Callable[[float], None]) -> None:
    io.on("ask", lambda socket: None)
    async with connect(io) as anna:
        await anna.call("ask")
        io.emit("tell")
        io.emit("tell")
        pass_time(5.5)
        told = io.stats()["rates"]
        assert told["out"] == {"tell": pytest.approx(2 / 5.5, abs=0.001)}
        assert told["in"] == {"ask": pytest.approx(1 / 5.5, abs=0.001)}
        for _ in range(LOOKS):
            pass_time(5.5)
        assert io.stats()["rates"]["out"] == {}
