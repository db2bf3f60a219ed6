"""What is asked about jobs and how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.batch.models import BatchItem, BatchJob, BatchProgress
from steinmetz.erp.modules.batch.rules import OPEN, Figures, JobStatus

FIGURES = (
    BatchProgress.attempt,
    BatchProgress.total,
    BatchProgress.done,
    BatchProgress.failed,
    BatchProgress.cancelled,
)

JOB_ROW = (
    BatchJob.id,
    BatchJob.kind,
    BatchJob.status,
    BatchJob.owner_id,
    BatchJob.owner_name,
    BatchJob.is_cancelling,
    BatchJob.created_at,
    BatchJob.started_at,
    BatchJob.finished_at,
    *FIGURES,
)


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is not over."""

    id: int
    kind: str
    status: JobStatus
    owner_id: int | None
    owner_name: str
    is_cancelling: bool


@dataclass(frozen=True, slots=True)
class JobFilter:
    statuses: Sequence[JobStatus] = ()
    kind: str | None = None
    owner_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.statuses:
            wanted.append(BatchJob.status.in_(self.statuses))
        if self.kind is not None:
            wanted.append(BatchJob.kind == self.kind)
        if self.owner_id is not None:
            wanted.append(BatchJob.owner_id == self.owner_id)
        return wanted


@named
async def count_by_status(session: AsyncSession) -> dict[JobStatus, int]:
    """Only statuses that some job has."""
    statement = select(BatchJob.status, func.count()).group_by(BatchJob.status)
    return dict((await session.execute(statement)).all())


@named
async def jobs(
    session: AsyncSession, wanted: JobFilter, *, before_id: int | None, limit: int
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """The newest first, at most ``limit``, and the total."""
    conditions = wanted.conditions()
    total = await session.scalar(select(func.count()).select_from(BatchJob).where(*conditions))
    if before_id is not None:
        conditions.append(BatchJob.id < before_id)
    statement = (
        select(*JOB_ROW)
        .join(BatchProgress, BatchProgress.job_id == BatchJob.id)
        .where(*conditions)
        .order_by(BatchJob.id.desc())
        .limit(limit)
    )
    return (await session.execute(statement)).all(), total or 0


@named
async def job(session: AsyncSession, job_id: int) -> Row[*tuple[Any, ...]] | None:
    """The job with its figures and all it was asked for."""
    statement = (
        select(*JOB_ROW, BatchJob.parameters, BatchJob.error)
        .join(BatchProgress, BatchProgress.job_id == BatchJob.id)
        .where(BatchJob.id == job_id)
    )
    return (await session.execute(statement)).first()


@named
async def owner_of(session: AsyncSession, job_id: int) -> tuple[int | None, JobStatus] | None:
    """Whose job it is, and its status."""
    found = (
        await session.execute(select(BatchJob.owner_id, BatchJob.status).where(BatchJob.id == job_id))
    ).first()
    return (found[0], found[1]) if found is not None else None


@named
async def open_jobs_of(session: AsyncSession, owner_id: int | None) -> int:
    """How many jobs of the owner are not over. Locked, so that two who ask at once count one after the other."""
    conditions = (BatchJob.owner_id == owner_id, BatchJob.status.in_(OPEN))
    await session.execute(select(BatchJob.id).where(*conditions).order_by(BatchJob.id).with_for_update())
    return await session.scalar(select(func.count()).select_from(BatchJob).where(*conditions)) or 0


@named
async def job_to_change(session: AsyncSession, job_id: int) -> tuple[BatchProgress, BatchJob] | None:
    """Progress and job, locked in this order until the end of the unit."""
    progress = await session.get(BatchProgress, job_id, with_for_update=True, populate_existing=True)
    if progress is None:
        return None
    job = await session.get(BatchJob, job_id, with_for_update=True, populate_existing=True)
    return (progress, job) if job is not None else None


@named
async def open_jobs(session: AsyncSession) -> list[OpenJob]:
    """By id."""
    statement = (
        select(
            BatchJob.id,
            BatchJob.kind,
            BatchJob.status,
            BatchJob.owner_id,
            BatchJob.owner_name,
            BatchJob.is_cancelling,
        )
        .where(BatchJob.status.in_(OPEN))
        .order_by(BatchJob.id)
    )
    return [OpenJob(*row) for row in await session.execute(statement)]


@named
async def job_to_plan(session: AsyncSession, job_id: int) -> tuple[BatchProgress, BatchJob] | None:
    """The queued job with its progress, locked; None if somebody else has it or it is no longer queued."""
    statement = (
        select(BatchProgress, BatchJob)
        .join(BatchJob, BatchJob.id == BatchProgress.job_id)
        .where(BatchJob.id == job_id, BatchJob.status == JobStatus.QUEUED)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = (await session.execute(statement)).first()
    return (found[0], found[1]) if found is not None else None


@named
async def parameters(session: AsyncSession, job_id: int) -> dict[str, Any]:
    return await session.scalar(select(BatchJob.parameters).where(BatchJob.id == job_id)) or {}


@named
async def standing(session: AsyncSession, job_ids: Sequence[int]) -> list[tuple[int, JobStatus, Figures]]:
    """Status and figures of these jobs."""
    statement = (
        select(BatchJob.id, BatchJob.status, *FIGURES)
        .join(BatchProgress, BatchProgress.job_id == BatchJob.id)
        .where(BatchJob.id.in_(job_ids))
    )
    return [(job_id, status, Figures(*rest)) for job_id, status, *rest in await session.execute(statement)]


@named
async def count_up(
    session: AsyncSession, job_id: int, *, done: int = 0, failed: int = 0, cancelled: int = 0
) -> Figures:
    """The job's figures after this; its progress stays locked until the end of the unit."""
    statement = (
        update(BatchProgress)
        .where(BatchProgress.job_id == job_id)
        .values(
            done=BatchProgress.done + done,
            failed=BatchProgress.failed + failed,
            cancelled=BatchProgress.cancelled + cancelled,
        )
        .returning(*FIGURES)
        .execution_options(synchronize_session=False)
    )
    return Figures(*(await session.execute(statement)).one())


@named
async def delete_job(session: AsyncSession, job_id: int) -> None:
    """With its progress, items and results."""
    await session.execute(delete(BatchJob).where(BatchJob.id == job_id))


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
