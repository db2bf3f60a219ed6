"""That a bus over Redis outlives whatever fails around it; the rest is `tests/contract/test_realtime_redis.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steinmetz.realtime.adapters import redis
from steinmetz.realtime.adapters.redis import RedisBus

pytestmark = pytest.mark.anyio


class Receiver:
    """One who fails whatever he is told."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)
        raise RuntimeError


@pytest.mark.parametrize("where", ["in its life", "on a line"])
async def test_after_any_failure_there_is_another_life(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(redis, "FIRST_PAUSE_S", 0)
    bus, receiver, lives = RedisBus("redis://127.0.0.1:1"), Receiver(), asyncio.Queue[int]()

    async def fail() -> None:
        raise LookupError

    async def live(_receiver: Any) -> None:
        lives.put_nowait(1)
        bus._is_up = True
        bus._broken = asyncio.get_running_loop().create_future()
        if where == "in its life":
            await fail()
        with pytest.raises(LookupError):
            await bus._breaking(fail())
        await bus._broken

    monkeypatch.setattr(bus, "_live", live)
    bus.start(receiver)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        for _ in range(3):
            await lives.get()
    assert receiver.reasons[:2] == ["LookupError"] * 2
    bus._is_up = False
    await bus.aclose()
