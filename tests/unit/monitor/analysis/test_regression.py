"""Verdicts on durations that are known to have changed, or not to."""

from __future__ import annotations

import random
from collections import Counter
from math import exp, log, sqrt

import pytest

from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.analysis.regression import ALPHA, ENOUGH, Verdict, _tail, compare

CALLS = 2_000


def durations(generator: random.Random, sigma: float, factor: float = 1.0, calls: int = CALLS) -> Histogram:
    histogram = Histogram()
    middle = 14 + log(factor)
    for _ in range(calls):
        histogram.add(int(exp(generator.gauss(middle, sigma))))
    return histogram


def verdicts(sigma: float, factor: float, pairs: int) -> Counter[Verdict]:
    generator = random.Random(f"{sigma} {factor}")
    return Counter(
        compare(durations(generator, sigma), durations(generator, sigma, factor)).verdict for _ in range(pairs)
    )


@pytest.mark.parametrize("sigma", [0.3, 0.7])
def test_equals_raise_no_alarm(sigma: float) -> None:
    found = verdicts(sigma, 1.0, 200)
    assert found[Verdict.REGRESSED] + found[Verdict.IMPROVED] <= 2  # 1 %


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.2, Verdict.REGRESSED), (1 / 1.2, Verdict.IMPROVED)], ids=["slower", "faster"]
)
def test_a_fifth_is_found_after_2000_calls(factor: float, expected: Verdict) -> None:
    assert verdicts(0.7, factor, 100)[expected] >= 95


def test_a_heavy_tail_is_undecided() -> None:
    equals = verdicts(1.5, 1.0, 100)
    assert equals[Verdict.UNDECIDED] >= 95
    assert equals[Verdict.REGRESSED] + equals[Verdict.IMPROVED] <= 1
    assert verdicts(1.5, 1.2, 50)[Verdict.UNDECIDED] >= 25


def test_the_ratio_is_the_factor_within_its_interval() -> None:
    generator = random.Random(1)
    found = compare(durations(generator, 0.5, calls=20_000), durations(generator, 0.5, 3.0, calls=20_000))
    assert found.low < 3.0 < found.high
    assert found.ratio == pytest.approx(3.0, rel=0.05)


def test_a_slower_tail_alone_is_found() -> None:
    generator = random.Random(2)
    before, after = durations(generator, 0.3), durations(generator, 0.3, calls=1_800)
    after += durations(generator, 0.3, 5.0, calls=200)  # one in ten
    assert compare(before, after).verdict is Verdict.REGRESSED


def test_what_is_certain_but_small_is_neutral() -> None:
    generator = random.Random(3)
    found = compare(durations(generator, 0.1), durations(generator, 0.1, 1.03))
    assert found.low > 1
    assert found.verdict is Verdict.NEUTRAL


def test_few_durations_say_nothing() -> None:
    generator = random.Random(4)
    assert (
        compare(durations(generator, 0.5, calls=ENOUGH - 1), durations(generator, 0.5)).verdict is Verdict.TOO_FEW
    )
    assert compare(Histogram(), Histogram()).verdict is Verdict.TOO_FEW


def test_constant_durations_are_compared() -> None:
    before, after = Histogram(), Histogram()
    for _ in range(ENOUGH):
        before.add(1_000_000)
        after.add(2_000_000)
    assert compare(before, after).verdict is Verdict.REGRESSED
    assert compare(before, before).verdict is Verdict.NEUTRAL
    zeros = Histogram()
    for _ in range(ENOUGH):
        zeros.add(0)
    assert compare(zeros, zeros).verdict is Verdict.NEUTRAL


def test_many_comparisons_have_wider_intervals() -> None:
    generator = random.Random(5)
    before, after = durations(generator, 0.7), durations(generator, 0.7, 1.2)
    one, many = compare(before, after), compare(before, after, among=1_000)
    assert many.low < one.low < one.ratio < one.high < many.high
    assert 0 < ALPHA <= 0.01


def test_the_variance_is_that_of_the_estimate() -> None:
    generator = random.Random(6)
    tails = [_tail(durations(generator, 0.7)) for _ in range(150)]
    mean = sum(tail.level for tail in tails) / len(tails)
    seen = sqrt(sum((tail.level - mean) ** 2 for tail in tails) / (len(tails) - 1))
    told = sqrt(sum(tail.variance for tail in tails) / len(tails))
    assert told == pytest.approx(seen, rel=0.15)
