"""Leave: asked for, changed, decided, cancelled.

Every act goes the same way: lock the employee, then the request, compare the version, ask `rules.TRANSITIONS` and
the rules of the calendar, change it, write the audit log. All of that is one commit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit import language, patches
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.kit.workdays import workdays
from steinmetz.erp.modules.hr import access, repository, rules, texts
from steinmetz.erp.modules.hr.hours import name_of
from steinmetz.erp.modules.hr.models import Employee, LeaveRequest
from steinmetz.erp.modules.hr.repository.leave import LeaveFilter
from steinmetz.erp.modules.hr.rules import MAX_LEAVE_DAYS, LeaveAct, LeaveKind, LeaveStatus
from steinmetz.erp.modules.hr.schemas import AllowanceView, LeaveInput, LeavePatch, LeaveView
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.erp.modules.system.service import audit

NAMED_DAYS = 10
"""So many days are named in a refusal; of more, their number."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for."""

    kind: LeaveKind
    first_day: dt.date
    last_day: dt.date


async def list_requests(unit: Unit, paging: PageQuery, wanted: LeaveFilter, *, sort: str = "-firstDay") -> Page:
    """Leave that the caller may see, the latest first. Raises `Forbidden`."""
    window = Window(repository.leave.LEAVE_SORT, sort.startswith("-"), paging.after(dt.date, int), paging.limit)
    whose = await access.readable(unit, wanted.employee_id)
    if whose.nobody:
        return Page([], None, 0)
    page = await repository.leave.leave_requests(
        unit.session, window, replace(wanted, employee_id=whose.employee_id)
    )
    rows = [LeaveView(**row._mapping, workdays=workdays(row.first_day, row.last_day)) for row in page.rows]
    return replace(page, rows=rows)


async def allowance(unit: Unit, employee_id: int | None, year: int | None) -> AllowanceView:
    """What is left of the vacation of ``year`` (this one without it); of the caller where nobody is named.

    Raises `Forbidden`, `NotFound`, `Unprocessable`.
    """
    employee = await access.to_read(unit, employee_id)
    year = year or company_date(unit.now).year
    left = await _allowance(unit, employee, year)
    return AllowanceView(
        employee_id=employee.id,
        year=year,
        entitled=left.entitled,
        approved=left.approved,
        requested=left.requested,
        remaining=left.remaining,
    )


async def _allowance(
    unit: Unit, employee: Employee, year: int, *, except_id: int | None = None
) -> rules.Allowance:
    requests = await repository.leave.leave_of(
        unit.session, employee.id, dt.date(year, 1, 1), dt.date(year, 12, 31)
    )
    others = [each for each in requests if each.id != except_id]
    return rules.allowance(employee.vacation_days, others, year)


def _view(request: LeaveRequest, employee: Employee) -> LeaveView:
    return LeaveView(
        id=request.id,
        employee_id=request.employee_id,
        employee_name=name_of(employee),
        department_id=employee.department_id,
        kind=request.kind,
        status=request.status,
        first_day=request.first_day,
        last_day=request.last_day,
        workdays=workdays(request.first_day, request.last_day),
        decided_by=request.decided_by,
        reason=request.reason,
        created_at=request.created_at,
        version=request.version,
    )


def _conflict(request: LeaveRequest, employee: Employee, detail: str) -> Conflict:
    return Conflict(detail, _view(request, employee).model_dump(mode="json", by_alias=True))


async def ask(unit: Unit, data: LeaveInput) -> LeaveView:
    """A new request. Raises `Conflict`, `Forbidden`, `Unprocessable`."""
    employee = await access.to_write(unit, data.employee_id)
    await _check(unit, employee, Stretch(data.kind, data.first_day, data.last_day))
    request = LeaveRequest(
        employee_id=employee.id,
        kind=data.kind,
        status=LeaveStatus.REQUESTED,
        first_day=data.first_day,
        last_day=data.last_day,
        reason="",
        created_at=unit.now,
    )
    unit.session.add(request)
    await unit.session.flush()
    audit.record(
        unit, "leave.request", "leave_request", request.id, _summary(request, employee), after=_told(request)
    )
    return _view(request, employee)


async def change(unit: Unit, leave_id: int, patch: LeavePatch) -> LeaveView:
    """Change a request that nobody has decided. Raises `NotFound`, `Conflict`, `Forbidden`, `Unprocessable`."""
    request, employee = await _to_change(unit, leave_id, patch.version)
    _step(request, employee, LeaveAct.CHANGE)
    before = _told(request)
    for name, value in patches.wanted_by(patch).items():
        setattr(request, name, value)
    after = _told(request)
    if after != before:
        asked = Stretch(request.kind, request.first_day, request.last_day)
        with unit.session.no_autoflush:  # the rules are asked before the database is
            await _check(unit, employee, asked, except_id=request.id)
        await unit.session.flush()
        audit.record(unit, "leave.change", "leave_request", request.id, _summary(request, employee), before, after)
    return _view(request, employee)


async def approve(unit: Unit, leave_id: int, version: int) -> LeaveView:
    """Grant a request: from then on nothing is worked on its days.

    Raises `NotFound`, `Conflict` (also where time entries stand on its days), `Forbidden`.
    """
    request, employee = await _to_change(unit, leave_id, version)
    _may_decide(unit, employee)
    if rules.next_status(request.status, LeaveAct.APPROVE) is not None:
        worked = await repository.hours.days_with_hours(
            unit.session, employee.id, request.first_day, request.last_day
        )
        if worked:
            raise _conflict(request, employee, f"There are time entries on {_days(worked)}: remove them first.")
        if request.kind is LeaveKind.VACATION:
            # The entitlement may have been lowered since it was asked for.
            await _check_allowance(unit, employee, request, except_id=request.id)
    return await _decide(unit, request, employee, LeaveAct.APPROVE)


async def reject(unit: Unit, leave_id: int, version: int, reason: str) -> LeaveView:
    """Refuse a request; its days are free again. Raises `NotFound`, `Conflict`, `Forbidden`."""
    request, employee = await _to_change(unit, leave_id, version)
    _may_decide(unit, employee)
    return await _decide(unit, request, employee, LeaveAct.REJECT, reason)


async def _decide(
    unit: Unit, request: LeaveRequest, employee: Employee, act: LeaveAct, reason: str = ""
) -> LeaveView:
    before = {"status": request.status}
    _step(request, employee, act)
    request.decided_by = unit.actor.id
    request.reason = reason
    await unit.session.flush()
    after = {"status": request.status, "reason": request.reason}
    audit.record(unit, f"leave.{act}", "leave_request", request.id, _summary(request, employee), before, after)
    await _tell(unit, request, employee)
    return _view(request, employee)


async def _tell(unit: Unit, request: LeaveRequest, employee: Employee) -> None:
    """Tell the employee's user, if he has one and has not decided himself."""
    if employee.user_id is None or employee.user_id == unit.actor.id:
        return
    is_approved = request.status is LeaveStatus.APPROVED
    await notifications.notify(
        unit,
        notifications.ToUser(employee.user_id),
        notifications.Level.SUCCESS if is_approved else notifications.Level.WARNING,
        texts.APPROVED_TITLE if is_approved else texts.REJECTED_TITLE,
        texts.DECIDED_WITH_REASON if request.reason else texts.DECIDED,
        values={
            "first": partial(language.day, request.first_day),
            "last": partial(language.day, request.last_day),
            "by": unit.actor.name,
            "reason": request.reason,
        },
    )


def _may_decide(unit: Unit, employee: Employee) -> None:
    is_own = access.is_own(unit, employee)
    if not rules.may_decide(unit.actor.role, is_own=is_own):
        if is_own and rules.may_decide(unit.actor.role, is_own=False):
            raise Forbidden(
                Role.ADMIN, "Nobody decides on the own leave: another manager does, or an administrator."
            )
        raise Forbidden(Role.MANAGER)


async def cancel(unit: Unit, leave_id: int, version: int) -> LeaveView:
    """Take back a request; a manager also takes back approved leave that has not begun.

    Raises `NotFound`, `Conflict`, `Forbidden`.
    """
    request, employee = await _to_change(unit, leave_id, version)
    before = {"status": request.status}
    if request.status is LeaveStatus.APPROVED:
        if not rules.writes_for_everybody(unit.actor.role):
            raise Forbidden(Role.MANAGER, "Approved leave is cancelled by a manager.")
        if request.first_day <= company_date(unit.now):
            raise _conflict(request, employee, "This leave has begun: it cannot be cancelled any more.")
        _step(request, employee, LeaveAct.REVOKE)
    else:
        _step(request, employee, LeaveAct.WITHDRAW)
    await unit.session.flush()
    audit.record(
        unit,
        "leave.cancel",
        "leave_request",
        request.id,
        _summary(request, employee),
        before=before,
        after={"status": request.status},
    )
    return _view(request, employee)


def _step(request: LeaveRequest, employee: Employee, act: LeaveAct) -> None:
    """Move the request by ``act``. Raises `Conflict` where its status does not allow it."""
    following = rules.next_status(request.status, act)
    if following is None:
        raise _conflict(request, employee, f"To {act.value} is not possible: the request is {request.status}.")
    request.status = following


async def _to_change(unit: Unit, leave_id: int, version: int) -> tuple[LeaveRequest, Employee]:
    """The request and its employee, locked, as the caller has read it.

    Raises `NotFound`, `Conflict`, `Forbidden`.
    """
    whose = await repository.leave.whose_leave(unit.session, leave_id)
    if whose is None:
        raise NotFound("leave request", leave_id)
    employee = await access.to_write(unit, whose)
    request = await repository.leave.leave_request_to_change(unit.session, leave_id)
    if request is None:
        raise NotFound("leave request", leave_id)
    if request.version != version:
        raise _conflict(request, employee, "The leave request was changed meanwhile.")
    return request, employee


async def _check(unit: Unit, employee: Employee, asked: Stretch, *, except_id: int | None = None) -> None:
    """That the employee, who is locked, may ask for this. Raises `Unprocessable`, `Conflict`."""
    if asked.last_day < asked.first_day:
        raise Unprocessable("Leave ends on its first day or later.", "lastDay")
    if (asked.last_day - asked.first_day).days >= MAX_LEAVE_DAYS:
        raise Unprocessable(f"Leave has at most {MAX_LEAVE_DAYS} days.", "lastDay")
    for field, day in (("firstDay", asked.first_day), ("lastDay", asked.last_day)):
        if not rules.is_employed(day, employee.hired_on, employee.left_on):
            until = f" to {employee.left_on}" if employee.left_on else ""
            raise Unprocessable(
                f"{name_of(employee)} is employed from {employee.hired_on}{until}: not on {day}.", field
            )
    for other in await repository.leave.leave_of(unit.session, employee.id, asked.first_day, asked.last_day):
        if other.id != except_id:
            raise Conflict(
                f"Leave from {other.first_day} to {other.last_day} is {other.status} already (id {other.id})."
            )
    if asked.kind is LeaveKind.VACATION:
        await _check_allowance(unit, employee, asked, except_id=except_id)


async def _check_allowance(
    unit: Unit, employee: Employee, asked: rules.Stretch, *, except_id: int | None = None
) -> None:
    """That enough vacation is left in each year. Raises `Unprocessable`, `Conflict`."""
    by_year = rules.vacation_by_year(asked.first_day, asked.last_day)
    if not by_year:
        raise Unprocessable("There is no workday in it: vacation is not needed.", "firstDay")
    for year, count in sorted(by_year.items()):
        left = await _allowance(unit, employee, year, except_id=except_id)
        if count > left.remaining:
            raise Conflict(
                f"Of {left.entitled} vacation days in {year}, {max(0, left.remaining)} remain: this takes {count}."
            )


def _days(days: Sequence[dt.date]) -> str:
    named = ", ".join(map(str, days[:NAMED_DAYS]))
    return named if len(days) <= NAMED_DAYS else f"{named} and {len(days) - NAMED_DAYS} more days"


def _summary(request: LeaveRequest, employee: Employee) -> str:
    """Without the kind: who only skims the log need not read of illness."""
    return f"{name_of(employee)} {request.first_day} to {request.last_day}"


def _told(request: LeaveRequest) -> dict[str, object]:
    """What the audit log keeps of a request."""
    return {
        "employeeId": request.employee_id,
        "kind": request.kind,
        "firstDay": request.first_day,
        "lastDay": request.last_day,
    }
