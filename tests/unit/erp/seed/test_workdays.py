from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.kit.days import company_date
from steinmetz.erp.seed.workdays import (
    at,
    days,
    first_workday,
    is_last_of_month,
    is_workday,
    last_workday,
    on_or_after,
    window_start,
    workdays_later,
)

some_day = st.dates(date(2020, 1, 1), date(2032, 12, 31))


@given(some_day)
def test_on_or_after_is_the_nearest_workday_ahead(day: date) -> None:
    found = on_or_after(day)

    assert is_workday(found)
    assert not any(is_workday(before) for before in days(day, found - timedelta(days=1)))


@given(some_day.map(on_or_after), st.integers(0, 40))
def test_workdays_later_counts_workdays_only(day: date, count: int) -> None:
    later = workdays_later(day, count)

    assert is_workday(later)
    assert sum(is_workday(each) for each in days(day, later)) == count + 1


@given(some_day)
def test_the_first_and_the_last_workday_lie_in_their_month(day: date) -> None:
    first, last = first_workday(day), last_workday(day)

    assert (first.year, first.month) == (last.year, last.month) == (day.year, day.month)
    assert is_workday(first)
    assert is_workday(last)
    assert not any(
        is_workday(each) and each.month == day.month
        for each in days(last + timedelta(days=1), last + timedelta(days=4))
    )


@given(some_day, st.floats(0, 0.999))
def test_an_instant_of_a_business_day_lies_on_that_day_for_the_company(day: date, share: float) -> None:
    instant = at(day, share)

    assert instant.tzinfo is UTC
    assert company_date(instant) == day


def test_office_hours_begin_at_half_past_seven_in_winter_and_in_summer() -> None:
    assert at(date(2026, 1, 15), 0) == datetime(2026, 1, 15, 6, 30, tzinfo=UTC)
    assert at(date(2026, 7, 15), 0) == datetime(2026, 7, 15, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 3, 2), date(2024, 3, 1)),
        (date(2026, 1, 31), date(2024, 1, 1)),
        (date(2024, 2, 29), date(2022, 2, 1)),
    ],
)
def test_the_window_begins_with_the_month_two_years_ago(today: date, start: date) -> None:
    assert window_start(today) == start


def test_the_last_of_february_depends_on_the_year() -> None:
    assert is_last_of_month(date(2024, 2, 29))
    assert not is_last_of_month(date(2024, 2, 28))
    assert is_last_of_month(date(2025, 2, 28))
