"""People to work with, on the engine of the test."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.auth.models import User
from steinmetz.erp.modules.hr.models import Department, Employee

MONDAY = dt.date(2026, 3, 2)
"""Today."""

_numbers = count(1)


class Staff:
    """Hires into one department, as plain rows: the service is what is tested."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.department_id = 0

    async def employee(self, **fields: Any) -> Employee:
        number = next(_numbers)
        async with self._database.unit() as unit:
            if not self.department_id:
                department = Department(name="Werk", cost_center="4000")
                unit.session.add(department)
                await unit.session.flush()
                self.department_id = department.id
            hired = Employee(
                **{
                    "number": f"P-{number}",
                    "first_name": "Ada",
                    "last_name": "Lang",
                    "email": f"{number}@example.com",
                    "department_id": self.department_id,
                    "job_title": "Dreherin",
                    "hired_on": dt.date(2020, 1, 1),
                    **fields,
                }
            )
            unit.session.add(hired)
        return hired

    async def actor(self, role: Role = Role.CLERK) -> Actor:
        """Somebody with an account."""
        number = next(_numbers)
        async with self._database.unit() as unit:
            user = User(email=f"user{number}@example.com", name="Ada Lang", role=role, created_at=unit.now)
            unit.session.add(user)
        return Actor(user.id, user.name, role)


@pytest.fixture
def staff(database: Database, clock: FakeClock) -> Staff:
    return Staff(database)
