"""One question to Redis for all who wait: a request may share an answer only if it was asked for after he came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("steinmetz.cache")

GATHERING_TURNS = 6
"""Turns of the loop in which answers are sent, the next requests are read and begun; some microseconds each."""


class SharedLook:
    """Shares the runs of ``ask``, one at a time; used on one event loop. ``asked`` counts the runs, ``shared`` the
    waiting. If ``ask`` raises, that is a False."""

    def __init__(self, ask: Callable[[], Awaitable[bool]]) -> None:
        self.asked = 0
        self.shared = 0
        self._ask = ask
        self._next: asyncio.Future[bool] | None = None
        self._runner: asyncio.Task[None] | None = None

    async def look(self) -> bool:
        """What ``ask`` says that begins from now on."""
        loop = asyncio.get_running_loop()
        self.shared += 1
        if self._next is None:
            self._next = loop.create_future()
            if self._runner is None:
                # A task begins in the loop's next turn: who comes in this one shares it.
                self._runner = loop.create_task(self._run(), name="cache:look")
        return await asyncio.shield(self._next)

    async def _run(self) -> None:
        answering: asyncio.Future[bool] | None = None
        try:
            while self._next is not None:
                if answering is not None:
                    # Who was just answered may ask again at once: gather these with those who wait already.
                    for _ in range(GATHERING_TURNS):
                        await asyncio.sleep(0)
                answering, self._next = self._next, None
                self.asked += 1
                try:
                    answer = await self._ask()
                except Exception as error:
                    log.error(
                        "Asking where the cluster's log ends failed", error=type(error).__name__, exc_info=error
                    )
                    answer = False
                answering.set_result(answer)
        finally:
            for waiting in (answering, self._next):
                if waiting is not None and not waiting.done():
                    waiting.set_result(False)
            self._next = self._runner = None

    async def aclose(self) -> None:
        """End the question that is under way; who waits is told False."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
