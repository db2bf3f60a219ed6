"""Answers in demand are computed again as soon as a commit has dropped them, before anybody asks.

dropped (any thread) -> waits, the most wanted first -> commit stands -> one after the other, half of the time

What is computed is what the next caller would have computed, once; he finds it there, or joins. The work never
takes more than half of the time: after each answer it rests for as long as that took, so that under load it falls
back and callers compute for themselves. Private answers are nobody else's to ask for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, replace

import structlog

from steinmetz.cache.asgi.admission import ADMISSION, caller_of
from steinmetz.cache.asgi.asked import Target
from steinmetz.cache.asgi.computing import Computing
from steinmetz.cache.asgi.protocol import Scope
from steinmetz.cache.asgi.routes import Route
from steinmetz.cache.policy.demand import RENEWED_FROM, Demand
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.key import variant_key
from steinmetz.cache.policy.variants import ANONYMOUS, variant_of
from steinmetz.cache.warming.asking import PrincipalOf, asking_for
from steinmetz.cache.warming.wanted import Wanted, wanted
from steinmetz.clock import perf_ns
from steinmetz.sql.effects import WriteSet
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

MAX_WAITING = 256
"""Answers that wait for their turn; of further ones the next caller computes his own."""
MAX_TRIES = 3
"""An answer that a further commit overtakes while it is computed is tried again so often."""
LISTENERS_FIRST_S = 0.001
"""What somebody listens to is computed to be told: it is taken from here, and computed once."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    wanted: Wanted
    demand: float
    tries: int = 0


class Renewing:
    """Of one `CacheMiddleware`. `dropped` and `committed` come from any thread, all else on the event loop."""

    def __init__(
        self,
        computing: Computing,
        target_of: Callable[[Scope], Target | Route],
        principal_of: PrincipalOf,
        tasks: Tasks,
    ) -> None:
        self.renewed = 0
        self._computing = computing
        self._target_of = target_of
        self._principal_of = principal_of
        self._tasks = tasks
        self._lock = threading.Lock()
        self._demand = Demand()
        self._waiting: dict[bytes, _Waiting] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_working = False

    def on_this_loop(self) -> None:
        """The running loop is the one that computes: to be called before anything is kept."""
        self._loop = asyncio.get_running_loop()

    # -- on the thread that commits

    def dropped(self, entry: Entry) -> None:
        """A commit drops ``entry``; it stands when `committed` is called."""
        with self._lock:
            demand = self._demand.dropped(entry.key, entry.hits)
            if demand < RENEWED_FROM or (len(self._waiting) >= MAX_WAITING and entry.key not in self._waiting):
                return
            for one in wanted([entry]):
                self._waiting[entry.key] = _Waiting(one, demand)

    def committed(self, writes: WriteSet) -> None:
        """A commit stands: its readers' answers may be computed."""
        if self._waiting and self._loop is not None:
            with suppress(RuntimeError):  # the loop has been closed: nobody will ask either
                # Not in the context of the writer: what is computed is of no request.
                self._loop.call_soon_threadsafe(self._begin, context=Context())

    # -- on the event loop

    @property
    def is_idle(self) -> bool:
        """Whether all that was dropped by now has had its turn."""
        return not self._waiting and not self._is_working

    def takes(self, key: bytes) -> bool:
        """Whether ``key`` was waiting for its turn; from now on it is the caller's to compute and keep."""
        with self._lock:
            return self._waiting.pop(key, None) is not None

    def _begin(self) -> None:
        if self._is_working:
            return
        with suppress(RuntimeError):  # the cache has been closed
            self._tasks.spawn("renew", self._work())
            self._is_working = True

    async def _work(self) -> None:
        try:
            await asyncio.sleep(LISTENERS_FIRST_S)
            while (waiting := self._next()) is not None:
                began_ns = perf_ns()
                await self._renew(*waiting)
                await asyncio.sleep((perf_ns() - began_ns) / 1e9)
        finally:
            self._is_working = False

    def _next(self) -> tuple[bytes, _Waiting] | None:
        with self._lock:
            if not self._waiting:
                return None
            key = max(self._waiting, key=lambda key: self._waiting[key].demand)
            return key, self._waiting.pop(key)

    async def _renew(self, key: bytes, waiting: _Waiting) -> None:
        scope = asking_for(waiting.wanted, self._principal_of)
        target = None if scope is None else self._target_of(scope)
        if scope is None or not isinstance(target, Target) or target.counts.resting:
            return
        admission = scope.get(ADMISSION)
        variant = variant_of(target.policy, ANONYMOUS if admission is None else caller_of(admission))
        # Roles or the route's policy may have changed since: what was dropped cannot be asked for any more.
        if not isinstance(variant, bytes) or variant_key(target.key, variant) != key:
            return
        try:
            is_kept = await self._computing.anew_behind(scope, target, key, variant)
        except Exception as error:
            # A route that fails now will fail, and be told of, when somebody asks for it.
            log.debug("An answer could not be renewed", path=target.path, error=type(error).__name__)
            return
        if is_kept:
            self.renewed += 1
        elif waiting.tries + 1 < MAX_TRIES:
            with self._lock:
                self._waiting.setdefault(key, replace(waiting, tries=waiting.tries + 1))
