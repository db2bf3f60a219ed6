from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from steinmetz.erp.kit.days import company_date
from steinmetz.erp.modules.hr.rules import allowance
from steinmetz.erp.seed.leave import absences
from steinmetz.erp.seed.rows import EmployeeRow, LeaveRow, UserRow
from steinmetz.erp.seed.workdays import at, is_workday


def test_requests_of_one_employee_do_not_overlap_and_lie_in_the_employment(company: Any) -> None:
    employees = company.by_id(EmployeeRow)
    own = defaultdict(list)
    for request in company.all(LeaveRow):
        own[request.employee_id].append(request)

    for employee_id, requests in own.items():
        employee = employees[employee_id]
        for request in requests:
            assert employee.hired_on <= request.first_day <= request.last_day
            assert employee.left_on is None or request.last_day <= employee.left_on
            assert is_workday(request.first_day)
            assert is_workday(request.last_day)
        assert all(one.last_day < other.first_day for one, other in pairwise(requests))


def test_what_is_past_is_decided_by_a_manager_and_illness_is_never_planned(company: Any) -> None:
    managers = {user.id for user in company.all(UserRow) if user.role == "manager"}

    for request in company.all(LeaveRow):
        assert company_date(request.created_at) < company.today
        assert (request.decided_by in managers) == (request.status != "requested")
        if request.first_day < company.today:
            assert request.status != "requested"
        if request.kind == "sick":
            assert (request.status, request.first_day < company.today) == ("approved", True)


def test_only_granted_leave_is_absence() -> None:
    monday = date(2026, 3, 2)
    granted = LeaveRow(1, 7, "vacation", "approved", monday, monday + timedelta(days=1), 1, "", at(monday, 0), 2)
    rejected = granted._replace(id=2, employee_id=8, status="rejected")

    assert list(absences([granted, rejected])) == [(7, monday), (7, monday + timedelta(days=1))]


def test_nobody_asks_for_more_vacation_than_a_year_brings(company: Any) -> None:
    employees = company.by_id(EmployeeRow)
    own = defaultdict(list)
    for request in company.all(LeaveRow):
        own[request.employee_id].append(request)

    for employee_id, requests in own.items():
        for year in range(company.today.year - 1, company.today.year + 1):
            assert allowance(employees[employee_id].vacation_days, requests, year).remaining >= 0


def test_who_is_refused_reads_why(company: Any) -> None:
    for request in company.all(LeaveRow):
        assert bool(request.reason) == (request.status == "rejected")
