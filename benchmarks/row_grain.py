"""How many answers does the cache keep that a cache which recomputes and compares would have kept?

The workload model (steinmetz.erp.traffic) played within one process, by twelve clerks in turn, against three
applications with a copy of one seeded company each: told of writes by tables, by rows as far as the statements
bind them, and by rows with their old and new images. Seed and clerks are the same, so the calls are. The oracle is
the traffic report's: it could have hit exactly when the bytes are those of the last answer to the same path, which
is the most that a cache which never lies can have. Stale answers are counted by the traffic's ledger.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import structlog

from benchmarks.harness.office import Door, running, survey
from benchmarks.harness.options import Options
from benchmarks.harness.product import seeded_company
from benchmarks.harness.report import Report, at_least, at_most
from steinmetz.cache.stores.base import Gone
from steinmetz.erp.main import Application
from steinmetz.erp.settings import load_settings
from steinmetz.erp.traffic.calls import Call
from steinmetz.erp.traffic.company import Company, Desk, Role, desks
from steinmetz.erp.traffic.model import OVERVIEW, Day, day
from steinmetz.erp.traffic.report import Tally
from steinmetz.sql.engine import hook
from steinmetz.sql.transaction_observer import Grain

CLERKS = 12
ROUNDS, QUICK_ROUNDS = 250, 90
"""Requests of each clerk; the first third fills the cache and is not counted."""
SIGN_IN_EVERY = 50
SHOWN = {
    Grain.TABLE: "tables",
    Grain.ROWS: "bound rows",
    Grain.IMAGES: "rows with images",
}


def run(options: Options) -> Report:
    company = seeded_company()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        offices = asyncio.run(_played(company, Path(folder), rounds, options))
    report = Report(notes=[f"{CLERKS} clerks, {rounds} requests each, one write in twenty, in turn, on SQLite"])
    for grain, office in offices.items():
        tally, name = office.tally, SHOWN[grain]
        report.add(f"{name}: hits of all reads", 100 * tally.hit_rate, "%")
        report.add(f"{name}: hits of the oracle", 100 * tally.oracle_hit_rate, "%")
        report.add(f"{name}: share of the oracle's", office.share, "%")
        report.add(f"{name}: drops", office.dropped, "answers")
        report.add(f"{name}: of them needless", office.needless, "answers")
    report.targets = [
        at_least("bound rows: share of the oracle's", offices[Grain.ROWS].share, 75, "%"),
        at_least("rows with images: share of the oracle's", offices[Grain.IMAGES].share, 90, "%"),
        *(
            at_most(f"{SHOWN[grain]}: stale answers", office.tally.ledger.stale, 0)
            for grain, office in offices.items()
        ),
    ]
    return report


@dataclass(slots=True)
class Office:
    """One application, and what its clerks saw."""

    app: Application
    doors: dict[Role, Door]
    seats: list[tuple[Desk, Day]] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    _before: tuple[int, int] = (0, 0)

    @property
    def share(self) -> float:
        """Hits in percent of the oracle's."""
        return 100 * self.tally.hit_rate / self.tally.oracle_hit_rate

    @property
    def dropped(self) -> int:
        return self._counts()[0] - self._before[0]

    @property
    def needless(self) -> int:
        return self._counts()[1] - self._before[1]

    def _counts(self) -> tuple[int, int]:
        assert self.app.state.cache is not None
        told = self.app.state.cache.stats()
        return told["letGo"].get(Gone.DROPPED, 0), told["needless"]

    def start_counting(self) -> None:
        self.tally.start_counting()
        self._before = self._counts()

    async def open(self, company: Company) -> None:
        self.tally.ledger.open((await self.doors[Role.CLERK].ask(OVERVIEW)).data)
        self.seats = [
            (desk, day(company, desk, Random(f"{place}/choices")))
            for place, desk in enumerate(desks(company, CLERKS))
        ]
        self.asked = [next(calls) for _, calls in self.seats]

    async def sign_in(self) -> None:
        for door in self.doors.values():
            await door.sign_in()

    async def turn(self, place: int) -> None:
        """One request of the clerk at ``place``."""
        desk, calls = self.seats[place]
        call, sent = self.asked[place], self.tally.ledger.now
        reply, body = await self.doors[desk.role].fetch(call)
        self.tally.take(call, reply, body, desk.role, 0.0)
        self.tally.ledger.take(call, reply, sent)
        self.asked[place] = calls.send(reply)


async def _played(company: Path, folder: Path, rounds: int, options: Options) -> dict[Grain, Office]:
    async with AsyncExitStack() as stack:
        offices = {}
        for grain in Grain:
            data = shutil.copytree(company, folder / grain)
            settings = load_settings(
                data_dir=data, rate_limit_user="off", rate_limit_address="off", monitor=False, access_log=False
            )
            app = await stack.enter_async_context(running(settings))
            hook(app.state.database.engine).grain = grain
            office = offices[grain] = Office(app, {role: Door(app, role) for role in (Role.CLERK, Role.MANAGER)})
            await office.sign_in()
            await office.open(await survey(office.doors[Role.CLERK]))
        for number, place in _turns(rounds):
            if place == 0 and number % SIGN_IN_EVERY == 0:
                options.say(f"round {number} of {rounds}")
            for office in offices.values():
                if place == 0 and number == rounds // 3:
                    office.start_counting()
                if place == 0 and number % SIGN_IN_EVERY == 0:
                    await office.sign_in()
                await office.turn(place)
        return offices


def _turns(rounds: int) -> Iterator[tuple[int, int]]:
    for number in range(rounds):
        for place in range(CLERKS):
            yield number, place
