"""What a scope's ledger writes down, and what it does not keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from steinmetz.monitor.analysis.slots import Slots, slots_of
from steinmetz.monitor.capture import ledger as module
from steinmetz.monitor.capture.call_site import CallSites, Trail
from steinmetz.monitor.capture.ledger import LOOK_FROM, LOOKS, ScopeLedger
from steinmetz.sql import Execution, Scope, ScopeKind, StatementFacts, Verb, hook

LOOK_UP = text("SELECT :id AS id")


class Watching:
    """An eye that counts what it is asked."""

    def __init__(self) -> None:
        self.firsts: list[str] = []
        self.trails = 0
        self.seen: set[str] = set()
        self._sites = CallSites()

    def first(self, facts: StatementFacts, context: Any) -> None:
        self.firsts.append(facts.fingerprint)

    def trail(self) -> Trail:
        self.trails += 1
        return self._sites.trail()

    def slots(self, statement: str) -> Slots:
        return slots_of(statement)


@pytest.fixture
def eye() -> Watching:
    return Watching()


@pytest.fixture
def closed() -> list[Scope]:
    return []


@pytest.fixture
def ledger(eye: Watching, closed: list[Scope]) -> ScopeLedger:
    return ScopeLedger(lambda scope, ledger: closed.append(scope), eye)


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)"))
        yield connection
    engine.dispose()


def noting(connection: Connection, ledger: ScopeLedger) -> None:
    def note(execution: Execution) -> None:
        if execution.facts.verb is not Verb.TRANSACTION:
            ledger.note(execution.facts, execution.execute_ns, execution.parameters, execution.context)

    hook(connection.engine).observe_executions(note)


def facts(number: int) -> StatementFacts:
    return StatementFacts(f"{number:016x}", "SELECT ?", Verb.SELECT, frozenset(), frozenset())


def test_it_counts_and_adds(ledger: ScopeLedger, eye: Watching) -> None:
    for duration_ns in (5, 7):
        ledger.note(facts(1), duration_ns, (), None)
    (runs,) = ledger.runs.values()
    assert (runs.count, runs.total_ns) == (2, 12)
    assert eye.firsts == [facts(1).fingerprint]


def test_nothing_is_looked_at_before_the_threshold(
    ledger: ScopeLedger, eye: Watching, connection: Connection
) -> None:
    noting(connection, ledger)
    for number in range(LOOK_FROM - 1):
        connection.execute(text("SELECT id FROM t WHERE id = :id"), {"id": number})
    assert eye.trails == 0
    assert ledger.repeated() == []
    connection.execute(text("SELECT id FROM t WHERE id = :id"), {"id": 9})
    assert eye.trails == 1


def test_a_line_with_different_keys(ledger: ScopeLedger, connection: Connection) -> None:
    noting(connection, ledger)
    for number in range(8):
        connection.execute(text("SELECT n FROM t WHERE id = :id"), {"id": number})
    (repeated,) = ledger.repeated()
    (trodden,) = repeated.trails
    assert (repeated.count, trodden.looked, trodden.keys) == (8, 6, 6)
    assert trodden.columns == ("id",)
    # The eye and the observer are this file's, too.
    assert "test_a_line_with_different_keys" in [place.function for place in trodden.trail]


def test_looking_gets_rare(ledger: ScopeLedger, eye: Watching, connection: Connection) -> None:
    noting(connection, ledger)
    for number in range(640):
        connection.execute(text("SELECT n FROM t WHERE id = :id"), {"id": number})
    assert eye.trails == LOOKS - LOOK_FROM + 10
    assert max(len(steps.keys) for runs in ledger.runs.values() for steps in runs.trails.values()) == module.KEYS


def test_no_value_is_kept(ledger: ScopeLedger, connection: Connection) -> None:
    noting(connection, ledger)
    for number in range(8):
        connection.execute(text("SELECT n FROM t WHERE n = :secret"), {"secret": f"hunter{number}"})
    (runs,) = ledger.runs.values()
    (steps,) = runs.trails.values()
    assert steps.keys
    assert "hunter" not in repr([getattr(steps, name) for name in steps.__slots__])


def test_batches_are_not_looked_at(ledger: ScopeLedger, eye: Watching, connection: Connection) -> None:
    noting(connection, ledger)
    for start in range(0, 80, 10):
        rows = [{"n": start + number} for number in range(10)]
        connection.execute(text("INSERT INTO t (n) VALUES (:n)"), rows)
        connection.exec_driver_sql("INSERT INTO t (n) VALUES (1), (2)")
    assert eye.trails == 0


def test_in_a_job_each_transaction_begins_anew(eye: Watching, connection: Connection) -> None:
    job = ScopeLedger(lambda scope, ledger: None, eye, ScopeKind.JOB)
    noting(connection, job)
    for number in range(12):
        connection.execute(text("SELECT n FROM t WHERE id = :id"), {"id": number})
        connection.commit()
    assert [trodden.keys for repeated in job.repeated() for trodden in repeated.trails] == [1]


def test_statements_and_trails_are_bounded(
    ledger: ScopeLedger, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STATEMENTS", 3)
    monkeypatch.setattr(module, "TRAILS", 1)
    for number in range(5):
        ledger.note(facts(number), 1, (), None)
    assert len(ledger.runs) == 3
    assert ledger.dropped == 2
    ledger.runs.clear()
    noting(connection, ledger)
    for number in range(4):
        connection.execute(text("SELECT n FROM t WHERE id = :id"), {"id": number})
    connection.execute(text("SELECT n FROM t WHERE id = :id"), {"id": 9})
    assert [runs.trails_dropped for runs in ledger.runs.values()] == [1]


def test_an_error_of_ours_does_not_reach_the_statement(
    ledger: ScopeLedger, eye: Watching, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eye, "trail", lambda: 1 / 0)
    monkeypatch.setattr(eye, "first", lambda facts, context: 1 / 0)
    noting(connection, ledger)
    for number in range(4):
        connection.execute(text("SELECT n FROM t WHERE id = :id"), {"id": number})
    assert ledger.failed == 3
    assert [runs.count for runs in ledger.runs.values()] == [4]


def test_the_end_of_the_scope_is_passed_on(ledger: ScopeLedger, closed: list[Scope]) -> None:
    scope = Scope(ScopeKind.REQUEST, "GET /a")
    ledger.closed(scope)
    assert closed == [scope]
