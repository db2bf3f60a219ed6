"""The workload as the monitor sees it: what is kept, what it stands for, and what never gets in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, insert, select, text

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.analysis.redaction import Redaction
from steinmetz.monitor.capture import workload as recorder
from steinmetz.monitor.capture.workload import SAMPLED_EVERY, STATEMENTS, WorkloadRecorder
from steinmetz.sql import Execution, Relation, StatementFacts, Verb, hook

METADATA = MetaData()
USERS = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", String),
    Column("password_hash", String),
)


def facts(number: int = 1, verb: Verb = Verb.SELECT) -> StatementFacts:
    table = frozenset({Relation("main", "users")})
    return StatementFacts(f"{number:016x}", f"SELECT {number} FROM users WHERE id = ?", verb, table, frozenset())


def run(duration_ns: int, values: Any = (7,), number: int = 1, **more: Any) -> Execution:
    known = more.pop("facts", facts(number))
    given = {"many": False, "error": None, "rows": None, **more}
    return Execution(
        known, known.text, values, given["many"], 0, duration_ns, given["error"], None, given["rows"], "main", None
    )


def offer(recorder: WorkloadRecorder, execution: Execution) -> None:
    """As the monitor does: only what is slow, or whose turn it is."""
    recorder.skip -= 1
    if execution.execute_ns > recorder.floor_ns or recorder.skip <= 0:
        recorder.offer(execution.facts, execution)


@pytest.fixture
def kept() -> WorkloadRecorder:
    return WorkloadRecorder(Redaction())


def test_at_first_every_run_is_looked_at(kept: WorkloadRecorder) -> None:
    for number in range(10):
        offer(kept, run(1_000, (number,)))
    (query,) = kept.recorded().queries
    assert (query.calls, query.total_ns) == (10, 10_000)
    assert query.name == "select users 00000000"
    assert query.tables == {"users"}


def test_later_slow_runs_and_one_in_many_stand_for_all(
    kept: WorkloadRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LOOKED_AT_FIRST", 0)
    looked_at = 0
    for number in range(64 * 20):
        before = kept._looked_at
        offer(kept, run(2_000_000 if number % 64 == 5 else 1_000))
        looked_at += kept._looked_at - before
    (query,) = kept.recorded().queries
    assert looked_at < 64
    assert query.calls == pytest.approx(64 * 20, rel=0.06)
    assert query.total_ns == pytest.approx(20 * 2_000_000 + 63 * 20 * 1_000, rel=0.06)
    assert kept.every == SAMPLED_EVERY


def test_failed_runs_and_transactions_are_no_workload(kept: WorkloadRecorder) -> None:
    offer(kept, run(1_000, error=ValueError()))
    offer(kept, run(1_000, facts=facts(2, Verb.TRANSACTION)))
    offer(kept, run(1_000, facts=facts(3, Verb.DDL)))
    assert len(kept) == 0


def test_rows_of_writes_are_counted_with_all_their_sets(kept: WorkloadRecorder) -> None:
    write = facts(4, Verb.INSERT)
    offer(kept, run(1_000, [(1,), (2,), (3,)], facts=write, many=True))
    offer(kept, run(1_000, (4,), facts=write, rows=1))
    (query,) = kept.recorded().queries
    assert (query.calls, query.rows) == (2, 4)
    assert [each.values for each in query.sets()] == [(1,), (4,)]


def test_statements_are_bounded_and_the_heaviest_stay(kept: WorkloadRecorder) -> None:
    for number in range(STATEMENTS):
        offer(kept, run(10_000 + number, number=number))
    offer(kept, run(5, number=9_000))
    assert len(kept) == STATEMENTS
    offer(kept, run(50_000, number=9_001))
    assert len(kept) == STATEMENTS
    workload = kept.recorded()
    assert workload.dropped == 2
    assert workload.queries[0].fingerprint == f"{9_001:016x}"
    assert f"{0:016x}" not in {query.fingerprint for query in workload.queries}


def test_large_parameters_are_not_kept_and_counted(
    kept: WorkloadRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(kept, run(1_000, ("x" * 20_000,)))
    monkeypatch.setattr(recorder, "TOTAL_BYTES", 600)
    for number in range(5):
        offer(kept, run(1_000, ("y" * 100, number)))
    (query,) = kept.recorded().queries
    assert query.calls == 6
    assert len(query.sets()) == 2
    assert kept.sets_dropped == 4


def test_what_was_recorded_does_not_change_any_more(kept: WorkloadRecorder) -> None:
    offer(kept, run(1_000))
    workload = kept.recorded()
    offer(kept, run(9_000, (8,)))
    assert workload.calls == 1
    assert [each.values for each in workload.queries[0].sets()] == [(7,)]
    kept.clear()
    assert len(kept) == 0


class TestOnAnEngine:
    @pytest.fixture
    def engine(self) -> Iterator[Engine]:
        engine = create_engine("sqlite://")
        METADATA.create_all(engine)
        yield engine
        engine.dispose()

    @pytest.fixture
    def monitor(self, engine: Engine) -> QueryMonitor:
        monitor = QueryMonitor(FakeClock(), sensitive=["email"])
        monitor.attach(hook(engine))
        return monitor

    def values(self, monitor: QueryMonitor) -> list[Any]:
        return [each.values for query in monitor.workload.recorded().queries for each in query.sets()]

    def test_values_of_sensitive_columns_never_get_in(self, engine: Engine, monitor: QueryMonitor) -> None:
        with engine.begin() as connection:
            connection.execute(insert(USERS), {"id": 1, "email": "ada@example.com", "password_hash": "geheim"})
            connection.execute(select(USERS).where(USERS.c.password_hash == "geheim").limit(5))
            connection.execute(
                text("SELECT id FROM users WHERE password_hash = :anything LIMIT :some"),
                {"anything": "geheim", "some": 3},
            )
        kept = self.values(monitor)
        assert "geheim" not in str(kept)
        assert "ada@example.com" not in str(kept)
        assert (1, "x" * 15, "x" * 6) in kept, "another of the same length stands in its place"
        assert ("x" * 6, 5, 0) in kept, "how many rows are wanted is kept: plans depend on it"
        assert ("x" * 6, 3) in kept

    def test_a_reset_forgets_the_workload_too(self, engine: Engine, monitor: QueryMonitor) -> None:
        with engine.connect() as connection:
            connection.execute(select(USERS))
        assert len(monitor.workload) == 1
        monitor.reset()
        assert len(monitor.workload) == 0


@pytest.mark.parametrize(
    ("statement", "places"),
    [
        ("SELECT a FROM t WHERE b = ? LIMIT ? OFFSET ?", [1, 2]),
        ("SELECT a FROM t WHERE b = '?' AND c = ? LIMIT ?", [1]),
        ("SELECT a FROM t WHERE b = $1::INT LIMIT $2::BIGINT OFFSET $3::BIGINT", [1, 2]),
        ("SELECT a FROM t WHERE b = %s LIMIT %s", [1]),
        ("SELECT a FROM t WHERE b = %(b)s LIMIT %(many)s", ["many"]),
        ("SELECT a FROM t WHERE b = :b LIMIT :many", ["many"]),
        ("SELECT a FROM t WHERE limits = ?", []),
    ],
)
def test_the_binds_of_limits_are_found(statement: str, places: list[int | str]) -> None:
    assert list(recorder._places_of_limits(statement)) == places
