"""Asks for wanted answers, a few at a time, and says how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from steinmetz.cache.asgi.protocol import ASGIApp, Message
from steinmetz.cache.warming.asking import PrincipalOf, asking_for
from steinmetz.cache.warming.wanted import Wanted
from steinmetz.clock import Clock

log = structlog.get_logger("steinmetz.cache")

AT_A_TIME = 2
"""Enough that a database in another process need not wait for us; few enough that clients are served meanwhile."""
SAY_EVERY_S = 2.0


@dataclass(slots=True)
class Progress:
    """``kept`` have been computed or were there already; ``failed`` were not kept, for whatever reason."""

    total: int = 0
    kept: int = 0
    failed: int = 0
    ended: bool = True

    @property
    def done(self) -> int:
        return self.kept + self.failed


class Warmer:
    """``app`` is the application with the cache in front. One run at a time."""

    def __init__(self, app: ASGIApp, principal_of: PrincipalOf, clock: Clock) -> None:
        self.progress = Progress()
        self._app = app
        self._principal_of = principal_of
        self._clock = clock

    @property
    def is_running(self) -> bool:
        return not self.progress.ended

    async def warm(self, several: Iterable[Wanted]) -> Progress:
        """Compute and keep ``several``, the first ones first; returns when all have been asked for.

        Raises `RuntimeError` while another run is under way.
        """
        if self.is_running:
            raise RuntimeError("the cache is being warmed already")
        waiting = list(several)
        progress = self.progress = Progress(len(waiting), ended=False)
        begun_s = said_s = self._clock.monotonic_s()
        queue = iter(waiting)

        async def work() -> None:
            nonlocal said_s
            for one in queue:
                if await self._ask(one):
                    progress.kept += 1
                else:
                    progress.failed += 1
                now_s = self._clock.monotonic_s()
                if now_s - said_s >= SAY_EVERY_S:
                    said_s = now_s
                    log.info("Warming the cache", done=progress.done, total=progress.total)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_A_TIME, len(waiting))):
                    group.create_task(work())
        finally:
            progress.ended = True
        if progress.total:
            log.info(
                "The cache is warm",
                kept=progress.kept,
                failed=progress.failed,
                duration_ms=round((self._clock.monotonic_s() - begun_s) * 1000),
            )
        return progress

    async def _ask(self, one: Wanted) -> bool:
        scope = asking_for(one, self._principal_of)
        if scope is None:
            return False
        outcome = b""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal outcome
            if message["type"] == "http.response.start" and message["status"] == 200:
                said = dict(message["headers"])
                kept = said.get(b"x-cache") == b"HIT" or b"stored" in said.get(b"cache-status", b"")
                outcome = b"kept" if kept else b""

        try:
            await self._app(scope, receive, send)
        except Exception as error:
            # A route that fails now will fail, and be told of, when somebody asks for it.
            log.debug("An answer could not be warmed", path=one.path, error=type(error).__name__)
            return False
        return bool(outcome)
