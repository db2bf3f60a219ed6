"""Runs: the quick way and the whole way are one in what they tell."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.clock import perf_ns
from steinmetz.sql import Execution, Relation, ScopeKind, SqlHook, StatementFacts, WriteSet, hook, open_scope
from steinmetz.sql.execution import NEVER_NS, watching
from steinmetz.sql.privates import broken
from steinmetz.sql.runs import Runs

ORDERS = Table(
    "orders",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("state", String),
    Column("total", Integer),
)
BY_ID = select(ORDERS.c.total).where(ORDERS.c.id == 1)


class Meter:
    def __init__(self) -> None:
        self.added: list[int] = []
        self.insides: list[int] = []

    def add(self, duration_ns: int) -> None:
        self.added.append(duration_ns)

    def inside(self, duration_ns: int) -> None:
        self.insides.append(duration_ns)


class Ledger:
    firsts = None

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.fetches: list[int] = []
        self.ended = 0

    def note(self, facts: StatementFacts, duration_ns: int, parameters: Any, context: Any) -> None:
        assert context is not None
        self.noted.append(facts.text)

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        self.fetches.append(fetch_ns)

    def closed(self, scope: Any) -> None:
        self.ended += 1


class Observer:
    """Counts by statement, and is told of what is slow."""

    turning = None
    look_ns = NEVER_NS

    def __init__(self, slow_ns: int = NEVER_NS) -> None:
        self.seen: list[Execution] = []
        self.meters: dict[str, Meter] = {}
        self.told: list[Execution] = []
        self.ledgers: list[Ledger] = []
        self.slow = slow_ns

    def meter(self, facts: StatementFacts) -> Meter | None:
        return None if facts.verb == "transaction" else self.meters.setdefault(facts.text, Meter())

    def slow_ns(self, facts: StatementFacts) -> int:
        return self.slow

    def ran(self, execution: Execution) -> None:
        self.told.append(execution)

    def looks(self, facts: StatementFacts, duration_ns: int, rows: int | None) -> bool:
        return True

    def looked(self, execution: Execution) -> None:
        self.seen.append(execution)

    def ledger(self, scope: Any) -> Ledger:
        self.ledgers.append(Ledger())
        return self.ledgers[-1]

    @property
    def counts(self) -> dict[str, int]:
        return {text: len(meter.added) for text, meter in self.meters.items() if meter.added}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/orders.db")
    with engine.begin() as connection:
        ORDERS.metadata.create_all(connection)
        connection.execute(
            ORDERS.insert(), [{"id": number, "state": "open", "total": 1} for number in range(1, 9)]
        )
    yield engine
    engine.dispose()


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def sql(engine: Engine, observer: Observer) -> SqlHook:
    sql = hook(engine)
    sql.observe_runs(observer)
    return sql


@pytest.fixture
def whole_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that went the whole way."""
    ways: list[str] = []
    execute = Runs.execute

    def watched(self: Runs, run: Any, cursor: Any, statement: str, *rest: Any) -> None:
        ways.append(statement)
        execute(self, run, cursor, statement, *rest)

    monkeypatch.setattr(Runs, "execute", watched)
    return ways


class TestTheQuickWay:
    def test_it_is_taken_from_the_second_time_on(
        self, engine: Engine, whole_ways: list[str], observer: Observer
    ) -> None:
        hook(engine).observe_runs(observer)
        with engine.connect() as connection:
            for _ in range(4):
                connection.execute(BY_ID).all()
        assert len(whole_ways) == 1
        assert list(observer.counts.values()) == [4]

    def test_in_lists_of_any_length_are_one_statement(
        self, engine: Engine, whole_ways: list[str], observer: Observer
    ) -> None:
        hook(engine).observe_runs(observer)
        with engine.connect() as connection:
            for length in (1, 2, 5):
                ids = list(range(1, length + 1))
                assert len(connection.execute(select(ORDERS.c.id).where(ORDERS.c.id.in_(ids))).all()) == length
        assert len(whole_ways) == 1
        assert list(observer.counts.values()) == [3]

    def test_writes_take_it_while_nobody_hears_of_them(
        self, engine: Engine, whole_ways: list[str], observer: Observer
    ) -> None:
        sql = hook(engine)
        sql.observe_runs(observer)
        insert = text("UPDATE orders SET total = :total WHERE id = 1")
        told: list[WriteSet] = []

        class Hears:
            def mark(self, writes: WriteSet) -> object:
                told.append(writes)
                return None

            def bump(self, token: object) -> None:
                pass

            unmark = bump

        with engine.begin() as connection:
            for total in range(3):
                connection.execute(insert, {"total": total})
            assert len(whole_ways) == 1
            sql.observe_transactions(Hears())  # in the middle of a transaction whose writes nobody collected
        assert [writes.unknown for writes in told] == [frozenset({"main"})]
        with engine.begin() as connection:
            connection.execute(insert, {"total": 9})
        assert told[1:] == [WriteSet(frozenset({Relation("main", "orders")}))]
        assert list(observer.counts.values()) == [4]

    def test_t1_a_schema_map_is_another_statement(self, engine: Engine, sql: SqlHook) -> None:
        away = Table("orders", MetaData(), Column("id", Integer, primary_key=True), schema="away")
        statement = select(away.c.id)
        with engine.connect() as connection:
            connection.exec_driver_sql("ATTACH ':memory:' AS a1")
            connection.exec_driver_sql("CREATE TABLE a1.orders (id INTEGER PRIMARY KEY)")
            for schema, name in (("a1", "a1.orders"), ("main", "orders"), ("a1", "a1.orders"), ("main", "orders")):
                mapped = connection.execution_options(schema_translate_map={"away": schema})
                with open_scope(ScopeKind.REQUEST, schema) as scope:
                    mapped.execute(statement).all()
                assert scope.reads == {Relation("main", name)}

    def test_t1_a_change_of_the_schema_ends_what_was_known(self, engine: Engine, sql: SqlHook) -> None:
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
            with engine.begin() as other:
                other.execute(text("CREATE TABLE more (total INTEGER)"))
                other.execute(text("ALTER TABLE orders RENAME TO kept"))
                other.execute(text("CREATE VIEW orders AS SELECT 1 AS id, total FROM more"))
            with open_scope(ScopeKind.REQUEST, "afterwards") as scope:
                connection.execute(BY_ID).all()
        assert scope.reads == {Relation("main", "more")}

    def test_t1_foreign_keys_on_or_off_are_two_situations(self, engine: Engine, sql: SqlHook) -> None:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE lines (order_id INTEGER REFERENCES orders ON DELETE CASCADE)"))
        delete = text("DELETE FROM orders WHERE id = 1")
        found = []
        for state in ("OFF", "ON", "OFF"):
            with engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA foreign_keys = {state}")
                connection.rollback()
                seen: list[Execution] = []
                sql.observe_executions(seen.append)
                connection.execute(delete)
                connection.rollback()
                sql.unobserve(seen.append)
                found.append(sorted(relation.name for relation in seen[-1].facts.writes))
        assert found == [["orders"], ["lines", "orders"], ["orders"]]

    def test_t2_a_read_without_a_scope_makes_open_recordings_uncertain(self, engine: Engine, sql: SqlHook) -> None:
        def read() -> None:
            with engine.connect() as connection:
                for _ in range(3):  # the last ones by the quick way
                    connection.execute(BY_ID).all()

        read()
        with open_scope(ScopeKind.REQUEST, "GET /") as recording:
            stranger = threading.Thread(target=read)
            stranger.start()
            stranger.join()
        assert not recording.read_set().is_certain

    def test_t3_the_sql_of_a_default_is_not_its_parents(self, engine: Engine, sql: SqlHook) -> None:
        numbers = Table("numbers", MetaData(), Column("n", Integer))
        numbers.create(engine)
        kept = Table(
            "kept", MetaData(),
            Column("id", Integer, primary_key=True, default=select(text("coalesce(max(n), 0) + 1 FROM numbers"))),
            Column("total", Integer),
        )  # fmt: skip
        kept.create(engine)
        for _ in range(2):
            with open_scope(ScopeKind.REQUEST, "defaults") as scope, engine.begin() as connection:
                connection.execute(kept.insert().values(total=1))
                connection.rollback()
            assert Relation("main", "numbers") in scope.reads


class TestScopesAndWatches:
    def test_a_ledger_notes_from_the_first_statement_and_is_closed(
        self, engine: Engine, sql: SqlHook, observer: Observer
    ) -> None:
        with open_scope(ScopeKind.JOB, "billing") as scope, engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
        (ledger,) = observer.ledgers
        assert len(ledger.noted) == len(ledger.fetches) == 3
        assert ledger.ended == 1
        assert scope.statements == 3
        assert scope.db_ns >= sum(ledger.fetches) > 0

    def test_a_watch_sees_each_statement_once_and_may_keep_its_time(
        self, engine: Engine, sql: SqlHook, observer: Observer
    ) -> None:
        class Keeps:
            is_sample = True
            seen = 0

            def saw(self, facts: StatementFacts, duration_ns: int, parameters: Any, context: Any) -> None:
                self.seen += 1

            def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
                pass

        watch = Keeps()
        token = watching.set(watch)
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
        watching.reset(token)
        assert watch.seen == 3
        (meter,) = observer.meters.values()
        assert (len(meter.added), len(meter.insides)) == (0, 3)

    def test_the_monitors_own_statements_are_not_counted(
        self, engine: Engine, sql: SqlHook, observer: Observer
    ) -> None:
        with open_scope(ScopeKind.MONITOR, "monitor"), engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
        assert observer.counts == {}
        assert observer.ledgers == []

    @pytest.mark.anyio
    async def test_a_scope_survives_threads_and_task_groups(self, engine: Engine, sql: SqlHook) -> None:
        def read() -> None:
            with engine.connect() as connection:
                connection.execute(BY_ID).all()

        with open_scope(ScopeKind.REQUEST, "GET /") as scope:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(asyncio.to_thread(read))
        assert scope.statements == 3
        assert scope.read_set().is_certain


class TestWhatIsTold:
    def test_only_slow_and_failed_runs_are_told_in_full(self, engine: Engine) -> None:
        observer = Observer()
        hook(engine).observe_runs(observer)
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
            with pytest.raises(Exception, match="no such table"):
                connection.execute(text("SELECT * FROM nowhere"))
            assert [type(execution.error) for execution in observer.told] == [sqlite3.OperationalError]
            observer.slow = -1
            hook(engine).renew()
            connection.execute(BY_ID).all()
            observer.slow = NEVER_NS  # asked again after each that was told
            connection.execute(BY_ID).all()
            connection.execute(BY_ID).all()
        assert [execution.error is None for execution in observer.told] == [False, True, True]
        assert list(observer.counts.values()) == [4]
        assert observer.told[-1].duration_ns == observer.told[-1].execute_ns + observer.told[-1].fetch_ns

    def test_long_runs_are_looked_at_with_their_rows_and_still_counted(self, engine: Engine) -> None:
        observer = Observer()
        observer.look_ns = 0
        sql = hook(engine)
        sql.observe_runs(observer)
        with engine.connect() as connection:
            for _ in range(2):
                connection.execute(text("SELECT 1 UNION SELECT 2")).fetchall()
                connection.execute(text("SELECT 3")).fetchone()
        assert [execution.rows for execution in observer.seen] == [2, 1, 2, 1]
        assert observer.told == []
        assert sorted(observer.counts.values()) == [2, 2]

    def test_two_observers_both_count(self, engine: Engine) -> None:
        one, two = Observer(), Observer()
        hook(engine).observe_runs(one)
        hook(engine).observe_runs(two)
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
        assert list(one.counts.values()) == list(two.counts.values()) == [3]

    def test_meters_turn_before_they_count(self, engine: Engine) -> None:
        class Turns:
            turn_at_ns = 0
            turned = 0

            def turn(self) -> None:
                self.turned += 1
                self.turn_at_ns = NEVER_NS

        observer = Observer()
        observer.turning = turns = Turns()  # type: ignore[assignment]  # None in the others
        hook(engine).observe_runs(observer)
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(BY_ID).all()
        assert turns.turned == 1

    def test_no_listener_is_set(self, engine: Engine, sql: SqlHook) -> None:
        with engine.begin() as connection:
            connection.execute(BY_ID).all()
        assert engine._has_events is False
        assert engine.dialect._has_events is False


class TestFetches:
    @pytest.fixture
    def told(self, engine: Engine) -> list[Execution]:
        observer = Observer(slow_ns=-1)
        hook(engine).observe_runs(observer)
        return observer.told

    @pytest.mark.parametrize("runs", [1, 3])
    @pytest.mark.parametrize(
        "read",
        [
            lambda result: result.all(),
            lambda result: result.first(),
            lambda result: result.scalars().all(),
            lambda result: result.scalar(),
            lambda result: list(result),
            lambda result: [list(part) for part in result.partitions(2)],
            lambda result: list(result.yield_per(3)),
            lambda result: [result.fetchone(), result.close()],
            lambda result: [result.fetchmany(2), result.close()],
            lambda result: result.close(),
            lambda result: None,
        ],
    )
    def test_a_result_is_one_sample_however_it_is_read(
        self, engine: Engine, told: list[Execution], read: Any, runs: int
    ) -> None:
        with engine.connect() as connection:
            for run in range(1, runs + 1):
                read(connection.execute(select(ORDERS.c.id)))
                assert len(told) == run
        assert all(execution.context is not None and execution.execute_ns > 0 for execution in told)

    def test_a_result_that_only_the_collector_finds_is_counted_when_it_settles(
        self, engine: Engine, told: list[Execution]
    ) -> None:
        with engine.connect() as connection:
            knot: list[Any] = [connection.execute(select(ORDERS.c.id))]
            knot.append(knot)
            assert told == []
            del knot
            gc.collect()
            hook(engine).settle()
        assert len(told) == 1

    def test_streaming_and_server_side_options_are_timed(self, engine: Engine, told: list[Execution]) -> None:
        with engine.connect() as connection:
            for options in (
                {"stream_results": True},
                {"yield_per": 2},
                {"stream_results": True, "max_row_buffer": 3},
            ):
                rows = connection.execute(select(ORDERS.c.id), execution_options=options)
                assert [row.id for row in rows] == list(range(1, 9))
        assert len(told) == 3
        assert all(execution.fetch_ns > 0 for execution in told)

    def test_an_error_while_stepping_is_told(self, engine: Engine, told: list[Execution]) -> None:
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.create_function("broken", 1, lambda value: 1 / (value - 3))
            result = connection.execute(text("SELECT broken(id) FROM orders"))
            with pytest.raises(Exception, match="user-defined function"):
                result.all()
        assert [type(execution.error) for execution in told] == [sqlite3.OperationalError]

    def test_returning_counts_once(self, engine: Engine, told: list[Execution]) -> None:
        with engine.begin() as connection:
            connection.execute(ORDERS.insert().values(total=5))
            connection.execute(ORDERS.insert().returning(ORDERS.c.id), [{"total": 1}, {"total": 2}]).all()
            connection.execute(ORDERS.update().where(ORDERS.c.id < 3).values(total=2).returning(ORDERS.c.id)).all()
        assert len(told) == 3

    def test_what_is_told_is_within_2_percent_of_what_the_raw_cursor_took(self, tmp_path: Path) -> None:
        spent_ns = [0]

        class Stamped(sqlite3.Cursor):
            """Reads the clock around its own calls: both clocks run in one run, so load is in both."""

            def execute(self, *arguments: Any) -> sqlite3.Cursor:
                started_ns = perf_ns()
                super().execute(*arguments)
                spent_ns[0] += perf_ns() - started_ns
                return self

            def fetchall(self) -> list[Any]:
                started_ns = perf_ns()
                rows = super().fetchall()
                spent_ns[0] += perf_ns() - started_ns
                return rows

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Stamped) -> Any:
                return super().cursor(factory)

        engine = create_engine(f"sqlite:///{tmp_path}/x.db", connect_args={"factory": Connection})
        observer = Observer(slow_ns=-1)
        hook(engine).observe_runs(observer)
        query = text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
            " SELECT i FROM n WHERE i % 500 = 0"
        )
        offs = []
        with engine.connect() as connection:
            for _ in range(5):
                spent_ns[0] = 0
                connection.execute(query).all()
                execution = observer.told[-1]
                assert execution.duration_ns >= spent_ns[0]
                offs.append(execution.duration_ns / spent_ns[0] - 1)
        engine.dispose()
        assert min(offs) < 0.02
        assert any(execution.fetch_ns > execution.execute_ns for execution in observer.told)

    def test_most_of_a_query_that_steps_is_in_its_fetch(self, engine: Engine, told: list[Execution]) -> None:
        """By steps of SQLite's machine, not by time: what is counted belongs to the fetch."""
        steps: list[int] = []
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            result = connection.execute(
                text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
                     " SELECT i FROM n WHERE i % 500 = 0")
            )  # fmt: skip
            raw.set_progress_handler(lambda: steps.append(1), 1_000)
            result.all()
            raw.set_progress_handler(None, 0)
        (execution,) = told
        assert steps
        assert execution.fetch_ns > 0


@pytest.mark.anyio
class TestTheDriversThread:
    @pytest.fixture
    async def awaited(self, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db")
        async with engine.begin() as connection:
            await connection.run_sync(ORDERS.metadata.create_all)
        yield engine
        await engine.dispose()

    async def test_waiting_for_the_thread_and_the_loop_is_no_query_time(self, awaited: AsyncEngine) -> None:
        observer = Observer(slow_ns=-1)
        hook(awaited).observe_runs(observer)
        async with awaited.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            reached, gate = threading.Event(), threading.Event()

            def occupied() -> None:
                reached.set()
                gate.wait(10)

            for _ in range(2):  # the whole way, then the quick one
                reached.clear(), gate.clear()
                busy = asyncio.ensure_future(driver._execute(occupied))
                await asyncio.to_thread(reached.wait)
                query = asyncio.ensure_future(connection.execute(BY_ID))
                for _ in range(3):
                    await asyncio.sleep(0)
                gate.set()
                await busy
                (await query).all()
        # On 2.0 aiosqlite has a cursor of its own, and the time is that of whoever waits for it.
        in_its_thread = not [name for name in broken() if "aiosqlite" in name]
        assert in_its_thread or sqlalchemy.__version__.startswith("2.0.")
        for execution in observer.told:
            assert execution.execute_ns > 0
            assert (execution.driver_ns == execution.duration_ns) is in_its_thread
            assert (execution.fetch_ns > 0 and execution.lag_ns > 0) is in_its_thread

    async def test_streams_are_timed_to_their_end(self, awaited: AsyncEngine) -> None:
        observer = Observer(slow_ns=-1)
        hook(awaited).observe_runs(observer)
        async with awaited.begin() as connection:
            await connection.execute(ORDERS.insert(), [{"total": number} for number in range(20)])
            observer.told.clear()
            for _ in range(2):
                rows = await connection.stream(select(ORDERS.c.id))
                assert len([row async for row in rows]) == 20
        assert len(observer.told) == 2
        assert all(execution.fetch_ns > 0 for execution in observer.told)

    async def test_a_cancelled_statement_is_told_with_its_cancellation(self, awaited: AsyncEngine) -> None:
        observer = Observer()
        hook(awaited).observe_runs(observer)
        async with awaited.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            reached, gate = threading.Event(), threading.Event()
            await driver.create_function("wait", 0, lambda: (reached.set(), gate.wait(10))[0])
            query = asyncio.ensure_future(connection.execute(text("SELECT wait()")))
            await asyncio.to_thread(reached.wait)
            query.cancel()
            gate.set()
            with pytest.raises(asyncio.CancelledError):
                await query
        assert [type(execution.error) for execution in observer.told] == [asyncio.CancelledError]
