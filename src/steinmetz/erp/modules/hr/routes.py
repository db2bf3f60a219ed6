"""Departments, employees, their time and their leave over HTTP.

Departments are the same for everybody. Employees differ by role, for the salary. Hours and leave differ by user:
a clerk has only the own ones. Statistics are kept by role although all who may read them read the same: a hit asks
nobody for a role.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query

from steinmetz.cache import cached, valid_until
from steinmetz.erp.dependencies import Reading, Writing, reads_as, writes_as
from steinmetz.erp.kit.answers import Answer, Listing, answer, listing
from steinmetz.erp.kit.days import company_date, next_midnight
from steinmetz.erp.kit.fields import MAX_RECORD_ID, RecordId, ReferenceFilter, Text
from steinmetz.erp.kit.pagination import Page, Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.hr import hours, leave, service
from steinmetz.erp.modules.hr.repository.employees import EmployeeFilter
from steinmetz.erp.modules.hr.repository.hours import TimeEntryFilter
from steinmetz.erp.modules.hr.repository.leave import LeaveFilter
from steinmetz.erp.modules.hr.rules import LeaveStatus
from steinmetz.erp.modules.hr.schemas import (
    FIRST_DAY,
    LAST_DAY,
    AllowanceView,
    Deleted,
    DepartmentInput,
    DepartmentPatch,
    DepartmentView,
    EmployeeInput,
    EmployeePatch,
    EmployeeSort,
    EmployeeView,
    HrStatistics,
    LeaveInput,
    LeavePatch,
    LeaveRejection,
    LeaveSort,
    LeaveStep,
    LeaveView,
    PaidEmployeeView,
    TimeEntryInput,
    TimeEntryPatch,
    TimeEntryRow,
    TimeEntrySort,
    WeekView,
)
from steinmetz.erp.modules.hr.statistics import statistics
from steinmetz.erp.openapi import refuses

router = APIRouter(prefix="/api", tags=["hr"])

MANAGER = [writes_as(Role.MANAGER)]
Search = Annotated[Text, Query(max_length=100, description="Part of a name, number, e-mail address or job title")]
Since = Annotated[dt.date | None, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY, description="This day or later")]
Until = Annotated[dt.date | None, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY, description="This day or earlier")]
OneDepartment = Annotated[ReferenceFilter | None, Query(alias="departmentId")]
OneEmployee = Annotated[ReferenceFilter | None, Query(alias="employeeId")]
VersionRead = Annotated[int, Query(ge=1, le=MAX_RECORD_ID, description="The version the caller has read")]

# Without and with a salary: the longer one first, or the shorter would take its fields away.
AnyEmployee = PaidEmployeeView | EmployeeView


# Departments


@router.get("/departments", response_model=Listing[DepartmentView])
@cached(ttl=300, shared=True, live=True)
async def list_departments(unit: Reading) -> Any:
    """All departments, with how many people each employs today."""
    valid_until(next_midnight(unit.now))
    rows = await service.departments(unit)
    return listing(Page(rows, None, len(rows)))


@router.post("/departments", response_model=Answer[DepartmentView], status_code=201, dependencies=MANAGER)
async def create_department(unit: Writing, data: DepartmentInput) -> Any:
    """Found a department. Needs the role manager."""
    return answer(await service.create_department(unit, data))


@router.get("/departments/{department_id}", response_model=Answer[DepartmentView])
@cached(ttl=300, shared=True, live=True)
async def get_department(unit: Reading, department_id: RecordId) -> Any:
    """One department, with how many people it employs today."""
    valid_until(next_midnight(unit.now))
    return answer(await service.department(unit, department_id))


@router.patch("/departments/{department_id}", response_model=Answer[DepartmentView], dependencies=MANAGER)
async def change_department(unit: Writing, department_id: RecordId, patch: DepartmentPatch) -> Any:
    """Give a department another name or cost centre. Needs the role manager."""
    return answer(await service.change_department(unit, department_id, patch))


@router.delete("/departments/{department_id}", response_model=Answer[Deleted], dependencies=MANAGER)
async def delete_department(unit: Writing, department_id: RecordId, version: VersionRead) -> Any:
    """Delete a department that never had an employee; else 409. Needs the role manager."""
    return answer(await service.delete_department(unit, department_id, version))


# Employees


@router.get("/employees", response_model=Listing[AnyEmployee])
@cached(ttl=300, vary_on="role", live=True)
async def list_employees(
    unit: Reading,
    paging: Paging,
    q: Search = "",
    department_id: OneDepartment = None,
    active: Annotated[bool | None, Query(description="Employed on the day `at`, or not; both without it")] = None,
    at: Annotated[
        dt.date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="Employed on this day; today for `active`")
    ] = None,
    sort: EmployeeSort = "name",
) -> Any:
    """Who works here, or did. Salaries are in the answers for manager, admin and auditor only."""
    is_asked = active is not None or at is not None
    if is_asked and at is None:
        valid_until(next_midnight(unit.now))
    day = (at or company_date(unit.now)) if is_asked else None
    wanted = EmployeeFilter(
        q.strip(),
        department_id,
        employed_on=None if active is False else day,
        not_employed_on=day if active is False else None,
    )
    return listing(await service.list_employees(unit, paging, wanted, sort=sort))


@router.post("/employees", response_model=Answer[AnyEmployee], status_code=201, dependencies=MANAGER)
async def create_employee(unit: Writing, data: EmployeeInput) -> Any:
    """Hire somebody, under the next number. Needs the role manager."""
    return answer(await service.create_employee(unit, data))


@router.get("/employees/{employee_id}", response_model=Answer[AnyEmployee])
@cached(ttl=300, vary_on="role", live=True)
async def get_employee(unit: Reading, employee_id: RecordId) -> Any:
    """One employee; the salary for manager, admin and auditor only."""
    return answer(await service.employee(unit, employee_id))


@router.patch("/employees/{employee_id}", response_model=Answer[AnyEmployee], dependencies=MANAGER)
async def change_employee(unit: Writing, employee_id: RecordId, patch: EmployeePatch) -> Any:
    """Change an employee, end the employment (`leftOn`), link an account (`userId`). Needs the role manager."""
    return answer(await service.change_employee(unit, employee_id, patch))


# Time


@router.get("/time-entries", response_model=Listing[TimeEntryRow])
@cached(ttl=300, vary_on="user", live=True)
@refuses(403)
async def list_time_entries(
    unit: Reading,
    paging: Paging,
    employee_id: OneEmployee = None,
    department_id: OneDepartment = None,
    since: Since = None,
    until: Until = None,
    project: Annotated[Text | None, Query(max_length=80, description="Exactly this one")] = None,
    sort: TimeEntrySort = "-date",
) -> Any:
    """Who worked when on what. A clerk sees the own entries only."""
    wanted = TimeEntryFilter(employee_id, department_id, since, until, project)
    return listing(await hours.list_entries(unit, paging, wanted, sort=sort))


@router.get("/time-entries/week", response_model=Answer[WeekView])
@cached(ttl=300, vary_on="user", live=True)
@refuses(403, 404)
async def get_week(
    unit: Reading,
    employee_id: OneEmployee = None,
    week: Annotated[
        dt.date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="Any day of the week; today without it")
    ] = None,
) -> Any:
    """Monday to Sunday of an employee (the caller without `employeeId`): entries, minutes, target and leave."""
    if week is None:
        valid_until(next_midnight(unit.now))
    return answer(await hours.week(unit, employee_id, week))


@router.post("/time-entries", response_model=Answer[TimeEntryRow], status_code=201)
async def create_time_entry(unit: Writing, data: TimeEntryInput) -> Any:
    """Enter time that was worked: one's own, or with the role manager anybody's."""
    return answer(await hours.create_entry(unit, data))


@router.patch("/time-entries/{entry_id}", response_model=Answer[TimeEntryRow])
async def change_time_entry(unit: Writing, entry_id: RecordId, patch: TimeEntryPatch) -> Any:
    """Correct a time entry: one's own, or with the role manager anybody's."""
    return answer(await hours.change_entry(unit, entry_id, patch))


@router.delete("/time-entries/{entry_id}", response_model=Answer[Deleted])
async def delete_time_entry(unit: Writing, entry_id: RecordId, version: VersionRead) -> Any:
    """Remove a time entry: one's own, or with the role manager anybody's."""
    return answer(await hours.delete_entry(unit, entry_id, version))


# Leave


@router.get("/leave-requests", response_model=Listing[LeaveView])
@cached(ttl=300, vary_on="user", live=True)
@refuses(403)
async def list_leave_requests(
    unit: Reading,
    paging: Paging,
    employee_id: OneEmployee = None,
    department_id: OneDepartment = None,
    status: Annotated[list[LeaveStatus] | None, Query(max_length=4, description="Any of these")] = None,
    since: Since = None,
    until: Until = None,
    sort: LeaveSort = "-firstDay",
) -> Any:
    """Who is away, was, or wants to be; with a day in the period. A clerk sees the own requests only."""
    wanted = LeaveFilter(employee_id, department_id, tuple(status or ()), since, until)
    return listing(await leave.list_requests(unit, paging, wanted, sort=sort))


@router.get("/leave-requests/allowance", response_model=Answer[AllowanceView])
@cached(ttl=300, vary_on="user", live=True)
@refuses(403, 404)
async def get_allowance(
    unit: Reading,
    employee_id: OneEmployee = None,
    year: Annotated[
        int | None, Query(ge=FIRST_DAY.year, le=LAST_DAY.year, description="This year without it")
    ] = None,
) -> Any:
    """How many vacation days a year brings an employee (the caller without `employeeId`), and how many remain."""
    if year is None:
        valid_until(next_midnight(unit.now))
    return answer(await leave.allowance(unit, employee_id, year))


@router.post("/leave-requests", response_model=Answer[LeaveView], status_code=201)
async def ask_for_leave(unit: Writing, data: LeaveInput) -> Any:
    """Ask for leave: one's own, or with the role manager anybody's. More vacation than remains is a 409."""
    return answer(await leave.ask(unit, data))


@router.patch("/leave-requests/{leave_id}", response_model=Answer[LeaveView])
async def change_leave_request(unit: Writing, leave_id: RecordId, patch: LeavePatch) -> Any:
    """Change a request that nobody has decided: one's own, or with the role manager anybody's."""
    return answer(await leave.change(unit, leave_id, patch))


@router.post("/leave-requests/{leave_id}/approve", response_model=Answer[LeaveView], dependencies=MANAGER)
async def approve_leave(unit: Writing, leave_id: RecordId, step: LeaveStep) -> Any:
    """Grant a request. Needs the role manager; one's own only an admin grants."""
    return answer(await leave.approve(unit, leave_id, step.version))


@router.post("/leave-requests/{leave_id}/reject", response_model=Answer[LeaveView], dependencies=MANAGER)
async def reject_leave(unit: Writing, leave_id: RecordId, step: LeaveRejection) -> Any:
    """Refuse a request. Needs the role manager; one's own only an admin refuses."""
    return answer(await leave.reject(unit, leave_id, step.version, step.reason))


@router.post("/leave-requests/{leave_id}/cancel", response_model=Answer[LeaveView])
async def cancel_leave(unit: Writing, leave_id: RecordId, step: LeaveStep) -> Any:
    """Take back a request; with the role manager also anybody's, and approved leave that has not begun."""
    return answer(await leave.cancel(unit, leave_id, step.version))


# Statistics


@router.get("/hr/statistics", response_model=Answer[HrStatistics], dependencies=[reads_as(Role.MANAGER)])
@cached(ttl=300, vary_on="role", live=True)
async def get_statistics(unit: Reading, since: Since = None, until: Until = None) -> Any:
    """Heads, hours, overtime, absence, joiners and leavers of a period; this month until today without one."""
    valid_until(next_midnight(unit.now))
    return answer(await statistics(unit, since, until))
