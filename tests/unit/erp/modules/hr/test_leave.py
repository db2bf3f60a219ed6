"""Leave is asked for, decided and taken back by whom it should be, and no more vacation than there is."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter

import pytest
from sqlalchemy import select

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import SYSTEM, Actor, Role
from steinmetz.erp.kit.workdays import ONE_DAY
from steinmetz.erp.modules.hr import leave
from steinmetz.erp.modules.hr.models import Employee, TimeEntry
from steinmetz.erp.modules.hr.repository.leave import LeaveFilter
from steinmetz.erp.modules.hr.rules import LeaveKind, LeaveStatus
from steinmetz.erp.modules.hr.schemas import LeaveInput, LeavePatch, LeaveView
from steinmetz.erp.modules.system.models import AuditEntry
from tests.unit.erp.modules.hr.conftest import MONDAY, Staff

pytestmark = pytest.mark.anyio

JULY = dt.date(2026, 7, 6)
"""A Monday; no public holiday is near."""


async def ask(
    database: Database,
    employee_id: int | None,
    first: dt.date = JULY,
    last: dt.date = JULY,
    kind: LeaveKind = LeaveKind.VACATION,
    actor: Actor = SYSTEM,
) -> LeaveView:
    async with database.unit(actor=actor) as unit:
        return await leave.ask(
            unit, LeaveInput(employee_id=employee_id, kind=kind, first_day=first, last_day=last)
        )


async def approve(database: Database, request: LeaveView, actor: Actor = SYSTEM) -> LeaveView:
    async with database.unit(actor=actor) as unit:
        return await leave.approve(unit, request.id, request.version)


async def reject(database: Database, request: LeaveView, actor: Actor = SYSTEM, reason: str = "") -> LeaveView:
    async with database.unit(actor=actor) as unit:
        return await leave.reject(unit, request.id, request.version, reason)


async def cancel(database: Database, request: LeaveView, actor: Actor = SYSTEM) -> LeaveView:
    async with database.unit(actor=actor) as unit:
        return await leave.cancel(unit, request.id, request.version)


async def change(database: Database, request: LeaveView, actor: Actor = SYSTEM, **fields: object) -> LeaveView:
    async with database.unit(actor=actor) as unit:
        patch = LeavePatch.model_validate({"version": request.version, **fields})
        return await leave.change(unit, request.id, patch)


async def remaining(database: Database, employee: Employee, year: int = 2026) -> int:
    async with database.unit(writes=False) as unit:
        return (await leave.allowance(unit, employee.id, year)).remaining


async def test_a_request_is_asked_for_changed_and_approved(database: Database, staff: Staff) -> None:
    clerk, manager = await staff.actor(), await staff.actor(Role.MANAGER)
    ada = await staff.employee(user_id=clerk.id)
    asked = await ask(database, None, JULY, JULY + 13 * ONE_DAY, actor=clerk)
    assert (asked.employee_id, asked.status, asked.workdays, asked.decided_by) == (ada.id, "requested", 10, None)

    shorter = await change(database, asked, clerk, last_day=JULY + 4 * ONE_DAY)
    assert (shorter.workdays, shorter.version) == (5, 2)
    assert await change(database, shorter, clerk, last_day=JULY + 4 * ONE_DAY) == shorter

    granted = await approve(database, shorter, manager)
    assert (granted.status, granted.decided_by, granted.version) == ("approved", manager.id, 3)
    assert await remaining(database, ada) == 25
    async with database.unit(writes=False) as unit:
        told = (await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(each.action, each.actor_id) for each in told] == [
        ("leave.request", clerk.id),
        ("leave.change", clerk.id),
        ("leave.approve", manager.id),
    ]
    assert [each.summary for each in told][1:] == ["Ada Lang 2026-07-06 to 2026-07-10"] * 2
    assert (told[2].before, told[2].after) == (
        {"status": "requested"},
        {"status": "approved", "reason": ""},
    )


async def test_a_rejected_request_says_why_and_frees_its_days(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    rejected = await reject(database, await ask(database, ada.id), reason="Inventur")
    assert (rejected.status, rejected.reason) == ("rejected", "Inventur")
    assert await remaining(database, ada) == 30
    await ask(database, ada.id)


@pytest.mark.parametrize("act", [approve, reject, cancel, change])
async def test_what_is_decided_stays_decided(database: Database, staff: Staff, act: object) -> None:
    ada = await staff.employee()
    for place, end in enumerate((reject, cancel)):
        ended = await end(database, await ask(database, ada.id, JULY + place * ONE_DAY, JULY + place * ONE_DAY))
        with pytest.raises(Conflict, match=f"the request is {ended.status}") as refused:
            await act(database, ended)  # type: ignore[operator]
        assert refused.value.extra["current"] == ended.model_dump(mode="json", by_alias=True)


async def test_who_has_not_read_the_newest_decides_nothing(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    asked = await ask(database, ada.id)
    current = await change(database, asked, kind=LeaveKind.SPECIAL)
    for act in (approve, reject, cancel, change):
        with pytest.raises(Conflict, match="changed meanwhile") as refused:
            await act(database, asked)
        assert refused.value.extra["current"] == current.model_dump(mode="json", by_alias=True)
    with pytest.raises(NotFound):
        await approve(database, asked.model_copy(update={"id": 999}))


async def test_nobody_decides_on_the_own_leave_but_an_administrator(database: Database, staff: Staff) -> None:
    for role, may in ((Role.MANAGER, False), (Role.ADMIN, True)):
        actor = await staff.actor(role)
        own = await staff.employee(user_id=actor.id)
        for place, act in enumerate((approve, reject)):
            asked = await ask(database, None, JULY + place * ONE_DAY, JULY + place * ONE_DAY, actor=actor)
            assert asked.employee_id == own.id
            if may:
                await act(database, asked, actor)
            else:
                with pytest.raises(Forbidden, match="own leave") as refused:
                    await act(database, asked, actor)
                assert refused.value.extra["neededRole"] == "admin"
                await act(database, asked, await staff.actor(Role.MANAGER))


async def test_a_clerk_has_the_own_leave_only_and_decides_nothing(database: Database, staff: Staff) -> None:
    clerk = await staff.actor()
    ada, bob = await staff.employee(user_id=clerk.id), await staff.employee()
    own, others = await ask(database, None, actor=clerk), await ask(database, bob.id)
    for act in (approve, reject, cancel, change):
        with pytest.raises(Forbidden):
            await act(database, others, clerk)
    for decide in (approve, reject):
        with pytest.raises(Forbidden):
            await decide(database, own, clerk)
    with pytest.raises(Forbidden):
        await ask(database, bob.id, JULY + ONE_DAY, JULY + ONE_DAY, actor=clerk)
    async with database.unit(actor=clerk, writes=False) as unit:
        page = await leave.list_requests(unit, PageQuery(), LeaveFilter())
        assert [row.id for row in page.rows] == [own.id]
        assert (await leave.allowance(unit, None, 2026)).employee_id == ada.id
        for refused in (
            leave.list_requests(unit, PageQuery(), LeaveFilter(employee_id=bob.id)),
            leave.allowance(unit, bob.id, 2026),
        ):
            with pytest.raises(Forbidden):
                await refused
    assert (await cancel(database, own, clerk)).status == "cancelled"


async def test_approved_leave_is_cancelled_by_a_manager_before_it_begins(
    database: Database, staff: Staff, clock: FakeClock
) -> None:
    clerk, manager = await staff.actor(), await staff.actor(Role.MANAGER)
    ada = await staff.employee(user_id=clerk.id)
    tomorrow = MONDAY + ONE_DAY
    granted = await approve(database, await ask(database, ada.id, tomorrow, tomorrow))
    with pytest.raises(Forbidden):
        await cancel(database, granted, clerk)
    cancelled = await cancel(database, granted, manager)
    assert (cancelled.status, await remaining(database, ada)) == ("cancelled", 30)

    again = await approve(database, await ask(database, ada.id, tomorrow, tomorrow))
    clock.advance(86_400)
    with pytest.raises(Conflict, match="has begun"):
        await cancel(database, again, manager)


@pytest.mark.parametrize(("first", "last"), [(0, 4), (-3, 0), (4, 9), (1, 2), (-1, 5)])
async def test_leave_that_stands_shares_no_day_with_other_leave(
    database: Database, staff: Staff, first: int, last: int
) -> None:
    ada, bob = await staff.employee(), await staff.employee()
    standing = await ask(database, ada.id, JULY, JULY + 4 * ONE_DAY)
    beside = await ask(database, ada.id, JULY + 14 * ONE_DAY, JULY + 15 * ONE_DAY)
    span = (JULY + first * ONE_DAY, JULY + last * ONE_DAY)
    for status in ("requested", "approved"):
        with pytest.raises(Conflict, match=f"from 2026-07-06 to 2026-07-10 is {status} already"):
            await ask(database, ada.id, *span, LeaveKind.SPECIAL)
        with pytest.raises(Conflict, match=f"is {status} already"):
            await change(database, beside, first_day=span[0], last_day=span[1])
        if status == "requested":
            standing = await approve(database, standing)
    await ask(database, bob.id, *span, LeaveKind.SPECIAL)
    await cancel(database, standing)
    await ask(database, ada.id, *span, LeaveKind.SPECIAL)


async def test_leave_is_not_granted_on_days_that_were_worked(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    first = MONDAY - 20 * ONE_DAY
    worked = [first + place * ONE_DAY for place in (0, 2, *range(4, 14))]
    async with database.unit() as unit:
        unit.session.add_all(
            TimeEntry(employee_id=ada.id, date=day, start_minute=start, end_minute=start + 9)
            for day in worked
            for start in (0, 60)
        )
    asked = await ask(database, ada.id, first + ONE_DAY, first + 2 * ONE_DAY, LeaveKind.SICK)
    with pytest.raises(Conflict, match=r"time entries on 2026-02-12: remove") as refused:
        await approve(database, asked)
    assert refused.value.extra["current"]["status"] == "requested"
    longer = await change(database, asked, first_day=first, last_day=MONDAY)
    with pytest.raises(Conflict, match=r"on 2026-02-10, 2026-02-12, 2026-02-14, .*2026-02-21 and 2 more days"):
        await approve(database, longer)
    free = await change(database, longer, first_day=first + 3 * ONE_DAY, last_day=first + 3 * ONE_DAY)
    assert (await approve(database, free)).status == "approved"


async def test_leave_lies_in_the_employment_and_ends_after_it_begins(database: Database, staff: Staff) -> None:
    ada = await staff.employee(hired_on=JULY, left_on=JULY + 9 * ONE_DAY)
    for first, last, refusal in (
        (-1, 2, "not on 2026-07-05"),
        (9, 10, "not on 2026-07-16"),
        (2, 1, "ends on its first day or later"),
        (0, 366, "at most 366 days"),
    ):
        with pytest.raises(Unprocessable, match=refusal):
            await ask(database, ada.id, JULY + first * ONE_DAY, JULY + last * ONE_DAY, LeaveKind.SPECIAL)
    await ask(database, ada.id, JULY, JULY + 9 * ONE_DAY)


async def test_no_more_vacation_than_remains(database: Database, staff: Staff) -> None:
    ada = await staff.employee(vacation_days=7)
    week = await approve(database, await ask(database, ada.id, JULY, JULY + 6 * ONE_DAY))
    assert week.workdays == 5
    with pytest.raises(Conflict, match="Of 7 vacation days in 2026, 2 remain: this takes 3"):
        await ask(database, ada.id, JULY + 7 * ONE_DAY, JULY + 9 * ONE_DAY)
    two = await ask(database, ada.id, JULY + 7 * ONE_DAY, JULY + 8 * ONE_DAY)
    with pytest.raises(Conflict, match="2 remain: this takes 5"):
        await change(database, two, last_day=JULY + 13 * ONE_DAY)
    await change(database, two, first_day=JULY + 8 * ONE_DAY, last_day=JULY + 9 * ONE_DAY)
    with pytest.raises(Conflict, match="0 remain"):
        await ask(database, ada.id, JULY + 20 * ONE_DAY, JULY + 21 * ONE_DAY)
    await ask(database, ada.id, JULY + 21 * ONE_DAY, JULY + 40 * ONE_DAY, LeaveKind.SICK)
    with pytest.raises(Unprocessable, match="no workday"):
        await ask(database, ada.id, JULY - 2 * ONE_DAY, JULY - ONE_DAY)


async def test_vacation_over_new_year_needs_days_of_both_years(database: Database, staff: Staff) -> None:
    ada = await staff.employee(vacation_days=5)
    christmas, epiphany = dt.date(2026, 12, 28), dt.date(2027, 1, 8)
    await ask(database, ada.id, dt.date(2026, 1, 5), dt.date(2026, 1, 5))
    with pytest.raises(Conflict, match="Of 5 vacation days in 2026, 4 remain: this takes 8"):
        await ask(database, ada.id, dt.date(2026, 12, 21), epiphany)
    await ask(database, ada.id, christmas, epiphany)
    assert [await remaining(database, ada, year) for year in (2026, 2027, 2028)] == [0, 0, 5]


async def test_an_entitlement_that_was_lowered_counts_at_approval(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    asked = await ask(database, ada.id, JULY, JULY + 4 * ONE_DAY)
    async with database.unit() as unit:
        (await unit.session.get_one(Employee, ada.id)).vacation_days = 4
    with pytest.raises(Conflict, match="Of 4 vacation days in 2026, 4 remain: this takes 5"):
        await approve(database, asked)
    assert await remaining(database, ada) == -1


async def test_lists_filter_by_status_and_by_days(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    first = await ask(database, ada.id, JULY, JULY + 4 * ONE_DAY)
    second = await approve(database, await ask(database, ada.id, JULY + 7 * ONE_DAY, JULY + 8 * ONE_DAY))

    async def found(**wanted: object) -> list[int]:
        async with database.unit(writes=False) as unit:
            page = await leave.list_requests(unit, PageQuery(), LeaveFilter(**wanted))  # type: ignore[arg-type]
        assert page.total == len(page.rows)
        return [row.id for row in page.rows]

    assert await found() == [second.id, first.id]
    assert await found(statuses=[LeaveStatus.APPROVED]) == [second.id]
    assert await found(until=JULY + 6 * ONE_DAY) == [first.id]
    assert await found(since=JULY + 4 * ONE_DAY, until=JULY + 7 * ONE_DAY) == [second.id, first.id]
    assert await found(since=JULY + 9 * ONE_DAY) == []
    assert await found(department_id=staff.department_id + 1) == []
    assert await found(employee_id=ada.id + 1) == []


async def test_many_who_ask_at_once_get_no_more_than_there_is(database: Database, staff: Staff) -> None:
    ada = await staff.employee(vacation_days=6)
    outcomes = await asyncio.gather(
        *(
            ask(database, ada.id, JULY + 7 * place * ONE_DAY, JULY + (7 * place + 1) * ONE_DAY)
            for place in range(10)
        ),
        return_exceptions=True,
    )
    assert Counter(type(each) for each in outcomes) == {LeaveView: 3, Conflict: 7}
    assert await remaining(database, ada) == 0
