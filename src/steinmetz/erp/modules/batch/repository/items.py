"""What is asked about the items of a job: whose turn it is, what became of them, the pieces of the job's file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named, upsert
from steinmetz.erp.modules.batch.models import BatchAttempt, BatchItem, BatchResult
from steinmetz.erp.modules.batch.rules import JobStatus

INSERTED_AT_ONCE = 2_000


@named
async def add_items(session: AsyncSession, job_id: int, payloads: Sequence[dict[str, Any]]) -> None:
    """One item for each payload, in their order; positions begin with 1."""
    for start in range(0, len(payloads), INSERTED_AT_ONCE):
        some = payloads[start : start + INSERTED_AT_ONCE]
        values = [
            {"job_id": job_id, "position": position, "payload": payload, "status": JobStatus.QUEUED, "error": ""}
            for position, payload in enumerate(some, start=start + 1)
        ]
        await session.execute(insert(BatchItem), values)


@named
async def claim(session: AsyncSession, job_id: int, item_id: int | None = None) -> BatchItem | None:
    """The next queued item that nobody works on (or just ``item_id``), locked until the end of the unit."""
    conditions = [BatchItem.job_id == job_id, BatchItem.status == JobStatus.QUEUED]
    if item_id is not None:
        conditions.append(BatchItem.id == item_id)
    statement = (
        select(BatchItem)
        .where(*conditions)
        .order_by(BatchItem.position)
        .limit(1)
        # Not FOR UPDATE: the count of attempts, which refers to the item, is committed beside this lock.
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    return await session.scalar(statement)


@named
async def count_attempt(session: AsyncSession, item_id: int) -> int:
    """One more; how many there are now."""
    statement = (
        upsert(session)(BatchAttempt)
        .values(item_id=item_id, attempts=1)
        .on_conflict_do_update(index_elements=[BatchAttempt.item_id], set_={"attempts": BatchAttempt.attempts + 1})
        .returning(BatchAttempt.attempts)
    )
    return int((await session.execute(statement)).scalar_one())


@named
async def settle_item(session: AsyncSession, item_id: int, status: JobStatus, error: str) -> None:
    statement = update(BatchItem).where(BatchItem.id == item_id).values(status=status, error=error)
    await session.execute(statement.execution_options(synchronize_session=False))


@named
async def add_result(session: AsyncSession, item_id: int, text: str) -> None:
    await session.execute(insert(BatchResult).values(item_id=item_id, text=text))


@named
async def cancel_items(session: AsyncSession, job_id: int) -> int:
    """All queued items that nobody works on; returns how many they were."""
    free = (
        select(BatchItem.id)
        .where(BatchItem.job_id == job_id, BatchItem.status == JobStatus.QUEUED)
        .with_for_update(skip_locked=True, key_share=True)
    )
    statement = (
        update(BatchItem)
        .where(BatchItem.id.in_(free))
        .values(status=JobStatus.CANCELLED)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).rowcount  # type: ignore[attr-defined, no-any-return]


@named
async def requeue_items(session: AsyncSession, job_id: int) -> None:
    """Failed and cancelled items as if they had never been begun."""
    retried = (JobStatus.FAILED, JobStatus.CANCELLED)
    of_job = (BatchItem.job_id == job_id, BatchItem.status.in_(retried))
    await session.execute(
        delete(BatchAttempt)
        .where(BatchAttempt.item_id.in_(select(BatchItem.id).where(*of_job)))
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(BatchItem)
        .where(*of_job)
        .values(status=JobStatus.QUEUED, error="")
        .execution_options(synchronize_session=False)
    )


@named
async def items(
    session: AsyncSession, job_id: int, status: JobStatus | None, *, after: int, limit: int
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """Behind position ``after``, at most ``limit``, and the total."""
    conditions = [BatchItem.job_id == job_id]
    if status is not None:
        conditions.append(BatchItem.status == status)
    statement = (
        select(
            BatchItem.position,
            BatchItem.status,
            BatchItem.payload,
            BatchItem.error,
            func.coalesce(BatchAttempt.attempts, 0).label("attempts"),
        )
        .outerjoin(BatchAttempt, BatchAttempt.item_id == BatchItem.id)
        .where(*conditions, BatchItem.position > after)
        .order_by(BatchItem.position)
        .limit(limit)
    )
    total = await session.scalar(select(func.count()).select_from(BatchItem).where(*conditions))
    return (await session.execute(statement)).all(), total or 0


@named
async def errors(session: AsyncSession, job_id: int, limit: int) -> list[tuple[int, str]]:
    """(position, error) of the first failed items."""
    statement = (
        select(BatchItem.position, BatchItem.error)
        .where(BatchItem.job_id == job_id, BatchItem.status == JobStatus.FAILED)
        .order_by(BatchItem.position)
        .limit(limit)
    )
    return [(position, error) for position, error in await session.execute(statement)]


@named
async def results(session: AsyncSession, job_id: int, after: int, limit: int) -> list[tuple[int, str]]:
    """(position, text) of the pieces of the job's file behind position ``after``."""
    statement = (
        select(BatchItem.position, BatchResult.text)
        .join(BatchResult, BatchResult.item_id == BatchItem.id)
        .where(BatchItem.job_id == job_id, BatchItem.position > after)
        .order_by(BatchItem.position)
        .limit(limit)
    )
    return [(position, text) for position, text in await session.execute(statement)]
