"""How long what is no business document is kept, and who deletes it then.

A module offers a `Retention`; `chores.py` lists them. Each runs once a day in slices of `SLICE` records, every
slice a unit of its own, so that no writer waits long. Invoices, journal entries and payments have none: they stay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from steinmetz.erp.db import Unit
from steinmetz.erp.kit.chores import Daily
from steinmetz.erp.modules.system import service as system
from steinmetz.erp.scheduler import Chore
from steinmetz.erp.settings import Settings

SLICE = 1_000
"""Records of one unit."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is deleted when it is older than a setting says."""

    name: str
    """In the plural, e.g. ``batch jobs``."""
    setting: str
    """The field of `Settings` that holds the days; 0 keeps for ever."""
    delete_before: Callable[[Unit, datetime, int], Awaitable[int]]
    """Delete at most so many of those that ended before that instant; returns how many it deleted."""
    term: str | None = None
    """For a log that the database itself guards: the name under which its triggers know the setting."""


def chore_of(retention: Retention, settings: Settings) -> Chore:
    """The daily chore of ``retention``."""
    days: int = getattr(settings, retention.setting)

    async def run(unit: Unit, now: datetime) -> int:
        if retention.term is not None:
            await system.retention.set_term(unit, retention.term, days)
        if days == 0:
            return 0
        # The triggers go by the clock of the database's machine; the day more is for what the two differ by.
        kept_days = days if retention.term is None else days + 1
        deleted = await retention.delete_before(unit, now - timedelta(days=kept_days), SLICE)
        if deleted:
            system.audit.record(unit, "retention.delete", "retention", retention.name, after={"deleted": deleted})
        return deleted

    return Chore(f"retention of {retention.name}", Daily(), run, slice_size=SLICE)
