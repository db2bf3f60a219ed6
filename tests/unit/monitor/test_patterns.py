"""The patterns of a monitor, from the statement to the list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from structlog.testing import capture_logs

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.analysis.patterns import PatternKind
from steinmetz.monitor.stores.patterns import Habit
from steinmetz.sql import ScopeKind, hook, open_scope
from tests.contract.n_plus_one_corpus.schema import Customer, Invoice, fill


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        fill(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


class Watched:
    """A monitor of one engine, made with the settings of a test."""

    def __init__(self, engine: Engine) -> None:
        self.hook = hook(engine)
        self.monitor = QueryMonitor(FakeClock())

    def configure(self, **settings: Any) -> None:
        self.monitor.configure(**settings)

    def begin(self) -> None:
        self.monitor.attach(self.hook)

    def found(self, *kinds: PatternKind) -> list[Habit]:
        return self.monitor.patterns.habits(kinds)


@pytest.fixture
def watched(engine: Engine) -> Iterator[Watched]:
    watched = Watched(engine)
    yield watched
    watched.monitor.detach(watched.hook)


def look_up(connection: Connection, times: int) -> None:
    for number in range(times):
        connection.execute(text("SELECT name FROM customers WHERE id = :id"), {"id": number}).all()


class TestLoops:
    def test_are_found_when_their_scope_ends(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 5)
            assert watched.found() == []
        (habit,) = watched.found(PatternKind.N_PLUS_ONE)
        assert habit.worst.place is not None
        assert habit.worst.place.function == "look_up"
        assert habit.worst.callers[0].function.endswith("test_are_found_when_their_scope_ends")
        assert (habit.worst.count, habit.routes) == (5, ["GET /customers"])

    def test_begin_with_the_configured_repetitions(self, watched: Watched, connection: Connection) -> None:
        watched.configure(repetitions=2)
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 2)
        assert len(watched.found(PatternKind.N_PLUS_ONE)) == 1

    def test_four_are_none_by_default(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 4)
        assert watched.found() == []

    def test_one_repetition_is_refused(self, watched: Watched) -> None:
        with pytest.raises(ValueError, match="at least 2"):
            watched.configure(repetitions=1)

    def test_outside_of_any_scope_a_track_is_the_parent(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with watched.monitor.track("report"), watched.monitor.track("part"):
            look_up(connection, 6)
        (habit,) = watched.found()
        assert habit.routes == ["report"]

    def test_without_a_parent_there_is_no_loop(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        look_up(connection, 6)
        assert watched.found() == []

    def test_skipped_modules_are_not_blamed(self, watched: Watched, connection: Connection) -> None:
        watched.configure(skip=[__name__])
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 6)
        (habit,) = watched.found()
        assert habit.worst.place is None or "test_patterns" not in habit.worst.place.file

    def test_two_monitors_of_one_engine_do_not_count_twice(
        self, watched: Watched, engine: Engine, connection: Connection
    ) -> None:
        watched.begin()
        other = QueryMonitor(FakeClock())
        other.attach(hook(engine))
        with open_scope(ScopeKind.REQUEST, "GET /customers") as scope:
            look_up(connection, 4)
        other.detach(hook(engine))
        assert watched.found() == other.patterns.habits() == []
        assert scope.statements == 4

    def test_a_scope_that_has_ended_holds_nothing(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers") as scope:
            look_up(connection, 6)
        ledger: Any = scope.ledger
        assert ledger.runs == {}

    def test_no_value_is_shown(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers"):
            for number in range(6):
                statement = f"SELECT id FROM customers WHERE name = 'hunter{number}'"
                connection.execute(text(statement)).all()
        (habit,) = watched.found()
        assert "hunter" not in repr(habit)


class TestCartesianJoins:
    def test_of_expressions_by_sqlalchemy_s_linter(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        wanted = select(Customer.id, Invoice.id).limit(3)
        with open_scope(ScopeKind.REQUEST, "GET /all"), pytest.warns(match="cartesian"):
            connection.execute(wanted).all()
        (habit,) = watched.found(PatternKind.CARTESIAN_JOIN)
        assert habit.worst.subject in ("customers", "invoices")
        assert habit.worst.place is not None

    def test_of_texts_by_a_parser(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /all"):
            connection.execute(text("SELECT * FROM customers c, suppliers s WHERE c.id > 7")).all()
            connection.execute(text("SELECT * FROM customers c, notes n WHERE c.id = n.customer_id")).all()
        (habit,) = watched.found(PatternKind.CARTESIAN_JOIN)
        assert habit.worst.subject == "s"

    def test_are_looked_for_once_a_statement(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        for _ in range(3):
            with open_scope(ScopeKind.REQUEST, "GET /all"):
                connection.execute(text("SELECT * FROM tags, suppliers")).all()
        (habit,) = watched.found(PatternKind.CARTESIAN_JOIN)
        assert habit.times == 1


class TestUnboundedSelects:
    @pytest.mark.anyio
    async def test_are_told_by_the_rows_that_came(self) -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        monitor = QueryMonitor(FakeClock())
        monitor.configure(rows_from=50)
        monitor.attach(hook(engine))
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i FROM n"
        with open_scope(ScopeKind.REQUEST, "GET /numbers"):
            async with engine.connect() as connection:
                await connection.execute(text(numbers))
                await connection.execute(text(numbers + " LIMIT 55"))
        await engine.dispose()
        (habit,) = monitor.patterns.habits({PatternKind.UNBOUNDED_SELECT})
        assert habit.worst.evidence == {"rows": 60}
        assert habit.worst.place is not None
        assert habit.worst.place.function.endswith("test_are_told_by_the_rows_that_came")


class TestBudgetsAndChattyRequests:
    def test_a_chatty_request_is_told_with_its_figures(self, watched: Watched, connection: Connection) -> None:
        watched.configure(chatty_from=8)
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /a"):
            for _ in range(8):
                connection.execute(text("SELECT 1"))
        (habit,) = watched.found(PatternKind.CHATTY)
        assert (habit.worst.scope, habit.worst.count) == ("GET /a", 8)

    def test_a_route_over_its_budget_is_counted(self, watched: Watched, connection: Connection) -> None:
        watched.configure(budgets={"GET /a": 1})
        watched.begin()
        for route in ("GET /a", "GET /a", "GET /b"):
            with open_scope(ScopeKind.REQUEST, route):
                connection.execute(text("SELECT 1"))
                connection.execute(text("SELECT 2 FROM customers"))
        (habit,) = watched.found(PatternKind.OVER_BUDGET)
        assert (habit.worst.scope, habit.times, habit.worst.evidence["allowed"]) == ("GET /a", 2, 1)

    def test_statements_of_routes_are_ranked(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /a"):
            look_up(connection, 3)
        (figures,) = watched.monitor.patterns.routes()
        assert (figures.route, figures.per_request) == ("GET /a", 3)


class TestTelling:
    def test_a_habit_is_logged_once_an_hour_if_wanted(self, engine: Engine, connection: Connection) -> None:
        clock = FakeClock()
        monitor = QueryMonitor(clock)
        monitor.configure(warn=True)
        monitor.attach(hook(engine))
        structlog.reset_defaults()
        with capture_logs() as logs:
            for _ in range(2):
                with open_scope(ScopeKind.REQUEST, "GET /customers"):
                    look_up(connection, 6)
            clock.advance(3_601)
            with open_scope(ScopeKind.REQUEST, "GET /customers"):
                look_up(connection, 6)
        monitor.detach(hook(engine))
        assert [line["event"] for line in logs] == ["Query pattern found"] * 2
        assert logs[0]["pattern"] == "n-plus-one"
        assert "IN (...)" in logs[0]["remedy"]
        json.dumps(logs)

    def test_nothing_is_logged_by_default(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with capture_logs() as logs, open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 6)
        assert logs == []

    def test_an_error_of_ours_reaches_nobody(
        self, watched: Watched, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched.begin()
        monkeypatch.setattr(watched.monitor.patterns, "judge", lambda name, ledger: 1 / 0)
        with capture_logs() as logs, open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 1)
        assert [line["error"] for line in logs] == ["ZeroDivisionError"]

    def test_reset_forgets(self, watched: Watched, connection: Connection) -> None:
        watched.begin()
        with open_scope(ScopeKind.REQUEST, "GET /customers"):
            look_up(connection, 6)
        watched.monitor.reset()
        assert watched.found() == []
        assert watched.monitor.patterns.routes() == []
