"""Workers take turns among jobs, wait for the database, stop between items, and rest without asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input
from steinmetz.erp.modules.batch import service, tasks
from steinmetz.erp.modules.batch.events import Listeners
from steinmetz.erp.modules.batch.kinds.port import Document, Kind, Payload, Plan
from steinmetz.erp.modules.batch.rules import JobStatus
from steinmetz.erp.modules.batch.schemas import JobInput, JobView
from steinmetz.erp.modules.batch.tasks import Worker
from steinmetz.erp.modules.system.models import AuditEntry
from steinmetz.erp.modules.system.service import audit

pytestmark = pytest.mark.anyio

Event = tuple[str, dict[str, Any]]


class Parameters(Input):
    items: int


class Company:
    """A database with workers for jobs whose items do what ``act`` does."""

    def __init__(self, database: Database, act: Callable[[int, int], None] = lambda job, item: None) -> None:
        self.database = database
        self.act = act
        self.heard: list[Event] = []
        self.kinds = {
            "test": Kind("test", Parameters, lambda wanted: Role.CLERK, self._plan, self._run, _document)
        }
        self.listeners = Listeners(
            database, None, emit=lambda rooms, event, data: self.heard.append((event.name, data))
        )

    async def _plan(self, unit: Unit, wanted: Parameters) -> Plan:
        if wanted.items < 0:
            raise RuntimeError("this cannot be planned")
        return Plan([{"item": item} for item in range(1, wanted.items + 1)], {})

    async def _run(self, unit: Unit, parameters: Payload, payload: Payload) -> str:
        job_id = int(unit.request_id.removeprefix("job-"))
        audit.record(unit, "test.item", "test", f"{job_id}.{payload['item']}")
        await unit.session.flush()
        self.act(job_id, payload["item"])
        return ""

    def worker(self, workers: int = 1) -> Worker:
        return Worker(self.database, self.listeners, workers=workers, kinds=self.kinds)

    async def begin(self, items: int) -> int:
        async with self.database.unit() as unit:
            data = JobInput(kind="test", parameters={"items": items})
            return (await service.create_job(unit, data, self.kinds)).id

    async def job(self, job_id: int) -> JobView:
        async with self.database.unit(writes=False) as unit:
            return await service.job_view(unit, job_id, self.kinds)

    async def effects(self) -> list[str]:
        """In the order in which they were committed."""
        async with self.database.unit(writes=False) as unit:
            done = select(AuditEntry.entity_id).where(AuditEntry.action == "test.item").order_by(AuditEntry.id)
            return list(await unit.session.scalars(done))


def _document(kept: Payload) -> Document:
    return Document("test.txt", "text/plain")


async def run_dry(worker: Worker) -> None:
    while await worker.turn():
        pass


async def test_jobs_take_turns(database: Database) -> None:
    company = Company(database)
    for _ in range(3):
        await company.begin(2)
    await run_dry(company.worker())
    assert await company.effects() == ["1.1", "2.1", "3.1", "1.2", "2.2", "3.2"]


async def test_an_item_that_the_database_disturbs_is_done_later(database: Database) -> None:
    disturbed = 0

    def disturb(job_id: int, item: int) -> None:
        nonlocal disturbed
        if item == 2 and disturbed < 3:
            disturbed += 1
            raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    company = Company(database, disturb)
    job_id = await company.begin(3)
    worker = company.worker()
    await company.listeners.start()
    await worker.start()
    while (await company.job(job_id)).status is not JobStatus.DONE:
        await asyncio.sleep(0.01)
    await worker.stop()
    await company.listeners.stop()
    assert sorted(await company.effects()) == ["1.1", "1.2", "1.3"]
    assert disturbed == 3


async def test_a_failed_item_leaves_no_effect_and_says_nothing_of_its_error(database: Database) -> None:
    def fail(job_id: int, item: int) -> None:
        if item == 1:
            raise RuntimeError("secret")

    company = Company(database, fail)
    job_id = await company.begin(2)
    await run_dry(company.worker())
    assert await company.effects() == ["1.2"]
    assert (await company.job(job_id)).status is JobStatus.FAILED
    assert [data for event, data in company.heard if event == "batch:error"] == [
        {"jobId": job_id, "item": 1, "error": "Internal error"}
    ]


async def test_what_cannot_be_planned_fails_as_a_whole_and_can_be_tried_again(database: Database) -> None:
    company = Company(database)
    job_id = await company.begin(-1)
    await run_dry(company.worker())
    job = await company.job(job_id)
    assert (job.status, job.error, job.total) == (JobStatus.FAILED, "Internal error", 0)
    async with database.unit() as unit:
        assert (await service.retry_job(unit, job_id, company.kinds)).status is JobStatus.QUEUED


async def test_a_kind_of_another_release_fails_and_is_readable(database: Database) -> None:
    company = Company(database)
    job_id = await company.begin(1)
    worker = Worker(database, company.listeners, workers=1, kinds={})
    await run_dry(worker)
    job = await company.job(job_id)
    assert (job.status, job.error) == (JobStatus.FAILED, "This release runs no jobs of this kind.")


async def test_stopping_ends_after_the_item_in_hand(database: Database) -> None:
    company = Company(database)
    job_id = await company.begin(50)
    worker = company.worker()
    stopping: list[asyncio.Task[None]] = []

    def stop(job_id: int, item: int) -> None:
        if item == 3:
            stopping.append(asyncio.ensure_future(worker.stop()))

    company.act = stop
    await worker.start()
    while not stopping:
        await asyncio.sleep(0.01)
    await stopping[0]
    assert await company.effects() == ["1.1", "1.2", "1.3"]
    assert (await company.job(job_id)).done == 3


async def test_a_cancelled_job_whose_worker_died_is_swept(database: Database) -> None:
    """Its item was locked when the job was cancelled, and is queued again without its holder."""
    company = Company(database)
    job_id = await company.begin(2)
    worker = company.worker()
    assert await worker.turn()  # planned
    async with database.unit() as unit:
        _, job = await service._to_change(unit, job_id)
        job.is_cancelling = True
    await run_dry(worker)
    ended = await company.job(job_id)
    assert (ended.status, ended.cancelled) == (JobStatus.CANCELLED, 2)
    assert await company.effects() == []
    assert company.heard[-1][0] == "batch:complete"


async def test_without_workers_nothing_is_done(database: Database) -> None:
    company = Company(database)
    job_id = await company.begin(1)
    worker = company.worker(workers=0)
    await worker.start()
    worker.wake()
    await worker.settled()
    await worker.stop()
    assert (await company.job(job_id)).status is JobStatus.QUEUED


async def test_at_rest_sqlite_is_asked_nothing_and_postgresql_now_and_then(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "POLL_S", 0.001)
    company = Company(database)
    worker = company.worker()
    turns = 0
    take_turn = worker.turn

    async def counted() -> bool:
        nonlocal turns
        turns += 1
        return await take_turn()

    monkeypatch.setattr(worker, "turn", counted)
    await worker.start()
    await worker.settled()
    rested_at = turns
    for _ in range(20):
        await company.effects()
    if database.is_sqlite:
        assert turns == rested_at == 1
        worker.wake()
    while turns == rested_at:
        await asyncio.sleep(0.001)
    await worker.stop()


async def test_a_process_hears_of_what_another_does(database: Database) -> None:
    """Two processes on PostgreSQL: one works, the other has the listener. On SQLite there is no other."""
    working, listening = Company(database), Company(database)
    await working.listeners.start()
    await listening.listeners.start()
    job_id = await working.begin(5)
    listening.listeners.watch(job_id, None)
    await run_dry(working.worker())
    if not database.is_sqlite:
        while not any(event == "batch:complete" for event, _ in listening.heard):
            await asyncio.sleep(0.01)
        assert [event for event, _ in listening.heard][-2:] == ["batch:progress", "batch:complete"]
        assert listening.heard[-1] == working.heard[-1]
    else:
        assert listening.heard == []
    await working.listeners.stop()
    await listening.listeners.stop()


async def test_progress_is_said_at_most_ten_times_a_second_and_the_last_one_always(database: Database) -> None:
    company = Company(database)
    await company.begin(30)
    started_s = asyncio.get_running_loop().time()
    await run_dry(company.worker())
    lasted_s = asyncio.get_running_loop().time() - started_s
    progress = [data for event, data in company.heard if event == "batch:progress"]
    assert len(progress) <= 3 + lasted_s / 0.1
    assert progress[-1] == {"jobId": 1, "done": 30, "total": 30, "percent": 100, "attempt": 1}
    assert company.heard[-1][0] == "batch:complete"
