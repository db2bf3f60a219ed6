"""Public holidays of the whole of Germany and the days on which the company works; pure.

Holidays of single states (Fronleichnam, Allerheiligen, ...) are workdays here: they depend on a place.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

ONE_DAY = timedelta(days=1)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    After Meeus, Jones and Butcher ("Astronomical Algorithms", chapter 8): exact for every year since 1583.
    """
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - shift + 15) % 30
    leap_years, years = divmod(of_century, 4)
    to_sunday = (32 + 2 * rest + 2 * leap_years - epact - years) % 7
    correction = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=256)
def public_holidays(year: int) -> dict[date, str]:
    """The nine days that are free everywhere in Germany, in their order, with their German names.

    The rules of today (since 1995) for every year. Callers must not change the result.
    """
    sunday = easter(year)
    return {
        date(year, 1, 1): "Neujahr",
        sunday - timedelta(days=2): "Karfreitag",
        sunday + timedelta(days=1): "Ostermontag",
        date(year, 5, 1): "Tag der Arbeit",
        sunday + timedelta(days=39): "Christi Himmelfahrt",
        sunday + timedelta(days=50): "Pfingstmontag",
        date(year, 10, 3): "Tag der Deutschen Einheit",
        date(year, 12, 25): "1. Weihnachtstag",
        date(year, 12, 26): "2. Weihnachtstag",
    }


def holiday(day: date) -> str | None:
    """The name of the public holiday on ``day``."""
    return public_holidays(day.year).get(day)


def is_workday(day: date) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < 5 and day not in public_holidays(day.year)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from ``first`` to ``last``, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def workdays(first: date, last: date) -> int:
    """How many days from ``first`` to ``last``, both included, are workdays; 0 if it ends before it begins."""
    return sum(map(is_workday, days(first, last)))
