"""Figures of a period, on both engines."""

from __future__ import annotations

import datetime as dt

import pytest

from steinmetz.erp.db import Database
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.workdays import ONE_DAY
from steinmetz.erp.modules.hr.models import Department, LeaveRequest, TimeEntry
from steinmetz.erp.modules.hr.rules import LeaveKind, LeaveStatus
from steinmetz.erp.modules.hr.schemas import FIRST_DAY, LAST_DAY, HrStatistics
from steinmetz.erp.modules.hr.statistics import MAX_PERIOD_DAYS, SHOWN_PROJECTS, statistics
from tests.unit.erp.modules.hr.conftest import MONDAY, Staff

pytestmark = pytest.mark.anyio

FRIDAY = MONDAY - 3 * ONE_DAY
WEEK_BEFORE = MONDAY - 7 * ONE_DAY


async def figures(database: Database, first: dt.date | None, last: dt.date | None) -> HrStatistics:
    async with database.unit(writes=False) as unit:
        return await statistics(unit, first, last)


async def test_a_week_of_two_departments(database: Database, staff: Staff) -> None:
    ada = await staff.employee(hired_on=WEEK_BEFORE)
    async with database.unit() as unit:
        office = Department(name="Büro", cost_center="1000")
        unit.session.add(office)
    bob = await staff.employee(department_id=office.id, weekly_minutes=1_200, first_name="Bob")
    eve = await staff.employee(department_id=office.id, left_on=WEEK_BEFORE + ONE_DAY, first_name="Eve")
    async with database.unit() as unit:
        unit.session.add_all(
            TimeEntry(
                employee_id=who.id,
                date=WEEK_BEFORE + day * ONE_DAY,
                start_minute=0,
                end_minute=minutes,
                project=project,
            )
            for who, day, minutes, project in (
                (ada, 0, 500, "SGM"),
                (ada, 7, 90, "SGM"),  # today
                (bob, 1, 240, "Angebote"),
                (eve, 0, 480, ""),
                (bob, -1, 77, "before"),
            )
        )
        unit.session.add_all(
            LeaveRequest(
                employee_id=who.id,
                kind=kind,
                status=status,
                first_day=WEEK_BEFORE + first * ONE_DAY,
                last_day=WEEK_BEFORE + last * ONE_DAY,
                created_at=unit.now,
            )
            for who, kind, status, first, last in (
                (ada, LeaveKind.VACATION, LeaveStatus.APPROVED, 2, 5),
                (bob, LeaveKind.SICK, LeaveStatus.APPROVED, -5, 0),
                (bob, LeaveKind.SPECIAL, LeaveStatus.APPROVED, 3, 3),
                (bob, LeaveKind.VACATION, LeaveStatus.REQUESTED, 4, 4),
            )
        )
    shown = await figures(database, WEEK_BEFORE, MONDAY)
    assert shown.head_count.model_dump() == {"today": 2, "at_start": 3, "at_end": 2}
    assert [each.name for each in shown.departments] == ["Büro", "Werk"]
    bureau, plant = (each.model_dump(exclude={"id", "name"}) for each in shown.departments)
    assert bureau == {
        "head_count": {"today": 1, "at_start": 2, "at_end": 1},
        "minutes": 720,
        # Bob owed Tuesday, Wednesday and Friday, Eve Monday and Tuesday.
        "overtime_minutes": (240 - 3 * 240) + (480 - 2 * 480),
        "vacation_days": 0,
        "sick_days": 1,
        "special_days": 1,
        "joined": 0,
        "left": 1,
    }
    assert plant == {
        "head_count": {"today": 1, "at_start": 1, "at_end": 1},
        "minutes": 590,
        # Ada owed Monday and Tuesday; today is not over, so neither its hours nor its target count.
        "overtime_minutes": 500 - 2 * 480,
        "vacation_days": 3,
        "sick_days": 0,
        "special_days": 0,
        "joined": 1,
        "left": 0,
    }
    assert shown.minutes == 1_310
    assert shown.overtime.model_dump() == {
        "until": MONDAY - ONE_DAY,
        "worked_minutes": 1_220,
        "target_minutes": 2_640,
        "overtime_minutes": -1_420,
    }
    assert [(each.project, each.minutes) for each in shown.projects] == [
        ("SGM", 590),
        ("", 480),
        ("Angebote", 240),
    ]
    assert [(each.name, each.day) for each in shown.joiners] == [("Ada Lang", WEEK_BEFORE)]
    assert [(each.name, each.day) for each in shown.leavers] == [("Eve Lang", WEEK_BEFORE + ONE_DAY)]


async def test_a_company_without_anybody_has_figures(database: Database) -> None:
    for first, last in ((None, None), (MONDAY, MONDAY), (FIRST_DAY, FIRST_DAY), (LAST_DAY, LAST_DAY)):
        shown = await figures(database, first, last)
        assert (shown.minutes, shown.departments, shown.projects) == (0, [], [])
        assert shown.head_count.today == 0
        assert shown.overtime.overtime_minutes == 0


@pytest.mark.parametrize("first", [dt.date(1990, 1, 1), dt.date(2030, 1, 1)])
async def test_a_period_without_hours_has_figures(database: Database, staff: Staff, first: dt.date) -> None:
    await staff.employee()
    shown = await figures(database, first, first + 30 * ONE_DAY)
    assert shown.head_count.model_dump() == {
        "today": 1,
        "at_start": int(first.year == 2030),
        "at_end": int(first.year == 2030),
    }
    assert (shown.minutes, shown.overtime.target_minutes, shown.projects) == (0, 0, [])


async def test_without_a_period_it_is_this_month_until_today(database: Database) -> None:
    shown = await figures(database, None, None)
    assert (shown.period_start, shown.period_end) == (dt.date(2026, 3, 1), MONDAY)
    shown = await figures(database, FRIDAY, None)
    assert (shown.period_start, shown.period_end) == (FRIDAY, MONDAY)
    shown = await figures(database, None, FRIDAY)
    assert (shown.period_start, shown.period_end) == (dt.date(2026, 2, 1), FRIDAY)


async def test_a_period_is_no_longer_than_ten_years_and_not_upside_down(database: Database) -> None:
    with pytest.raises(Unprocessable, match="ends before it begins"):
        await figures(database, MONDAY, FRIDAY)
    with pytest.raises(Unprocessable, match="at most 3660 days"):
        await figures(database, MONDAY, MONDAY + MAX_PERIOD_DAYS * ONE_DAY)
    await figures(database, MONDAY, MONDAY + (MAX_PERIOD_DAYS - 1) * ONE_DAY)


async def test_projects_beyond_those_shown_are_one_figure(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    count = SHOWN_PROJECTS + 5
    async with database.unit() as unit:
        unit.session.add_all(
            TimeEntry(
                employee_id=ada.id,
                date=FRIDAY,
                start_minute=number,
                end_minute=number + 1,
                project=f"P{number:04d}",
            )
            for number in range(count)
        )
    shown = await figures(database, FRIDAY, FRIDAY)
    assert len(shown.projects) == SHOWN_PROJECTS + 1
    assert (shown.projects[-1].project, shown.projects[-1].minutes) == (None, 5)
    assert sum(each.minutes for each in shown.projects) == shown.minutes == count
