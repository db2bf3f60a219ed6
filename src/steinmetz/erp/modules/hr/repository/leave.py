"""What is asked about leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window
from steinmetz.erp.modules.hr.models import Employee, LeaveRequest
from steinmetz.erp.modules.hr.repository.employees import EMPLOYEE_NAME
from steinmetz.erp.modules.hr.rules import STANDING, LeaveStatus

LEAVE_SORT: tuple[Column, ...] = (LeaveRequest.first_day, LeaveRequest.id)

LEAVE_ROW = (
    LeaveRequest.id,
    LeaveRequest.employee_id,
    LeaveRequest.kind,
    LeaveRequest.status,
    LeaveRequest.first_day,
    LeaveRequest.last_day,
    LeaveRequest.decided_by,
    LeaveRequest.reason,
    LeaveRequest.created_at,
    LeaveRequest.version,
    EMPLOYEE_NAME,
    Employee.department_id,
)


@dataclass(frozen=True, slots=True)
class LeaveFilter:
    employee_id: int | None = None
    department_id: int | None = None
    statuses: Sequence[LeaveStatus] = ()
    since: dt.date | None = None
    """With a day on this day or later."""
    until: dt.date | None = None
    """With a day on this day or earlier."""

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.employee_id is not None:
            wanted.append(LeaveRequest.employee_id == self.employee_id)
        if self.department_id is not None:
            wanted.append(Employee.department_id == self.department_id)
        if self.statuses:
            wanted.append(LeaveRequest.status.in_(self.statuses))
        if self.since is not None:
            wanted.append(LeaveRequest.last_day >= self.since)
        if self.until is not None:
            wanted.append(LeaveRequest.first_day <= self.until)
        return wanted


@named
async def leave_requests(session: AsyncSession, window: Window, wanted: LeaveFilter) -> Page:
    conditions = wanted.conditions()
    statement = select(*LEAVE_ROW).join(Employee, Employee.id == LeaveRequest.employee_id).where(*conditions)
    counted = select(func.count()).select_from(LeaveRequest).where(*conditions)
    if wanted.department_id is not None:
        counted = counted.join(Employee, Employee.id == LeaveRequest.employee_id)
    rows = (await session.execute(window.of(statement))).all()
    return window.page(rows, await session.scalar(counted))


@named
async def whose_leave(session: AsyncSession, leave_id: int) -> int | None:
    """The id of the request's employee, which never changes."""
    return await session.scalar(select(LeaveRequest.employee_id).where(LeaveRequest.id == leave_id))


@named
async def leave_request_to_change(session: AsyncSession, leave_id: int) -> LeaveRequest | None:
    """The request, its row locked until the end of the unit."""
    return await session.get(LeaveRequest, leave_id, with_for_update=True, populate_existing=True)


@named
async def leave_of(
    session: AsyncSession,
    employee_id: int,
    first: dt.date,
    last: dt.date,
    statuses: Collection[LeaveStatus] = STANDING,
) -> Sequence[LeaveRequest]:
    """Requests with a day from ``first`` to ``last``, in their order."""
    statement = (
        select(LeaveRequest)
        .where(
            LeaveRequest.employee_id == employee_id,
            LeaveRequest.status.in_(statuses),
            LeaveRequest.first_day <= last,
            LeaveRequest.last_day >= first,
        )
        .order_by(LeaveRequest.first_day, LeaveRequest.id)
    )
    return (await session.scalars(statement)).all()


@named
async def first_and_last_leave(session: AsyncSession, employee_id: int) -> tuple[dt.date | None, dt.date | None]:
    """The oldest and the newest day of leave that is requested or approved."""
    statement = select(func.min(LeaveRequest.first_day), func.max(LeaveRequest.last_day)).where(
        LeaveRequest.employee_id == employee_id, LeaveRequest.status.in_(STANDING)
    )
    first, last = (await session.execute(statement)).one()
    return first, last
