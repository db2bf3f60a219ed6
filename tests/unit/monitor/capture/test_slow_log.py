"""The slow log's details, their bounds, and its conduct in a storm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, create_engine, text
from structlog.testing import capture_logs

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.capture.slow_log import Allowance, error_kind
from steinmetz.sql import ScopeKind, hook, open_scope


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def monitor(clock: FakeClock) -> QueryMonitor:
    return QueryMonitor(clock, slow_threshold_ms=0)


@pytest.fixture
def engine(monitor: QueryMonitor) -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER PRIMARY KEY, status TEXT)"))
    monitor.attach(hook(engine))
    yield engine
    engine.dispose()


def run(engine: Engine, statement: str = "SELECT id FROM invoices WHERE status = :s", **values: Any) -> None:
    with engine.connect() as connection:
        connection.execute(text(statement), values or {"s": "open"})


def details(monitor: QueryMonitor) -> dict[str, Any]:
    found: dict[str, Any] = monitor.slow_queries(1)[0]["details"]
    return found


class TestDetails:
    def test_what_ran_where_and_for_whom(self, engine: Engine, monitor: QueryMonitor) -> None:
        monitor.configure(site=lambda: "app/invoices.py:12 in listed")
        with (
            open_scope(ScopeKind.REQUEST, "GET /api/invoices"),
            structlog.contextvars.bound_contextvars(request_id="r-1"),
        ):
            run(engine)
        shown = details(monitor)
        assert shown["parameters"] == {"s": "open"}
        assert shown["statement"] == "SELECT id FROM invoices WHERE status = ?"
        assert shown["scope"] == "request GET /api/invoices"
        assert shown["requestId"] == "r-1"
        assert shown["site"] == "app/invoices.py:12 in listed"
        assert shown["sets"] == 1
        assert shown["error"] is None
        assert set(shown["time"]) >= {"execute", "fetch"}
        assert shown["time"]["execute"] > 0

    def test_the_application_may_tell_the_request_itself(self, engine: Engine, monitor: QueryMonitor) -> None:
        monitor.configure(request_id=lambda: "r-2")
        run(engine)
        assert details(monitor)["requestId"] == "r-2"

    def test_a_slow_statement_within_a_track_is_shown_with_it(self, engine: Engine, monitor: QueryMonitor) -> None:
        with monitor.track("invoices.listed"):
            run(engine)
        shown = details(monitor)
        assert shown["statementCount"] == 1
        assert shown["slowest"]["parameters"] == {"s": "open"}

    def test_each_has_an_id_to_ask_for(self, engine: Engine, monitor: QueryMonitor) -> None:
        run(engine)
        run(engine)
        first, second = (query["details"]["id"] for query in monitor.slow_queries(2))
        assert first != second
        found = monitor.slow_query(second)
        assert found is not None
        assert found["details"]["id"] == second
        assert found["plans"]["statement"] == "SELECT id FROM invoices WHERE status = ?"
        assert monitor.slow_query("000000000000") is None

    def test_long_things_are_cut(self, engine: Engine, monitor: QueryMonitor) -> None:
        columns = " AND ".join(f"status = :s{n}" for n in range(500))
        with monitor.track("x" * 50):
            run(engine, f"SELECT id FROM invoices WHERE {columns}", **{f"s{n}": "ü" * 5_000 for n in range(500)})
        shown = details(monitor)
        assert len(json.dumps(shown, ensure_ascii=False).encode()) < 32_000
        assert shown["slowest"]["parameters"]["…"] == "and 160 more"  # 200 are read, 40 are shown


class TestErrors:
    def test_are_told_by_kind_and_code(self, engine: Engine, monitor: QueryMonitor) -> None:
        with pytest.raises(Exception, match="no such table"):
            run(engine, "SELECT * FROM no_table WHERE a = 'secret'")
        assert details(monitor)["error"] == "OperationalError SQLITE_ERROR"

    def test_a_code_that_is_none_is_left_out(self) -> None:
        error = OSError("gone")
        error.sqlstate = "Key (email)=(x)"  # type: ignore[attr-defined]
        assert error_kind(error) == "OSError"
        error.sqlstate = "23505"  # type: ignore[attr-defined]
        assert error_kind(error) == "OSError 23505"
        assert error_kind(None) is None


class TestStorm:
    def test_lines_are_few_and_what_is_left_out_is_said(
        self, engine: Engine, monitor: QueryMonitor, clock: FakeClock
    ) -> None:
        with capture_logs() as lines:
            for _ in range(1_000):
                run(engine)
            assert [line["event"] for line in lines] == ["Slow query detected"] * 20
            assert monitor.slow_log.left_out == 980
            clock.advance(0.1)
            run(engine)
        assert lines[20] == {"event": "Slow queries left out of the log", "count": 980, "log_level": "warning"}
        assert lines[21]["event"] == "Slow query detected"
        assert monitor.query_stats()["slowQueries"] == 1_001

    def test_beyond_a_hundred_a_second_parameters_are_spared(self, engine: Engine, monitor: QueryMonitor) -> None:
        for _ in range(150):
            run(engine)
        kept = monitor.slow_queries(150)
        assert [bool(query["details"]["parameters"]) for query in kept] == [False] * 50 + [True] * 100
        assert kept[0]["details"]["statement"] == "SELECT id FROM invoices WHERE status = ?"

    def test_an_allowance_fills_up_with_time(self, clock: FakeClock) -> None:
        allowance = Allowance(clock, 2, 4.0)
        assert [allowance.take() for _ in range(4)] == [0, 0, None, None]
        clock.advance(2)
        assert allowance.take() == 2
        assert allowance.take() is None
