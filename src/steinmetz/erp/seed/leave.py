"""Leave: holidays, illness and special days, past and asked for; and who was away when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from random import Random

from steinmetz.erp.modules.hr.rules import LeaveKind, LeaveStatus, vacation_by_year
from steinmetz.erp.seed.rows import EmployeeRow, LeaveRow, UserRow
from steinmetz.erp.seed.workdays import ONE_DAY, at, days, on_or_after, workdays_later

_BACK = timedelta(days=365)
_AHEAD = timedelta(days=100)
_REASONS = ("Urlaubssperre zum Quartalsende", "Vertretung fehlt", "Inventur in dieser Woche", "Messe")


def leave(employees: list[EmployeeRow], deciders: list[UserRow], seed: int, today: date) -> list[LeaveRow]:
    """Requests of the last year and the next hundred days; those of one employee do not overlap.

    No more vacation is asked for than a year brings.
    """
    rng = Random(f"{seed}/leave")
    rows: list[LeaveRow] = []
    for employee in employees:
        taken: Counter[int] = Counter()
        day = max(today - _BACK, employee.hired_on)
        last = min(today + _AHEAD, employee.left_on or today + _AHEAD)
        while True:
            day = on_or_after(day + timedelta(days=8 + int(rng.random() * 95)))
            kind = rng.choices((LeaveKind.VACATION, LeaveKind.SICK, LeaveKind.SPECIAL), (60, 33, 7))[0]
            end = workdays_later(day, _length(rng, kind) - 1)
            if end > last:
                break
            if kind is LeaveKind.SICK and day >= today:
                continue
            if kind is LeaveKind.VACATION:
                asked = vacation_by_year(day, end)
                if any(taken[year] + count > employee.vacation_days for year, count in asked.items()):
                    continue
                taken.update(asked)
            rows.append(_request(rng, len(rows) + 1, employee, kind, day, end, deciders, today))
            day = end
    return rows


def _length(rng: Random, kind: LeaveKind) -> int:
    """In workdays."""
    if kind is LeaveKind.VACATION:
        return rng.choice((1, 2, 3, 5, 5, 5, 10, 10, 15))
    return rng.choice((1, 1, 2, 3, 5, 8)) if kind is LeaveKind.SICK else 1


def _request(
    rng: Random,
    number: int,
    employee: EmployeeRow,
    kind: LeaveKind,
    first_day: date,
    last_day: date,
    deciders: list[UserRow],
    today: date,
) -> LeaveRow:
    if kind is LeaveKind.SICK:
        status = LeaveStatus.APPROVED
        asked_on = first_day
    else:
        decided = first_day < today or rng.random() < 0.5
        chance = rng.random()
        granted = LeaveStatus.APPROVED if chance < 0.92 else LeaveStatus.REJECTED
        if chance > 0.98:
            granted = LeaveStatus.CANCELLED
        status = granted if decided else LeaveStatus.REQUESTED
        asked_on = first_day - timedelta(days=7 + int(rng.random() * 60))
    asked_at: datetime = at(min(asked_on, today - ONE_DAY), rng.random())
    is_open = status is LeaveStatus.REQUESTED
    return LeaveRow(
        id=number,
        employee_id=employee.id,
        kind=kind,
        status=status,
        first_day=first_day,
        last_day=last_day,
        decided_by=None if is_open or not deciders else rng.choice(deciders).id,
        reason=_REASONS[number % len(_REASONS)] if status is LeaveStatus.REJECTED else "",
        created_at=asked_at,
        version=1 if is_open else 2,
    )


def absences(requests: Iterable[LeaveRow]) -> Iterator[tuple[int, date]]:
    """(employee, day) for each day of granted leave."""
    for request in requests:
        if request.status == LeaveStatus.APPROVED:
            for day in days(request.first_day, request.last_day):
                yield request.employee_id, day
