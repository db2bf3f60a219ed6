"""When a chore is due: once a business day, or every so many minutes; pure.

What was done is known by the instant of the last success, which every process on one database shares. So a restart
repeats nothing and forgets nothing: after three days of standing still, a daily chore runs once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from steinmetz.erp.kit.days import company_date, next_midnight

WRONG_CLOCK_DAYS = 1
"""A last run further in the future than this was noted by a clock that was wrong; it counts as none."""


@dataclass(frozen=True, slots=True)
class Daily:
    """Once on each business date, as soon as it has begun for the company."""

    def __str__(self) -> str:
        return "daily"


@dataclass(frozen=True, slots=True)
class Every:
    """Whenever ``minutes`` have passed since the last success."""

    minutes: int

    def __str__(self) -> str:
        return f"every {self.minutes} min"


When = Daily | Every


def next_due(when: When, done_at: datetime | None, now: datetime) -> datetime:
    """The instant from which the chore is due; ``now`` if it is due already.

    A clock that is set back does not repeat a day that is done: only a last run that lies more than a day ahead is
    taken for the mark of a wrong clock, which would otherwise keep the chore from running for as long.
    """
    if done_at is None:
        return now
    match when:
        case Daily():
            ahead = (company_date(done_at) - company_date(now)).days
            if ahead < 0 or ahead > WRONG_CLOCK_DAYS:
                return now
            return next_midnight(done_at)
        case Every(minutes):
            pause = timedelta(minutes=minutes)
            if done_at > now + max(pause, timedelta(days=WRONG_CLOCK_DAYS)):
                return now
            return max(now, done_at + pause)


def is_due(when: When, done_at: datetime | None, now: datetime) -> bool:
    """Whether the chore, last done at ``done_at``, is due at ``now``."""
    return next_due(when, done_at, now) <= now
