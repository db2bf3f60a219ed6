from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from steinmetz.erp.seed.people import DIVISIONS, LOGINS, PASSWORD, Staff, staff


@pytest.fixture(scope="module")
def demo_staff(today: date) -> Staff:
    return staff(250, 1, today, lambda password: f"hash of {password}")


def test_the_demo_logins_are_one_for_each_role() -> None:
    assert [login.email for login in LOGINS] == [
        "admin@steinmetz.example",
        "manager@steinmetz.example",
        "clerk@steinmetz.example",
        "auditor@steinmetz.example",
    ]
    assert len({login.role for login in LOGINS}) == 4


def test_only_the_demo_logins_have_a_password(demo_staff: Staff) -> None:
    with_password = {user.email for user in demo_staff.users if user.password_hash is not None}

    assert with_password == {login.email for login in LOGINS}
    assert {user.password_hash for user in demo_staff.users} == {f"hash of {PASSWORD}", None}
    assert len(demo_staff.users) > len(LOGINS)


@pytest.mark.parametrize("employees", [10, 250])
def test_each_demo_login_but_the_auditors_is_an_employee(today: date, employees: int) -> None:
    people = staff(employees, 1, today, str)
    names = {each.user_id: f"{each.first_name} {each.last_name}" for each in people.employees}

    assert [names.get(user.id) for user in people.users[:4]] == [
        *(user.name for user in people.users[:3]),
        None,
    ]


def test_every_department_has_its_share_of_people_and_a_head_who_is_still_there(demo_staff: Staff) -> None:
    counts = Counter(employee.department_id for employee in demo_staff.employees)
    heads = [employee for employee in demo_staff.employees if employee.job_title.startswith("Leitung")]

    assert [counts[number] for number in range(1, 9)] == pytest.approx(
        [division.share * 2.5 for division in DIVISIONS], abs=1
    )
    assert {head.department_id for head in heads} == set(range(1, 9))
    assert all(head.left_on is None for head in heads)


def test_numbers_mails_and_users_are_given_once(demo_staff: Staff) -> None:
    for values in (
        [employee.number for employee in demo_staff.employees],
        [employee.email for employee in demo_staff.employees],
        [employee.user_id for employee in demo_staff.employees if employee.user_id],
        [user.email for user in demo_staff.users],
        [user.id for user in demo_staff.users],
    ):
        assert len(values) == len(set(values))


def test_users_who_are_employees_bear_their_names_and_have_not_left(demo_staff: Staff) -> None:
    users = {user.id: user for user in demo_staff.users}

    for employee in demo_staff.employees:
        if employee.user_id is not None:
            assert users[employee.user_id].name == f"{employee.first_name} {employee.last_name}"
            assert employee.left_on is None


def test_nobody_leaves_before_being_hired_or_in_the_future(demo_staff: Staff, today: date) -> None:
    for employee in demo_staff.employees:
        assert employee.hired_on < today
        assert employee.left_on is None or employee.hired_on < employee.left_on < today


def test_salaries_are_those_of_a_german_company(demo_staff: Staff) -> None:
    full_time = [each.salary_cents for each in demo_staff.employees if each.weekly_minutes == 2_400]

    assert 350_000 < sum(full_time) / len(full_time) < 450_000
    assert min(full_time) >= 112_000


def test_bookkeepers_are_clerks_and_managers(demo_staff: Staff) -> None:
    assert {user.role for user in demo_staff.bookkeepers} == {"clerk", "manager"}
