"""Monday to Friday, months, and instants of a business day; pure. Public holidays are ignored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from steinmetz.erp.kit.days import midnight

ONE_DAY = timedelta(days=1)
WINDOW_MONTHS = 24
"""How far back the company's books reach."""

_midnight = lru_cache(maxsize=2_048)(midnight)


def is_workday(day: date) -> bool:
    return day.weekday() < 5


def on_or_after(day: date) -> date:
    """``day`` if it is a workday, else the next one."""
    return day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()])


def workdays_later(day: date, workdays: int) -> date:
    """The day ``workdays`` workdays after a workday."""
    weeks, rest = divmod(workdays, 5)
    over_a_weekend = 2 if day.weekday() + rest > 4 else 0
    return day + timedelta(days=7 * weeks + rest + over_a_weekend)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from ``first`` to ``last``, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def is_last_of_month(day: date) -> bool:
    return (day + ONE_DAY).day == 1


def first_workday(month: date) -> date:
    return on_or_after(month.replace(day=1))


def last_workday(month: date) -> date:
    """The last workday of the month of ``month``, when wages are paid."""
    last = (month.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY
    return last - timedelta(days=max(0, last.weekday() - 4))


def window_start(today: date) -> date:
    """The first day of the month 24 months before ``today``."""
    months = today.year * 12 + today.month - 1 - WINDOW_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def at(day: date, share: float) -> datetime:
    """An instant, in UTC, in the office hours of ``day``: ``share`` 0 is 7:30 company time, 1 is 17:30."""
    return _midnight(day) + timedelta(seconds=27_000 + int(share * 36_000))
