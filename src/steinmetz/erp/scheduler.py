"""What happens because time passes: chores that are due, at start and while the process runs.

States that follow from the clock are set by ordinary writes, so that whoever keeps an answer hears of them as of
any other commit; nothing is "overdue" only because somebody looks.

A chore's work and the note that it is done are one unit of work. On PostgreSQL the unit holds an advisory lock, so
of several processes one does it and the others find it done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from steinmetz.clock import Clock
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.chores import When, is_due
from steinmetz.erp.kit.days import next_midnight
from steinmetz.erp.modules.system import service as system
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.scheduler")

LONGEST_NAP_S = 30.0
"""A machine that slept through midnight, or whose clock was set, is late by this much at most."""
UNIT_WITHIN_S = 300.0
"""A unit of a chore that takes longer is given up: the other chores wait for it."""
BREATH_S = 0.05
"""Between two slices: SQLite's lock is not fair, and writers of the company come first."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do whenever it is due, in a unit of work and a scope of its own."""

    name: str
    when: When
    run: Callable[[Unit, datetime], Awaitable[int]]
    """Does it as of that instant; returns how many records changed. To do it twice must do no harm."""
    slice_size: int | None = None
    """For work that is done in slices: as long as ``run`` returns this many, it is called again in a unit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last run in this process ended."""

    at: datetime
    duration_ms: int
    changed: int
    failures: int
    """In a row, this one included; 0 after a success."""


class Scheduler:
    """Runs the chores that are due."""

    def __init__(self, database: Database, clock: Clock, chores: Sequence[Chore]) -> None:
        self.chores = tuple(chores)
        self.outcomes: dict[str, Outcome] = {}
        """By chore; of this process only."""
        self._database = database
        self._clock = clock
        self._tasks: Tasks | None = None

    async def start(self) -> None:
        """Catch up with today before anybody asks, then keep up in the background."""
        if self._tasks is None:
            self._tasks = Tasks("scheduler")
            await self.run_due(self._clock.now())
            self._tasks.spawn("chores", self._keep_up())

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()

    def health(self) -> str:
        """``ok``, or why no chore will run."""
        return "ok" if self._tasks is not None and len(self._tasks) else "not running"

    async def run_due(self, now: datetime) -> int:
        """Run what is due at ``now`` and not done; returns how many records changed.

        A failure is logged and holds nothing else back; the next call tries it again.
        """
        try:
            with open_scope(ScopeKind.JOB, "chores"):
                async with self._database.unit(writes=False) as unit:
                    runs = await system.chores.chore_runs(unit)
        except Exception as error:  # a database that is down comes back
            log.warning("Chores cannot be looked up, they are tried again", error=_reason(error))
            return 0
        done_at = {name: run.done_at for name, run in runs.items()}
        due = [chore for chore in self.chores if is_due(chore.when, done_at.get(chore.name), now)]
        return sum([await self._try(chore, now) for chore in due])

    async def _try(self, chore: Chore, now: datetime) -> int:
        started_s = self._clock.monotonic_s()

        def duration_ms() -> int:
            return round((self._clock.monotonic_s() - started_s) * 1000)

        try:
            with open_scope(ScopeKind.JOB, chore.name):
                changed = await self._run(chore, now, duration_ms)
        except Exception as error:  # whatever it is, the other chores and the next try go on
            log.warning("Chore failed, it is tried again", chore=chore.name, error=_reason(error))
            await self._note_failure(chore, now, duration_ms(), error)
            return 0
        if changed is None:
            return 0
        self.outcomes[chore.name] = Outcome(now, duration_ms(), changed, 0)
        if changed:
            log.info("Chore done", chore=chore.name, changed=changed)
        return changed

    async def _run(self, chore: Chore, now: datetime, duration_ms: Callable[[], int]) -> int | None:
        """How many records changed; None if it is done, or under way, in another process."""
        changed = 0
        while True:
            async with asyncio.timeout(UNIT_WITHIN_S), self._database.unit() as unit:
                is_ours, last = await system.chores.claim_chore(unit, chore.name)
                if not is_ours or not is_due(chore.when, last.done_at if last else None, now):
                    return changed or None
                done = await chore.run(unit, now)
                changed += done
                is_complete = chore.slice_size is None or done < chore.slice_size
                if is_complete:
                    system.chores.chore_done(unit, last, chore.name, now, duration_ms(), changed)
            if is_complete:
                return changed
            await asyncio.sleep(BREATH_S)

    async def _note_failure(self, chore: Chore, now: datetime, duration_ms: int, error: Exception) -> None:
        before = self.outcomes.get(chore.name)
        failures = (before.failures if before is not None else 0) + 1
        self.outcomes[chore.name] = Outcome(now, duration_ms, 0, failures)
        try:
            with open_scope(ScopeKind.JOB, chore.name):
                async with self._database.unit() as unit:
                    await system.chores.chore_failed(unit, chore.name, now, duration_ms, _reason(error))
        except Exception as second:  # most likely for the same reason; it stands in the log and in the metrics
            log.warning("The failure of a chore could not be noted", chore=chore.name, error=_reason(second))

    async def _keep_up(self) -> None:
        while True:
            now = self._clock.now()
            until_midnight_s = (next_midnight(now) - now).total_seconds()
            await asyncio.sleep(min(LONGEST_NAP_S, until_midnight_s))
            await self.run_due(self._clock.now())


def _reason(error: Exception) -> str:
    """Kind and first line; what was bound to a statement is in neither."""
    said = str(getattr(error, "orig", None) or error)
    return f"{type(error).__name__}: {said.partition(chr(10))[0][:200]}"
