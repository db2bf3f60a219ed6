"""What batch asks of the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.batch.models import BatchItem, BatchJob
from steinmetz.erp.modules.batch.rules import JobStatus


@named
async def count_by_status(session: AsyncSession) -> dict[JobStatus, int]:
    """Only statuses that some job has."""
    statement = select(BatchJob.status, func.count()).group_by(BatchJob.status)
    return dict((await session.execute(statement)).all())


@named
async def delete_finished(session: AsyncSession, before: datetime, limit: int) -> int:
    """Items of jobs that ended before that instant, then jobs without any: ``limit`` rows together at most."""
    ended = (
        BatchJob.status.in_((JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)),
        BatchJob.finished_at < before,
    )
    old_items = select(BatchItem.id).join(BatchJob, BatchJob.id == BatchItem.job_id).where(*ended)
    item_ids = (await session.scalars(old_items.limit(limit))).all()
    if item_ids:
        await session.execute(delete(BatchItem).where(BatchItem.id.in_(item_ids)))
    without_items = ~select(BatchItem.id).where(BatchItem.job_id == BatchJob.id).exists()
    old_jobs = select(BatchJob.id).where(*ended, without_items)
    job_ids = (await session.scalars(old_jobs.limit(limit - len(item_ids)))).all()
    if job_ids:
        await session.execute(delete(BatchJob).where(BatchJob.id.in_(job_ids)))
    return len(item_ids) + len(job_ids)
