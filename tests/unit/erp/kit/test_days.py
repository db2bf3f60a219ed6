from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.kit.days import company_date, midnight, month_bounds, next_midnight, week_start


@pytest.mark.parametrize(
    ("instant", "day", "next_day_begins"),
    [
        ("2026-03-02T22:59:59", "2026-03-02", "2026-03-02T23:00:00"),
        ("2026-03-02T23:00:00", "2026-03-03", "2026-03-03T23:00:00"),
        ("2026-03-28T23:30:00", "2026-03-29", "2026-03-29T22:00:00"),  # the day has 23 hours
        ("2026-10-24T22:30:00", "2026-10-25", "2026-10-25T23:00:00"),  # and this one 25
    ],
)
def test_a_business_day_ends_at_midnight_in_berlin(instant: str, day: str, next_day_begins: str) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert company_date(at) == date.fromisoformat(day)
    assert next_midnight(at) == datetime.fromisoformat(next_day_begins).replace(tzinfo=UTC)


@given(st.integers(0, 90 * 366 * 86_400))
def test_every_instant_lies_in_its_day(timestamp_s: int) -> None:
    instant = datetime.fromtimestamp(timestamp_s, UTC)
    begin, end = midnight(company_date(instant)), next_midnight(instant)
    assert begin <= instant < end
    assert timedelta(hours=23) <= end - begin <= timedelta(hours=25)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_weeks_begin_on_monday_and_months_on_the_first(day: date) -> None:
    assert week_start(day).weekday() == 0
    assert 0 <= (day - week_start(day)).days <= 6
    first, following = month_bounds(day)
    assert first <= day < following
    assert (first.day, following.day) == (1, 1)
    assert 28 <= (following - first).days <= 31
