"""Working time: entries that never overlap, and the week they make up.

Every act goes the same way: lock the employee, then the entry, compare the version, ask the rules, change it,
write the audit log. All of that is one commit; whoever comes second sees what the first has written.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound, Unprocessable
from steinmetz.erp.kit import patches
from steinmetz.erp.kit.days import company_date, week_start
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.kit.workdays import ONE_DAY, holiday
from steinmetz.erp.modules.hr import access, repository, rules
from steinmetz.erp.modules.hr.models import Employee, TimeEntry
from steinmetz.erp.modules.hr.repository.hours import TimeEntryFilter
from steinmetz.erp.modules.hr.rules import DAY_MINUTES, LeaveStatus
from steinmetz.erp.modules.hr.schemas import (
    Deleted,
    LeaveOfDay,
    TimeEntryInput,
    TimeEntryPatch,
    TimeEntryRow,
    TimeEntryView,
    WeekDayView,
    WeekView,
)
from steinmetz.erp.modules.system.service import audit

ACROSS_MIDNIGHT = (
    "An entry ends after it begins, on the same day. For work across midnight make two: one that ends at minute"
    " 1440 (24:00), and one of the following day that begins at minute 0."
)


@dataclass(frozen=True, slots=True)
class Span:
    """When somebody worked."""

    date: dt.date
    start_minute: int
    end_minute: int

    def __str__(self) -> str:
        return f"{self.date} {rules.clock(self.start_minute)}-{rules.clock(self.end_minute)}"


async def list_entries(unit: Unit, paging: PageQuery, wanted: TimeEntryFilter, *, sort: str = "-date") -> Page:
    """Time entries that the caller may see, newest day first. Raises `Forbidden`."""
    window = Window(
        repository.hours.TIME_ENTRY_SORT, sort.startswith("-"), paging.after(dt.date, int), paging.limit
    )
    whose = await access.readable(unit, wanted.employee_id)
    if whose.nobody:
        return Page([], None, 0)
    return await repository.hours.time_entries(
        unit.session, window, replace(wanted, employee_id=whose.employee_id)
    )


async def week(unit: Unit, employee_id: int | None, day: dt.date | None) -> WeekView:
    """The week of ``day`` (today's without one) of an employee (the caller without one).

    Raises `Forbidden`, `NotFound`, `Unprocessable`.
    """
    employee = await access.to_read(unit, employee_id)
    monday = week_start(day or company_date(unit.now))
    sunday = monday + 6 * ONE_DAY
    entries = await repository.hours.time_entries_of(unit.session, employee.id, monday, sunday)
    leave = await repository.leave.leave_of(unit.session, employee.id, monday, sunday)
    approved = [each for each in leave if each.status is LeaveStatus.APPROVED]
    worked = [(each.date, each.end_minute - each.start_minute) for each in entries]
    days = rules.week(monday, employee.weekly_minutes, employee.hired_on, employee.left_on, worked, approved)
    by_day: dict[dt.date, list[TimeEntryView]] = defaultdict(list)
    for entry in entries:
        by_day[entry.date].append(TimeEntryView.model_validate(entry))
    return WeekView(
        employee_id=employee.id,
        employee_name=name_of(employee),
        week_start=monday,
        days=[
            WeekDayView(
                date=each.date,
                holiday=holiday(each.date),
                leave=next(
                    (
                        LeaveOfDay.model_validate(request)
                        for request in leave
                        if request.first_day <= each.date <= request.last_day
                    ),
                    None,
                ),
                minutes=each.minutes,
                target_minutes=each.due,
                entries=by_day[each.date],
            )
            for each in days
        ],
        minutes=sum(each.minutes for each in days),
        target_minutes=sum(each.due for each in days),
    )


def name_of(employee: Employee) -> str:
    return f"{employee.first_name} {employee.last_name}"


def _row(entry: TimeEntry, employee: Employee) -> TimeEntryRow:
    own = TimeEntryView.model_validate(entry).model_dump()
    return TimeEntryRow(**own, employee_name=name_of(employee), department_id=employee.department_id)


async def create_entry(unit: Unit, data: TimeEntryInput) -> TimeEntryRow:
    """A new entry. Raises `Conflict`, `Forbidden`, `Unprocessable`."""
    employee = await access.to_write(unit, data.employee_id)
    span = Span(data.date, data.start_minute, data.end_minute)
    await _check(unit, employee, span)
    entry = TimeEntry(employee_id=employee.id, **data.model_dump(exclude={"employee_id"}))
    unit.session.add(entry)
    await unit.session.flush()
    audit.record(unit, "time_entry.create", "time_entry", entry.id, _summary(employee, span), after=_told(entry))
    return _row(entry, employee)


async def change_entry(unit: Unit, entry_id: int, patch: TimeEntryPatch) -> TimeEntryRow:
    """Change what the patch names. Raises `NotFound`, `Conflict`, `Forbidden`, `Unprocessable`."""
    entry, employee = await _to_change(unit, entry_id, patch.version)
    before = _told(entry)
    for name, value in patches.wanted_by(patch).items():
        setattr(entry, name, value)
    after = _told(entry)
    if after != before:
        span = Span(entry.date, entry.start_minute, entry.end_minute)
        with unit.session.no_autoflush:  # the rules are asked before the database is
            await _check(unit, employee, span, except_id=entry.id)
        await unit.session.flush()
        audit.record(unit, "time_entry.change", "time_entry", entry.id, _summary(employee, span), before, after)
    return _row(entry, employee)


async def delete_entry(unit: Unit, entry_id: int, version: int) -> Deleted:
    """Raises `NotFound`, `Conflict`, `Forbidden`."""
    entry, employee = await _to_change(unit, entry_id, version)
    span = Span(entry.date, entry.start_minute, entry.end_minute)
    await unit.session.delete(entry)
    await unit.session.flush()
    audit.record(unit, "time_entry.delete", "time_entry", entry_id, _summary(employee, span), before=_told(entry))
    return Deleted(deleted=entry_id)


async def _to_change(unit: Unit, entry_id: int, version: int) -> tuple[TimeEntry, Employee]:
    """The entry and its employee, locked, as the caller has read it.

    Raises `NotFound`, `Conflict`, `Forbidden`.
    """
    whose = await repository.hours.whose_time_entry(unit.session, entry_id)
    if whose is None:
        raise NotFound("time entry", entry_id)
    employee = await access.to_write(unit, whose)
    entry = await repository.hours.time_entry_to_change(unit.session, entry_id)
    if entry is None:
        raise NotFound("time entry", entry_id)
    if entry.version != version:
        current = _row(entry, employee).model_dump(mode="json", by_alias=True)
        raise Conflict("The time entry was changed meanwhile.", current)
    return entry, employee


async def _check(unit: Unit, employee: Employee, span: Span, *, except_id: int | None = None) -> None:
    """That the employee, who is locked, may have worked then. Raises `Unprocessable`, `Conflict`."""
    if not span.start_minute < span.end_minute <= DAY_MINUTES:
        raise Unprocessable(ACROSS_MIDNIGHT, "endMinute")
    if span.date > company_date(unit.now):
        raise Unprocessable("Time is entered when it has been worked: this day is still to come.", "date")
    if not rules.is_employed(span.date, employee.hired_on, employee.left_on):
        until = f" to {employee.left_on}" if employee.left_on else ""
        raise Unprocessable(
            f"{name_of(employee)} is employed from {employee.hired_on}{until}: not on this day.", "date"
        )
    away = await repository.leave.leave_of(unit.session, employee.id, span.date, span.date, {LeaveStatus.APPROVED})
    if away:
        raise Conflict(
            f"{name_of(employee)} is on approved leave from {away[0].first_day} to {away[0].last_day}"
            f" ({away[0].kind}): have that cancelled first."
        )
    for other in await repository.hours.time_entries_of(unit.session, employee.id, span.date, span.date):
        if other.id != except_id and rules.share_a_minute(span, other):
            taken = f"{rules.clock(other.start_minute)} to {rules.clock(other.end_minute)}"
            raise Conflict(f"There is a time entry from {taken} already (id {other.id}).")


def _summary(employee: Employee, span: Span) -> str:
    return f"{name_of(employee)} {span}"


def _told(entry: TimeEntry) -> dict[str, object]:
    """What the audit log keeps of an entry."""
    return {
        "employeeId": entry.employee_id,
        "date": entry.date,
        "startMinute": entry.start_minute,
        "endMinute": entry.end_minute,
        "project": entry.project,
        "note": entry.note,
    }
