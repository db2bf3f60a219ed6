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
        self._waiting: list[asyncio.Future[bool]] = []
        self._runner: asyncio.Task[None] | None = None

    async def look(self) -> bool:
        """What ``ask`` says that begins from now on."""
        loop = asyncio.get_running_loop()
        self.shared += 1
        waiting: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(waiting)
        if self._runner is None:
            # A task begins in the loop's next turn: who comes in this one shares it.
            self._runner = loop.create_task(self._run(), name="cache:look")
        return await waiting

    async def _run(self) -> None:
        asked: list[asyncio.Future[bool]] = []
        try:
            while self._waiting:
                if asked:
                    # Who was just answered may ask again at once: gather these with those who wait already.
                    for _ in range(GATHERING_TURNS):
                        await asyncio.sleep(0)
                asked, self._waiting = self._waiting, []
                self.asked += 1
                try:
                    answer = await self._ask()
                except Exception as error:
                    log.error("Asking for the cluster's log failed", error=type(error).__name__, exc_info=error)
                    answer = False
                _tell(asked, answer)
        finally:
            _tell([*asked, *self._waiting], False)
            self._waiting, self._runner = [], None

    async def aclose(self) -> None:
        """End the question that is under way; who waits is told False."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)


def _tell(asked: list[asyncio.Future[bool]], answer: bool) -> None:
    for waiting in asked:
        if not waiting.done():  # or given up
            waiting.set_result(answer)
