"""Statistics add up exactly, in a table that stays bounded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.monitor.analysis.statistics import OTHER, SLOWEST_KEPT, Sample, Slowest, Statistics, Table

durations = st.lists(st.integers(min_value=0, max_value=10**12), max_size=50)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def of(values: list[int]) -> Statistics:
    statistics = Statistics()
    for value in values:
        statistics.add(value, failed=value % 2 == 0, slow=value % 3 == 0)
    return statistics


def told(statistics: Statistics) -> tuple[object, ...]:
    return (
        statistics.count, statistics.errors, statistics.slow, statistics.total_ns, statistics.min_ns,
        statistics.max_ns, statistics.histogram.counts,
    )  # fmt: skip


@given(durations)
def test_count_sum_and_extremes_are_exact(values: list[int]) -> None:
    statistics = of(values)
    assert statistics.count == len(values)
    assert statistics.total_ns == sum(values)
    assert statistics.min_ns == min(values, default=0)
    assert statistics.max_ns == max(values, default=0)
    assert statistics.mean_ns == (sum(values) / len(values) if values else 0)


@given(durations, durations)
def test_merging_is_adding_all(one: list[int], other: list[int]) -> None:
    merged = of(one)
    merged.merge(of(other))
    assert told(merged) == told(of(one + other))


@given(durations.filter(bool))
def test_quantiles_stay_within_the_extremes(values: list[int]) -> None:
    statistics = of(values)
    for q in (0.0, 0.5, 0.99, 1.0):
        assert statistics.min_ns <= statistics.quantile(q) <= statistics.max_ns


def test_names_beyond_the_limit_share_one_place_and_are_counted() -> None:
    table = Table(limit=2)
    for name in ("a", "b", "c", "d", "a"):
        table.of(name).add(1)
    assert {name: statistics.count for name, statistics in table.names.items()} == {"a": 2, "b": 1, OTHER: 2}
    assert table.overflowed == 2


def test_the_slowest_samples_are_kept_slowest_first() -> None:
    slowest = Slowest()
    for duration in [*range(20), 7]:
        slowest.offer(Sample(duration, "a", NOON))
    assert [sample.duration_ns for sample in slowest.samples()] == list(range(19, 19 - SLOWEST_KEPT, -1))
    assert slowest.floor_ns == 10


@given(durations, durations)
def test_what_is_counted_at_once_is_what_is_counted_one_by_one(one: list[int], failed: list[int]) -> None:
    at_once, singly = Statistics(), Statistics()
    at_once.add_all([*one, *(~value for value in failed)])
    for value in one:
        singly.add(value)
    for value in failed:
        singly.add(value, failed=True)
    assert told(at_once) == told(singly)
    assert at_once.errors == len(failed)


def test_single_durations_are_not_counted_in_what_is_kept_dense() -> None:
    with pytest.raises(TypeError, match="merged"):
        Statistics(dense=True).add(1)


def test_tables_merge_to_one() -> None:
    one, other = Table(limit=5), Table(limit=5)
    one.of("a").add(1)
    other.of("a").add(2)
    other.of("b").add(3)
    other.offer(Sample(3, "b", NOON))
    merged = Table.merged([one, other], limit=5)
    assert {name: statistics.count for name, statistics in merged.names.items()} == {"a": 2, "b": 1}
    assert merged.slowest() == [Sample(3, "b", NOON)]
