"""When people work and when they are away; pure.

Theory of this room. Of one employee, no two time entries share a minute, and no day has both a time entry and
approved leave; requests that are open or approved share no day. Who writes either of them asks the questions below
under a lock on the employee. A leave request walks through `TRANSITIONS` and nowhere else.

A day has 1,440 minutes, as the clock on the wall shows them: on the two Sundays on which that clock is set, an
entry says what was written down, not what a stopwatch would have shown.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from steinmetz.erp.kit.roles import Role, may_read, may_write
from steinmetz.erp.kit.workdays import ONE_DAY, days, is_workday

DAY_MINUTES = 1_440
WORKDAYS_A_WEEK = 5
MAX_LEAVE_DAYS = 366
"""A longer absence is no leave but another contract."""

NUMBER_PREFIX = "M-"


class LeaveStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class LeaveKind(StrEnum):
    VACATION = "vacation"
    SICK = "sick"
    SPECIAL = "special"


class LeaveAct(StrEnum):
    """What may happen to a leave request."""

    CHANGE = "change"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"


TRANSITIONS: dict[tuple[LeaveStatus, LeaveAct], LeaveStatus] = {
    (LeaveStatus.REQUESTED, LeaveAct.CHANGE): LeaveStatus.REQUESTED,
    (LeaveStatus.REQUESTED, LeaveAct.APPROVE): LeaveStatus.APPROVED,
    (LeaveStatus.REQUESTED, LeaveAct.REJECT): LeaveStatus.REJECTED,
    (LeaveStatus.REQUESTED, LeaveAct.WITHDRAW): LeaveStatus.CANCELLED,
    (LeaveStatus.APPROVED, LeaveAct.REVOKE): LeaveStatus.CANCELLED,
}

STANDING = (LeaveStatus.REQUESTED, LeaveStatus.APPROVED)
"""What holds its days: nothing else may be asked for on them."""


def next_status(status: LeaveStatus, act: LeaveAct) -> LeaveStatus | None:
    """Where ``act`` leads from ``status``; None where it is not allowed."""
    return TRANSITIONS.get((status, act))


# Who may


def sees_salaries(role: Role) -> bool:
    return may_read(role, Role.MANAGER)


def sees_everybody(role: Role) -> bool:
    """Whether the role reads the hours and the leave of others, which tell of illness."""
    return may_read(role, Role.MANAGER)


def writes_for_everybody(role: Role) -> bool:
    return may_write(role, Role.MANAGER)


def may_decide(role: Role, *, is_own: bool) -> bool:
    """Whether the role approves and rejects such a request: of one's own, only the administrator does."""
    return may_write(role, Role.ADMIN if is_own else Role.MANAGER)


# Numbers


def employee_number(value: int) -> str:
    """``M-00017``"""
    return f"{NUMBER_PREFIX}{value:05d}"


def employee_value(number: str | None) -> int:
    """The counted part of a number; 0 for one that was not given by `employee_number`."""
    counted = (number or "").removeprefix(NUMBER_PREFIX)
    return int(counted) if counted.isascii() and counted.isdigit() else 0


# Spans


class Span(Protocol):
    """From minute to minute of one day."""

    @property
    def start_minute(self) -> int: ...
    @property
    def end_minute(self) -> int: ...


class Stretch(Protocol):
    """From day to day, both included."""

    @property
    def first_day(self) -> dt.date: ...
    @property
    def last_day(self) -> dt.date: ...


def share_a_minute(one: Span, other: Span) -> bool:
    """Whether two spans of one day overlap; one may begin in the minute in which the other ends."""
    return one.start_minute < other.end_minute and other.start_minute < one.end_minute


def is_employed(day: dt.date, hired_on: dt.date, left_on: dt.date | None) -> bool:
    """The first and the last day count."""
    return hired_on <= day and (left_on is None or day <= left_on)


def clock(minute: int) -> str:
    """``08:05``; the end of the day is ``24:00``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


# Vacation


def vacation_by_year(first_day: dt.date, last_day: dt.date) -> Counter[int]:
    """How many workdays of each calendar year lie between, both ends included."""
    return Counter(day.year for day in days(first_day, last_day) if is_workday(day))


@dataclass(frozen=True, slots=True)
class Allowance:
    """Vacation of one calendar year, in workdays."""

    entitled: int
    approved: int
    requested: int

    @property
    def remaining(self) -> int:
        """What may still be asked for; below 0 where the entitlement was lowered afterwards."""
        return self.entitled - self.approved - self.requested


class Vacation(Stretch, Protocol):
    @property
    def kind(self) -> LeaveKind: ...
    @property
    def status(self) -> LeaveStatus: ...


def allowance(entitled: int, requests: Iterable[Vacation], year: int) -> Allowance:
    """What of ``entitled`` workdays in ``year`` the requests of one employee leave; only vacation counts."""
    counts: Counter[LeaveStatus] = Counter()
    for request in requests:
        if request.kind is LeaveKind.VACATION and request.status in STANDING:
            counts[request.status] += vacation_by_year(request.first_day, request.last_day)[year]
    return Allowance(entitled, counts[LeaveStatus.APPROVED], counts[LeaveStatus.REQUESTED])


# Working time due


def due_minutes(day: dt.date, weekly_minutes: int) -> int:
    """What is due on ``day``: a fifth of the week on each workday, nothing on weekends and public holidays.

    The minutes that do not divide are spread so that a week without holidays adds up exactly.
    """
    if not is_workday(day):
        return 0
    place = day.weekday()
    return (place + 1) * weekly_minutes // WORKDAYS_A_WEEK - place * weekly_minutes // WORKDAYS_A_WEEK


class Calendar:
    """What was due between two days of a period, without walking through them again for each employee."""

    def __init__(self, first: dt.date, last: dt.date) -> None:
        """Bounded by its caller: remembers a few numbers for each day from ``first`` to ``last``."""
        self.first = first
        self.last = last
        counts = [0] * WORKDAYS_A_WEEK
        self._until = [tuple(counts)]
        for day in days(first, last):
            if is_workday(day):
                counts[day.weekday()] += 1
            self._until.append(tuple(counts))

    def _between(self, first: dt.date, last: dt.date) -> list[int]:
        """Workdays by weekday, Monday first; the days outside of the period do not count."""
        first, last = max(first, self.first), min(last, self.last)
        if last < first:
            return [0] * WORKDAYS_A_WEEK
        start, end = (first - self.first).days, (last - self.first).days + 1
        return [after - before for before, after in zip(self._until[start], self._until[end], strict=True)]

    def workdays(self, first: dt.date, last: dt.date) -> int:
        return sum(self._between(first, last))

    def due_minutes(self, first: dt.date, last: dt.date, weekly_minutes: int) -> int:
        """The sum of `due_minutes` of each day from ``first`` to ``last`` that lies in the period."""
        shares = [
            (place + 1) * weekly_minutes // WORKDAYS_A_WEEK - place * weekly_minutes // WORKDAYS_A_WEEK
            for place in range(WORKDAYS_A_WEEK)
        ]
        return sum(count * share for count, share in zip(self._between(first, last), shares, strict=True))


# The week


@dataclass(frozen=True, slots=True)
class WeekDay:
    """One day of the week view. ``due`` is what is left of it after holidays and approved leave."""

    date: dt.date
    minutes: int
    due: int


def week(
    monday: dt.date,
    weekly_minutes: int,
    hired_on: dt.date,
    left_on: dt.date | None,
    entries: Sequence[tuple[dt.date, int]],
    leave: Iterable[Stretch],
) -> list[WeekDay]:
    """Monday to Sunday: minutes worked and minutes due. ``entries`` are (day, minutes), ``leave`` is approved."""
    worked: Counter[dt.date] = Counter()
    for day, minutes in entries:
        worked[day] += minutes
    away = {
        day
        for each in leave
        for day in days(max(each.first_day, monday), min(each.last_day, monday + 6 * ONE_DAY))
    }
    return [
        WeekDay(
            day,
            worked[day],
            due_minutes(day, weekly_minutes) if is_employed(day, hired_on, left_on) and day not in away else 0,
        )
        for day in days(monday, monday + 6 * ONE_DAY)
    ]
