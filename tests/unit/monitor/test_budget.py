"""How many statements a piece of work may need."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from steinmetz.clock import FakeClock
from steinmetz.monitor import OverBudget, QueryMonitor, assert_queries, budget
from steinmetz.monitor import budget as budget_function
from steinmetz.monitor.analysis.patterns import PatternKind
from steinmetz.monitor.budget import KINDS_KEPT
from steinmetz.sql import hook


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def monitor(engine: Engine) -> Iterator[QueryMonitor]:
    monitor, sql = QueryMonitor(FakeClock()), hook(engine)
    monitor.attach(sql)
    yield monitor
    monitor.detach(sql)


@pytest.fixture
def connection(engine: Engine, monitor: QueryMonitor) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def ask(connection: Connection, times: int) -> int:
    for number in range(times):
        connection.execute(text("SELECT :n"), {"n": number})
    return times


class TestAssertQueries:
    def test_tells_what_ran_where_with_equal_ones_folded(self, connection: Connection) -> None:
        def work() -> None:
            with assert_queries(max=3):
                ask(connection, 4)
                connection.execute(text("SELECT 1 AS one"))

        with pytest.raises(OverBudget) as raised:
            work()
        lines = str(raised.value).splitlines()
        assert lines[0] == "5 queries where at most 3 are allowed:"
        assert lines[1].startswith("  1. 4 x SELECT ?  (")
        assert lines[2].strip().startswith("tests/unit/monitor/test_budget.py:")
        assert lines[2].endswith(" in ask")
        assert lines[3].startswith("  2. SELECT ? AS one  (")

    def test_is_an_assertion(self) -> None:
        assert issubclass(OverBudget, AssertionError)

    def test_decorates_functions(self, connection: Connection) -> None:
        @assert_queries(max=2)
        def work(times: int) -> int:
            return ask(connection, times)

        assert work(2) == 2
        assert work(2) == 2  # each call has a budget of its own
        with pytest.raises(OverBudget):
            work(3)

    @pytest.mark.anyio
    async def test_decorates_coroutine_functions_and_is_an_asynchronous_block(
        self, connection: Connection
    ) -> None:
        @assert_queries(max=2)
        async def work(times: int) -> int:
            return ask(connection, times)

        assert inspect.iscoroutinefunction(work)
        assert await work(2) == 2
        with pytest.raises(OverBudget):
            await work(3)
        with pytest.raises(OverBudget):
            async with assert_queries(max=0):
                ask(connection, 1)

    def test_generators_are_refused(self) -> None:
        def rows() -> Iterator[int]:
            yield 1

        with pytest.raises(TypeError, match="generator"):
            assert_queries(max=1)(rows)

    def test_an_exception_from_inside_is_not_replaced(self, connection: Connection) -> None:
        @assert_queries(max=0)
        def work() -> None:
            ask(connection, 2)
            raise KeyError("theirs")

        with pytest.raises(KeyError):
            work()

    def test_inner_blocks_count_for_the_outer_ones(self, connection: Connection) -> None:
        with assert_queries(max=3) as outer:
            ask(connection, 1)
            with assert_queries(max=2) as inner:
                ask(connection, 2)
        assert (outer.count, inner.count) == (3, 2)

    def test_the_list_is_bounded(self, connection: Connection) -> None:
        many = KINDS_KEPT + 5

        @assert_queries(max=0)
        def work() -> None:
            for number in range(many):
                connection.exec_driver_sql(f"SELECT {number} AS c{number}")

        with pytest.raises(OverBudget, match=r"and 5 more") as raised:
            work()
        assert str(raised.value).startswith(f"{many} queries")

    def test_left_before_it_was_entered(self) -> None:
        with pytest.raises(RuntimeError, match="before it was entered"):
            assert_queries(max=1).__exit__(None, None, None)

    def test_without_a_monitor_it_refuses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules[OverBudget.__module__], "attached", {})
        with pytest.raises(RuntimeError, match="attach one"), assert_queries(max=1):
            pass


class TestBudgets:
    def test_more_is_counted_among_the_patterns(self, monitor: QueryMonitor, connection: Connection) -> None:
        @budget(queries=2)
        def list_invoices(times: int) -> int:
            return ask(connection, times)

        assert list_invoices(2) == 2
        assert monitor.patterns.habits() == []
        assert list_invoices(3) == 3
        (habit,) = monitor.patterns.habits({PatternKind.OVER_BUDGET})
        assert habit.worst.scope.endswith("list_invoices")
        assert habit.worst.evidence["allowed"] == 2

    @pytest.mark.anyio
    async def test_it_raises_where_the_monitor_is_strict(self, engine: Engine) -> None:
        monitor = QueryMonitor(FakeClock())
        monitor.configure(strict=True)
        monitor.attach(hook(engine))

        @budget(queries=1)
        async def endpoint(number: int, q: str = "") -> int:
            with engine.connect() as connection:
                return ask(connection, number)

        assert list(inspect.signature(endpoint).parameters) == ["number", "q"]
        assert await endpoint(1) == 1
        with pytest.raises(OverBudget, match="endpoint: 2 queries"):
            await endpoint(2)
        monitor.detach(hook(engine))

    def test_an_error_of_the_function_passes(self, monitor: QueryMonitor, connection: Connection) -> None:
        @budget_function(queries=0)
        def fails() -> None:
            ask(connection, 1)
            raise KeyError("theirs")

        with pytest.raises(KeyError):
            fails()
        assert monitor.patterns.habits() == []
