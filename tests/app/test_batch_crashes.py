"""Processes that do batch items are killed; each item is done exactly once, and no progress runs backwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from steinmetz.erp.db import Database
from steinmetz.erp.modules.batch import repository, service
from steinmetz.erp.modules.batch.models import BatchAttempt, BatchItem
from steinmetz.erp.modules.batch.rules import MAX_ATTEMPTS, OPEN, JobStatus
from steinmetz.erp.modules.batch.schemas import JobInput, JobView
from steinmetz.erp.modules.batch.tasks import GIVEN_UP, Point
from steinmetz.erp.modules.system.models import AuditEntry
from steinmetz.sql.scope import ScopeKind, open_scope
from tests.app.batch_processes import ACTION, KINDS, Processes

pytestmark = pytest.mark.anyio

PATIENCE_S = 180.0
"""On a machine that is busy with a hundred other things, too."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Beside the processes: it begins jobs and looks at them."""
    database = Database(_with_driver(database_url))
    yield database
    await database.close()


def _with_driver(url: str) -> str:
    return url.replace("sqlite://", "sqlite+aiosqlite://")


@pytest.fixture
def processes(database_url: str, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(_with_driver(database_url), tmp_path)
    yield made
    made.kill_all()


async def begin(database: Database, items: int, **parameters: int) -> int:
    async with database.unit() as unit:
        data = JobInput(kind="test.mark", parameters={"items": items, **parameters})
        return (await service.create_job(unit, data, KINDS)).id


async def look(database: Database, job_id: int) -> JobView:
    async with database.unit(writes=False) as unit:
        return await service.job_view(unit, job_id, KINDS)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.02)


async def done(database: Database, job_id: int) -> int | None:
    """How many items are done; None once the job is over."""
    with open_scope(ScopeKind.JOB, "looking on"):
        async with database.unit(writes=False) as unit:
            ((_, status, figures),) = await repository.jobs.standing(unit.session, [job_id])
    return figures.done if status in OPEN else None


async def marks(database: Database) -> Counter[int]:
    """How often each item has had its effect."""
    async with database.unit(writes=False) as unit:
        rows = await unit.session.scalars(select(AuditEntry.entity_id).where(AuditEntry.action == ACTION))
        return Counter(map(int, rows))


async def assert_each_item_once(database: Database, job_id: int, items: int) -> None:
    assert await marks(database) == dict.fromkeys(range(1, items + 1), 1)
    job = await look(database, job_id)
    assert (job.status, job.total, job.done, job.failed) == (JobStatus.DONE, items, items, 0)
    async with database.unit(writes=False) as unit:
        pieces = await service.pieces(unit, job_id, 0, items + 1)
        ends = select(func.count()).where(AuditEntry.action == "batch_job.finish")
        assert pieces == [(position, f"{position}\n") for position in range(1, items + 1)]
        assert await unit.session.scalar(ends) == 1


def assert_nobody_heard_it_run_backwards(processes: Processes) -> None:
    for heard in processes.everything_heard():
        ended = [payload["done"] for event, payload in heard if event == "batch:progress"]
        assert ended == sorted(set(ended))
        assert [event for event, _ in heard].count("batch:complete") <= 1


@pytest.mark.timeout(240)
@pytest.mark.both_databases
async def test_twenty_deaths_lose_nothing_and_double_nothing(
    engine_name: str, database: Database, processes: Processes
) -> None:
    """Three processes on PostgreSQL, one on SQLite; each death comes where a seeded die lets it fall."""
    rng = Random("twenty deaths")
    items, deaths, crew = (1_000, 20, 3) if engine_name == "postgresql" else (300, 6, 1)
    places = sorted(rng.sample(range(1, items - 20), deaths))
    processes.workers = 1
    job_id = await begin(database, items)
    for _ in range(crew):
        processes.start()
    async with asyncio.timeout(PATIENCE_S):
        while (so_far := await done(database, job_id)) is not None:
            if places and so_far >= places[0]:
                places.pop(0)
                await asyncio.sleep(rng.random() * 0.02)
                processes.kill(rng.choice(processes.living))
                processes.start()
            await asyncio.sleep(0.02)
    assert places == []
    await assert_each_item_once(database, job_id, items)

    def all_are_told() -> bool:
        # Who was born when all items had been taken may have come too late to know of the job.
        heard = [[event for event, _ in processes.heard(number)] for number in processes.living]
        knowing = [events for events in heard if events]
        return bool(knowing) and all("batch:complete" in events for events in knowing)

    await until(all_are_told)
    assert_nobody_heard_it_run_backwards(processes)


@pytest.mark.both_databases
@pytest.mark.parametrize("point", Point)
async def test_a_death_at_each_step(
    engine_name: str, database: Database, processes: Processes, point: Point
) -> None:
    job_id = await begin(database, 12)
    processes.start(death=(point, 5))
    await until(lambda: bool(processes.bury()))
    assert sum((await marks(database)).values()) == (await look(database, job_id)).done
    processes.start()
    async with asyncio.timeout(PATIENCE_S):
        while await done(database, job_id) is not None:
            await asyncio.sleep(0.02)
    await assert_each_item_once(database, job_id, 12)
    assert_nobody_heard_it_run_backwards(processes)


@pytest.mark.both_databases
async def test_an_item_that_kills_its_worker_is_given_up(
    engine_name: str, database: Database, processes: Processes
) -> None:
    processes.workers = 1
    job_id = await begin(database, 3, poison=2)
    deaths = 0
    processes.start()
    async with asyncio.timeout(PATIENCE_S):
        while await done(database, job_id) is not None:
            if processes.bury():
                deaths += 1
                processes.start()
            await asyncio.sleep(0.02)
    assert (await look(database, job_id)).status is JobStatus.FAILED
    assert deaths == MAX_ATTEMPTS
    assert await marks(database) == {1: 1, 3: 1}
    async with database.unit(writes=False) as unit:
        assert await repository.items.errors(unit.session, job_id, 10) == [(2, GIVEN_UP)]
        attempts = await unit.session.scalars(
            select(BatchAttempt.attempts)
            .join(BatchItem, BatchItem.id == BatchAttempt.item_id)
            .order_by(BatchItem.id)
        )
        assert list(attempts) == [1, MAX_ATTEMPTS + 1, 1]
