"""When a chore is due, in company time, through restarts, summer time and clocks that are set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from steinmetz.erp.kit.chores import Daily, Every, is_due, next_due
from steinmetz.erp.kit.days import midnight


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = utc("2026-03-02T11:00")


def test_what_was_never_done_is_due_at_once() -> None:
    for when in (Daily(), Every(5)):
        assert next_due(when, None, NOON) == NOON
        assert is_due(when, None, NOON)


@pytest.mark.parametrize(
    ("done_at", "due_at"),
    [
        (NOON, utc("2026-03-02T23:00")),
        (utc("2026-03-28T12:00"), utc("2026-03-28T23:00")),
        (utc("2026-03-29T12:00"), utc("2026-03-29T22:00")),  # the day that has 23 hours
        (utc("2026-10-24T22:00"), utc("2026-10-25T23:00")),  # the day that has 25
        (utc("2026-10-25T00:30"), utc("2026-10-25T23:00")),  # the hour that comes twice
    ],
)
def test_a_daily_chore_is_due_when_the_next_day_begins_in_berlin(done_at: datetime, due_at: datetime) -> None:
    assert next_due(Daily(), done_at, done_at) == due_at
    assert not is_due(Daily(), done_at, due_at - timedelta(seconds=1))
    assert is_due(Daily(), done_at, due_at)


def test_every_day_of_a_year_is_done_once_whatever_the_summer_time_does() -> None:
    now, done_at, days = utc("2026-01-01T00:00"), utc("2025-12-31T12:00"), []
    while now < utc("2027-01-01T00:00"):
        if is_due(Daily(), done_at, now):
            done_at = now
            days.append(now)
        now += timedelta(minutes=10)
    assert len(days) == len(set(days)) == 365 + 1
    assert days[0] == utc("2026-01-01T00:00")
    assert all(each == midnight(each.date() + timedelta(days=1)) for each in days[1:])


def test_after_days_of_standing_still_it_is_due_once() -> None:
    late = NOON + timedelta(days=3)
    assert next_due(Daily(), NOON, late) == late
    assert not is_due(Daily(), late, late)


def test_a_clock_that_is_set_back_over_midnight_repeats_no_day() -> None:
    done_at = utc("2026-03-02T23:00:05")
    for seconds in (6, 3_600, 20 * 3_600):
        assert not is_due(Daily(), done_at, done_at - timedelta(seconds=seconds))
    assert is_due(Daily(), done_at, utc("2026-03-03T23:00"))


def test_a_clock_that_was_years_ahead_stops_nothing() -> None:
    ahead = NOON + timedelta(days=3_650)
    assert is_due(Daily(), ahead, NOON)
    assert is_due(Every(5), ahead, NOON)


def test_every_so_many_minutes_is_due_when_they_have_passed() -> None:
    assert next_due(Every(5), NOON, NOON) == NOON + timedelta(minutes=5)
    assert not is_due(Every(5), NOON, NOON + timedelta(seconds=299))
    assert is_due(Every(5), NOON, NOON + timedelta(seconds=300))
    assert not is_due(Every(5), NOON, NOON - timedelta(hours=1))
    assert (str(Every(5)), str(Daily())) == ("every 5 min", "daily")
