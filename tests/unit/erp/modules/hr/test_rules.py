"""Spans, states, entitlement and weeks, without a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.workdays import ONE_DAY, days, is_workday
from steinmetz.erp.modules.hr import rules
from steinmetz.erp.modules.hr.rules import Allowance, Calendar, LeaveAct, LeaveKind, LeaveStatus

MONDAY = dt.date(2026, 3, 2)
some_day = st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31))


@dataclass(frozen=True)
class Span:
    start_minute: int
    end_minute: int


@dataclass(frozen=True)
class Leave:
    first_day: dt.date
    last_day: dt.date
    kind: LeaveKind = LeaveKind.VACATION
    status: LeaveStatus = LeaveStatus.APPROVED


def spans(minutes: int) -> Iterator[Span]:
    return (Span(start, end) for start in range(minutes) for end in range(start + 1, minutes + 1))


def test_two_spans_overlap_where_they_have_a_minute_in_common() -> None:
    """All pairs of a day of eight minutes."""
    for one, other in product(spans(8), repeat=2):
        common = set(range(one.start_minute, one.end_minute)) & set(range(other.start_minute, other.end_minute))
        assert rules.share_a_minute(one, other) == bool(common), (one, other)


@pytest.mark.parametrize(
    ("day", "left_on", "expected"),
    [
        (MONDAY - ONE_DAY, None, False),
        (MONDAY, None, True),
        (MONDAY, MONDAY, True),
        (MONDAY + ONE_DAY, MONDAY, False),
        (dt.date(2099, 1, 1), None, True),
    ],
)
def test_the_first_and_the_last_day_belong_to_the_employment(
    day: dt.date, left_on: dt.date | None, expected: bool
) -> None:
    assert rules.is_employed(day, MONDAY, left_on) is expected


def test_minutes_are_read_from_a_clock() -> None:
    assert [rules.clock(minute) for minute in (0, 485, 1439, 1440)] == ["00:00", "08:05", "23:59", "24:00"]


def test_every_act_on_every_status() -> None:
    allowed = {
        ("requested", "change"): "requested",
        ("requested", "approve"): "approved",
        ("requested", "reject"): "rejected",
        ("requested", "withdraw"): "cancelled",
        ("approved", "revoke"): "cancelled",
    }
    for status, act in product(LeaveStatus, LeaveAct):
        assert rules.next_status(status, act) == allowed.get((status.value, act.value))


def test_who_may_what() -> None:
    """role: (sees salaries, sees everybody, writes for everybody, decides others', decides the own)"""
    assert {
        role: (
            rules.sees_salaries(role),
            rules.sees_everybody(role),
            rules.writes_for_everybody(role),
            rules.may_decide(role, is_own=False),
            rules.may_decide(role, is_own=True),
        )
        for role in Role
    } == {
        Role.ADMIN: (True, True, True, True, True),
        Role.MANAGER: (True, True, True, True, False),
        Role.CLERK: (False, False, False, False, False),
        Role.AUDITOR: (True, True, False, False, False),
    }


@given(st.integers(0, 10**9))
def test_a_number_says_its_value(value: int) -> None:
    assert rules.employee_value(rules.employee_number(value)) == value


@pytest.mark.parametrize("number", [None, "", "M-", "M-x", "P-00017", "M-²"])
def test_a_number_of_another_house_counts_nothing(number: str | None) -> None:
    assert rules.employee_value(number) == 0


# Vacation


def test_vacation_over_new_year_takes_from_both_years() -> None:
    taken = rules.vacation_by_year(dt.date(2026, 12, 21), dt.date(2027, 1, 8))

    assert taken == {2026: 8, 2027: 5}  # without Christmas (one of its days a Saturday) and New Year


@given(some_day, st.integers(0, 40))
def test_vacation_is_counted_in_workdays_of_each_year(first: dt.date, more: int) -> None:
    last = first + more * ONE_DAY
    counted = rules.vacation_by_year(first, last)

    for year in (first.year, last.year):
        assert counted[year] == sum(is_workday(day) and day.year == year for day in days(first, last))


def test_only_vacation_that_stands_takes_from_the_entitlement() -> None:
    requests = [
        Leave(MONDAY + 7 * n * ONE_DAY, MONDAY + (7 * n + 1) * ONE_DAY, kind, status)
        for n, (kind, status) in enumerate(product(LeaveKind, LeaveStatus))
    ]
    left = rules.allowance(30, requests, 2026)

    assert (left, left.remaining) == (Allowance(30, 2, 2), 26)
    assert rules.allowance(30, requests, 2025).remaining == 30
    assert rules.allowance(3, requests, 2026).remaining == -1


# Working time due


@given(st.integers(0, 10_080))
def test_the_days_of_a_week_without_holidays_add_up_to_it(weekly_minutes: int) -> None:
    due = [rules.due_minutes(day, weekly_minutes) for day in days(MONDAY, MONDAY + 6 * ONE_DAY)]

    assert sum(due) == weekly_minutes
    assert due[5:] == [0, 0]
    assert max(due[:5]) - min(due[:5]) <= 1


@settings(max_examples=60)
@given(some_day, st.integers(0, 60), some_day, st.integers(-5, 100), st.integers(0, 3_000))
def test_a_calendar_says_what_its_days_say(
    first: dt.date, more: int, start: dt.date, length: int, weekly: int
) -> None:
    last, end = first + more * ONE_DAY, start + length * ONE_DAY
    inside = [day for day in days(start, end) if first <= day <= last]
    calendar = Calendar(first, last)

    assert calendar.workdays(start, end) == sum(map(is_workday, inside))
    assert calendar.due_minutes(start, end, weekly) == sum(rules.due_minutes(day, weekly) for day in inside)


def test_a_calendar_of_no_day_owes_nothing() -> None:
    calendar = Calendar(MONDAY, MONDAY - ONE_DAY)

    assert calendar.workdays(MONDAY - 9 * ONE_DAY, MONDAY + 9 * ONE_DAY) == 0


# The week


def week(
    monday: dt.date = MONDAY,
    *,
    hired_on: dt.date = dt.date(2020, 1, 1),
    left_on: dt.date | None = None,
    entries: list[tuple[dt.date, int]] | None = None,
    leave: list[Leave] | None = None,
) -> list[tuple[int, int]]:
    found = rules.week(monday, 2_400, hired_on, left_on, entries or [], leave or [])
    assert [each.date for each in found] == list(days(monday, monday + 6 * ONE_DAY))
    return [(each.minutes, each.due) for each in found]


def test_a_week_from_monday_to_sunday() -> None:
    assert week() == [(0, 480)] * 5 + [(0, 0)] * 2


def test_minutes_of_a_day_are_added() -> None:
    assert week(entries=[(MONDAY, 240), (MONDAY, 250), (MONDAY + 6 * ONE_DAY, 60)]) == [
        (490, 480),
        *[(0, 480)] * 4,
        (0, 0),
        (60, 0),
    ]


def test_holidays_and_approved_leave_are_not_due() -> None:
    easter_monday = dt.date(2026, 4, 6)
    away = Leave(dt.date(2026, 4, 9), dt.date(2026, 4, 30), LeaveKind.SICK)

    assert [due for _, due in week(easter_monday, leave=[away])] == [0, 480, 480, 0, 0, 0, 0]


def test_leave_that_reaches_over_the_whole_week_leaves_nothing_due() -> None:
    assert [due for _, due in week(leave=[Leave(MONDAY - 9 * ONE_DAY, MONDAY + 90 * ONE_DAY)])] == [0] * 7


def test_nothing_is_due_before_the_first_and_after_the_last_day_of_employment() -> None:
    tuesday, thursday = MONDAY + ONE_DAY, MONDAY + 3 * ONE_DAY

    assert [due for _, due in week(hired_on=tuesday, left_on=thursday)] == [0, 480, 480, 480, 0, 0, 0]
