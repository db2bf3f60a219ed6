"""No secret leaves the monitor: whichever way it got into a statement, none of what comes out shows it.

The cases are `leaks/ways.py`: ways x reasons x drivers. Each is run slow (the threshold is 0), tracked or outside
of any track, failing or not, and planned; then everything that leaves is searched.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, make_url, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session

from steinmetz.erp.errors import log_unexpected
from steinmetz.erp.logging import configure_logging
from steinmetz.erp.modules.system.metrics import ProcessFigures, exposition
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.analysis.window import Kind as FigureKind
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.monitor.exports.prometheus import families
from steinmetz.sql import SqlHook, hook
from tests.contract.leaks.company import CONFIGURED, NUMBER, WORD, AccessToken, Kind, Person
from tests.contract.leaks.ways import METADATA, Case, cases

CASES = list(cases())
SECRETS = (WORD.lower(), str(NUMBER), WORD.encode().hex())


def outputs(monitor: QueryMonitor) -> Iterator[tuple[str, str]]:
    """Everything that leaves the monitor, by where it leaves: what a new part shows is added here."""
    yield "/api/diagnostics/query-stats", json.dumps(monitor.query_stats())
    slow = monitor.slow_queries(500)
    yield "/api/diagnostics/slow-queries", json.dumps(slow)
    for query in slow:
        shown = monitor.slow_query(query["details"]["id"])
        yield "/api/diagnostics/slow-queries/{id}", json.dumps(shown)
        for fingerprint in _fingerprints(query["details"]):
            yield "/api/diagnostics/plans/{fingerprint}", json.dumps(monitor.plans.told(fingerprint))
            yield "a plan's representation", repr(monitor.plans.history(fingerprint))
    figures = ProcessFigures({}, 0.0, 0, (), queries=families(monitor), cache=None)
    yield "/metrics", exposition(figures).decode()
    for kind in FigureKind:
        yield f"/api/diagnostics: figures by {kind}", repr(monitor.store.figures(kind))
    yield "/api/diagnostics/patterns", repr(monitor.patterns.habits()) + repr(monitor.patterns.routes())
    for _ in range(2):
        monitor.alerts.look()
    yield "/api/diagnostics/alerts", json.dumps([alert.as_json() for alert in monitor.alerts.recent(500)])
    yield "representations", repr(vars(monitor)) + repr(monitor.slow_log) + repr(vars(monitor.plans))


def _fingerprints(details: dict[str, Any]) -> Iterator[str]:
    for shown in (details, details.get("slowest") or {}):
        if "fingerprint" in shown:
            yield shown["fingerprint"]


class Place:
    """An engine with the company's tables in it."""

    def __init__(self, engine: Engine | AsyncEngine, runner: asyncio.Runner) -> None:
        self.engine = engine
        self.hook: SqlHook = hook(engine)
        self._runner = runner

    def run(self, work: Callable[[Connection], Any]) -> Any:
        """Run ``work`` in a transaction that is rolled back."""
        if isinstance(self.engine, AsyncEngine):
            return self._runner.run(self._awaited(self.engine, work))
        with self.engine.connect() as connection:
            return work(connection)

    @staticmethod
    async def _awaited(engine: AsyncEngine, work: Callable[[Connection], Any]) -> Any:
        async with engine.connect() as connection:
            return await connection.run_sync(work)

    def make(self) -> None:
        def made(connection: Connection) -> None:
            METADATA.drop_all(connection)
            METADATA.create_all(connection)
            for table in (Person.__table__, AccessToken.__table__):
                connection.execute(insert(table), [{"id": 101}, {"id": 102}])
            connection.commit()

        self.run(made)

    def plan(self, monitor: QueryMonitor, fingerprint: str) -> None:
        with contextlib.suppress(CannotExplain, LookupError):
            if isinstance(self.engine, AsyncEngine):
                self._runner.run(monitor.plans.of(fingerprint))
            else:
                monitor.plans.of_sync(fingerprint)

    def close(self) -> None:
        if isinstance(self.engine, AsyncEngine):
            self._runner.run(self.engine.dispose())
        else:
            self.engine.dispose()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def places(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Place]]:
    folder: Path = tmp_path_factory.mktemp("leaks")
    made: dict[str, Place] = {}

    def engine_of(driver: str) -> Engine | AsyncEngine:
        if driver == "aiosqlite":
            return create_async_engine(f"sqlite+aiosqlite:///{folder}/{driver}.db")
        if driver == "asyncpg":
            url = make_url(request.getfixturevalue("module_postgres_url"))
            return create_async_engine(url.set(drivername="postgresql+asyncpg"))
        style = {} if driver == "sqlite" else {"paramstyle": driver}
        return create_engine(f"sqlite:///{folder}/{driver}.db", **style)

    def place(driver: str) -> Place:
        if driver not in made:
            made[driver] = Place(engine_of(driver), runner)
            made[driver].make()
        return made[driver]

    yield place
    for each in made.values():
        each.close()


def execute(connection: Connection, wanted: Any) -> None:
    if isinstance(wanted, str):
        connection.exec_driver_sql(wanted)
    elif isinstance(wanted, tuple) and isinstance(wanted[0], str):
        connection.exec_driver_sql(*wanted)
    elif isinstance(wanted, tuple):
        connection.execute(*wanted)
    elif callable(wanted):
        with Session(connection) as session:
            wanted(session)
    else:
        connection.execute(wanted)


def log_of(style: str, work: Callable[[], None]) -> str:
    """What is written to standard error by the application's own log."""
    written, real = io.StringIO(), sys.stderr
    sys.stderr = written
    try:
        configure_logging("debug", style)
        work()
    finally:
        sys.stderr = real
    return written.getvalue()


def find_secret(text: str) -> str | None:
    folded = text.lower()
    return next((text[max(0, at - 200) : at + 40] for secret in SECRETS if (at := folded.find(secret)) >= 0), None)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_secret_leaves(case: Case, places: Callable[[str], Place]) -> None:
    place = places(case.driver)
    monitor = QueryMonitor(slow_threshold_ms=0, sensitive=CONFIGURED)
    errors: list[Exception] = []

    def run(connection: Connection) -> None:
        execute(connection, case.make(case.kind))

    def work() -> None:
        try:
            if CASES.index(case) % 4 < 2:
                place.run(run)
            else:
                with monitor.track("the company's work"):
                    place.run(run)
        except Exception as error:
            log_unexpected(error, "1", "GET", "/")
            errors.append(error)

    style = "text" if CASES.index(case) % 2 else "json"
    monitor.attach(place.hook)
    try:
        log = log_of(style, work)
        assert bool(errors) is case.fails, errors
        slow = monitor.slow_queries(500)
        assert slow
        assert "Slow query detected" in log
        for query in slow:
            for fingerprint in _fingerprints(query["details"]):
                place.plan(monitor, fingerprint)
    finally:
        monitor.detach(place.hook)
    for error in errors:
        other_style = "json" if style == "text" else "text"
        other = log_of(other_style, partial(log_unexpected, error, "1", "GET", "/"))
        assert find_secret(other) is None
    assert find_secret(log) is None
    for where, text in outputs(monitor):
        assert find_secret(text) is None, where


def test_there_are_at_least_500_cases_and_no_two_are_alike() -> None:
    assert len(CASES) >= 500
    assert len({str(case) for case in CASES}) == len(CASES)


def test_the_search_finds_what_it_is_for() -> None:
    assert find_secret(f"... {WORD.upper()} ...")
    assert find_secret(f'"salary": {NUMBER}')
    assert find_secret("MARKER") is None


@pytest.mark.parametrize("kind", [Kind("none", None, "city", "city", "Ulm")])
def test_what_is_no_secret_is_shown(kind: Kind, places: Callable[[str], Place]) -> None:
    """The cases would all pass if nothing was ever shown."""
    for driver in ("sqlite", "named", "numeric", "aiosqlite", "asyncpg"):
        place = places(driver)
        monitor = QueryMonitor(slow_threshold_ms=0)
        monitor.attach(place.hook)
        table = Person.__table__
        place.run(lambda connection: connection.execute(select(table).where(table.c.city.in_(["Ulm", "Bonn"]))))  # noqa: B023
        place.run(lambda connection: connection.execute(insert(table), [{"city": "Ulm", "password": "x"}]))  # noqa: B023
        monitor.detach(place.hook)
        inserted, selected = (query["details"]["parameters"] for query in monitor.slow_queries(2))
        assert set(selected.values()) == {"Ulm", "Bonn"}, driver
        assert inserted["city"] == "Ulm", driver
