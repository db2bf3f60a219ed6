"""Who works here, and how long they have worked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from steinmetz.erp.db import Unit
from steinmetz.erp.modules.hr import repository


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many people a department employs."""

    department: str
    employees: int


async def headcount(unit: Unit, day: dt.date) -> list[Headcount]:
    """Every department with those employed on ``day``; the last day of work counts."""
    return [Headcount(*row) for row in await repository.headcount(unit.session, day)]


async def minutes_between(unit: Unit, first: dt.date, last: dt.date) -> int:
    """Minutes that all employees worked from ``first`` to ``last``, both included."""
    return await repository.minutes(unit.session, first, last)
