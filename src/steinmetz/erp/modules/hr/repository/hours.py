"""What is asked about time entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window
from steinmetz.erp.modules.hr.models import Employee, TimeEntry
from steinmetz.erp.modules.hr.repository.employees import EMPLOYEE_NAME

TIME_ENTRY_SORT: tuple[Column, ...] = (TimeEntry.date, TimeEntry.id)

TIME_ENTRY_ROW = (
    TimeEntry.id,
    TimeEntry.employee_id,
    TimeEntry.date,
    TimeEntry.start_minute,
    TimeEntry.end_minute,
    TimeEntry.project,
    TimeEntry.note,
    TimeEntry.version,
    EMPLOYEE_NAME,
    Employee.department_id,
)


@dataclass(frozen=True, slots=True)
class TimeEntryFilter:
    employee_id: int | None = None
    department_id: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    project: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.employee_id is not None:
            wanted.append(TimeEntry.employee_id == self.employee_id)
        if self.department_id is not None:
            wanted.append(Employee.department_id == self.department_id)
        if self.since is not None:
            wanted.append(TimeEntry.date >= self.since)
        if self.until is not None:
            wanted.append(TimeEntry.date <= self.until)
        if self.project is not None:
            wanted.append(TimeEntry.project == self.project)
        return wanted


@named
async def time_entries(session: AsyncSession, window: Window, wanted: TimeEntryFilter) -> Page:
    conditions = wanted.conditions()
    statement = select(*TIME_ENTRY_ROW).join(Employee, Employee.id == TimeEntry.employee_id).where(*conditions)
    counted = select(func.count()).select_from(TimeEntry).where(*conditions)
    if wanted.department_id is not None:
        counted = counted.join(Employee, Employee.id == TimeEntry.employee_id)
    rows = (await session.execute(window.of(statement))).all()
    return window.page(rows, await session.scalar(counted))


@named
async def whose_time_entry(session: AsyncSession, entry_id: int) -> int | None:
    """The id of the entry's employee, which never changes."""
    return await session.scalar(select(TimeEntry.employee_id).where(TimeEntry.id == entry_id))


@named
async def time_entry_to_change(session: AsyncSession, entry_id: int) -> TimeEntry | None:
    """The entry, its row locked until the end of the unit."""
    return await session.get(TimeEntry, entry_id, with_for_update=True, populate_existing=True)


@named
async def time_entries_of(
    session: AsyncSession, employee_id: int, first: dt.date, last: dt.date
) -> Sequence[TimeEntry]:
    """Of the days from ``first`` to ``last``, in their order."""
    statement = (
        select(TimeEntry)
        .where(TimeEntry.employee_id == employee_id, TimeEntry.date.between(first, last))
        .order_by(TimeEntry.date, TimeEntry.start_minute)
    )
    return (await session.scalars(statement)).all()


@named
async def days_with_hours(
    session: AsyncSession, employee_id: int, first: dt.date, last: dt.date
) -> Sequence[dt.date]:
    statement = (
        select(TimeEntry.date)
        .where(TimeEntry.employee_id == employee_id, TimeEntry.date.between(first, last))
        .distinct()
        .order_by(TimeEntry.date)
    )
    return (await session.scalars(statement)).all()


@named
async def first_and_last_hours(session: AsyncSession, employee_id: int) -> tuple[dt.date | None, dt.date | None]:
    """The oldest and the newest day with a time entry."""
    statement = select(func.min(TimeEntry.date), func.max(TimeEntry.date)).where(
        TimeEntry.employee_id == employee_id
    )
    first, last = (await session.execute(statement)).one()
    return first, last
