"""Time entries stay apart and off approved leave, whoever writes them and in which order, on both engines."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Problem, Unprocessable
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import SYSTEM, Actor, Role
from steinmetz.erp.kit.workdays import ONE_DAY
from steinmetz.erp.modules.hr import hours, leave, service
from steinmetz.erp.modules.hr.models import Employee, LeaveRequest, TimeEntry
from steinmetz.erp.modules.hr.repository.hours import TimeEntryFilter
from steinmetz.erp.modules.hr.rules import DAY_MINUTES, LeaveKind, LeaveStatus
from steinmetz.erp.modules.hr.schemas import (
    EmployeePatch,
    LeaveInput,
    LeavePatch,
    TimeEntryInput,
    TimeEntryPatch,
    TimeEntryRow,
)
from steinmetz.erp.modules.system.models import AuditEntry
from tests.unit.erp.modules.hr.conftest import MONDAY, Staff

pytestmark = pytest.mark.anyio


async def enter(
    database: Database,
    employee_id: int | None,
    start: int,
    end: int,
    date: dt.date = MONDAY,
    actor: Actor = SYSTEM,
    **more: str,
) -> TimeEntryRow:
    async with database.unit(actor=actor) as unit:
        data = TimeEntryInput(employee_id=employee_id, date=date, start_minute=start, end_minute=end, **more)
        return await hours.create_entry(unit, data)


async def correct(database: Database, entry: TimeEntryRow, actor: Actor = SYSTEM, **fields: Any) -> TimeEntryRow:
    async with database.unit(actor=actor) as unit:
        return await hours.change_entry(unit, entry.id, TimeEntryPatch(version=entry.version, **fields))


async def approved(database: Database, employee_id: int, first: dt.date, last: dt.date) -> int:
    async with database.unit() as unit:
        asked = await leave.ask(
            unit, LeaveInput(employee_id=employee_id, kind=LeaveKind.SICK, first_day=first, last_day=last)
        )
        granted = await leave.approve(unit, asked.id, asked.version)
        return granted.id


async def test_an_entry_is_written_corrected_and_removed(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    entry = await enter(database, ada.id, 480, 720, project="SGM", note="Prüfstand")
    assert (entry.employee_name, entry.version, entry.department_id) == ("Ada Lang", 1, staff.department_id)

    longer = await correct(database, entry, end_minute=735)
    assert (longer.start_minute, longer.end_minute, longer.project, longer.version) == (480, 735, "SGM", 2)
    with pytest.raises(Conflict) as stale:
        await correct(database, entry, end_minute=740)
    assert stale.value.extra["current"] == longer.model_dump(mode="json", by_alias=True)
    assert await correct(database, longer, end_minute=735) == longer

    async with database.unit() as unit:
        assert (await hours.delete_entry(unit, entry.id, longer.version)).deleted == entry.id
        told = (await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(each.action, each.summary) for each in told] == [
        ("time_entry.create", "Ada Lang 2026-03-02 08:00-12:00"),
        ("time_entry.change", "Ada Lang 2026-03-02 08:00-12:15"),
        ("time_entry.delete", "Ada Lang 2026-03-02 08:00-12:15"),
    ]
    assert (told[1].before or {})["endMinute"] == 720
    assert (told[1].after or {})["endMinute"] == 735
    with pytest.raises(NotFound):
        await correct(database, longer, end_minute=740)


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        (420, 480, True),
        (720, 780, True),
        (0, 480, True),
        (720, DAY_MINUTES, True),
        (420, 481, False),
        (719, 780, False),
        (500, 600, False),
        (480, 720, False),
        (0, DAY_MINUTES, False),
    ],
)
async def test_entries_of_a_day_may_touch_and_never_overlap(
    database: Database, staff: Staff, start: int, end: int, fits: bool
) -> None:
    ada, bob = await staff.employee(), await staff.employee()
    await enter(database, ada.id, 480, 720)
    await enter(database, bob.id, start, end)
    await enter(database, ada.id, start, end, MONDAY - ONE_DAY)
    if fits:
        await enter(database, ada.id, start, end)
    else:
        with pytest.raises(Conflict, match="from 08:00 to 12:00 already"):
            await enter(database, ada.id, start, end)


async def test_an_entry_is_not_in_the_way_of_its_own_correction(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    morning, afternoon = await enter(database, ada.id, 480, 720), await enter(database, ada.id, 750, 900)
    moved = await correct(database, morning, start_minute=490, end_minute=750)
    with pytest.raises(Conflict, match="from 12:30 to 15:00 already"):
        await correct(database, moved, end_minute=751)
    with pytest.raises(Conflict, match="from 08:10 to 12:30 already"):
        await correct(database, afternoon, start_minute=740)


@pytest.mark.parametrize(("start", "end"), [(1320, 360), (1320, 1800), (600, 600), (1440, 1440), (1440, 1500)])
async def test_work_across_midnight_is_refused_with_the_way_out(
    database: Database, staff: Staff, start: int, end: int
) -> None:
    ada = await staff.employee()
    with pytest.raises(Unprocessable, match="make two: one that ends at minute 1440"):
        await enter(database, ada.id, start, end, MONDAY - ONE_DAY)
    await enter(database, ada.id, 1320, 1440, MONDAY - ONE_DAY)
    await enter(database, ada.id, 0, 360)


async def test_time_is_entered_within_the_employment_and_not_ahead(database: Database, staff: Staff) -> None:
    ada = await staff.employee(hired_on=MONDAY - 7 * ONE_DAY, left_on=MONDAY - 2 * ONE_DAY)
    for offset, refusal in ((1, "still to come"), (-8, "not on this day"), (-1, "not on this day")):
        with pytest.raises(Unprocessable, match=refusal):
            await enter(database, ada.id, 480, 720, MONDAY + offset * ONE_DAY)
    for offset in (-7, -2):
        await enter(database, ada.id, 480, 720, MONDAY + offset * ONE_DAY)


async def test_nothing_is_worked_on_approved_leave(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    free = await enter(database, ada.id, 480, 720, MONDAY - 4 * ONE_DAY)
    await approved(database, ada.id, MONDAY - 3 * ONE_DAY, MONDAY)
    for offset in (-3, 0):
        with pytest.raises(Conflict, match="on approved leave from 2026-02-27 to 2026-03-02"):
            await enter(database, ada.id, 480, 720, MONDAY + offset * ONE_DAY)
        with pytest.raises(Conflict, match="on approved leave"):
            await correct(database, free, date=MONDAY + offset * ONE_DAY)


async def test_a_clerk_writes_the_own_entries_only(database: Database, staff: Staff) -> None:
    clerk, stranger = await staff.actor(), await staff.actor()
    ada, bob = await staff.employee(user_id=clerk.id), await staff.employee()
    own = await enter(database, None, 480, 720, actor=clerk)
    assert own.employee_id == ada.id
    others = await enter(database, bob.id, 480, 720)
    with pytest.raises(Forbidden):
        await enter(database, bob.id, 800, 900, actor=clerk)
    with pytest.raises(Forbidden):
        await enter(database, 999, 800, 900, actor=clerk)
    with pytest.raises(Forbidden):
        await correct(database, others, clerk, end_minute=730)
    with pytest.raises(Unprocessable, match="linked to no employee"):
        await enter(database, None, 800, 900, actor=stranger)
    with pytest.raises(Unprocessable, match="no employee 999"):
        await enter(database, 999, 800, 900)
    async with database.unit(actor=clerk, writes=False) as unit:
        page = await hours.list_entries(unit, PageQuery(), TimeEntryFilter())
        assert [row.id for row in page.rows] == [own.id]
        with pytest.raises(Forbidden):
            await hours.list_entries(unit, PageQuery(), TimeEntryFilter(employee_id=bob.id))
    async with database.unit(actor=stranger, writes=False) as unit:
        assert (await hours.list_entries(unit, PageQuery(), TimeEntryFilter())).total == 0


async def test_the_week_of_an_employee(database: Database, staff: Staff) -> None:
    ada = await staff.employee(weekly_minutes=2_402)
    easter_monday = dt.date(2026, 4, 6)
    async with database.unit() as unit:
        unit.session.add_all(
            TimeEntry(employee_id=ada.id, date=easter_monday + day * ONE_DAY, start_minute=at, end_minute=at + 60)
            for day, at in ((-1, 0), (1, 600), (1, 480), (6, 0), (7, 0))
        )
        unit.session.add_all(
            LeaveRequest(
                employee_id=ada.id,
                kind=kind,
                status=status,
                first_day=easter_monday + first * ONE_DAY,
                last_day=easter_monday + last * ONE_DAY,
                created_at=unit.now,
            )
            for kind, status, first, last in (
                (LeaveKind.VACATION, LeaveStatus.APPROVED, 3, 10),
                (LeaveKind.SPECIAL, LeaveStatus.REQUESTED, 2, 2),
                (LeaveKind.VACATION, LeaveStatus.REJECTED, 1, 5),
            )
        )
    async with database.unit(writes=False) as unit:
        for day in (0, 6):
            shown = await hours.week(unit, ada.id, easter_monday + day * ONE_DAY)
            assert shown.week_start == easter_monday
        this_week = await hours.week(unit, ada.id, None)
    assert (shown.minutes, shown.target_minutes) == (180, 961)
    assert [(each.minutes, each.target_minutes) for each in shown.days] == [
        *((0, 0), (120, 480), (0, 481)),
        *[(0, 0)] * 3,
        (60, 0),
    ]
    assert [entry.start_minute for entry in shown.days[1].entries] == [480, 600]
    assert [each.holiday for each in shown.days] == ["Ostermontag", *[None] * 6]
    assert [each.leave and each.leave.status for each in shown.days] == [
        None,
        None,
        "requested",
        *["approved"] * 4,
    ]
    assert (this_week.week_start, this_week.target_minutes) == (MONDAY, 2_402)


# The database's own guard


async def test_the_database_itself_keeps_entries_apart(database: Database, staff: Staff) -> None:
    """SQL that asks no rule."""
    ada, bob = await staff.employee(), await staff.employee()

    def row(employee: Employee, start: int, end: int, date: dt.date = MONDAY) -> dict[str, Any]:
        span = {"start_minute": start, "end_minute": end}
        return {"employee_id": employee.id, "date": date, **span, "project": "", "note": "", "version": 1}

    async with database.unit() as unit:
        await unit.session.execute(
            insert(TimeEntry),
            [
                row(ada, 0, 480),
                row(ada, 480, 720),
                row(ada, 0, 1440, MONDAY - ONE_DAY),
                row(ada, 0, 1440, dt.date(2199, 12, 31)),
                row(bob, 0, 1440),
            ],
        )
    for wrong in (row(ada, 479, 481), row(ada, 719, 900), row(bob, 5, 6)):
        with pytest.raises(IntegrityError):
            async with database.unit() as unit:
                await unit.session.execute(insert(TimeEntry), [wrong])
    longer = update(TimeEntry).where(TimeEntry.employee_id == ada.id, TimeEntry.start_minute == 480)
    async with database.unit() as unit:
        await unit.session.execute(longer.values(end_minute=800, note="länger"))
    with pytest.raises(IntegrityError):
        async with database.unit() as unit:
            await unit.session.execute(longer.values(date=MONDAY - ONE_DAY))


# Whatever happens


Act = Callable[[], Awaitable[Any]]

a_day = st.integers(0, 4).map(lambda offset: MONDAY - offset * ONE_DAY)
a_span = st.tuples(st.integers(0, 11), st.integers(1, 6)).map(lambda span: (span[0] * 60, sum(span) * 60))
acts = st.one_of(
    st.tuples(st.just("enter"), a_day, a_span),
    st.tuples(st.just("move"), st.integers(0, 5), a_day, a_span),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("ask"), a_day, st.integers(0, 2)),
    st.tuples(st.just("shift"), st.integers(0, 3), a_day, st.integers(0, 2)),
    st.tuples(st.sampled_from(["approve", "reject", "cancel"]), st.integers(0, 3)),
    st.tuples(st.just("leave"), st.integers(-4, 4)),
)


async def perform(database: Database, employee_id: int, act: tuple[Any, ...]) -> None:
    """One act on what there is at the moment; raises `Problem` where it is refused."""
    async with database.unit(writes=False) as unit:
        entries = (
            await unit.session.execute(
                select(TimeEntry.id, TimeEntry.version)
                .where(TimeEntry.employee_id == employee_id)
                .order_by(TimeEntry.id)
            )
        ).all()
        requests = (
            await unit.session.execute(
                select(LeaveRequest.id, LeaveRequest.version)
                .where(LeaveRequest.employee_id == employee_id)
                .order_by(LeaveRequest.id)
            )
        ).all()
        version = await unit.session.scalar(select(Employee.version).where(Employee.id == employee_id))
    async with database.unit() as unit:
        match act:
            case ("enter", date, (start, end)):
                data = TimeEntryInput(employee_id=employee_id, date=date, start_minute=start, end_minute=end)
                await hours.create_entry(unit, data)
            case ("move", place, date, (start, end)) if place < len(entries):
                patch = TimeEntryPatch(
                    version=entries[place].version, date=date, start_minute=start, end_minute=end
                )
                await hours.change_entry(unit, entries[place].id, patch)
            case ("delete", place) if place < len(entries):
                await hours.delete_entry(unit, *entries[place])
            case ("ask", date, more):
                asked = LeaveInput(employee_id=employee_id, first_day=date, last_day=date + more * ONE_DAY)
                await leave.ask(unit, asked)
            case ("shift", place, date, more) if place < len(requests):
                wanted = LeavePatch(
                    version=requests[place].version, first_day=date, last_day=date + more * ONE_DAY
                )
                await leave.change(unit, requests[place].id, wanted)
            case ("approve", place) if place < len(requests):
                await leave.approve(unit, *requests[place])
            case ("reject", place) if place < len(requests):
                await leave.reject(unit, *requests[place], "")
            case ("cancel", place) if place < len(requests):
                await leave.cancel(unit, *requests[place])
            case ("leave", offset):
                left_on = EmployeePatch(version=version, left_on=MONDAY + offset * ONE_DAY)
                await service.change_employee(unit, employee_id, left_on)


async def assert_in_order(database: Database, employee_id: int) -> None:
    async with database.unit(writes=False) as unit:
        entries = (
            await unit.session.scalars(
                select(TimeEntry)
                .where(TimeEntry.employee_id == employee_id)
                .order_by(TimeEntry.date, TimeEntry.start_minute)
            )
        ).all()
        requests = (
            await unit.session.scalars(
                select(LeaveRequest)
                .where(
                    LeaveRequest.employee_id == employee_id,
                    LeaveRequest.status.in_([LeaveStatus.REQUESTED, LeaveStatus.APPROVED]),
                )
                .order_by(LeaveRequest.first_day)
            )
        ).all()
        employee = await unit.session.get_one(Employee, employee_id)
    for one, other in pairwise(entries):
        assert one.date < other.date or one.end_minute <= other.start_minute, "two entries overlap"
    for asked, following in pairwise(requests):
        assert asked.last_day < following.first_day, "two requests overlap"
    for request in requests:
        if request.status is LeaveStatus.APPROVED:
            assert not any(request.first_day <= entry.date <= request.last_day for entry in entries)
    last = employee.left_on or dt.date.max
    assert all(entry.date <= min(last, MONDAY) for entry in entries)
    assert all(request.last_day <= last for request in requests)


@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=st.lists(acts, min_size=4, max_size=14))
async def test_no_sequence_of_acts_breaks_the_order(
    database: Database, staff: Staff, sequence: list[tuple[Any, ...]]
) -> None:
    ada = await staff.employee()
    for act in sequence:
        with suppress(Conflict, Unprocessable):
            await perform(database, ada.id, act)
        await assert_in_order(database, ada.id)


@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(crowd=st.lists(acts, min_size=10, max_size=16))
async def test_no_crowd_of_writers_breaks_the_order(
    database: Database, staff: Staff, crowd: list[tuple[Any, ...]]
) -> None:
    """All at once on one employee, on top of some that were there before."""
    ada = await staff.employee()
    await enter(database, ada.id, 0, 60)
    for act in crowd[:4]:
        await asyncio.gather(perform(database, ada.id, act), return_exceptions=True)
    outcomes = await asyncio.gather(*(perform(database, ada.id, act) for act in crowd), return_exceptions=True)
    await assert_in_order(database, ada.id)
    unexpected = [each for each in outcomes if each is not None and not isinstance(each, Problem)]
    assert unexpected == []


async def test_of_many_who_want_the_same_hour_one_gets_it(database: Database, staff: Staff) -> None:
    ada = await staff.employee()
    outcomes = await asyncio.gather(
        *(enter(database, ada.id, 480 + shift, 540 + shift) for shift in range(12)), return_exceptions=True
    )
    assert Counter(type(each) for each in outcomes) == {TimeEntryRow: 1, Conflict: 11}
    await assert_in_order(database, ada.id)


async def test_an_entry_and_an_approval_of_one_day_exclude_each_other(database: Database, staff: Staff) -> None:
    for _ in range(6):
        ada = await staff.employee()
        async with database.unit() as unit:
            asked = await leave.ask(
                unit, LeaveInput(employee_id=ada.id, first_day=MONDAY, last_day=MONDAY + ONE_DAY)
            )

        async def approve(leave_id: int = asked.id) -> None:
            async with database.unit() as unit:
                await leave.approve(unit, leave_id, 1)

        outcomes = await asyncio.gather(
            *(enter(database, ada.id, 60 * hour, 60 * hour + 60) for hour in range(4)),
            approve(),
            *(enter(database, ada.id, 60 * hour, 60 * hour + 60) for hour in range(4, 8)),
            return_exceptions=True,
        )
        await assert_in_order(database, ada.id)
        assert all(each is None or isinstance(each, TimeEntryRow | Conflict) for each in outcomes)
        written = sum(isinstance(each, TimeEntryRow) for each in outcomes)
        assert (outcomes[4] is None) == (written == 0)


async def test_a_manager_who_links_an_account_gives_it_other_records(database: Database, staff: Staff) -> None:
    clerk = await staff.actor()
    ada, bob = await staff.employee(user_id=clerk.id), await staff.employee()
    await enter(database, None, 480, 720, actor=clerk)
    manager = await staff.actor(Role.MANAGER)
    async with database.unit(actor=manager) as unit:
        await service.change_employee(unit, ada.id, EmployeePatch(version=1, user_id=None))
        await service.change_employee(unit, bob.id, EmployeePatch(version=1, user_id=clerk.id))
    assert (await enter(database, None, 480, 720, actor=clerk)).employee_id == bob.id
    with pytest.raises(Forbidden):
        await enter(database, ada.id, 800, 900, actor=clerk)
