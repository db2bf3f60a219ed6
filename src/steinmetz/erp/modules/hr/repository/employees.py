"""What is asked about employees: who they are, and when they are employed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window, contains
from steinmetz.erp.modules.hr.models import Department, Employee
from steinmetz.erp.modules.hr.rules import NUMBER_PREFIX

EMPLOYEE_SORTS: dict[str, tuple[Column, ...]] = {
    "name": (Employee.last_name, Employee.first_name, Employee.id),
    "number": (Employee.number, Employee.id),
    "hiredOn": (Employee.hired_on, Employee.id),
}

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
            wanted.append(or_(*(contains(column, self.search) for column in columns)))
        if self.department_id is not None:
            wanted.append(Employee.department_id == self.department_id)
        if self.employed_on is not None:
            wanted.append(is_employed(self.employed_on))
        if self.not_employed_on is not None:
            wanted.append(~is_employed(self.not_employed_on))
        return wanted


def is_employed(day: dt.date) -> ColumnElement[bool]:
    """The SQL of `rules.is_employed`."""
    return and_(Employee.hired_on <= day, or_(Employee.left_on.is_(None), Employee.left_on >= day))


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
