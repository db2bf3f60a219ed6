"""What happens because time passes: at start, and at each midnight of the company.

States that follow from the clock are set by ordinary writes, so that whoever keeps an answer hears of them as of
any other commit; nothing is "overdue" only because somebody looks.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime

import structlog

from steinmetz.clock import Clock
from steinmetz.erp import texts
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.days import company_date, next_midnight
from steinmetz.erp.kit.language import day
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.scheduler")

LONGEST_NAP_S = 30.0
"""A machine that slept through midnight, or whose clock was set, is late by this much at most."""


class Scheduler:
    """Runs what is due, once a business day."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._done: date | None = None
        self._tasks: Tasks | None = None

    async def start(self) -> None:
        """Catch up with today before anybody asks, then keep up in the background."""
        if self._tasks is None:
            self._tasks = Tasks("scheduler")
            await self._try_due()
            self._tasks.spawn("midnight", self._keep_up())

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()

    async def run_due(self, now: datetime) -> int:
        """Do what the business date of ``now`` asks for, unless it is done; returns how many records changed.

        All of it is one unit of work: a failure leaves nothing half-done, and the next call tries again.
        """
        today = company_date(now)
        if self._done == today:
            return 0
        with open_scope(ScopeKind.JOB, "overdue invoices"):
            async with self._database.unit() as unit:
                fallen = await finance.mark_overdue(unit, today)
                if fallen:
                    await _tell_of_overdue(unit, fallen, today)
        self._done = today
        if fallen:
            log.info("Invoices are overdue", count=fallen, date=today.isoformat())
        return fallen

    async def _try_due(self) -> None:
        try:
            await self.run_due(self._clock.now())
        except Exception as error:  # tried again after the next nap: a database that is down comes back
            log.warning("Scheduled work failed, it is tried again", error=repr(error), retry_after_s=LONGEST_NAP_S)

    async def _keep_up(self) -> None:
        while True:
            now = self._clock.now()
            until_midnight_s = (next_midnight(now) - now).total_seconds()
            await asyncio.sleep(min(LONGEST_NAP_S, until_midnight_s))
            await self._try_due()


async def _tell_of_overdue(unit: Unit, count: int, today: date) -> None:
    """One notice a day, however many invoices and however often the process starts."""
    await notifications.notify(
        unit,
        notifications.ToRole(Role.MANAGER),
        notifications.Level.WARNING,
        texts.OVERDUE_TITLE,
        texts.ONE_OVERDUE if count == 1 else texts.SOME_OVERDUE,
        values={"count": count, "day": lambda language: day(today, language)},
        once=f"overdue:{today.isoformat()}",
    )
