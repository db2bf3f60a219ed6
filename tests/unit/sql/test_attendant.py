"""What goes on in the background ends when it is told to."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from steinmetz.sql.attendant import Attendant


class Pool:
    def recreate(self) -> Pool:
        return self

    def dispose(self) -> None:
        pass


def attendant() -> Attendant:
    hook: Any = SimpleNamespace(
        engine=SimpleNamespace(pool=Pool(), dialect=SimpleNamespace(is_async=False)), relearn=lambda: None
    )
    knowledge: Any = SimpleNamespace(
        narrowing=SimpleNamespace(is_attended=True, attended_by=lambda wake: None, is_pending=False)
    )
    return Attendant(hook, knowledge)


@pytest.mark.anyio
async def test_a_cancellation_that_comes_together_with_the_waking_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(self: Attendant, work: Any) -> bool:
        return False

    monkeypatch.setattr(Attendant, "_aside", nothing)
    worker = attendant()
    running = asyncio.ensure_future(worker.run())
    for _ in range(5):
        await worker.settled()
    worker._wake.set()
    await asyncio.sleep(0)  # the waiter is about to be woken
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=2)
    assert done, "it goes on, though it was cancelled"
    assert running.cancelled()
