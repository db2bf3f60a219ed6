"""What listeners hear of a job: progress, errors, its end; after the commit, never backwards, not too often.

Each process tells its own clients only. What it has not committed itself it learns by asking the database, and
does so only while a job is under way and somebody here listens; on SQLite there is one process: it never asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from steinmetz.erp.db import Database
from steinmetz.erp.kit.roles import Actor
from steinmetz.erp.modules.batch import repository, rules, service
from steinmetz.erp.modules.batch.rules import Figures, JobStatus, Told
from steinmetz.erp.modules.batch.schemas import COMPLETE, ERROR, PROGRESS
from steinmetz.erp.modules.batch.service import Ended
from steinmetz.realtime import Event, Server
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.batch")

BREATH_S = 0.1
"""Between two events of progress of one job: what comes meanwhile is one event."""
ASK_S = 0.25
REMEMBERED_JOBS = 1_000

Emit = Callable[[tuple[str, ...], Event, dict[str, Any]], None]


class Workforce(Protocol):
    """The workers of this process, as their module sees them from below."""

    def wake(self) -> None:
        """There is something to do."""

    def forget(self, job_id: int) -> None:
        """The job is no more; SQLite may give its id to another."""

    async def settled(self) -> None:
        """Wait until no worker finds anything to do."""


@dataclass(slots=True)
class Watched:
    """A job that has listeners, or may have."""

    owner_id: int | None
    told: Told = field(default_factory=Told)
    waiting: Figures | None = None
    """The newest figures that came during the breath."""
    breath: asyncio.TimerHandle | None = None

    def rooms(self, job_id: int) -> tuple[str, ...]:
        watchers = rules.watch_room(job_id)
        return (watchers,) if self.owner_id is None else (watchers, f"user:{self.owner_id}")


class Listeners:
    """The listeners of one process. All methods but `start` and `stop` are plain calls on the event loop."""

    def __init__(self, database: Database, io: Server | None, *, emit: Emit | None = None) -> None:
        self._database = database
        self._io = io
        self._emit = emit or self._emit_here
        self.workforce: Workforce | None = None
        self._jobs: dict[int, Watched] = {}
        self._asked: set[int] = set()
        """Open jobs that the database is asked about while somebody listens."""
        self._tasks: Tasks | None = None
        self._asking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._tasks = Tasks("batch listeners")

    async def stop(self) -> None:
        """Say what waits, ask no more."""
        for job_id in list(self._jobs):
            self._say_waiting(job_id)
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()
        self._asked.clear()

    # What has been committed here

    def queued(self) -> None:
        """A commit has left something to do."""
        if self.workforce is not None:
            self.workforce.wake()

    def deleted(self, job_id: int) -> None:
        """The job is no more; SQLite may give its id to another."""
        if job_id in self._jobs:
            self._say_waiting(job_id)
            del self._jobs[job_id]
        if self.workforce is not None:
            self.workforce.forget(job_id)

    def told(self, job_id: int, owner_id: int | None, ended: Ended, error: tuple[int, str] | None = None) -> None:
        """A commit has brought the job there; ``error`` is (position, reason) of an item that failed in it."""
        job = self._watched(job_id, owner_id)
        if error is not None:
            self._say_error(job_id, job, ended.figures.attempt, *error)
        if ended.status in rules.OPEN:
            self._progress(job_id, job, ended.figures)
        else:
            self._complete(job_id, job, ended.figures, ended.status)

    def watch(self, job_id: int, owner_id: int | None) -> None:
        """The job is under way somewhere: ask about it as long as somebody here listens."""
        self._watched(job_id, owner_id)
        if self._database.is_sqlite or self._tasks is None:
            return
        self._asked.add(job_id)
        if self._asking is None or self._asking.done():
            self._asking = self._tasks.spawn("ask", self._ask())

    async def may_enter(self, actor: Actor, room: str) -> bool:
        """The policy of the rooms ``batch-job:<id>``: for those who may see what the job does."""
        job_id = rules.watched_job(room)
        if job_id is None:
            return False
        with open_scope(ScopeKind.EVENT, "batch room"):
            async with self._database.unit(actor=actor, writes=False) as unit:
                found = await service.to_watch(unit, job_id)
        if found is None:
            return False
        owner_id, is_open = found
        if is_open:
            # The room has its member when this has returned, which is before the task has its first turn.
            self.watch(job_id, owner_id)
        return True

    # Saying

    def _watched(self, job_id: int, owner_id: int | None) -> Watched:
        job = self._jobs.get(job_id)
        if job is None:
            if len(self._jobs) >= REMEMBERED_JOBS:
                self._forget_one()
            job = self._jobs[job_id] = Watched(owner_id)
        return job

    def _forget_one(self) -> None:
        over = (job_id for job_id, job in self._jobs.items() if job.told.is_complete)
        forgotten = next(over, next(iter(self._jobs)))
        self._say_waiting(forgotten)
        del self._jobs[forgotten]

    def _progress(self, job_id: int, job: Watched, figures: Figures) -> None:
        if job.breath is not None:
            newest = job.waiting
            if newest is None or (figures.attempt, figures.ended) > (newest.attempt, newest.ended):
                job.waiting = figures
        elif job.told.advances(figures):
            self._emit(job.rooms(job_id), PROGRESS, rules.progress_payload(job_id, figures))
            job.breath = asyncio.get_running_loop().call_later(BREATH_S, self._breathed, job_id)

    def _breathed(self, job_id: int) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            return
        job.breath = None
        if (figures := job.waiting) is not None:
            job.waiting = None
            self._progress(job_id, job, figures)

    def _say_waiting(self, job_id: int) -> None:
        """Now, without the rest of the breath."""
        job = self._jobs[job_id]
        if job.breath is not None:
            job.breath.cancel()
            self._breathed(job_id)
            if job.breath is not None:
                job.breath.cancel()
                job.breath = None

    def _say_error(self, job_id: int, job: Watched, attempt: int, position: int, error: str) -> None:
        if job.told.is_news(attempt, position):
            self._emit(job.rooms(job_id), ERROR, {"jobId": job_id, "item": position, "error": error})

    def _complete(self, job_id: int, job: Watched, figures: Figures, status: JobStatus) -> None:
        self._say_waiting(job_id)
        self._asked.discard(job_id)
        if job.told.advances(figures):
            self._emit(job.rooms(job_id), PROGRESS, rules.progress_payload(job_id, figures))
        if job.told.completes(figures.attempt):
            self._emit(job.rooms(job_id), COMPLETE, rules.result_payload(job_id, figures, status))

    def _emit_here(self, rooms: tuple[str, ...], event: Event, payload: dict[str, Any]) -> None:
        if self._io is not None:
            listeners = self._io.to(*rooms).local
            if event == PROGRESS:
                listeners = listeners.newest(f"job:{payload['jobId']}")
            listeners.emit(event, payload)

    # Asking

    def _listened_to(self) -> list[int]:
        if self._io is None:
            return sorted(self._asked)
        has_members = self._io.has_members
        return [
            job_id
            for job_id in sorted(self._asked)
            if any(has_members(room, here=True) for room in self._jobs[job_id].rooms(job_id))
        ]

    async def _ask(self) -> None:
        """Until nobody listens, or nothing is under way that somebody listens to."""
        while True:
            await asyncio.sleep(ASK_S)
            self._asked &= self._jobs.keys()
            if not (wanted := self._listened_to()):
                self._asked.clear()
                return
            try:
                await self._ask_about(wanted)
            except Exception as error:  # asked again after the pause: a database that is down comes back
                log.warning("Progress of jobs cannot be read, it is tried again", error=type(error).__name__)

    async def _ask_about(self, job_ids: list[int]) -> None:
        with open_scope(ScopeKind.JOB, "batch listeners"):
            async with self._database.unit(writes=False) as unit:
                standing = await repository.jobs.standing(unit.session, job_ids)
                errors = {
                    job_id: await repository.items.errors(unit.session, job_id, rules.SAID_ERRORS)
                    for job_id, _, figures in standing
                    if self._lacks_errors(job_id, figures)
                }
        for job_id, status, figures in standing:
            job = self._jobs.get(job_id)
            if job is None:
                continue
            for position, error in errors.get(job_id, ()):
                self._say_error(job_id, job, figures.attempt, position, error)
            if status in rules.OPEN:
                self._progress(job_id, job, figures)
            else:
                self._complete(job_id, job, figures, status)
        self._asked -= set(job_ids) - {job_id for job_id, _, _ in standing}

    def _lacks_errors(self, job_id: int, figures: Figures) -> bool:
        told = self._jobs[job_id].told
        said = len(told.errors or ()) if told.attempt == figures.attempt else 0
        return said < min(figures.failed, rules.SAID_ERRORS)
