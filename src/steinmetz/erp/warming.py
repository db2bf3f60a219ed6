"""The cache's memory across restarts: which answers were worth most, and computing them before clients come."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import replace
from pathlib import Path

import structlog

from steinmetz.cache import Principal, ResponseCache
from steinmetz.cache.asgi.protocol import ASGIApp
from steinmetz.cache.warming.wanted import MAX_WANTED, NotAList, Wanted, from_text, to_text
from steinmetz.cache.warming.warmer import Progress, Warmer
from steinmetz.clock import Clock
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

WANTED_FILE = "cache-wanted.json"
WRITE_EVERY_S = 60.0
FADING = 0.5
"""What an answer was worth counts half at the next writing, so that yesterday's favourites make room."""


class Warming:
    """Writes down every minute what is worth keeping warm, and asks for it at the next start.

    ``gate_s``: how long readiness waits for it; afterwards the rest is computed behind the clients' requests.
    """

    def __init__(self, cache: ResponseCache, folder: Path, clock: Clock, *, gate_s: float) -> None:
        self._cache = cache
        self._file = folder / WANTED_FILE
        self._clock = clock
        self._gate_s = gate_s
        self._opens_s = clock.monotonic_s()
        self._warmer: Warmer | None = None
        self._tasks = Tasks("warming")
        self._wanted: list[Wanted] = []

    @property
    def progress(self) -> Progress:
        return self._warmer.progress if self._warmer is not None else Progress()

    async def start(self, app: ASGIApp) -> None:
        """Begin to warm; ``app`` is the application with the cache in front."""
        self._warmer = Warmer(app, principal_of, self._clock)
        self._wanted = await asyncio.to_thread(self._read)
        self._opens_s = self._clock.monotonic_s() + self._gate_s
        if self._cache.enabled and self._wanted:
            self._tasks.spawn("start", self._warmer.warm(self._wanted))
        self._tasks.spawn("write", self._keep_writing())

    async def stop(self) -> None:
        if self._warmer is not None:
            await self._tasks.aclose()
            await asyncio.to_thread(self._write)

    def health(self) -> str:
        """For /readyz: ``ok``, or how far it has come."""
        progress = self.progress
        if progress.ended or self._clock.monotonic_s() >= self._opens_s:
            return "ok"
        return f"warming the cache: {progress.done} of {progress.total}"

    def begin(self) -> int:
        """Compute again what is worth it, in the background; returns how many answers.

        Raises `RuntimeError` while that is under way already, and before `start`.
        """
        if self._warmer is None:
            raise RuntimeError("the server is still starting")
        if self._warmer.is_running:
            raise RuntimeError("the cache is being warmed already")
        self._note()
        self._tasks.spawn("asked", self._warmer.warm(self._wanted))
        return len(self._wanted)

    # -- the list

    def _note(self) -> None:
        """Take in what the cache holds now; what it has lost since the last time fades."""
        best = {
            (one.path, one.query, one.role, one.headers): replace(one, worth=one.worth * FADING)
            for one in self._wanted
        }
        for one in self._cache.wanted():
            key = (one.path, one.query, one.role, one.headers)
            if key not in best or one.worth > best[key].worth:
                best[key] = one
        self._wanted = sorted(best.values(), key=lambda one: -one.worth)[:MAX_WANTED]

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await asyncio.to_thread(self._write)

    def _read(self) -> list[Wanted]:
        try:
            return from_text(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (NotAList, OSError, UnicodeDecodeError) as error:
            log.warning("The list of answers to warm cannot be used", file=str(self._file), error=str(error))
            return []

    def _write(self) -> None:
        """In one step: a reader finds the whole of it or the one before. A full disk costs the list only."""
        self._note()
        if not self._wanted:
            return
        draft = self._file.with_name(f".{WANTED_FILE}.{os.getpid()}")
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(to_text(self._wanted))
            draft.replace(self._file)
        except OSError as error:
            log.warning("The list of answers to warm cannot be written", error=error.strerror or str(error))
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def principal_of(role: str | None) -> Principal | None:
    """Who asks for answers of ``role``; the role clerk asks for those that all share."""
    try:
        known = Role(role) if role is not None else Role.CLERK
    except ValueError:  # a role of another release
        return None
    return Principal("system:warming", known.value, None, Actor(None, "SteinmetZ", known))
