"""Jobs are counted by status, on both engines."""

from __future__ import annotations

import pytest

from steinmetz.erp.db import Database
from steinmetz.erp.modules.batch import service
from steinmetz.erp.modules.batch.models import BatchJob
from steinmetz.erp.modules.batch.rules import JobStatus

pytestmark = pytest.mark.anyio


async def test_every_status_is_told_also_without_jobs(database: Database) -> None:
    async with database.unit() as unit:
        for status in (JobStatus.DONE, JobStatus.DONE, JobStatus.FAILED):
            unit.session.add(BatchJob(kind="import", status=status, created_at=unit.now))
    async with database.unit(writes=False) as unit:
        assert await service.count_by_status(unit) == {
            JobStatus.QUEUED: 0,
            JobStatus.RUNNING: 0,
            JobStatus.DONE: 2,
            JobStatus.FAILED: 1,
            JobStatus.CANCELLED: 0,
        }
