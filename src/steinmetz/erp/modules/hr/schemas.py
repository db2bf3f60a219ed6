"""Departments, employees, their time and their leave from outside. Money in cents, time in minutes."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BeforeValidator, Field

from steinmetz.erp.kit.fields import Reference, Text, Version, unchanged
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.hr.rules import DAY_MINUTES, LeaveKind, LeaveStatus

FIRST_DAY = dt.date(1900, 1, 1)
LAST_DAY = dt.date(2199, 12, 31)
"""What a company remembers and plans; the days around them can be counted without leaving the calendar."""


def _written(value: Any) -> Any:
    """Pydantic would take a number for seconds since 1970."""
    if not isinstance(value, str | dt.date):
        raise ValueError("a day is written like 2026-03-02")
    return value


Day = Annotated[dt.date, BeforeValidator(_written), Field(ge=FIRST_DAY, le=LAST_DAY)]
DayFilter = Annotated[dt.date, Query(ge=FIRST_DAY, le=LAST_DAY)]
Name = Annotated[Text, Field(min_length=1, max_length=60)]
DepartmentName = Annotated[Text, Field(min_length=1, max_length=80)]
CostCenter = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,11}$", description="E.g. 4000")]
Mail = Annotated[Text, Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Title = Annotated[Text, Field(min_length=1, max_length=80)]
WeeklyMinutes = Annotated[int, Field(strict=True, ge=0, le=7 * DAY_MINUTES)]
SalaryCents = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
"""Gross, a month."""
VacationDays = Annotated[int, Field(strict=True, ge=0, le=366)]
Minute = Annotated[int, Field(strict=True, ge=0, le=2 * DAY_MINUTES)]
"""After midnight, company time. More than a day has is refused by the rules, which say what to do instead."""
Project = Annotated[Text, Field(max_length=80)]
Note = Annotated[Text, Field(max_length=300)]

EmployeeSort = Literal["name", "-name", "number", "-number", "hiredOn", "-hiredOn"]
TimeEntrySort = Literal["date", "-date"]
LeaveSort = Literal["firstDay", "-firstDay"]


class Deleted(Schema):
    deleted: int
    """The id it had."""


# Departments


class DepartmentView(Schema):
    id: int
    name: str
    cost_center: str
    employees: int
    """Who is employed today."""
    version: int


class DepartmentInput(Input):
    model_config = example(name="Qualitätssicherung", costCenter="4500")

    name: DepartmentName
    cost_center: CostCenter


class DepartmentPatch(Input):
    """What is left out stays as it is."""

    model_config = example(version=1, name="Qualität und Prüfung")

    version: Version
    name: DepartmentName = unchanged()
    cost_center: CostCenter = unchanged()


# Employees


class EmployeeView(Schema):
    """An employee as everybody in the company may see them."""

    id: int
    number: str
    first_name: str
    last_name: str
    email: str
    department_id: int
    department: str
    user_id: int | None
    """The account with which the employee signs in."""
    job_title: str
    weekly_minutes: int
    vacation_days: int
    hired_on: dt.date
    left_on: dt.date | None
    """The last day of employment."""
    version: int


class PaidEmployeeView(EmployeeView):
    """With what only manager, admin and auditor see."""

    salary_cents: int
    """Gross, a month."""


class EmployeeInput(Input):
    """A new employee; the number is given by the house."""

    model_config = example(
        firstName="Jana",
        lastName="Krause",
        email="jana.krause@example.com",
        departmentId=1,
        jobTitle="Industriemechanikerin",
        weeklyMinutes=2400,
        salaryCents=365000,
        hiredOn="2026-04-01",
    )

    first_name: Name
    last_name: Name
    email: Mail
    department_id: Reference
    job_title: Title
    weekly_minutes: WeeklyMinutes = 2_400
    salary_cents: SalaryCents = 0
    vacation_days: VacationDays = 30
    hired_on: Day
    user_id: Reference | None = None


class EmployeePatch(Input):
    """What is left out stays as it is. ``leftOn`` ends the employment, null takes that back."""

    model_config = example(version=3, departmentId=2, jobTitle="Schichtführerin", leftOn="2026-09-30")

    version: Version
    first_name: Name = unchanged()
    last_name: Name = unchanged()
    email: Mail = unchanged()
    department_id: Reference = unchanged()
    job_title: Title = unchanged()
    weekly_minutes: WeeklyMinutes = unchanged()
    salary_cents: SalaryCents = unchanged()
    vacation_days: VacationDays = unchanged()
    hired_on: Day = unchanged()
    left_on: Day | None = unchanged()
    user_id: Reference | None = unchanged()


# Time


class TimeEntryView(Schema):
    id: int
    employee_id: int
    date: dt.date
    start_minute: int
    """Minutes after midnight, company time."""
    end_minute: int
    """1440 is the end of the day."""
    project: str
    note: str
    version: int


class TimeEntryRow(TimeEntryView):
    """A time entry in a list."""

    employee_name: str
    department_id: int


class TimeEntryInput(Input):
    """A new time entry; the caller's own where ``employeeId`` is left out."""

    model_config = example(
        date="2026-03-02", startMinute=480, endMinute=720, project="Baureihe SGM", note="Prüfstand"
    )

    employee_id: Reference | None = None
    date: Day
    start_minute: Minute
    end_minute: Minute
    project: Project = ""
    note: Note = ""


class TimeEntryPatch(Input):
    """What is left out stays as it is. An entry stays with its employee."""

    model_config = example(version=1, endMinute=735)

    version: Version
    date: Day = unchanged()
    start_minute: Minute = unchanged()
    end_minute: Minute = unchanged()
    project: Project = unchanged()
    note: Note = unchanged()


class LeaveOfDay(Schema):
    """What keeps the employee away on a day: leave that is approved, or only asked for."""

    id: int
    kind: LeaveKind
    status: LeaveStatus


class WeekDayView(Schema):
    date: dt.date
    holiday: str | None
    """The German name of a public holiday."""
    leave: LeaveOfDay | None
    minutes: int
    target_minutes: int
    """A fifth of the weekly minutes on workdays; nothing on holidays and approved leave."""
    entries: list[TimeEntryView]


class WeekView(Schema):
    employee_id: int
    employee_name: str
    week_start: dt.date
    days: list[WeekDayView]
    """Monday to Sunday."""
    minutes: int
    target_minutes: int


# Leave


class LeaveView(Schema):
    id: int
    employee_id: int
    employee_name: str
    department_id: int
    kind: LeaveKind
    status: LeaveStatus
    first_day: dt.date
    last_day: dt.date
    workdays: int
    """Monday to Friday without public holidays: what it takes of the entitlement, if it is vacation."""
    decided_by: int | None
    """The user who approved or rejected it."""
    reason: str
    created_at: datetime
    version: int


class LeaveInput(Input):
    """A new request; the caller's own where ``employeeId`` is left out."""

    model_config = example(kind="vacation", firstDay="2026-07-27", lastDay="2026-08-14")

    employee_id: Reference | None = None
    kind: LeaveKind = LeaveKind.VACATION
    first_day: Day
    last_day: Day


class LeavePatch(Input):
    """A change of a request that nobody has decided. What is left out stays as it is."""

    model_config = example(version=1, lastDay="2026-08-07")

    version: Version
    kind: LeaveKind = unchanged()
    first_day: Day = unchanged()
    last_day: Day = unchanged()


class LeaveStep(Input):
    """Approving or cancelling: nothing to say but which state is meant."""

    model_config = example(version=1)

    version: Version


class LeaveRejection(Input):
    model_config = example(version=1, reason="Urlaubssperre zum Quartalsende")

    version: Version
    reason: Note = ""


class AllowanceView(Schema):
    """Vacation of one calendar year, in workdays."""

    employee_id: int
    year: int
    entitled: int
    approved: int
    requested: int
    remaining: int


# Statistics


class HeadCounts(Schema):
    today: int
    at_start: int
    at_end: int


class DepartmentFigures(Schema):
    """What the employees who are in a department today did and were due in the period."""

    id: int
    name: str
    head_count: HeadCounts
    minutes: int
    overtime_minutes: int
    vacation_days: int
    sick_days: int
    special_days: int
    joined: int
    left: int


class ProjectFigures(Schema):
    project: str | None
    """Empty where an entry names none; null for the rest of a long list."""
    minutes: int


class Overtime(Schema):
    """Worked less due, up to a day that is over: the lesser of ``to`` and yesterday."""

    until: dt.date
    worked_minutes: int
    target_minutes: int
    overtime_minutes: int


class Move(Schema):
    """Who came or went."""

    employee_id: int
    name: str
    department_id: int
    day: dt.date


class HrStatistics(Schema):
    period_start: dt.date
    period_end: dt.date
    head_count: HeadCounts
    minutes: int
    overtime: Overtime
    departments: list[DepartmentFigures]
    projects: list[ProjectFigures]
    """Those with most hours first."""
    joiners: list[Move]
    leavers: list[Move]
