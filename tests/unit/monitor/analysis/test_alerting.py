"""Alerts have hysteresis and are told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.monitor.analysis.alerting import (
    SUBJECTS_WATCHED,
    Alert,
    AlertBook,
    Budget,
    Measure,
    Measured,
    Rule,
    Severity,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULE = Rule(Measure.ERROR_RATE, raise_above=0.10, clear_below=0.05, raise_after=2, clear_after=3, at_least=10)


def reading(value: float, samples: int = 100, subject: str = "queries") -> Measured:
    return Measured(Measure.ERROR_RATE, subject, value, samples, f"{value:.0%} failed")


def steps(book: AlertBook, *values: float, samples: int = 100) -> list[str]:
    """What each reading in turn leads to: "+" raised, "-" resolved, "." nothing."""
    told = []
    for number, value in enumerate(values):
        found = book.step([reading(value, samples)], START + timedelta(seconds=number))
        told.append("." if not found else "+" if found[0].is_active else "-")
    return told


def test_an_alert_is_raised_after_readings_in_a_row_and_told_once() -> None:
    assert steps(AlertBook((RULE,)), 0.2, 0.2, 0.3, 0.9) == [".", "+", ".", "."]
    assert steps(AlertBook((RULE,)), 0.2, 0.0, 0.2, 0.0, 0.2) == ["."] * 5


def test_it_is_resolved_only_well_below_and_for_a_while() -> None:
    book = AlertBook((RULE,))
    assert steps(book, 0.2, 0.2, 0.07, 0.07, 0.07, 0.07) == [".", "+", ".", ".", ".", "."]  # between the bounds
    assert steps(book, 0.04, 0.04, 0.07, 0.04, 0.04, 0.04, 0.0) == [".", ".", ".", ".", ".", "-", "."]
    assert book.active() == []
    assert [alert.is_active for alert in book.recent(10)] == [False, True]


def test_what_is_not_measured_did_well() -> None:
    book = AlertBook((RULE,))
    steps(book, 0.2, 0.2)
    assert [len(book.step([], START)) for _ in range(3)] == [0, 0, 1]
    assert steps(AlertBook((RULE,)), 0.9, 0.9, 0.9, samples=9) == [".", ".", "."]  # too few to judge


def test_an_active_alert_shows_the_latest_value() -> None:
    book = AlertBook((RULE,))
    steps(book, 0.2, 0.2, 0.5)
    (alert,) = book.active()
    assert (alert.value, alert.message, alert.since) == (0.5, "50% failed", START + timedelta(seconds=1))
    assert alert.as_json() == {
        "id": alert.id,
        "kind": "error_rate",
        "subject": "queries",
        "severity": "warning",
        "state": "active",
        "value": 0.5,
        "threshold": 0.1,
        "message": "50% failed",
        "since": "2026-03-02T09:00:01.000Z",
        "at": "2026-03-02T09:00:02.000Z",
        "times": 1,
    }


def test_subjects_are_apart_and_bounded() -> None:
    book = AlertBook((RULE,))
    for _ in range(2):
        told = book.step([reading(0.2, subject="a"), reading(0.0, subject="b"), reading(0.3, subject="c")], START)
    assert [alert.subject for alert in told] == ["a", "c"]
    crowd = [reading(0.9, subject=str(number)) for number in range(SUBJECTS_WATCHED + 50)]
    book.step(crowd, START)
    assert book.dropped == 52  # two places are taken


def report(book: AlertBook, seconds: float = 0) -> Alert | None:
    at = START + timedelta(seconds=seconds)
    return book.report(Measure.PLAN, "invoices.list", "it got worse", at, value=3.0, threshold=1.0)


def test_what_is_reported_is_told_once_until_it_was_quiet() -> None:
    book = AlertBook((), quiet_s=60)
    first = report(book)
    assert first is not None
    assert (first.severity, first.is_active) == (Severity.CRITICAL, True)
    assert report(book, 30) is None
    assert book.active()[0].times == 2
    assert book.step([], START + timedelta(seconds=80)) == []
    (resolved,) = book.step([], START + timedelta(seconds=90))
    assert (resolved.id, resolved.is_active) == (first.id, False)
    assert report(book, 100) is not None


def test_a_rule_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="clear_below is at most raise_above"):
        Rule(Measure.P95, raise_above=1, clear_below=2)
    with pytest.raises(ValueError, match="at least 1"):
        Rule(Measure.P95, raise_above=1, clear_below=1, raise_after=0)


def test_budgets_are_read_or_refused() -> None:
    assert Budget.read({"a": {"p95": 5}, "b": {"p95": 5, "p99": 9}}) == {"a": Budget(5), "b": Budget(5, 9)}
    for wrong in ({"a": {}}, {"a": {"p90": 1.0}}, {"a": {"p95": 0.0}}):
        with pytest.raises(ValueError, match="the budget of 'a'"):
            Budget.read(wrong)


@settings(max_examples=300, derandomize=True)
@given(st.lists(st.floats(0, 1), max_size=60))
def test_raised_and_resolved_take_turns(values: list[float]) -> None:
    told = [mark for mark in steps(AlertBook((RULE,)), *values) if mark != "."]
    assert told == ["+", "-"] * (len(told) // 2) + ["+"] * (len(told) % 2)
