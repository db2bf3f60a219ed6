from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from steinmetz.erp.seed.hours import Hours
from steinmetz.erp.seed.leave import absences
from steinmetz.erp.seed.rows import EmployeeRow, LeaveRow, TimeEntryRow
from steinmetz.erp.seed.workdays import is_workday


def test_there_are_exactly_as_many_entries_as_wanted_oldest_first(company: Any) -> None:
    entries = company.all(TimeEntryRow)

    assert [entry.id for entry in entries] == list(range(1, company.scale.time_entries + 1))
    assert [entry.date for entry in entries] == sorted(entry.date for entry in entries)
    assert entries[-1].date <= company.today


def test_no_entries_of_an_employee_overlap(company: Any) -> None:
    own = defaultdict(list)
    for entry in company.all(TimeEntryRow):
        own[entry.employee_id, entry.date].append(entry)

    for (_, day), entries in own.items():
        assert is_workday(day)
        assert len(entries) <= 2
        assert all(0 <= entry.start_minute < entry.end_minute <= 1_440 for entry in entries)
        assert all(one.end_minute + 30 <= other.start_minute for one, other in pairwise(entries))


def test_a_day_has_about_as_many_minutes_as_the_contract_says(company: Any) -> None:
    employees = company.by_id(EmployeeRow)
    minutes: dict[tuple[int, date], int] = defaultdict(int)
    for entry in company.all(TimeEntryRow):
        if entry.date not in {company.today, company.all(TimeEntryRow)[0].date}:
            minutes[entry.employee_id, entry.date] += entry.end_minute - entry.start_minute

    for (employee_id, _), worked in minutes.items():
        weekly = employees[employee_id].weekly_minutes
        assert abs(worked - weekly / (4 if weekly in {1_440, 1_920} else 5)) <= 20


def test_nobody_works_while_away_or_not_employed(company: Any) -> None:
    away = set(absences(company.all(LeaveRow)))
    employees = company.by_id(EmployeeRow)

    for entry in company.all(TimeEntryRow):
        employee = employees[entry.employee_id]
        assert (entry.employee_id, entry.date) not in away
        assert employee.hired_on <= entry.date
        assert employee.left_on is None or entry.date <= employee.left_on


def test_of_today_there_is_only_a_morning(tiny: Any) -> None:
    todays = [entry.employee_id for entry in tiny.all(TimeEntryRow) if entry.date == tiny.today]

    assert todays
    assert len(todays) == len(set(todays))


def test_more_entries_than_anybody_can_have_worked_are_refused(tiny: Any) -> None:
    hours = Hours(10_000_000, tiny.all(EmployeeRow), [], 1, tiny.today)

    with pytest.raises(ValueError, match="10 employees cannot have 10000000 time entries"):
        next(hours.rows())
