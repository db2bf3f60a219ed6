from __future__ import annotations

from random import Random

import pytest

from benchmarks.harness.confidence import median, quantile, ratio_of_means, ratio_of_medians


def test_a_quantile_is_the_nearest_rank() -> None:
    ordered = [float(value) for value in range(1, 101)]
    assert [quantile(ordered, q) for q in (0.0, 0.01, 0.5, 0.99, 1.0)] == [1, 1, 50, 99, 100]


def test_a_median_needs_no_order() -> None:
    assert median([9.0, 1.0, 5.0]) == 5.0


def test_equal_rounds_have_a_ratio_of_one_and_no_doubt() -> None:
    found = ratio_of_means([[2.0, 2.0], [2.0]], [[2.0], [2.0]], Random(1))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_the_interval_holds_the_true_ratio_of_two_skewed_distributions() -> None:
    random = Random(7)
    slow = [[random.lognormvariate(3, 0.5) for _ in range(200)] for _ in range(3)]
    fast = [[random.lognormvariate(0, 0.5) for _ in range(200)] for _ in range(3)]
    found = ratio_of_medians(slow, fast, Random(1))
    assert found.low < 20.09 < found.high
    assert found.high / found.low < 1.5


def test_rounds_that_differ_widen_the_interval_more_than_samples_that_do() -> None:
    one = [[1.0] * 50]
    calm = ratio_of_medians([[10.0, 12.0] * 25, [10.0, 12.0] * 25], one, Random(1))
    moody = ratio_of_medians([[10.0] * 50, [20.0] * 50], one, Random(1))
    assert moody.high - moody.low > calm.high - calm.low


def test_the_same_seed_gives_the_same_interval() -> None:
    samples = [[1.0, 2.0, 3.0], [2.0, 4.0]]
    assert ratio_of_medians(samples, samples, Random(5)) == ratio_of_medians(samples, samples, Random(5))


def test_a_round_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        ratio_of_medians([[1.0], []], [[1.0]], Random(1))
