"""Owned background tasks: each has a name and an owner who awaits its end; none is left to the collector."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger("steinmetz.tasks")


class Tasks:
    """The background tasks of one owner.

    A task that fails is logged with its name and does not take its siblings along. After `aclose` no further
    task is accepted.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start ``coroutine`` as the task ``owner:name`` on the running loop.

        Raises `RuntimeError` after `aclose`.
        """
        if self._closed:
            coroutine.close()
            raise RuntimeError(f"{self.owner} is closed and starts no task {name!r}")
        task = asyncio.get_running_loop().create_task(coroutine, name=f"{self.owner}:{name}")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Background task failed", task=task.get_name(), error=type(error).__name__, exc_info=error)

    async def aclose(self) -> None:
        """Cancel what runs and wait until all of it has ended."""
        self._closed = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def to_the_end(work: Future[T]) -> T:
    """Wait for ``work`` on another thread even if cancelled (it has to be bounded), then go on being cancelled."""
    waiting = asyncio.wrap_future(work)
    is_cancelled = False
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            is_cancelled = True
    task = asyncio.current_task()
    if is_cancelled and task is not None:
        # To be raised at the next await, by the one who can still do right by it, and counted once.
        task.uncancel()
        task.cancel()
    return waiting.result()
