"""The company's people in a period: how many, how long they worked and owed, who was away, who came and went.

Hours and leave count for the department in which the employee is today; there is no history of moves.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.workdays import ONE_DAY
from steinmetz.erp.modules.hr import repository
from steinmetz.erp.modules.hr.rules import Calendar, LeaveKind, is_employed
from steinmetz.erp.modules.hr.schemas import (
    DepartmentFigures,
    HeadCounts,
    HrStatistics,
    Move,
    Overtime,
    ProjectFigures,
)

MAX_PERIOD_DAYS = 3_660
"""Ten years; bounds the calendar that is laid out for a question."""
SHOWN_PROJECTS = 200
SHOWN_MOVES = 500
LONGEST = dt.date.max


async def statistics(unit: Unit, first: dt.date | None, last: dt.date | None) -> HrStatistics:
    """The figures from ``first`` to ``last``, both included; this month until today without them.

    Raises `Unprocessable` for a period that ends before it begins, or is longer than ten years.
    """
    today = company_date(unit.now)
    last = last or max(today, first or today)
    first = first or last.replace(day=1)
    if last < first:
        raise Unprocessable("The period ends before it begins.", "to")
    if (last - first).days >= MAX_PERIOD_DAYS:
        raise Unprocessable(f"A period has at most {MAX_PERIOD_DAYS} days.", "to")
    # Today is not over: what is due of it would look like hours that are missing.
    until = min(last, today - ONE_DAY)
    people = await repository.figures.contracts(unit.session)
    leave = await repository.figures.approved_leave(unit.session, first, last)
    minutes = await repository.figures.minutes_by_department(unit.session, first, last)
    worked = (
        minutes if until == last else await repository.figures.minutes_by_department(unit.session, first, until)
    )
    calendar = Calendar(first, last)
    due = _due(people, leave, Calendar(first, until))
    away = _away(people, leave, calendar)
    heads = {day: _heads(people, day) for day in (today, first, last)}
    joined = [each for each in people if first <= each.hired_on <= last]
    left = [each for each in people if each.left_on is not None and first <= each.left_on <= last]
    joins, leaves = (Counter(each.department_id for each in moved) for moved in (joined, left))
    return HrStatistics(
        period_start=first,
        period_end=last,
        head_count=_head_count({day: sum(heads[day].values()) for day in heads}, today, first, last),
        minutes=sum(minutes.values()),
        overtime=Overtime(
            until=until,
            worked_minutes=sum(worked.values()),
            target_minutes=sum(due.values()),
            overtime_minutes=sum(worked.values()) - sum(due.values()),
        ),
        departments=[
            DepartmentFigures(
                id=each.id,
                name=each.name,
                head_count=_head_count({day: heads[day][each.id] for day in heads}, today, first, last),
                minutes=minutes.get(each.id, 0),
                overtime_minutes=worked.get(each.id, 0) - due[each.id],
                vacation_days=away[each.id, LeaveKind.VACATION],
                sick_days=away[each.id, LeaveKind.SICK],
                special_days=away[each.id, LeaveKind.SPECIAL],
                joined=joins[each.id],
                left=leaves[each.id],
            )
            for each in await repository.departments.departments(unit.session, today)
        ],
        projects=await _projects(unit, first, last, sum(minutes.values())),
        joiners=_moves((each.hired_on, each) for each in joined),
        leavers=_moves((each.left_on, each) for each in left),
    )


def _due(people: Iterable[Any], leave: Iterable[Any], calendar: Calendar) -> Counter[int]:
    """Minutes by department: what the contracts say, less public holidays and approved leave."""
    absences: dict[int, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    for employee_id, _, first_day, last_day in leave:
        absences[employee_id].append((first_day, last_day))
    due: Counter[int] = Counter()
    for each in people:
        end = each.left_on or LONGEST
        minutes = calendar.due_minutes(each.hired_on, end, each.weekly_minutes)
        for first_day, last_day in absences[each.id]:
            minutes -= calendar.due_minutes(max(first_day, each.hired_on), min(last_day, end), each.weekly_minutes)
        due[each.department_id] += minutes
    return due


def _away(people: Iterable[Any], leave: Iterable[Any], calendar: Calendar) -> Counter[tuple[int, LeaveKind]]:
    """Workdays of approved leave by department and kind."""
    department_of = {each.id: each.department_id for each in people}
    away: Counter[tuple[int, LeaveKind]] = Counter()
    for employee_id, kind, first_day, last_day in leave:
        away[department_of[employee_id], kind] += calendar.workdays(first_day, last_day)
    return away


def _heads(people: Iterable[Any], day: dt.date) -> Counter[int]:
    return Counter(each.department_id for each in people if is_employed(day, each.hired_on, each.left_on))


def _head_count(on: dict[dt.date, int], today: dt.date, first: dt.date, last: dt.date) -> HeadCounts:
    return HeadCounts(today=on[today], at_start=on[first], at_end=on[last])


async def _projects(unit: Unit, first: dt.date, last: dt.date, all_minutes: int) -> list[ProjectFigures]:
    found = await repository.figures.minutes_by_project(unit.session, first, last, SHOWN_PROJECTS)
    shown = [ProjectFigures(project=project, minutes=minutes) for project, minutes in found]
    rest = all_minutes - sum(each.minutes for each in shown)
    return [*shown, ProjectFigures(project=None, minutes=rest)] if rest else shown


def _moves(moved: Iterable[tuple[dt.date, Any]]) -> list[Move]:
    """The newest first, so that a long list loses what is longest ago."""
    ordered = sorted(moved, key=lambda each: (each[0], each[1].id), reverse=True)[:SHOWN_MOVES]
    return [
        Move(employee_id=each.id, name=each.employee_name, department_id=each.department_id, day=day)
        for day, each in ordered
    ]
