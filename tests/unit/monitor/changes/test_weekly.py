"""The review of a week."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from steinmetz.monitor.analysis.regression import Verdict
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.changes.change import Cause, Change, Entry
from steinmetz.monitor.changes.weekly import Period, as_json, review

UNTIL = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)


def hour(name: str, days_ago: float, middle_ms: float, count: int = 500) -> Period:
    generator = random.Random(f"{name} {days_ago}")
    statistics = Statistics()
    for _ in range(count):
        taken_ns = int(middle_ms * 1e6 * generator.lognormvariate(0, 0.3))
        statistics.add(taken_ns, slow=taken_ns > 100e6)
    return Period(name, UNTIL - timedelta(days=days_ago), statistics)


def test_a_week_shows_where_time_went_what_moved_and_what_was_changed() -> None:
    hours = [
        hour("steady", 5, 10),
        hour("steady", 0.5, 10, 501),
        hour("worse", 5, 20),
        hour("worse", 0.5, 60),
        hour("better", 3, 8),
        hour("better", 0.2, 2),
        hour("new", 0.3, 1),
        hour("too old", 8, 900),
    ]
    changes = [
        Entry(Change("b", UNTIL - timedelta(days=1), Cause.MARK, "in the week")),
        Entry(Change("a", UNTIL - timedelta(days=9), Cause.MARK, "before it")),
    ]
    found = review(hours, changes, SINCE, UNTIL)
    assert [each.name for each in found.names] == ["worse", "steady", "better", "new"]
    assert [each.name for each in found.names if each.is_new] == ["new"]
    assert [(each.name, each.comparison.verdict) for each in found.moved] == [
        ("better", Verdict.IMPROVED),
        ("worse", Verdict.REGRESSED),
    ]
    assert found.queries == 3_501
    assert round(sum(each.share for each in found.names), 6) == 1
    assert found.slow > 0
    assert [entry.change.id for entry in found.changes] == ["b"]
    told = as_json(found)
    assert told["moved"][1]["lastDay"] == "regressed"
    assert told["names"][0]["share"] > 0.7


def test_a_week_without_queries_is_empty() -> None:
    found = review([], [], SINCE, UNTIL)
    assert (found.queries, found.names, found.moved, found.changes) == (0, (), (), ())


def test_on_the_first_day_nothing_is_new() -> None:
    assert [each.is_new for each in review([hour("a", 0.5, 1)], [], SINCE, UNTIL).names] == [False]
