"""Who works here and for how long, on both engines."""

from __future__ import annotations

import datetime as dt

import pytest

from steinmetz.erp.db import Database
from steinmetz.erp.modules.hr import service
from steinmetz.erp.modules.hr.models import Department, Employee, TimeEntry
from steinmetz.erp.modules.hr.service import Headcount

pytestmark = pytest.mark.anyio

MONDAY = dt.date(2026, 3, 2)


def employee(number: int, department_id: int, hired_on: dt.date, left_on: dt.date | None = None) -> Employee:
    return Employee(
        number=f"P-{number}",
        first_name="Ada",
        last_name="Lang",
        email=f"{number}@example.com",
        department_id=department_id,
        job_title="Dreherin",
        hired_on=hired_on,
        left_on=left_on,
    )


async def test_headcount_is_who_is_employed_on_the_day(database: Database) -> None:
    day = dt.timedelta(days=1)
    async with database.unit() as unit:
        unit.session.add_all(
            Department(id=number, name=name, cost_center=f"{number}")
            for number, name in enumerate(["Werk", "Büro", "Leer"], start=1)
        )
        await unit.session.flush()
        unit.session.add_all(
            [
                employee(1, 1, MONDAY),
                employee(2, 1, MONDAY + day),
                employee(3, 2, dt.date(2020, 1, 1), MONDAY),
                employee(4, 2, dt.date(2020, 1, 1), MONDAY - day),
                employee(5, 2, dt.date(2020, 1, 1)),
            ]
        )
    async with database.unit(writes=False) as unit:
        assert await service.headcount(unit, MONDAY) == [
            Headcount("Büro", 2),
            Headcount("Leer", 0),
            Headcount("Werk", 1),
        ]


async def test_minutes_are_counted_on_both_ends_of_the_week(database: Database) -> None:
    async with database.unit() as unit:
        unit.session.add(Department(id=1, name="Werk", cost_center="1"))
        await unit.session.flush()
        unit.session.add(employee(1, 1, dt.date(2020, 1, 1)))
        await unit.session.flush()
        for offset, minutes in ((-1, 10), (0, 20), (6, 40), (7, 80)):
            date = MONDAY + dt.timedelta(days=offset)
            unit.session.add(TimeEntry(employee_id=1, date=date, start_minute=480, end_minute=480 + minutes))
    async with database.unit(writes=False) as unit:
        assert await service.minutes_between(unit, MONDAY, MONDAY + dt.timedelta(days=6)) == 60
        assert await service.minutes_between(unit, dt.date(1999, 1, 1), dt.date(1999, 1, 7)) == 0
