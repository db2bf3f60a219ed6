"""What hr asks of the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.hr.models import Department, Employee, TimeEntry


@named
async def headcount(session: AsyncSession, day: dt.date) -> Sequence[tuple[str, int]]:
    """(department, employees on ``day``) of every department, by name."""
    is_employed = and_(
        Employee.department_id == Department.id,
        Employee.hired_on <= day,
        or_(Employee.left_on.is_(None), Employee.left_on >= day),
    )
    statement = (
        select(Department.name, func.count(Employee.id))
        .outerjoin(Employee, is_employed)
        .group_by(Department.id, Department.name)
        .order_by(Department.name)
    )
    return [(name, count) for name, count in await session.execute(statement)]


@named
async def minutes(session: AsyncSession, first: dt.date, last: dt.date) -> int:
    """Minutes worked from ``first`` to ``last``, both included."""
    worked = func.coalesce(func.sum(TimeEntry.end_minute - TimeEntry.start_minute), 0)
    return int(await session.scalar(select(worked).where(TimeEntry.date.between(first, last))) or 0)
