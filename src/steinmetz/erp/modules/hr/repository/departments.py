"""What is asked about departments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.hr.models import Department, Employee
from steinmetz.erp.modules.hr.repository.employees import is_employed


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
