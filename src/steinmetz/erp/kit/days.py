"""Business days in company time: Europe/Berlin, weeks begin on Monday; pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

COMPANY_ZONE = ZoneInfo("Europe/Berlin")


def company_date(instant: datetime) -> date:
    """The business date at ``instant`` (aware)."""
    return instant.astimezone(COMPANY_ZONE).date()


def midnight(day: date) -> datetime:
    """The instant, in UTC, at which ``day`` begins for the company."""
    return datetime.combine(day, time(), COMPANY_ZONE).astimezone(UTC)


def next_midnight(instant: datetime) -> datetime:
    """The instant, in UTC, at which the next business date begins: until then "today" stays what it is."""
    return midnight(company_date(instant) + timedelta(days=1))


def week_start(day: date) -> date:
    """The Monday of the week of ``day``."""
    return day - timedelta(days=day.weekday())


def month_bounds(day: date) -> tuple[date, date]:
    """The first day of the month of ``day`` and the first day of the month after it."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
