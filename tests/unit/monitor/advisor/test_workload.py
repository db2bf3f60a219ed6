"""The slowest parameters, an even sample of the others, and values that are always the same."""

from __future__ import annotations

from collections import Counter

from steinmetz.monitor.advisor.workload import PARAMETER_SETS_KEPT, SAMPLES_KEPT, ParameterSet, Query, Workload
from steinmetz.sql.facts import Verb


def made(verb: Verb = Verb.SELECT, calls: int = 1) -> Query:
    return Query("f", "name", "SELECT ?", verb, frozenset({"orders"}), calls)


def test_the_slowest_are_kept_slowest_first() -> None:
    query = made()
    for duration in (3, 9, 1, 7, 5, 8, 2):
        query.offer(duration, (duration,))
    assert [each.duration_ns for each in query.parameter_sets] == [9, 8, 7, 5, 3]
    assert len(query.parameter_sets) == PARAMETER_SETS_KEPT


def test_equal_values_are_kept_once_and_counted() -> None:
    query = made()
    query.offer(5, (1,))
    query.offer(9, (1,), runs=64)
    (kept,) = query.parameter_sets
    assert (kept.duration_ns, kept.seen) == (9, 65)


def test_fast_runs_are_sampled_evenly() -> None:
    seen: Counter[int] = Counter()
    for start in range(200):
        query = made()
        for number in range(PARAMETER_SETS_KEPT):
            query.offer(10**9, ("slow", number))
        query.offered = start  # another stretch of the chances
        for number in range(30):
            query.offer(1, (number,), sampled=True)
        assert len(query.samples) == SAMPLES_KEPT
        seen.update(each.values[0] // 10 for each in query.samples)
    assert all(count > 60 for count in (seen[0], seen[1], seen[2]))


def test_an_in_list_of_another_length_keeps_its_own_text() -> None:
    query = made()
    query.offer(5, (1, 2), "SELECT ?, ?")
    (kept,) = query.sets()
    assert query.text_of(kept) == "SELECT ?, ?"
    assert query.text_of(ParameterSet(1, (1,))) == "SELECT ?"


def test_a_value_that_most_runs_have_is_known_with_its_share() -> None:
    query = made()
    for number in range(100):
        query.offer(1, ("open" if number != 40 else "paid", number))
    assert query.binds[0].value == "open"
    assert query.binds[0].share == 0.99
    assert query.binds[1].share < 0.5


def test_values_that_may_be_anything_are_not_watched() -> None:
    query = made()
    for _ in range(3):
        query.offer(1, (b"bytes", "x" * 100, 1.5))
    assert {use.value for use in query.binds.values()} == {None}


def test_representations_show_no_value() -> None:
    query = made()
    query.offer(1, ("DE02 1203 0000",))
    assert "DE02" not in repr(query) + repr(query.sets()) + repr(query.binds)


def test_reads_and_writes_are_told_apart() -> None:
    workload = Workload([made(calls=3), made(Verb.UPDATE, calls=2)])
    assert [query.calls for query in workload.reads] == [3]
    assert [query.calls for query in workload.writes] == [2]
    assert workload.calls == 5
    assert made().sets() == [ParameterSet(0, ())]
