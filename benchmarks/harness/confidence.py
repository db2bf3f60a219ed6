"""How sure a ratio is: bootstrap intervals (Efron 1979), percentile method.

Pure: randomness comes in. Rounds, not requests, are what a machine's mood changes, so rounds are resampled first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A ratio with the bounds between which 95 % of its resamples lie."""

    value: float
    low: float
    high: float


Rounds = Sequence[Sequence[float]]
"""The samples of each round; every round has some."""


def ratio_of_medians(numerator: Rounds, denominator: Rounds, random: Random) -> Interval:
    """Median of all samples over median of all samples.

    Raises `ValueError` when a round is empty.
    """
    return _ratio(numerator, denominator, median, _resampled_median, random)


def ratio_of_means(numerator: Rounds, denominator: Rounds, random: Random) -> Interval:
    """Mean of all samples over mean of all samples; for one figure a round.

    Raises `ValueError` when a round is empty.
    """
    return _ratio(numerator, denominator, _mean, _resampled_mean, random)


def median(samples: Sequence[float]) -> float:
    return quantile(sorted(samples), 0.5)


def quantile(ordered: Sequence[float], q: float) -> float:
    """The smallest sample that at least the share ``q`` of all samples does not exceed (nearest rank)."""
    if not ordered:
        raise ValueError("no samples, no quantile")
    return ordered[max(0, min(len(ordered) - 1, -int(-q * len(ordered) // 1) - 1))]


def _ratio(
    numerator: Rounds,
    denominator: Rounds,
    statistic: Callable[[Sequence[float]], float],
    resampled: Callable[[Sequence[float], Random], float],
    random: Random,
) -> Interval:
    above = _Resampler(numerator, statistic, resampled)
    below = _Resampler(denominator, statistic, resampled)
    ratios = sorted(above.draw(random) / below.draw(random) for _ in range(RESAMPLES))
    return Interval(above.value / below.value, quantile(ratios, 0.025), quantile(ratios, 0.975))


class _Resampler:
    """Draws the statistic of a two-step resample: rounds with replacement, then samples of the pooled rounds."""

    def __init__(
        self,
        rounds: Rounds,
        statistic: Callable[[Sequence[float]], float],
        resampled: Callable[[Sequence[float], Random], float],
    ) -> None:
        if not rounds or not all(rounds):
            raise ValueError("every round needs at least one sample")
        self.rounds = rounds
        self.resampled = resampled
        self.value = statistic([sample for samples in rounds for sample in samples])
        self.pools: dict[tuple[int, ...], list[float]] = {}

    def draw(self, random: Random) -> float:
        count = len(self.rounds)
        chosen = tuple(sorted(random.randrange(count) for _ in range(count)))
        pool = self.pools.get(chosen)
        if pool is None:
            pool = self.pools[chosen] = sorted(sample for index in chosen for sample in self.rounds[index])
        return self.resampled(pool, random)


def _resampled_median(ordered: Sequence[float], random: Random) -> float:
    """The median of a resample without making it.

    The k-th of n uniform variates is Beta(k, n - k + 1) distributed, and a resample's order statistics are the
    sample's at those places.
    """
    count = len(ordered)
    rank = (count + 1) // 2
    return ordered[min(count - 1, int(random.betavariate(rank, count - rank + 1) * count))]


def _resampled_mean(samples: Sequence[float], random: Random) -> float:
    return _mean(random.choices(samples, k=len(samples)))


def _mean(samples: Sequence[float]) -> float:
    return sum(samples) / len(samples)
