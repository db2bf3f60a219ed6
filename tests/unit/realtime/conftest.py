"""A realtime server on a clock that stands still, and how to let its time pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, RealtimeApp, Server

Condition = Callable[[], bool]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def io(clock: FakeClock) -> AsyncIterator[Server]:
    """Open to all, with the default times and limits."""
    server = Server(Config(require_auth=False), clock=clock)
    await server.start()
    yield server
    await server.shutdown()


@pytest.fixture
def pass_time(io: Server, clock: FakeClock) -> Callable[[float], None]:
    """Move the clock and serve what has become due."""

    def advance(seconds: float) -> None:
        clock.advance(seconds)
        io.wheel.run_due()

    return advance


@pytest.fixture
def until() -> Callable[[Condition], object]:
    """Wait for a condition, turn of the loop by turn of the loop."""

    async def wait(condition: Condition) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0)

    return wait


@pytest.fixture
def app(io: Server) -> RealtimeApp:
    return RealtimeApp(io)
