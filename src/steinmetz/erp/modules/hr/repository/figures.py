"""What people, hours and leave of a period add up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.hr.models import Department, Employee, LeaveRequest, TimeEntry
from steinmetz.erp.modules.hr.repository.employees import EMPLOYEE_NAME, is_employed
from steinmetz.erp.modules.hr.rules import LeaveKind, LeaveStatus


@named
async def headcount(session: AsyncSession, day: dt.date) -> Sequence[tuple[str, int]]:
    """(department, employees on ``day``) of every department, by name."""
    statement = (
        select(Department.name, func.count(Employee.id))
        .outerjoin(Employee, and_(Employee.department_id == Department.id, is_employed(day)))
        .group_by(Department.id, Department.name)
        .order_by(Department.name)
    )
    return [(name, count) for name, count in await session.execute(statement)]


@named
async def minutes(session: AsyncSession, first: dt.date, last: dt.date) -> int:
    """Minutes worked from ``first`` to ``last``, both included."""
    worked = func.coalesce(func.sum(TimeEntry.end_minute - TimeEntry.start_minute), 0)
    return int(await session.scalar(select(worked).where(TimeEntry.date.between(first, last))) or 0)


@named
async def minutes_by_department(session: AsyncSession, first: dt.date, last: dt.date) -> dict[int, int]:
    """Minutes worked from ``first`` to ``last``, by the department in which the employee is today."""
    statement = (
        select(Employee.department_id, func.sum(TimeEntry.end_minute - TimeEntry.start_minute))
        .join(Employee, Employee.id == TimeEntry.employee_id)
        .where(TimeEntry.date.between(first, last))
        .group_by(Employee.department_id)
    )
    return {key: int(worked) for key, worked in await session.execute(statement)}


@named
async def minutes_by_project(
    session: AsyncSession, first: dt.date, last: dt.date, limit: int
) -> list[tuple[str, int]]:
    """The ``limit`` projects with most minutes from ``first`` to ``last``."""
    worked = func.sum(TimeEntry.end_minute - TimeEntry.start_minute)
    statement = (
        select(TimeEntry.project, worked)
        .where(TimeEntry.date.between(first, last))
        .group_by(TimeEntry.project)
        .order_by(worked.desc(), TimeEntry.project)
        .limit(limit)
    )
    return [(project, int(total)) for project, total in await session.execute(statement)]


@named
async def contracts(session: AsyncSession) -> Sequence[Row[*tuple[Any, ...]]]:
    """What each employee, past ones too, owes and where: no salary."""
    statement = select(
        Employee.id,
        EMPLOYEE_NAME,
        Employee.department_id,
        Employee.weekly_minutes,
        Employee.hired_on,
        Employee.left_on,
    ).order_by(Employee.last_name, Employee.first_name, Employee.id)
    return (await session.execute(statement)).all()


@named
async def approved_leave(
    session: AsyncSession, first: dt.date, last: dt.date
) -> list[tuple[int, LeaveKind, dt.date, dt.date]]:
    """(employee, kind, first day, last day) of approved leave with a day from ``first`` to ``last``."""
    statement = select(
        LeaveRequest.employee_id, LeaveRequest.kind, LeaveRequest.first_day, LeaveRequest.last_day
    ).where(
        LeaveRequest.status == LeaveStatus.APPROVED,
        LeaveRequest.first_day <= last,
        LeaveRequest.last_day >= first,
    )
    found = await session.execute(statement)
    return [(employee_id, kind, first_day, last_day) for employee_id, kind, first_day, last_day in found]
