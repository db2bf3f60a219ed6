"""Who works here: departments, employees, and the figures that other modules ask for.

Working time is in `hours`, leave in `leave`, figures of a period in `statistics`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit import patches
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.modules.auth import service as auth
from steinmetz.erp.modules.hr import repository, rules
from steinmetz.erp.modules.hr.models import Department, Employee
from steinmetz.erp.modules.hr.repository.employees import EmployeeFilter
from steinmetz.erp.modules.hr.schemas import (
    Deleted,
    DepartmentInput,
    DepartmentPatch,
    DepartmentView,
    EmployeeInput,
    EmployeePatch,
    EmployeeView,
    PaidEmployeeView,
)
from steinmetz.erp.modules.system.service import audit


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many people a department employs."""

    department: str
    employees: int


async def headcount(unit: Unit, day: dt.date) -> list[Headcount]:
    """Every department with those employed on ``day``; the last day of work counts."""
    return [Headcount(*row) for row in await repository.figures.headcount(unit.session, day)]


async def minutes_between(unit: Unit, first: dt.date, last: dt.date) -> int:
    """Minutes that all employees worked from ``first`` to ``last``, both included."""
    return await repository.figures.minutes(unit.session, first, last)


# Departments


async def departments(unit: Unit) -> list[DepartmentView]:
    """All departments by name, with those employed today."""
    rows = await repository.departments.departments(unit.session, company_date(unit.now))
    return [DepartmentView.model_validate(row) for row in rows]


async def department(unit: Unit, department_id: int) -> DepartmentView:
    """Raises `NotFound`."""
    found = await repository.departments.department(unit.session, department_id)
    if found is None:
        raise NotFound("department", department_id)
    return await _department_view(unit, found)


async def _department_view(unit: Unit, shown: Department) -> DepartmentView:
    return DepartmentView(
        id=shown.id,
        name=shown.name,
        cost_center=shown.cost_center,
        employees=await repository.departments.employed_in(unit.session, shown.id, company_date(unit.now)),
        version=shown.version,
    )


async def _department_conflict(unit: Unit, current: Department, detail: str) -> Conflict:
    return Conflict(detail, (await _department_view(unit, current)).model_dump(mode="json", by_alias=True))


async def create_department(unit: Unit, data: DepartmentInput) -> DepartmentView:
    """Raises `Conflict` where the name or the cost centre is taken."""
    await _keep_distinct(unit, data.name, data.cost_center)
    created = Department(name=data.name, cost_center=data.cost_center, version=1)
    unit.session.add(created)
    await unit.session.flush()
    audit.record(
        unit,
        "department.create",
        "department",
        created.id,
        created.name,
        after={"name": created.name, "costCenter": created.cost_center},
    )
    return await _department_view(unit, created)


async def _keep_distinct(unit: Unit, name: str, cost_center: str, *, except_id: int | None = None) -> None:
    for other in await repository.departments.department_named(unit.session, name, cost_center):
        if other.id != except_id:
            what = f"name {name}" if other.name == name else f"cost centre {cost_center}"
            raise await _department_conflict(unit, other, f"There is a department with the {what} already.")


async def change_department(unit: Unit, department_id: int, patch: DepartmentPatch) -> DepartmentView:
    """Raises `NotFound`, `Conflict`."""
    changed = await _department_to_change(unit, department_id, patch.version)
    wanted = patches.wanted_by(patch)
    before = patches.differing(changed, wanted)
    if before:
        await _keep_distinct(
            unit,
            wanted.get("name", changed.name),
            wanted.get("cost_center", changed.cost_center),
            except_id=changed.id,
        )
        for name in before:
            setattr(changed, name, wanted[name])
        await unit.session.flush()
        audit.record(
            unit,
            "department.change",
            "department",
            changed.id,
            changed.name,
            before=_told(before),
            after=_told({name: wanted[name] for name in before}),
        )
    return await _department_view(unit, changed)


async def delete_department(unit: Unit, department_id: int, version: int) -> Deleted:
    """Raises `NotFound`, `Conflict` while anybody is, or ever was, employed in it."""
    deleted = await _department_to_change(unit, department_id, version)
    if count := await repository.departments.count_ever_employed(unit.session, department_id):
        raise await _department_conflict(
            unit,
            deleted,
            f"{count} employees belong to {deleted.name}, past ones too: move them to another department first.",
        )
    await unit.session.delete(deleted)
    await unit.session.flush()
    before = {"name": deleted.name, "costCenter": deleted.cost_center}
    audit.record(unit, "department.delete", "department", department_id, deleted.name, before=before)
    return Deleted(deleted=department_id)


async def _department_to_change(unit: Unit, department_id: int, version: int) -> Department:
    found = await repository.departments.department_to_change(unit.session, department_id)
    if found is None:
        raise NotFound("department", department_id)
    if found.version != version:
        raise await _department_conflict(unit, found, "The department was changed meanwhile.")
    return found


# Employees


async def list_employees(unit: Unit, paging: PageQuery, wanted: EmployeeFilter, *, sort: str = "name") -> Page:
    columns = repository.employees.EMPLOYEE_SORTS[sort.removeprefix("-")]
    kinds = {"name": (str, str, int), "number": (str, int), "hiredOn": (dt.date, int)}[sort.removeprefix("-")]
    window = Window(columns, sort.startswith("-"), paging.after(*kinds), paging.limit)
    page = await repository.employees.employees(unit.session, window, wanted)
    return Page([_as_seen(unit, row) for row in page.rows], page.next, page.total)


async def employee(unit: Unit, employee_id: int) -> EmployeeView:
    """With the salary only for those who may see it. Raises `NotFound`."""
    row = await repository.employees.employee_row(unit.session, employee_id)
    if row is None:
        raise NotFound("employee", employee_id)
    return _as_seen(unit, row)


def _as_seen(unit: Unit, row: Any) -> EmployeeView:
    """The employee as the caller's role sees it: without the field, not with an empty one."""
    view = PaidEmployeeView if rules.sees_salaries(unit.actor.role) else EmployeeView
    return view.model_validate(row)


async def create_employee(unit: Unit, data: EmployeeInput) -> EmployeeView:
    """A new employee under the next number. Raises `Conflict`, `Unprocessable`."""
    await repository.employees.take_turn_to_hire(unit.session)
    await _department_to_join(unit, data.department_id)
    await _keep_mail_distinct(unit, data.email)
    if data.user_id is not None:
        await _account_to_link(unit, data.user_id)
    number = rules.employee_number(
        rules.employee_value(await repository.employees.last_employee_number(unit.session)) + 1
    )
    hired = Employee(number=number, version=1, **data.model_dump())
    unit.session.add(hired)
    await unit.session.flush()
    audit.record(
        unit,
        "employee.create",
        "employee",
        hired.id,
        f"{number} {data.first_name} {data.last_name}",
        after=_told({"number": number, **data.model_dump(exclude={"salary_cents"})}),
    )
    return await employee(unit, hired.id)


async def _department_to_join(unit: Unit, department_id: int) -> None:
    if await repository.departments.department_to_join(unit.session, department_id) is None:
        raise Unprocessable(f"There is no department {department_id}.", "departmentId")


async def _keep_mail_distinct(unit: Unit, email: str) -> None:
    if (other := await repository.employees.employee_with_mail(unit.session, email)) is not None:
        raise Conflict(f"Employee {other.number} has this e-mail address already.")


async def _account_to_link(unit: Unit, user_id: int) -> None:
    try:
        await auth.user(unit, user_id)
    except NotFound:
        raise Unprocessable(f"There is no user {user_id}.", "userId") from None
    if (other := await repository.employees.employee_of(unit.session, user_id)) is not None:
        raise Conflict(f"User {user_id} is linked to employee {other.number} already: unlink that one first.")


async def change_employee(unit: Unit, employee_id: int, patch: EmployeePatch) -> EmployeeView:
    """Change what the patch names. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    changed = await repository.employees.employee_to_change(unit.session, employee_id)
    if changed is None:
        raise NotFound("employee", employee_id)
    if changed.version != patch.version:
        current = (await employee(unit, employee_id)).model_dump(mode="json", by_alias=True)
        raise Conflict("The employee was changed meanwhile.", current)
    wanted = patches.wanted_by(patch)
    before = patches.differing(changed, wanted)
    if before:
        await _check_change(unit, changed, {name: wanted[name] for name in before})
        for name in before:
            setattr(changed, name, wanted[name])
        await unit.session.flush()
        audit.record(
            unit,
            "employee.change",
            "employee",
            changed.id,
            f"{changed.number} {changed.first_name} {changed.last_name}",
            before=_told(before),
            after=_told({name: wanted[name] for name in before}),
        )
    return await employee(unit, employee_id)


async def _check_change(unit: Unit, changed: Employee, wanted: dict[str, Any]) -> None:
    """That the employee, who is locked, may become like this. Raises `Conflict`, `Unprocessable`."""
    if "department_id" in wanted:
        await _department_to_join(unit, wanted["department_id"])
    if "email" in wanted:
        await _keep_mail_distinct(unit, wanted["email"])
    if wanted.get("user_id") is not None:
        await _account_to_link(unit, wanted["user_id"])
    if {"hired_on", "left_on"} & wanted.keys():
        await _check_employment(
            unit, changed.id, wanted.get("hired_on", changed.hired_on), wanted.get("left_on", changed.left_on)
        )


async def _check_employment(unit: Unit, employee_id: int, hired_on: dt.date, left_on: dt.date | None) -> None:
    """That it ends after it begins, and that hours and leave lie in it. Raises `Conflict`, `Unprocessable`."""
    if left_on is not None and left_on < hired_on:
        raise Unprocessable(f"Employment ends on its first day, {hired_on}, or later.", "leftOn")
    for what, remedy, (first, last) in (
        ("time entries", "remove", await repository.hours.first_and_last_hours(unit.session, employee_id)),
        ("leave", "cancel", await repository.leave.first_and_last_leave(unit.session, employee_id)),
    ):
        for day in (first, last):
            if day is not None and not rules.is_employed(day, hired_on, left_on):
                raise Conflict(f"On {day} there is {what}, outside of the employment: {remedy} it first.")


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """What the audit log keeps of values: of a salary, that it was changed."""
    return {to_camel(name): "changed" if name == "salary_cents" else value for name, value in values.items()}
