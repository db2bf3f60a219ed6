"""From figures before and after to a verdict on a change."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from steinmetz.monitor.analysis.regression import Verdict
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.changes.change import Cause, Change, Entry, Outcome, restored, shown
from steinmetz.monitor.changes.judge import History, Stretch, concerned, judge

AT = datetime(2026, 3, 2, 9, 30, 30, tzinfo=UTC)
READ = "SELECT a FROM invoices WHERE status = ?"
WRITE = "INSERT INTO invoices(a) VALUES (?)"
LATER = AT + timedelta(hours=2)


def stretch(minutes: int, middle_ms: float, count: int = 1_000, seed: int = 0) -> Stretch:
    """The minute that begins so many minutes after 09:30."""
    generator = random.Random(f"{minutes} {seed}")
    statistics = Statistics()
    for _ in range(count):
        statistics.add(int(middle_ms * 1e6 * generator.lognormvariate(0, 0.3)))
    return Stretch(AT.replace(second=0) + timedelta(minutes=minutes), 60, statistics)


def history(text: str, *stretches: Stretch, fingerprint: str = "f1") -> History:
    return History(fingerprint, text[:6], text, stretches)


CHANGE = Change("c1", AT, Cause.DDL, ddl="CREATE INDEX i ON invoices(status)", tables=("invoices",))


def test_a_change_that_helps_readers_and_costs_writers_shows_both() -> None:
    read = history(READ, stretch(-5, 10), stretch(5, 2))
    write = history(WRITE, stretch(-5, 1), stretch(5, 1.5), fingerprint="f2")
    outcome = judge(CHANGE, [read, write], LATER)
    found = {statement.fingerprint: statement for statement in outcome.statements}
    assert found["f1"].comparison.verdict is Verdict.IMPROVED
    assert found["f1"].comparison.ratio == pytest.approx(0.2, rel=0.1)
    assert found["f1"].saved_ms == pytest.approx(8_000, rel=0.1)
    assert found["f2"].comparison.verdict is Verdict.REGRESSED
    assert (found["f1"].writes, found["f2"].writes) == (False, True)
    assert outcome.verdict is Verdict.REGRESSED  # what regressed outweighs


def test_the_minute_of_the_change_and_what_is_too_far_away_belong_to_no_side() -> None:
    sides = history(
        READ, stretch(-90, 100), stretch(-5, 10), stretch(0, 500), stretch(5, 10, seed=1), stretch(70, 100)
    )
    (statement,) = judge(CHANGE, [sides], LATER).statements
    assert (statement.before.count, statement.after.count) == (1_000, 1_000)
    assert statement.comparison.verdict is Verdict.NEUTRAL


def test_a_statement_that_ran_on_one_side_only_cannot_be_compared() -> None:
    outcome = judge(CHANGE, [history(READ, stretch(-5, 10)), history(WRITE, stretch(5, 10))], LATER)
    assert outcome.statements == ()
    assert outcome.verdict is Verdict.TOO_FEW


def test_it_is_settled_when_the_hour_is_over() -> None:
    sides = [history(READ, stretch(-5, 10), stretch(5, 10, seed=1))]
    assert not judge(CHANGE, sides, AT + timedelta(minutes=59)).settled
    assert judge(CHANGE, sides, AT + timedelta(minutes=61)).settled


def test_equals_among_many_raise_no_alarm() -> None:
    many = [
        history(READ, stretch(-5, 10, 300, seed=n), stretch(5, 10, 300, seed=n), fingerprint=str(n))
        for n in range(100)
    ]
    verdicts = {statement.comparison.verdict for statement in judge(CHANGE, many, LATER).statements}
    assert verdicts <= {Verdict.NEUTRAL, Verdict.UNDECIDED}


def test_a_change_concerns_the_statements_that_name_its_tables() -> None:
    assert concerned(CHANGE, READ)
    assert not concerned(CHANGE, "SELECT * FROM customers WHERE name = 'invoices'")
    assert concerned(Change("c", AT, Cause.MARK), "SELECT 1")


def test_an_entry_survives_being_written_down() -> None:
    outcome = judge(CHANGE, [history(READ, stretch(-5, 10), stretch(5, 2))], LATER)
    for entry in (
        Entry(CHANGE, outcome),
        Entry(Change("c2", AT, Cause.MARK, "note", "me"), Outcome(Verdict.TOO_FEW)),
    ):
        told = shown(restored(orjson.loads(orjson.dumps(shown(entry)))))
        assert told == shown(entry)
