"""Departments and employees, and the figures that other modules ask for, on both engines."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import SYSTEM, Actor, Role
from steinmetz.erp.kit.workdays import ONE_DAY
from steinmetz.erp.modules.hr import service
from steinmetz.erp.modules.hr.models import Department, Employee, LeaveRequest, TimeEntry
from steinmetz.erp.modules.hr.repository.employees import EmployeeFilter
from steinmetz.erp.modules.hr.rules import LeaveKind
from steinmetz.erp.modules.hr.schemas import (
    DepartmentInput,
    DepartmentPatch,
    DepartmentView,
    EmployeeInput,
    EmployeePatch,
    EmployeeView,
    PaidEmployeeView,
)
from steinmetz.erp.modules.hr.service import Headcount
from steinmetz.erp.modules.system.models import AuditEntry
from tests.unit.erp.modules.hr.conftest import MONDAY, Staff

pytestmark = pytest.mark.anyio

SALARY_CENTS = 412_345


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


# Departments


async def found_department(database: Database, name: str = "Werk", cost_center: str = "4000") -> DepartmentView:
    async with database.unit() as unit:
        return await service.create_department(unit, DepartmentInput(name=name, cost_center=cost_center))


async def test_a_department_is_founded_renamed_and_closed(database: Database) -> None:
    founded = await found_department(database)
    assert (founded.name, founded.cost_center, founded.employees, founded.version) == ("Werk", "4000", 0, 1)
    async with database.unit() as unit:
        renamed = await service.change_department(unit, founded.id, DepartmentPatch(version=1, name="Fertigung"))
        assert (renamed.name, renamed.cost_center, renamed.version) == ("Fertigung", "4000", 2)
        with pytest.raises(Conflict) as stale:
            await service.delete_department(unit, founded.id, 1)
        assert stale.value.extra["current"] == renamed.model_dump(by_alias=True)
        assert (await service.delete_department(unit, founded.id, 2)).deleted == founded.id
        told = (await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(each.action, each.before, each.after) for each in told] == [
        ("department.create", None, {"name": "Werk", "costCenter": "4000"}),
        ("department.change", {"name": "Werk"}, {"name": "Fertigung"}),
        ("department.delete", {"name": "Fertigung", "costCenter": "4000"}, None),
    ]
    async with database.unit() as unit:
        for missing in (
            service.department(unit, founded.id),
            service.change_department(unit, founded.id, DepartmentPatch(version=2)),
            service.delete_department(unit, founded.id, 2),
        ):
            with pytest.raises(NotFound):
                await missing


async def test_names_and_cost_centres_are_distinct(database: Database) -> None:
    werk, office = await found_department(database), await found_department(database, "Büro", "1000")
    with pytest.raises(Conflict, match="name Werk") as taken:
        await found_department(database, "Werk", "5000")
    assert taken.value.extra["current"] == werk.model_dump(by_alias=True)
    with pytest.raises(Conflict, match="cost centre 4000"):
        await found_department(database, "Lager", "4000")
    async with database.unit() as unit:
        with pytest.raises(Conflict, match="cost centre 4000"):
            await service.change_department(unit, office.id, DepartmentPatch(version=1, cost_center="4000"))


async def test_a_department_that_ever_had_employees_stays(database: Database, staff: Staff) -> None:
    await staff.employee(left_on=dt.date(2021, 1, 1))
    async with database.unit() as unit:
        assert (await service.department(unit, staff.department_id)).employees == 0
        with pytest.raises(Conflict, match="1 employees belong to Werk, past ones too"):
            await service.delete_department(unit, staff.department_id, 1)


async def test_nobody_is_hired_into_a_department_that_is_being_closed(database: Database) -> None:
    """Whoever comes first: the other is told why not."""
    for number in range(6):
        department = await found_department(database, f"Abteilung {number}", f"{number}")

        async def close(department_id: int = department.id) -> None:
            async with database.unit() as unit:
                await service.delete_department(unit, department_id, 1)

        acts = [close(), hire(database, department.id, email=f"{number}@example.com")]
        outcomes = await asyncio.gather(*(acts if number % 2 else acts[::-1]), return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, Exception)]
        assert [type(each) for each in refused] in ([Conflict], [Unprocessable])


# Employees


async def hire(database: Database, department_id: int, actor: Actor = SYSTEM, **fields: Any) -> EmployeeView:
    data = {
        "first_name": "Jana",
        "last_name": "Krause",
        "email": "jana@example.com",
        "department_id": department_id,
        "job_title": "Dreherin",
        "salary_cents": SALARY_CENTS,
        "hired_on": "2026-01-01",
        **fields,
    }
    async with database.unit(actor=actor) as unit:
        return await service.create_employee(unit, EmployeeInput.model_validate(data))


async def change(database: Database, shown: EmployeeView, **fields: Any) -> EmployeeView:
    async with database.unit() as unit:
        patch = EmployeePatch.model_validate({"version": shown.version, **fields})
        return await service.change_employee(unit, shown.id, patch)


async def test_numbers_go_on_where_they_have_been(database: Database, staff: Staff) -> None:
    await staff.employee(number="M-00009")
    await staff.employee(number="P-77777")
    assert (await hire(database, staff.department_id)).number == "M-00010"
    await staff.employee(number="M-100000")
    assert (await hire(database, staff.department_id, email="b@example.com")).number == "M-100001"


async def test_many_who_hire_at_once_give_distinct_numbers(database: Database) -> None:
    places = [(await found_department(database, f"Abteilung {number}", f"{number}")).id for number in range(3)]
    hired = await asyncio.gather(
        *(hire(database, places[number % 3], email=f"{number}@example.com") for number in range(12))
    )
    assert sorted(each.number for each in hired) == [f"M-{number:05d}" for number in range(1, 13)]


async def test_salaries_are_seen_by_those_who_may_and_never_by_the_audit_log(
    database: Database, staff: Staff
) -> None:
    await staff.employee()
    hired = await hire(database, staff.department_id)
    changed = await change(database, hired, salary_cents=SALARY_CENTS + 1, job_title="Meisterin")
    assert isinstance(changed, PaidEmployeeView)
    assert changed.salary_cents == SALARY_CENTS + 1
    for role in Role:
        async with database.unit(actor=Actor(1, "x", role), writes=False) as unit:
            page = await service.list_employees(unit, PageQuery(), EmployeeFilter())
            shown = [*page.rows, await service.employee(unit, hired.id)]
        assert {"salary_cents" in each.model_dump() for each in shown} == {role is not Role.CLERK}
    async with database.unit(writes=False) as unit:
        told = (await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [each.action for each in told] == ["employee.create", "employee.change"]
    assert (told[1].before, told[1].after) == (
        {"salaryCents": "changed", "jobTitle": "Dreherin"},
        {"salaryCents": "changed", "jobTitle": "Meisterin"},
    )
    kept = repr([(each.summary, each.before, each.after) for each in told])
    assert str(SALARY_CENTS) not in kept
    assert str(SALARY_CENTS + 1) not in kept


async def test_who_has_not_read_the_newest_changes_nothing(database: Database, staff: Staff) -> None:
    await staff.employee()
    hired = await hire(database, staff.department_id)
    moved = await change(database, hired, weekly_minutes=1_200)
    with pytest.raises(Conflict) as stale:
        await change(database, hired, weekly_minutes=1_800)
    assert stale.value.extra["current"] == moved.model_dump(mode="json", by_alias=True)
    assert await change(database, moved, weekly_minutes=1_200) == moved
    with pytest.raises(NotFound):
        await change(database, hired.model_copy(update={"id": 999}))


async def test_an_account_is_linked_to_one_employee_at_most(database: Database, staff: Staff) -> None:
    user, other = await staff.actor(), await staff.actor()
    ada = await staff.employee(user_id=user.id)
    hired = await hire(database, staff.department_id, user_id=other.id)
    assert hired.user_id == other.id
    for user_id, refusal in ((user.id, Conflict), (999, Unprocessable)):
        with pytest.raises(refusal):
            await change(database, hired, user_id=user_id)
        with pytest.raises(refusal):
            await hire(database, staff.department_id, email="c@example.com", user_id=user_id)
    async with database.unit() as unit:
        await service.change_employee(unit, ada.id, EmployeePatch(version=1, user_id=None))
    assert (await change(database, hired, user_id=user.id)).user_id == user.id


async def test_departments_and_addresses_of_employees_exist_and_are_distinct(
    database: Database, staff: Staff
) -> None:
    await staff.employee(email="taken@example.com")
    hired = await hire(database, staff.department_id)
    for fields, refusal in (
        ({"department_id": 999}, Unprocessable),
        ({"email": "taken@example.com"}, Conflict),
    ):
        with pytest.raises(refusal):
            await change(database, hired, **fields)
        with pytest.raises(refusal):
            await hire(database, **{"department_id": staff.department_id, "email": "c@example.com", **fields})
    office = await found_department(database, "Büro", "1000")
    moved = await change(database, hired, department_id=office.id)
    assert (moved.department, moved.email) == ("Büro", "jana@example.com")


async def test_employment_does_not_end_before_hours_and_leave_do(database: Database, staff: Staff) -> None:
    await staff.employee()
    hired = await hire(database, staff.department_id, hired_on="2026-01-05")
    async with database.unit() as unit:
        unit.session.add(TimeEntry(employee_id=hired.id, date=MONDAY, start_minute=0, end_minute=1))
        unit.session.add(
            LeaveRequest(
                employee_id=hired.id,
                kind=LeaveKind.VACATION,
                first_day=MONDAY + 5 * ONE_DAY,
                last_day=MONDAY + 9 * ONE_DAY,
                created_at=unit.now,
            )
        )
    for fields, refusal, message in (
        ({"left_on": "2026-01-04"}, Unprocessable, "ends on its first day"),
        ({"left_on": str(MONDAY - ONE_DAY)}, Conflict, "On 2026-03-02 there is time entries"),
        ({"left_on": str(MONDAY + 8 * ONE_DAY)}, Conflict, "On 2026-03-11 there is leave"),
        ({"hired_on": str(MONDAY + ONE_DAY)}, Conflict, "On 2026-03-02 there is time entries"),
    ):
        with pytest.raises(refusal, match=message):
            await change(database, hired, **fields)
    left = await change(database, hired, left_on=str(MONDAY + 9 * ONE_DAY), hired_on="2026-01-01")
    assert (left.left_on, left.hired_on) == (MONDAY + 9 * ONE_DAY, dt.date(2026, 1, 1))
    assert (await change(database, left, left_on=None)).left_on is None


async def test_lists_turn_pages_in_every_order(database: Database, staff: Staff) -> None:
    for number, (first, last, day) in enumerate(
        (("Ada", "Lang", 3), ("Eve", "Lang", 1), ("Bob", "Abel", 2), ("Ada", "Lang", 3)), start=1
    ):
        hired_on = dt.date(2020, 1, day)
        await staff.employee(number=f"M-{number}", first_name=first, last_name=last, hired_on=hired_on)

    async def listed(sort: str, **wanted: Any) -> list[str]:
        numbers, cursor = [], None
        async with database.unit(writes=False) as unit:
            while True:
                page = await service.list_employees(
                    unit, PageQuery(2, cursor), EmployeeFilter(**wanted), sort=sort
                )
                numbers += [each.number for each in page.rows]
                cursor = page.next
                if cursor is None:
                    assert page.total == len(numbers)
                    return numbers

    assert await listed("name") == ["M-3", "M-1", "M-4", "M-2"]
    assert await listed("-name") == ["M-2", "M-4", "M-1", "M-3"]
    assert await listed("-number") == ["M-4", "M-3", "M-2", "M-1"]
    assert await listed("hiredOn") == ["M-2", "M-3", "M-1", "M-4"]
    assert await listed("name", search="ada lang") == ["M-1", "M-4"]
    assert await listed("name", search="M-3") == ["M-3"]
    assert await listed("number", employed_on=dt.date(2020, 1, 2)) == ["M-2", "M-3"]
    assert await listed("number", not_employed_on=dt.date(2020, 1, 2)) == ["M-1", "M-4"]
    assert await listed("name", department_id=staff.department_id + 1) == []
