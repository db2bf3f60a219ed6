"""What a coroutine costs, and that it is otherwise the same."""

from __future__ import annotations

import asyncio

import pytest

from steinmetz.live import measured as module
from steinmetz.live.measured import Measured

pytestmark = pytest.mark.anyio


async def test_its_value_comes_and_only_its_steps_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = 0

    def passed(by_ns: int) -> None:
        nonlocal now_ns
        now_ns += by_ns

    monkeypatch.setattr(module, "perf_ns", lambda: now_ns)
    woken = asyncio.Event()

    async def work() -> str:
        passed(3)
        await woken.wait()
        passed(4)
        return "done"

    measured = Measured(work())
    waiting = asyncio.ensure_future(_of(measured))
    await asyncio.sleep(0)
    passed(1_000)
    woken.set()
    assert await waiting == "done"
    assert measured.spent_ns == 7


async def _of(measured: Measured[str]) -> str:
    return await measured


async def test_its_exception_comes() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Measured(fail())


async def test_t27_timeouts_and_cancellation_inside_work_as_ever() -> None:
    steps: list[str] = []

    async def patient() -> str:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            steps.append("timed out")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise
        return ""

    waiting = asyncio.ensure_future(_of(Measured(patient())))
    while not steps:
        await asyncio.sleep(0.001)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert steps == ["timed out", "cancelled"]
