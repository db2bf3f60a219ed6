"""What hr asks of the database, alike on SQLite and PostgreSQL; decides nothing.

Who means to write a time entry or leave takes the lock on its employee first (`employee_to_change`), and the
record's after it: one order, so that two writers wait for each other and never for ever. Departments come after
employees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, desc, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from steinmetz.erp.kit.pagination import Page, encode_cursor
from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.hr.models import Department, Employee, LeaveRequest, TimeEntry
from steinmetz.erp.modules.hr.rules import NUMBER_PREFIX, STANDING, LeaveKind, LeaveStatus

Column = InstrumentedAttribute[Any]

EMPLOYEE_SORTS: dict[str, tuple[Column, ...]] = {
    "name": (Employee.last_name, Employee.first_name, Employee.id),
    "number": (Employee.number, Employee.id),
    "hiredOn": (Employee.hired_on, Employee.id),
}
TIME_ENTRY_SORT: tuple[Column, ...] = (TimeEntry.date, TimeEntry.id)
LEAVE_SORT: tuple[Column, ...] = (LeaveRequest.first_day, LeaveRequest.id)
EMPLOYEE_ROW = (
    Employee.id,
    Employee.number,
    Employee.first_name,
    Employee.last_name,
    Employee.email,
    Employee.department_id,
    Department.name.label("department"),
    Employee.user_id,
    Employee.job_title,
    Employee.weekly_minutes,
    Employee.salary_cents,
    Employee.vacation_days,
    Employee.hired_on,
    Employee.left_on,
    Employee.version,
)
EMPLOYEE_NAME = (Employee.first_name + " " + Employee.last_name).label("employee_name")
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
class Window:
    """Which rows of a list: ``after`` the sort values of the row before, at most ``limit``."""

    columns: Sequence[Column]
    is_descending: bool
    after: Sequence[Any] | None
    limit: int

    def of(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """One row more than wanted."""
        if self.after is not None:
            place, start = tuple_(*self.columns), tuple_(*self.after)
            statement = statement.where(place < start if self.is_descending else place > start)
        order = [desc(each) if self.is_descending else each for each in self.columns]
        return statement.order_by(*order).limit(self.limit + 1)

    def page(self, rows: Sequence[Any], total: int | None) -> Page:
        """The page of what `of` has found."""
        kept = rows[: self.limit]
        if len(rows) == len(kept):
            return Page(kept, None, total or 0)
        return Page(kept, encode_cursor(*(getattr(kept[-1], column.key) for column in self.columns)), total or 0)


@dataclass(frozen=True, slots=True)
class EmployeeFilter:
    search: str = ""
    department_id: int | None = None
    employed_on: dt.date | None = None
    """Only who is employed on this day."""
    not_employed_on: dt.date | None = None
    """Only who is not."""

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.search:
            full_name = Employee.first_name + " " + Employee.last_name
            columns = (full_name, Employee.number, Employee.email, Employee.job_title)
            wanted.append(or_(*(column.icontains(self.search, autoescape=True) for column in columns)))
        if self.department_id is not None:
            wanted.append(Employee.department_id == self.department_id)
        if self.employed_on is not None:
            wanted.append(is_employed(self.employed_on))
        if self.not_employed_on is not None:
            wanted.append(~is_employed(self.not_employed_on))
        return wanted


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


def is_employed(day: dt.date) -> ColumnElement[bool]:
    """The SQL of `rules.is_employed`."""
    return and_(Employee.hired_on <= day, or_(Employee.left_on.is_(None), Employee.left_on >= day))


# Departments


@named
async def departments(session: AsyncSession, today: dt.date) -> Sequence[Row[*tuple[Any, ...]]]:
    """Each department with those employed on ``today``, by name."""
    statement = (
        select(
            Department.id,
            Department.name,
            Department.cost_center,
            Department.version,
            func.count(Employee.id).label("employees"),
        )
        .outerjoin(Employee, and_(Employee.department_id == Department.id, is_employed(today)))
        .group_by(Department.id, Department.name, Department.cost_center, Department.version)
        .order_by(Department.name, Department.id)
    )
    return (await session.execute(statement)).all()


@named
async def department(session: AsyncSession, department_id: int) -> Department | None:
    return await session.get(Department, department_id)


@named
async def department_to_change(session: AsyncSession, department_id: int) -> Department | None:
    """The department, its row locked until the end of the unit: nobody is hired into it meanwhile."""
    return await session.get(Department, department_id, with_for_update=True, populate_existing=True)


@named
async def department_to_join(session: AsyncSession, department_id: int) -> Department | None:
    """The department, which stays until the end of the unit."""
    return await session.get(
        Department, department_id, with_for_update={"read": True, "key_share": True}, populate_existing=True
    )


@named
async def department_named(session: AsyncSession, name: str, cost_center: str) -> Sequence[Department]:
    """Those that have this name or this cost centre."""
    statement = select(Department).where(or_(Department.name == name, Department.cost_center == cost_center))
    return (await session.scalars(statement.order_by(Department.id))).all()


@named
async def count_ever_employed(session: AsyncSession, department_id: int) -> int:
    """All employees of the department, past ones too."""
    statement = select(func.count()).select_from(Employee).where(Employee.department_id == department_id)
    return await session.scalar(statement) or 0


@named
async def employed_in(session: AsyncSession, department_id: int, day: dt.date) -> int:
    statement = (
        select(func.count()).select_from(Employee).where(Employee.department_id == department_id, is_employed(day))
    )
    return await session.scalar(statement) or 0


# Employees


@named
async def employees(session: AsyncSession, window: Window, wanted: EmployeeFilter) -> Page:
    conditions = wanted.conditions()
    statement = select(*EMPLOYEE_ROW).join(Department, Department.id == Employee.department_id).where(*conditions)
    rows = (await session.execute(window.of(statement))).all()
    total = await session.scalar(select(func.count()).select_from(Employee).where(*conditions))
    return window.page(rows, total)


@named
async def employee_row(session: AsyncSession, employee_id: int) -> Row[*tuple[Any, ...]] | None:
    statement = (
        select(*EMPLOYEE_ROW)
        .join(Department, Department.id == Employee.department_id)
        .where(Employee.id == employee_id)
    )
    return (await session.execute(statement)).one_or_none()


@named
async def employee(session: AsyncSession, employee_id: int) -> Employee | None:
    return await session.get(Employee, employee_id)


@named
async def employee_of(session: AsyncSession, user_id: int) -> Employee | None:
    """The employee who signs in as this user."""
    return await session.scalar(select(Employee).where(Employee.user_id == user_id))


@named
async def employee_id_of(session: AsyncSession, user_id: int) -> int | None:
    """The same employee's id, without the record: who locks it next must not find it loaded already."""
    return await session.scalar(select(Employee.id).where(Employee.user_id == user_id))


@named
async def employee_to_change(session: AsyncSession, employee_id: int) -> Employee | None:
    """The employee, the row locked until the end of the unit: hours and leave stand still meanwhile."""
    return await session.get(Employee, employee_id, with_for_update=True, populate_existing=True)


@named
async def employee_with_mail(session: AsyncSession, email: str) -> Employee | None:
    return await session.scalar(select(Employee).where(Employee.email == email))


@named
async def take_turn_to_hire(session: AsyncSession) -> None:
    """Wait for others who hire: who holds every department's row counts the numbers alone.

    NO KEY UPDATE leaves those alone who only move an employee into a department.
    """
    await session.execute(select(Department.id).order_by(Department.id).with_for_update(key_share=True))


@named
async def last_employee_number(session: AsyncSession) -> str | None:
    """The greatest number that was given by the house."""
    statement = (
        select(Employee.number)
        .where(Employee.number.startswith(NUMBER_PREFIX, autoescape=True))
        .order_by(func.length(Employee.number).desc(), Employee.number.desc())
        .limit(1)
    )
    return await session.scalar(statement)


@named
async def first_and_last_hours(session: AsyncSession, employee_id: int) -> tuple[dt.date | None, dt.date | None]:
    """The oldest and the newest day with a time entry."""
    statement = select(func.min(TimeEntry.date), func.max(TimeEntry.date)).where(
        TimeEntry.employee_id == employee_id
    )
    first, last = (await session.execute(statement)).one()
    return first, last


@named
async def first_and_last_leave(session: AsyncSession, employee_id: int) -> tuple[dt.date | None, dt.date | None]:
    """The oldest and the newest day of leave that is requested or approved."""
    statement = select(func.min(LeaveRequest.first_day), func.max(LeaveRequest.last_day)).where(
        LeaveRequest.employee_id == employee_id, LeaveRequest.status.in_(STANDING)
    )
    first, last = (await session.execute(statement)).one()
    return first, last


# Time


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


# Leave


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


# Figures


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
