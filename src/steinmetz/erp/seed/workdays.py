"""Steps from workday to workday, months, and instants of a business day; pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from steinmetz.erp.kit.days import midnight
from steinmetz.erp.kit.workdays import ONE_DAY, days, is_workday

__all__ = [
    "ONE_DAY",
    "WINDOW_MONTHS",
    "at",
    "days",
    "first_workday",
    "is_last_of_month",
    "is_workday",
    "last_workday",
    "on_or_after",
    "window_start",
    "workdays_later",
]

WINDOW_MONTHS = 24
"""How far back the company's books reach."""

_midnight = lru_cache(maxsize=2_048)(midnight)


def on_or_after(day: date) -> date:
    """``day`` if it is a workday, else the next one."""
    while not is_workday(day):
        day += ONE_DAY
    return day


def workdays_later(day: date, workdays: int) -> date:
    """The day ``workdays`` workdays after a workday."""
    for _ in range(workdays):
        day = on_or_after(day + ONE_DAY)
    return day


def is_last_of_month(day: date) -> bool:
    return (day + ONE_DAY).day == 1


def first_workday(month: date) -> date:
    return on_or_after(month.replace(day=1))


def last_workday(month: date) -> date:
    """The last workday of the month of ``month``, when wages are paid."""
    last = (month.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY
    while not is_workday(last):
        last -= ONE_DAY
    return last


def window_start(today: date) -> date:
    """The first day of the month 24 months before ``today``."""
    months = today.year * 12 + today.month - 1 - WINDOW_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def at(day: date, share: float) -> datetime:
    """An instant, in UTC, in the office hours of ``day``: ``share`` 0 is 7:30 company time, 1 is 17:30."""
    return _midnight(day) + timedelta(seconds=27_000 + int(share * 36_000))
