"""How surely does before/after tell a change from chance?

Log-normal durations, 2,000 on each side: how often a change by a fifth gets its verdict (power), and how often
equals get one (false alarms). Heavier tails must end undecided rather than wrong.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from math import exp, log

from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_least, at_most
from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.analysis.regression import Verdict, compare

CALLS = 2_000
PROMISED = (0.3, 0.5, 0.7)
HEAVY = (1.0, 1.5, 2.0)
MIDDLE = 14.0
"""The logarithm of the median, about 1.2 ms."""


def run(options: Options) -> Report:
    report = Report()
    pairs = 250 if options.quick else 2_000
    power: list[float] = []
    alarms: list[float] = []
    for sigma in (*PROMISED, *HEAVY):
        options.say(f"sigma {sigma}")
        equal = _verdicts(sigma, 1.0, pairs)
        slower = _verdicts(sigma, 1.2, pairs // 2)
        faster = _verdicts(sigma, 1 / 1.2, pairs // 2)
        found = (slower[Verdict.REGRESSED] + faster[Verdict.IMPROVED]) / (pairs // 2 * 2)
        false = (equal[Verdict.REGRESSED] + equal[Verdict.IMPROVED]) / pairs
        wrong = (slower[Verdict.IMPROVED] + faster[Verdict.REGRESSED]) / (pairs // 2 * 2)
        undecided = (slower[Verdict.UNDECIDED] + faster[Verdict.UNDECIDED]) / (pairs // 2 * 2)
        report.add(f"sigma {sigma}: a fifth is found", 100 * found, "%")
        report.add(f"sigma {sigma}: a fifth is left undecided", 100 * undecided, "%")
        report.add(f"sigma {sigma}: a fifth is told the wrong way round", 100 * wrong, "%")
        report.add(f"sigma {sigma}: equals raise an alarm", 100 * false, "%")
        alarms.append(false)
        if sigma in PROMISED:
            power.append(found)
    report.add("one comparison", _cost_us(), "µs of CPU")
    report.targets.append(at_least("power at sigma <= 0.7, the least of them", 100 * min(power), 95, "%"))
    report.targets.append(
        at_most(
            "false alarms at sigma <= 0.7, the mean", 100 * sum(alarms[: len(PROMISED)]) / len(PROMISED), 1, "%"
        )
    )
    report.targets.append(
        at_most("false alarms of heavy tails, the mean", 100 * sum(alarms[len(PROMISED) :]) / len(HEAVY), 1, "%")
    )
    report.notes.append(f"{pairs:,} pairs of {CALLS:,} durations for each sigma and each kind of change")
    return report


def _verdicts(sigma: float, factor: float, pairs: int) -> Counter[Verdict]:
    generator = random.Random(f"{sigma} {factor}")
    middle = MIDDLE + log(factor)

    def durations(centre: float) -> Histogram:
        histogram = Histogram()
        for _ in range(CALLS):
            histogram.add(int(exp(generator.gauss(centre, sigma))))
        return histogram

    return Counter(compare(durations(MIDDLE), durations(middle)).verdict for _ in range(pairs))


def _cost_us() -> float:
    generator = random.Random(1)
    before, after = Histogram(), Histogram()
    for _ in range(CALLS):
        before.add(int(exp(generator.gauss(MIDDLE, 0.7))))
        after.add(int(exp(generator.gauss(MIDDLE, 0.7))))
    started_s = time.process_time()
    for _ in range(100):
        compare(before, after)
    return (time.process_time() - started_s) * 1e4
