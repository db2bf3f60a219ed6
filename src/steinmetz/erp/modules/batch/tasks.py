"""The worker: does the items of jobs, one transaction each, in the process that answers the web, too.

Theory of this room. An item's effects and its mark are one commit. Whoever works on an item holds its row's lock
(on SQLite: the database's), which the engine gives back when its holder dies; so there are no leases, nothing is
lost and nothing happens twice, wherever a process is killed. The one thing committed beside it is that the item
was begun: an item that kills its worker again and again is given up.

    find a job ── queued ──────► plan it: all items, and `running`, in one commit
      in turn  ── cancelled ───► cancel the items that nobody works on
               ── running ─────► lock an item; count the attempt (a commit of its own); effects, in a savepoint;
                                 mark; COMMIT; tell

Several processes share the work on PostgreSQL. On SQLite one task works; between items it lets go of the pen,
which whoever waits for it gets first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from steinmetz.erp import maintenance
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import UnderMaintenance, log_unexpected, problem_of
from steinmetz.erp.kit.roles import SYSTEM, Actor, Role
from steinmetz.erp.modules.batch import repository, rules, service
from steinmetz.erp.modules.batch.events import Listeners
from steinmetz.erp.modules.batch.kinds import KINDS
from steinmetz.erp.modules.batch.models import BatchItem
from steinmetz.erp.modules.batch.repository.jobs import OpenJob
from steinmetz.erp.modules.batch.service import Ended, Kinds
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.batch")

POLL_S = 5.0
"""On PostgreSQL other processes queue jobs, too, and die with items in their hands."""
PAUSE_S = 2.0
"""Between two looks whether maintenance is over."""
STOP_WITHIN_S = 20.0
REMEMBERED_JOBS = 50
GIVEN_UP = f"Given up: it was begun {rules.MAX_ATTEMPTS} times and never came to an end."


class Point(StrEnum):
    """Where a test may let a worker die."""

    CLAIMED = "after the claim, before the effects"
    EFFECTS = "after the effects, before the mark"
    MARKED = "after the mark, before the commit"
    COMMITTED = "after the commit, before the event"


def _pass(point: Point) -> None:
    """Where nobody waits, nothing happens."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that this worker is about to do."""

    job: OpenJob
    item: BatchItem


class Worker:
    """The batch workers of one process; ``workers`` at once, none with 0."""

    def __init__(
        self,
        database: Database,
        listeners: Listeners,
        *,
        workers: int,
        kinds: Kinds = KINDS,
        reached: Callable[[Point], None] = _pass,
    ) -> None:
        self._database = database
        self._listeners = listeners
        listeners.workforce = self
        self._workers = min(workers, 1) if database.is_sqlite else workers
        self._kinds = kinds
        self._reached = reached
        self._last_job = 0
        self._known_parameters: dict[int, dict[str, Any]] = {}
        self._call = asyncio.Event()
        self._quiet = asyncio.Condition()
        self._idle = 0
        self._is_stopping = False
        self._tasks: Tasks | None = None
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Look for what was left undone, then do what comes."""
        self._is_stopping, self._tasks = False, Tasks("batch")
        self._idle = 0
        self._running = [self._tasks.spawn(f"worker {n}", self._work()) for n in range(1, self._workers + 1)]

    async def stop(self) -> None:
        """Finish the items in hand, begin no other."""
        self._is_stopping = True
        self.wake()
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            if self._running:
                await asyncio.wait(self._running, timeout=STOP_WITHIN_S)
            await tasks.aclose()

    def health(self) -> str:
        """``ok``, or why items wait."""
        if not self._workers:
            return "ok"
        living = sum(not task.done() for task in self._running)
        return "ok" if living == self._workers else f"{living} of {self._workers} running"

    def wake(self) -> None:
        """There is something to do."""
        call, self._call = self._call, asyncio.Event()
        self._idle = 0
        call.set()

    def forget(self, job_id: int) -> None:
        self._known_parameters.pop(job_id, None)

    async def settled(self) -> None:
        """Wait until no worker finds anything to do."""
        async with self._quiet:
            await self._quiet.wait_for(lambda: self._idle >= self._workers)

    async def _work(self) -> None:
        failures = 0
        while not self._is_stopping:
            call = self._call
            try:
                has_worked = await self.turn()
            except UnderMaintenance:
                await self._called(call, PAUSE_S)
                continue
            except Exception as error:
                failures += 1
                wait_s = rules.backoff_s(failures)
                if problem_of(error).status == 503:
                    reason = type(error).__name__
                    log.warning("A batch item waits for the database", error=reason, retry_after_s=wait_s)
                else:
                    log_unexpected(error, "", "batch", "worker")
                await self._called(call, wait_s)
                continue
            failures = 0
            if not has_worked:
                await self._rest(call)
            else:
                await asyncio.sleep(0)

    async def _rest(self, call: asyncio.Event) -> None:
        if call is self._call:
            async with self._quiet:
                self._idle += 1
                self._quiet.notify_all()
        was_called = await self._called(call, None if self._database.is_sqlite else POLL_S)
        if not was_called:
            self._idle = max(0, self._idle - 1)

    @staticmethod
    async def _called(call: asyncio.Event, within_s: float | None) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await call.wait()
            return True
        return False

    async def turn(self) -> bool:
        """One step of the job whose turn it is; whether there was one to do.

        Raises `UnderMaintenance`: what people have begun waits like what they ask for.
        """
        with open_scope(ScopeKind.JOB, "batch"):
            async with self._database.unit() as unit:
                await maintenance.admit(unit.session, unit.now)
                found = await self._find(unit)
                if not isinstance(found, Claim):
                    return found
                if not self._database.is_sqlite:
                    # Counted by whoever holds the item, and by nobody who only came too late for it.
                    async with self._database.unit() as counting:
                        attempts = await repository.items.count_attempt(counting.session, found.item.id)
                    await self._do(unit, found.job, found.item, attempts)
                    return True
                attempts = await repository.items.count_attempt(unit.session, found.item.id)
            async with self._database.unit() as unit:
                # The pen was let go of for a moment: maintenance may be on, or the item cancelled.
                await maintenance.admit(unit.session, unit.now)
                item = await repository.items.claim(unit.session, found.job.id, found.item.id)
                if item is not None:
                    await self._do(unit, found.job, item, attempts)
                return True

    async def _find(self, unit: Unit) -> Claim | bool:
        """The next item, or whether something else was done instead."""
        jobs = await repository.jobs.open_jobs(unit.session)
        for job in rules.in_turn(jobs, [each.id for each in jobs], self._last_job):
            self._listeners.watch(job.id, job.owner_id)
            self._last_job = job.id
            if job.status is rules.JobStatus.QUEUED:
                unit.actor = _actor(job)
                with open_scope(ScopeKind.JOB, f"batch {job.kind}"):
                    planned = await service.plan_job(unit, job.id, self._kinds)
                if planned is not None:
                    # The items are for all workers, who may be resting.
                    unit.afterwards(self.wake)
                    self._tell(unit, job, planned)
                    return True
            elif (item := await repository.items.claim(unit.session, job.id)) is not None:
                if not job.is_cancelling:
                    return Claim(job, item)
                # It was being worked on when the job was cancelled, and given back.
                unit.actor = _actor(job)
                self._tell(unit, job, await service.sweep(unit, job.id))
                return True
        return False

    async def _do(self, unit: Unit, job: OpenJob, item: BatchItem, attempts: int) -> None:
        unit.actor, unit.request_id = _actor(job), f"job-{job.id}"
        self._reached(Point.CLAIMED)
        text = error = ""
        if attempts > rules.MAX_ATTEMPTS:
            error = GIVEN_UP
        else:
            with open_scope(ScopeKind.JOB, f"batch {job.kind}"):
                text, error = await self._effects(unit, job, item)
        self._reached(Point.EFFECTS)
        ended = await service.settle(unit, job, item, error=error, text=text)
        await unit.session.flush()
        self._reached(Point.MARKED)
        self._tell(unit, job, ended, (item.position, error) if error else None)

    async def _effects(self, unit: Unit, job: OpenJob, item: BatchItem) -> tuple[str, str]:
        """(piece of the file, why it failed), one of them empty. Raises what the database may not raise again."""
        kind = self._kinds.get(job.kind)
        if kind is None:
            return "", "This release runs no jobs of this kind."
        try:
            parameters = await self._parameters(unit, job.id)
            async with unit.savepoint():
                return await kind.run(unit, parameters, item.payload), ""
        except Exception as error:
            status = problem_of(error).status
            if status == 503:
                raise
            reason = service.reason_of(error)
            if status == 500 and not service.is_foreseen(error):
                log_unexpected(error, unit.request_id, "batch", f"{job.kind} item {item.position}")
            return "", reason

    async def _parameters(self, unit: Unit, job_id: int) -> dict[str, Any]:
        """They do not change once there are items."""
        if job_id not in self._known_parameters:
            if len(self._known_parameters) >= REMEMBERED_JOBS:
                self._known_parameters.clear()
            self._known_parameters[job_id] = await repository.jobs.parameters(unit.session, job_id)
        return self._known_parameters[job_id]

    def _tell(self, unit: Unit, job: OpenJob, ended: Ended, error: tuple[int, str] | None = None) -> None:
        def tell() -> None:
            self._reached(Point.COMMITTED)
            self._listeners.told(job.id, job.owner_id, ended, error)

        unit.afterwards(tell)


def _actor(job: OpenJob) -> Actor:
    """The owner, as whom items act: what he may was asked when he began the job."""
    return SYSTEM if job.owner_id is None else Actor(job.owner_id, job.owner_name, Role.CLERK)
