"""The histogram's promise: quantiles within 1/128 of the truth on any data."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.monitor.analysis.histogram import (
    MAX_NS,
    RELATIVE_ERROR,
    DenseHistogram,
    Histogram,
    bucket_of,
    value_of,
)

durations = st.integers(min_value=0, max_value=MAX_NS)
samples = st.lists(durations, min_size=1, max_size=300)
quantiles = st.floats(min_value=0, max_value=1)


def of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(durations)
def test_a_bucket_tells_its_durations_within_the_bound(duration: int) -> None:
    assert abs(value_of(bucket_of(duration)) - duration) <= duration * RELATIVE_ERROR


@given(samples, quantiles)
def test_every_quantile_is_within_the_bound(values: list[int], q: float) -> None:
    truth = sorted(values)[max(1, ceil(q * len(values) - 1e-9)) - 1]
    assert abs(of(values).quantile(q) - truth) <= truth * RELATIVE_ERROR


def test_the_bound_holds_at_the_edges_of_every_octave() -> None:
    for octave in range(42):
        for duration in {max(0, (1 << octave) - 1), 1 << octave, (1 << octave) + 1, (1 << octave) * 127 // 64}:
            if duration <= MAX_NS:
                assert abs(value_of(bucket_of(duration)) - duration) <= duration * RELATIVE_ERROR


def test_buckets_follow_each_other_without_gap_or_overlap() -> None:
    numbers = [bucket_of(duration) for duration in range(100_000)]
    assert set(numbers) == set(range(numbers[-1] + 1))
    assert numbers == sorted(numbers)
    assert bucket_of(MAX_NS) < 2_368


@given(samples, samples)
def test_merging_is_counting_together(one: list[int], other: list[int]) -> None:
    assert of(one) + of(other) == of(one + other) == of(other) + of(one)


@given(samples, samples)
def test_a_window_is_the_difference_of_two_moments(before: list[int], after: list[int]) -> None:
    assert of(before + after) - of(before) == of(after)


def test_what_lasts_longer_than_an_hour_shares_the_last_bucket() -> None:
    histogram = of([MAX_NS * 10, -5])
    assert histogram.total == 2
    assert abs(histogram.quantile(1) - MAX_NS) <= MAX_NS * RELATIVE_ERROR
    assert histogram.quantile(0) == 0


def test_an_empty_histogram_has_no_quantile_but_zero() -> None:
    assert Histogram().quantile(0.5) == 0


def test_a_quantile_outside_0_and_1_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Histogram().quantile(95)


@given(samples, samples)
def test_kept_dense_it_is_the_same_histogram(one: list[int], other: list[int]) -> None:
    dense = DenseHistogram()
    dense += Histogram()
    dense += of(one)
    dense += of(other)
    assert Histogram() + dense == of(one + other)
    assert dense.size_bytes <= 4 * 2_368


def test_a_dense_histogram_counts_beyond_32_bits() -> None:
    many, dense = Histogram(), DenseHistogram()
    many.counts[7] = many.counts[9] = 2**32 - 1
    for _ in range(3):
        dense += many
    assert dense.counts == {7: 3 * (2**32 - 1), 9: 3 * (2**32 - 1)}


QUANTILES = (0.0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0)
MILLION = 1_000_000
ADVERSARIAL = {
    # What breaks sketches: a far tail, two heaps, edges of buckets, all in one place, falling order, a power law.
    "a far tail": lambda n: 800_000 + n % 1_000 if n % 100 else 80_000_000 + n * 37,
    "two heaps with the median between": lambda n: 1_000 + n % 7 if n % 2 else 50_000_000_000 + n,
    "just below the edges of buckets": lambda n: ((64 + n % 64) << (n % 35)) - 1,
    "all the same": lambda n: 123_456_789,
    "ever falling": lambda n: (MILLION - n) * 1_009,
    "one in each octave": lambda n: (1 << n % 41) + n % 3,
    "a power law": lambda n: 1_000_000_000_000 // (n + 1),
}


@pytest.mark.parametrize("shape", ADVERSARIAL)
def test_percentiles_of_a_million_adversarial_samples_are_within_the_bound(shape: str) -> None:
    values = list(map(ADVERSARIAL[shape], range(MILLION)))
    histogram = Histogram()
    histogram.add_all(values)
    values.sort()
    for q in QUANTILES:
        truth = values[max(1, ceil(q * MILLION - 1e-9)) - 1]
        assert abs(histogram.quantile(q) - truth) <= truth * RELATIVE_ERROR, (q, truth)
