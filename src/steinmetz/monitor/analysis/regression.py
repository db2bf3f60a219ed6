"""Whether durations have changed: two histograms in, a ratio with its confidence interval and a verdict out.

The p95 alone is a noisy thing: of 2,000 log-normal durations with sigma 0.7 its logarithm has a standard error of
0.033. What is tested is the *level of the slow tail*: the mean of the logarithms of all quantiles from `TAIL_FROM`
to `TAIL_TO`, an L-estimator around the p95. Where everything becomes slower by a factor, it changes by that
factor, as the p95 does; its standard error is a quarter smaller. The variance comes from the empirical influence
function (Serfling, Approximation Theorems of Mathematical Statistics, 1980, section 8.1), so no shape of the
distribution is assumed; where the tail is heavy, the interval is wide and the verdict is "undecided", not wrong.

Durations that follow one another are taken to be independent. Where load comes in waves they are not, and a mark
set between two waves may find a difference that no change has made.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt
from statistics import NormalDist

from steinmetz.monitor.analysis.histogram import Histogram, value_of

TAIL_FROM = 0.87
TAIL_TO = 0.99
ALPHA = 0.005
"""How often the interval may miss the truth, so that less than 1 % of comparisons of equals raise an alarm."""
WORTH_TELLING = 1.05
"""A smaller factor is neutral, however certain it is."""
SAME_WITHIN = 1.20
"""An interval within this factor of 1 is neutral; a wider one is undecided."""
ENOUGH = 200
"""Durations on each side without which nothing is said."""


class Verdict(StrEnum):
    IMPROVED = "improved"
    NEUTRAL = "neutral"
    REGRESSED = "regressed"
    UNDECIDED = "undecided"
    """The durations vary too much to tell: wait for more of them."""
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many times slower the slow tail has become: ``ratio`` and its interval from ``low`` to ``high``.

    All three are 1.0 where there are too few durations to say.
    """

    verdict: Verdict
    ratio: float
    low: float
    high: float


def compare(before: Histogram, after: Histogram, among: int = 1) -> Comparison:
    """Compare two samples of durations.

    ``among`` is the number of comparisons of which this is one: the more there are, the wider is the interval
    (Bonferroni), so that all together raise no more false alarms than one alone.
    """
    if min(before.total, after.total) < ENOUGH:
        return Comparison(Verdict.TOO_FEW, 1.0, 1.0, 1.0)
    was, now = _tail(before), _tail(after)
    change = now.level - was.level
    margin = NormalDist().inv_cdf(1 - ALPHA / 2 / max(among, 1)) * sqrt(now.variance + was.variance)
    low, high = change - margin, change + margin
    return Comparison(_verdict(change, low, high), exp(change), exp(low), exp(high))


def _verdict(change: float, low: float, high: float) -> Verdict:
    if low > 0 and change >= log(WORTH_TELLING):
        return Verdict.REGRESSED
    if high < 0 and change <= -log(WORTH_TELLING):
        return Verdict.IMPROVED
    if -log(SAME_WITHIN) < low and high < log(SAME_WITHIN):
        return Verdict.NEUTRAL
    return Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class _Tail:
    level: float
    variance: float


def _tail(histogram: Histogram) -> _Tail:
    """The level of the slow tail (logarithm of ns) and the variance of that estimate."""
    buckets = sorted((bucket, count) for bucket, count in histogram.counts.items() if count)
    total = sum(count for _, count in buckets)
    values = [log(max(value_of(bucket), 0.5)) for bucket, _ in buckets]
    shares = [count / total for _, count in buckets]
    reached = 0.0
    level = 0.0
    upto: list[float] = []
    for value, share in zip(values, shares, strict=True):
        level += value * max(0.0, min(reached + share, TAIL_TO) - max(reached, TAIL_FROM))
        reached += share
        upto.append(reached)
    width = TAIL_TO - TAIL_FROM
    # IF(x) = -sum over the steps between buckets of (1{x <= step} - F(step)) J(F(step)) (length of the step).
    steps = [
        (later - earlier) / width if TAIL_FROM <= share < TAIL_TO else 0.0
        for earlier, later, share in zip(values, values[1:], upto, strict=False)
    ]
    mean = sum(share * step for share, step in zip(upto, steps, strict=False))
    above = sum(steps)
    variance = 0.0
    for index, share in enumerate(shares):
        variance += share * (mean - above) ** 2
        above -= steps[index] if index < len(steps) else 0.0
    return _Tail(level / width, variance / total)
