"""What batch asks of the database."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.batch.models import BatchJob
from steinmetz.erp.modules.batch.rules import JobStatus


@named
async def count_by_status(session: AsyncSession) -> dict[JobStatus, int]:
    """Only statuses that some job has."""
    statement = select(BatchJob.status, func.count()).group_by(BatchJob.status)
    return dict((await session.execute(statement)).all())
