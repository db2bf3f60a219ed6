from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.kit.workdays import days, easter, holiday, is_workday, public_holidays, workdays

some_day = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    "sunday",
    [
        date(1583, 4, 10),
        date(1818, 3, 22),  # the earliest that can be
        date(1943, 4, 25),  # the latest that can be
        date(1954, 4, 18),
        date(1981, 4, 19),
        date(2000, 4, 23),
        date(2008, 3, 23),
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
        date(2285, 3, 22),
    ],
)
def test_easter_falls_where_the_calendar_says(sunday: date) -> None:
    assert easter(sunday.year) == sunday


def full_moon_easter(year: int) -> date:
    """Easter by another way: the first Sunday after the ecclesiastical full moon (Knuth 1.3.2, exercise 14)."""
    golden = year % 19 + 1
    century = year // 100 + 1
    dropped = 3 * century // 4 - 12
    correction = (8 * century + 5) // 25 - 5
    sunday = 5 * year // 4 - dropped - 10
    epact = (11 * golden + 20 + correction - dropped) % 30
    if (epact == 25 and golden > 11) or epact == 24:
        epact += 1
    full_moon = 44 - epact
    if full_moon < 21:
        full_moon += 30
    following = full_moon + 7 - (sunday + full_moon) % 7
    return date(year, 3, 1) + timedelta(days=following - 1)


def test_two_computations_agree_on_every_easter_from_1583_to_4000() -> None:
    assert [easter(year) for year in range(1583, 4001)] == [full_moon_easter(year) for year in range(1583, 4001)]


def test_the_nine_holidays_of_2026() -> None:
    assert list(public_holidays(2026).items()) == [
        (date(2026, 1, 1), "Neujahr"),
        (date(2026, 4, 3), "Karfreitag"),
        (date(2026, 4, 6), "Ostermontag"),
        (date(2026, 5, 1), "Tag der Arbeit"),
        (date(2026, 5, 14), "Christi Himmelfahrt"),
        (date(2026, 5, 25), "Pfingstmontag"),
        (date(2026, 10, 3), "Tag der Deutschen Einheit"),
        (date(2026, 12, 25), "1. Weihnachtstag"),
        (date(2026, 12, 26), "2. Weihnachtstag"),
    ]


def test_holidays_that_move_fall_on_their_weekdays_in_every_year() -> None:
    weekdays = {"Karfreitag": 4, "Ostermontag": 0, "Christi Himmelfahrt": 3, "Pfingstmontag": 0}
    for year in range(1900, 2201):
        named = {name: day.weekday() for day, name in public_holidays(year).items() if name in weekdays}
        # In 2008 and in 1913 Ascension was on the first of May: one day, one name.
        assert named.items() <= weekdays.items()
        assert {day.year for day in public_holidays(year)} == {year}


def test_a_day_has_the_name_of_its_holiday() -> None:
    assert holiday(date(2026, 4, 3)) == "Karfreitag"
    assert holiday(date(2026, 4, 5)) is None


@given(some_day)
def test_a_workday_is_monday_to_friday_and_no_holiday(day: date) -> None:
    assert is_workday(day) == (day.isoweekday() <= 5 and holiday(day) is None)


@given(some_day, st.integers(-3, 60))
def test_workdays_are_counted_with_both_ends(first: date, more: int) -> None:
    last = first + timedelta(days=more)

    assert workdays(first, last) == len([day for day in days(first, last) if is_workday(day)])


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        (date(2026, 3, 2), date(2026, 3, 2), 1),
        (date(2026, 3, 7), date(2026, 3, 8), 0),
        (date(2026, 3, 2), date(2026, 3, 15), 10),
        (date(2026, 4, 2), date(2026, 4, 7), 2),  # Good Friday and Easter Monday lie between
        (date(2026, 12, 24), date(2027, 1, 1), 5),
        (date(2026, 3, 3), date(2026, 3, 2), 0),
        (date(2026, 1, 1), date(2026, 12, 31), 254),
    ],
)
def test_workdays_of_known_stretches(first: date, last: date, count: int) -> None:
    assert workdays(first, last) == count


def test_days_run_from_the_first_to_the_last() -> None:
    assert list(days(date(2026, 2, 28), date(2026, 3, 1))) == [date(2026, 2, 28), date(2026, 3, 1)]
    assert list(days(date(2026, 3, 1), date(2026, 2, 28))) == []
