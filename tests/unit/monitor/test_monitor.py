"""The query monitor, seen by its users."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor, assert_queries, query_monitor
from steinmetz.monitor.analysis.redaction import HIDDEN
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.monitor import LOOP_LAG, NAMES_REMEMBERED, POOL_WAIT
from steinmetz.sql import Execution, ScopeKind, SqlHook, StatementFacts, Verb, hook, open_scope

FACTS = StatementFacts(
    "1a2b3c4d5e6f7a8b", "SELECT a FROM invoices WHERE id = ?", Verb.SELECT, frozenset(), frozenset()
)
MS = 1_000_000


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER PRIMARY KEY, token TEXT)"))
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def monitor(clock: FakeClock) -> QueryMonitor:
    return QueryMonitor(clock, slow_threshold_ms=100)


@pytest.fixture
def sql(engine: Engine, monitor: QueryMonitor) -> SqlHook:
    sql = hook(engine)
    monitor.attach(sql)
    return sql


class Source:
    """Stands in for a hook where the durations matter."""

    oracle = None

    def __init__(self, monitor: QueryMonitor) -> None:
        self.observers: list[Any] = []
        monitor.attach(self)  # type: ignore[arg-type]

    loop_lag: Any = None

    def observe_runs(self, observer: Any) -> None:
        self.observers.append(observer)

    def observe_pool(self, observer: Any) -> None:
        pass

    def observe_schema(self, observer: Any) -> None:
        pass

    def settle(self) -> None:
        pass

    def renew(self) -> None:
        pass

    def unobserve(self, observer: Any) -> None:
        self.observers = [known for known in self.observers if known != observer]

    def run(self, duration_ms: float, error: BaseException | None = None, facts: StatementFacts = FACTS) -> None:
        duration_ns = int(duration_ms * MS)
        execution = Execution(facts, facts.text, (7,), False, 0, duration_ns, error, None, None, "main", None)
        for observer in self.observers:
            observer.ran(execution)


@pytest.fixture
def source(monitor: QueryMonitor) -> Source:
    return Source(monitor)


class TestFigures:
    def test_query_stats_have_the_contracted_shape(self, monitor: QueryMonitor, source: Source) -> None:
        for duration_ms in (10, 20, 30, 101):
            source.run(duration_ms)
        stats = monitor.query_stats()
        name = "select invoices 1a2b3c4d"
        assert list(stats) == [
            "totalQueries", "slowQueries", "averageExecutionTime", "queryBreakdown", "slowestQueries", "patterns",
        ]  # fmt: skip
        assert stats["totalQueries"] == 4
        assert stats["slowQueries"] == 1
        assert stats["averageExecutionTime"] == 40.25
        breakdown = stats["queryBreakdown"]
        assert list(breakdown) == [name]
        assert list(breakdown[name]) == ["count", "avgTime", "minTime", "maxTime", "p50", "p95", "p99"]
        assert breakdown[name]["count"] == 4
        assert breakdown[name]["minTime"] == 10
        assert breakdown[name]["maxTime"] == 101
        assert breakdown[name]["p50"] == pytest.approx(20, rel=0.0079)
        assert breakdown[name]["p99"] == pytest.approx(101, rel=0.0079)
        assert stats["slowestQueries"][0] == {
            "name": name, "executionTime": 101.0, "timestamp": "2026-03-02T09:00:00.000Z",
        }  # fmt: skip
        assert [query["executionTime"] for query in stats["slowestQueries"]] == [101, 30, 20, 10]
        assert stats["patterns"] == [{"pattern": FACTS.text, "name": name, "count": 4, "avgTime": 40.25}]
        json.dumps(stats)

    def test_nothing_ran_nothing_shown(self, monitor: QueryMonitor) -> None:
        assert monitor.query_stats() == {
            "totalQueries": 0, "slowQueries": 0, "averageExecutionTime": 0.0,
            "queryBreakdown": {}, "slowestQueries": [], "patterns": [],
        }  # fmt: skip
        assert monitor.slow_queries() == []

    def test_a_window_shows_only_what_was_lately(
        self, monitor: QueryMonitor, source: Source, clock: FakeClock
    ) -> None:
        source.run(500)
        clock.advance(600)
        source.run(10)
        assert monitor.query_stats(300)["totalQueries"] == 1
        assert monitor.query_stats(300)["slowQueries"] == 0
        assert monitor.query_stats()["totalQueries"] == 2
        with pytest.raises(ValueError, match="a window lasts"):
            monitor.query_stats(10**6)

    def test_a_failed_query_is_a_sample(self, monitor: QueryMonitor, source: Source) -> None:
        source.run(10, error=OSError("gone"))
        assert monitor.query_stats()["totalQueries"] == 1

    def test_slow_queries_have_the_contracted_shape(self, monitor: QueryMonitor, source: Source) -> None:
        source.run(100)
        source.run(250.5, error=OSError("secret text of the server"))
        (query,) = monitor.slow_queries(50)
        assert list(query) == ["name", "executionTime", "threshold", "timestamp", "details"]
        assert query["executionTime"] == 250.5
        assert query["threshold"] == 100.0
        assert query["timestamp"] == "2026-03-02T09:00:00.000Z"
        assert query["details"]["parameters"] == {"1": HIDDEN}
        assert query["details"]["error"] == "OSError"
        assert "secret text" not in json.dumps(query)

    def test_a_limit_outside_1_to_500_is_refused(self, monitor: QueryMonitor) -> None:
        for limit in (0, 501):
            with pytest.raises(ValueError, match="1 to 500"):
                monitor.slow_queries(limit)

    def test_a_name_may_have_its_own_threshold(self, clock: FakeClock) -> None:
        monitor = QueryMonitor(clock, thresholds={"select invoices 1a2b3c4d": 5})
        Source(monitor).run(6)
        assert monitor.query_stats()["slowQueries"] == 1

    def test_configuring_changes_what_is_given(self, monitor: QueryMonitor, source: Source) -> None:
        monitor.configure(slow_threshold_ms=5)
        source.run(6)
        assert monitor.query_stats()["slowQueries"] == 1
        monitor.configure(clock=FakeClock())
        assert monitor.query_stats()["totalQueries"] == 0

    def test_resetting_forgets(self, monitor: QueryMonitor, source: Source) -> None:
        source.run(500)
        monitor.reset()
        assert monitor.query_stats()["totalQueries"] == 0
        assert monitor.slow_queries() == []


def test_the_warning_line_has_exactly_the_contracted_keys(monitor: QueryMonitor, source: Source) -> None:
    lines: list[str] = []

    class Lines:
        def msg(self, line: str) -> None:
            lines.append(line)

        warning = msg

    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("msg"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: Lines(),
        cache_logger_on_first_use=False,
    )
    try:
        source.run(100)
        source.run(101)
    finally:
        structlog.configure(**before)
    (line,) = lines
    fields = json.loads(line)
    assert set(fields) == {"msg", "queryName", "executionTime", "threshold", "level", "timestamp"}
    assert fields["msg"] == "Slow query detected"
    assert fields["level"] == "warning"
    assert fields["queryName"] == "select invoices 1a2b3c4d"
    assert fields["executionTime"] == 101.0
    assert fields["threshold"] == 100.0


class TestTrack:
    def test_statements_inside_a_track_are_no_samples_of_their_own(
        self, engine: Engine, monitor: QueryMonitor, sql: SqlHook
    ) -> None:
        with monitor.track("getUserById"), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            connection.execute(text("SELECT 2"))
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        stats = monitor.query_stats()
        assert stats["totalQueries"] == 2
        assert {name.split()[0]: figures["count"] for name, figures in stats["queryBreakdown"].items()} == {
            "getUserById": 1, "select": 1,
        }  # fmt: skip
        assert stats["patterns"][0]["count"] == 3

    def test_a_callable_is_tracked(self, monitor: QueryMonitor) -> None:
        assert monitor.track("getUserById", lambda: 42) == 42
        assert monitor.query_stats()["queryBreakdown"]["getUserById"]["count"] == 1

    @pytest.mark.anyio
    async def test_an_async_callable_is_tracked(self, monitor: QueryMonitor) -> None:
        async def load() -> int:
            return 42

        assert await monitor.track("getUserById", load) == 42
        async with monitor.track("getUserById"):
            pass
        assert await monitor.track("getUserById")(load)() == 42
        assert monitor.query_stats()["queryBreakdown"]["getUserById"]["count"] == 3

    def test_a_slow_track_tells_its_statements(self, engine: Engine, clock: FakeClock) -> None:
        monitor = QueryMonitor(clock, slow_threshold_ms=0)
        monitor.attach(hook(engine))

        def load() -> None:
            with engine.connect() as connection:
                connection.execute(text("SELECT id FROM invoices WHERE token = 's3cret'"))
            raise LookupError("s3cret")

        with pytest.raises(LookupError):
            monitor.track("getUserById", load)
        (query,) = monitor.slow_queries()
        assert query["name"] == "getUserById"
        assert query["details"]["statementCount"] == 1
        assert query["details"]["statements"][0]["statement"] == "SELECT id FROM invoices WHERE token = ?"
        assert query["details"]["error"] == "LookupError"
        assert "s3cret" not in json.dumps(query)


class TestAttached:
    def test_statements_are_counted_and_transaction_control_is_not(
        self, engine: Engine, monitor: QueryMonitor, sql: SqlHook
    ) -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO invoices (token) VALUES (:token)"), {"token": "s3cret"})
            with connection.begin_nested():
                connection.execute(text("SELECT count(*) FROM invoices"))
        names = sorted(name.rsplit(" ", 1)[0] for name in monitor.query_stats()["queryBreakdown"])
        assert names == ["insert invoices", "select invoices"]

    def test_details_tell_the_scope_and_keep_secrets(self, engine: Engine, clock: FakeClock) -> None:
        monitor = QueryMonitor(clock, slow_threshold_ms=0)
        monitor.attach(hook(engine))
        with open_scope(ScopeKind.REQUEST, "POST /invoices"), engine.begin() as connection:
            connection.execute(text("INSERT INTO invoices (token) VALUES (:token)"), {"token": "s3cret"})
        (query,) = monitor.slow_queries()
        assert query["details"]["scope"] == "request POST /invoices"
        assert query["details"]["rows"] == 1
        assert "s3cret" not in json.dumps(query)

    def test_attaching_twice_counts_once(self, engine: Engine, monitor: QueryMonitor, sql: SqlHook) -> None:
        monitor.attach(sql)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert monitor.query_stats()["totalQueries"] == 1
        monitor.detach(sql)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert monitor.query_stats()["totalQueries"] == 1

    def test_switched_off_it_does_nothing(self, engine: Engine) -> None:
        sql = hook(engine)
        monitor = QueryMonitor(enabled=False)
        monitor.attach(sql)
        assert sql._runs.observers == ()
        assert monitor.track("x", lambda: 1) == 1
        with monitor.track("x"), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert monitor.query_stats()["totalQueries"] == 0

    @pytest.mark.anyio
    async def test_a_query_is_not_called_slow_for_a_loop_that_was_blocked(
        self, tmp_path: Path, clock: FakeClock
    ) -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db")
        monitor = QueryMonitor(clock, slow_threshold_ms=50)
        monitor.attach(hook(engine))
        monitor.loop_lag.start()
        async with engine.connect() as connection:
            for _ in range(2):  # the whole way, then the quick one
                query = asyncio.ensure_future(connection.execute(text("SELECT 1")))
                for _ in range(3):
                    await asyncio.sleep(0)
                time.sleep(0.08)  # noqa: ASYNC251  what it takes to block a loop
                await query
        monitor.loop_lag.stop()
        await engine.dispose()
        assert monitor.query_stats()["totalQueries"] == 2
        assert monitor.slow_queries() == []
        assert monitor.waits()[LOOP_LAG].statistics.max_ns > 50 * MS

    @pytest.mark.anyio
    async def test_where_the_driver_has_no_thread_the_loops_own_blocks_are_taken_off(
        self, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("steinmetz.sql.runs.worker_time_of", lambda cursor: None)
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db")
        monitor = QueryMonitor(clock, slow_threshold_ms=0)
        sql = hook(engine, by="events")
        monitor.attach(sql)

        class Blocked:
            def within(self, start_ns: int, end_ns: int) -> int:
                return end_ns - start_ns

        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            assert len(monitor.slow_queries()) == 1
            sql.loop_lag = Blocked()
            await connection.execute(text("SELECT 1"))
        await engine.dispose()
        assert len(monitor.slow_queries()) == 1
        assert monitor.query_stats()["totalQueries"] == 2

    def test_waiting_for_the_pool_has_figures_of_its_own(
        self, engine: Engine, monitor: QueryMonitor, sql: SqlHook
    ) -> None:
        for _ in range(3):
            with engine.connect() as connection:
                connection.execute(text("SELECT 1")).all()
        assert monitor.waits()[POOL_WAIT].statistics.count == 3
        assert monitor.query_stats()["totalQueries"] == 3

    def test_a_scope_that_ends_is_a_run_of_its_route(
        self, engine: Engine, monitor: QueryMonitor, sql: SqlHook
    ) -> None:
        def work(kind: ScopeKind, name: str) -> None:
            with open_scope(kind, name), engine.connect() as connection:
                connection.execute(text("SELECT 1")).all()
                connection.execute(text("SELECT 2")).all()

        work(ScopeKind.REQUEST, "GET /invoices/{id}")
        work(ScopeKind.COMMAND, "seed")
        work(ScopeKind.ADMISSION, "sign-in")
        with pytest.raises(LookupError), open_scope(ScopeKind.REQUEST, "GET /invoices/{id}"):
            raise LookupError
        monitor.detach(sql)
        work(ScopeKind.REQUEST, "GET /later")
        routes = monitor.store.figures(Kind.ROUTE)
        assert sorted(routes) == ["GET /invoices/{id}", "command seed"]
        found = routes["GET /invoices/{id}"].statistics
        assert (found.count, found.errors, found.statements) == (2, 1, 2)
        assert found.db_ns > 0

    def test_errors_are_counted_inside_a_track_as_well(
        self, engine: Engine, monitor: QueryMonitor, sql: SqlHook
    ) -> None:
        with monitor.track("load"), engine.connect() as connection, contextlib.suppress(Exception):
            connection.execute(text("SELECT * FROM nowhere"))
        with engine.connect() as connection, contextlib.suppress(Exception):
            connection.execute(text("SELECT * FROM nowhere"))
        assert sum(found.statistics.errors for found in monitor.store.figures(Kind.STATEMENT).values()) == 2

    def test_there_is_a_monitor_for_applications_that_need_one(self) -> None:
        assert isinstance(query_monitor, QueryMonitor)


class TestBudget:
    def test_samples_are_taken_all_the_same(self, engine: Engine, monitor: QueryMonitor, sql: SqlHook) -> None:
        with assert_queries(max=2), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert monitor.query_stats()["totalQueries"] == 1

    @pytest.mark.anyio
    async def test_threads_and_tasks_count(self, engine: Engine, sql: SqlHook) -> None:
        def read() -> None:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))

        async def twice() -> None:
            with assert_queries(max=1):
                await asyncio.to_thread(read)
                await asyncio.create_task(asyncio.to_thread(read))

        with pytest.raises(AssertionError):
            await twice()


def test_the_workload_has_exact_counts_though_few_runs_are_looked_at(engine: Engine) -> None:
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=60_000)
    monitor.attach(hook(engine))
    with engine.connect() as connection:
        for number in range(500):
            connection.execute(text("SELECT token FROM invoices WHERE id = :id"), {"id": number})
    (query,) = monitor.recorded_workload().queries
    assert query.calls == 500
    assert 1 <= sum(1 for _ in query.sets()) <= 20


def test_new_figures_are_no_ground_for_older_advice(clock: FakeClock) -> None:
    monitor = QueryMonitor(clock)
    monitor.advisor.advice = SimpleNamespace()  # type: ignore[assignment]
    monitor.configure(slow_threshold_ms=5)
    assert monitor.advisor.advice is not None
    monitor.configure(clock=FakeClock())
    assert monitor.advisor.advice is None


@pytest.mark.anyio
async def test_an_advised_index_that_was_made_shows_what_it_gained(engine: Engine, clock: FakeClock) -> None:
    observed: list[tuple[str, str, float]] = []
    monitor = QueryMonitor(clock)
    monitor.advisor.advice = SimpleNamespace(observe=lambda *told: observed.append(told))  # type: ignore[assignment]
    monitor.attach(hook(engine))
    meter = monitor.store.meter(FACTS.fingerprint, "select invoices", FACTS.text)
    for _ in range(300):
        meter.add(10 * MS)
    monitor.store.turn()
    clock.advance(120)
    monitor.store.turn()
    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX by_token ON invoices (token)"))
    await monitor.changes.review()
    clock.advance(120)
    monitor.store.turn()
    for _ in range(300):
        meter.add(2 * MS)
    monitor.store.turn()
    clock.advance(60)
    monitor.store.turn()
    await monitor.changes.review()
    ((name, fingerprint, times_less),) = {told[:2]: told for told in observed}.values()
    assert (name, fingerprint) == ("by_token", FACTS.fingerprint)
    assert times_less == pytest.approx(5, rel=0.02)


@pytest.mark.anyio
async def test_ddl_that_is_rolled_back_is_no_change(engine: Engine, clock: FakeClock) -> None:
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    monitor = QueryMonitor(clock)
    monitor.attach(hook(engine))
    with engine.connect() as connection:
        connection.execute(text("CREATE INDEX undone ON invoices (token)"))
        connection.rollback()
        clock.advance(60)
        connection.execute(text("CREATE INDEX by_token ON invoices (token)"))
        connection.execute(text("CREATE TEMPORARY TABLE scratch (a INTEGER)"))
        clock.advance(5)
        committed_at = clock.now()
        connection.commit()
    monitor.detach(hook(engine))
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX by_token"))
    await monitor.changes.review()
    (entry,) = await monitor.changes.entries()
    assert (entry.change.ddl.split()[2], entry.change.tables) == ("by_token", ("invoices",))
    assert entry.change.at == committed_at


def test_ever_new_statements_that_fail_do_not_fill_the_memory(engine: Engine) -> None:
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=60_000)
    monitor.attach(hook(engine))
    with engine.connect() as connection:
        for number in range(NAMES_REMEMBERED + 50):
            with pytest.raises(OperationalError):
                connection.exec_driver_sql(f"SELECT a FROM nowhere_{number}")
    assert len(monitor._told) <= NAMES_REMEMBERED
