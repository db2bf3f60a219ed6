"""What other sketches of durations cost and how far their percentiles err; run with the Python that has them.

``python sketches.py PEER SHAPE COUNT SEED`` prints ``{"ns", "worst_percent"}``: CPU time of one add (the loop
around it included), and the largest error of the percentiles below. Standard library and the peer only.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from random import Random
from typing import Any

QUANTILES = (0.5, 0.95, 0.99, 0.999)
LARGEST_NS = 3_600_000_000_000


def usual(random: Random, count: int) -> list[int]:
    """A log-normal body around 0.8 ms, 3 % around 80 ms."""
    return [
        int(random.lognormvariate(13.6, 0.5)) if random.random() > 0.03 else int(random.gauss(80e6, 4e6))
        for _ in range(count)
    ]


def two_heaps(random: Random, count: int) -> list[int]:
    """Half around 1 ms, half around 1 min, so that the median is nowhere near a mean."""
    return [
        int(random.gauss(1e6, 1e4) if random.random() < 0.5 else random.gauss(6e10, 1e9)) for _ in range(count)
    ]


def power_law(random: Random, count: int) -> list[int]:
    """Pareto's, with so heavy a tail that it has no variance."""
    return [min(LARGEST_NS, int(1e5 * random.paretovariate(0.8))) for _ in range(count)]


SHAPES: dict[str, Callable[[Random, int], list[int]]] = {
    "usual": usual,
    "two heaps": two_heaps,
    "power law": power_law,
}


def hdr() -> tuple[Callable[[int], Any], Callable[[float], float]]:
    histogram = import_module("hdrh.histogram").HdrHistogram(1, LARGEST_NS, 2)
    return histogram.record_value, lambda q: histogram.get_value_at_percentile(q * 100)


def dd() -> tuple[Callable[[int], Any], Callable[[float], float]]:
    sketch = import_module("ddsketch").DDSketch(0.0078)
    return sketch.add, sketch.get_quantile_value


def kll() -> tuple[Callable[[int], Any], Callable[[float], float]]:
    sketch = import_module("datasketches").kll_floats_sketch(200)
    return sketch.update, sketch.get_quantile


def tdigest() -> tuple[Callable[[int], Any], Callable[[float], float]]:
    sketch = import_module("datasketches").tdigest_double(200)
    return sketch.update, sketch.get_quantile


def prometheus_client() -> tuple[Callable[[int], Any], None]:
    prometheus = import_module("prometheus_client")
    return prometheus.Histogram("d", "d", registry=prometheus.CollectorRegistry()).observe, None


PEERS: dict[str, Callable[[], tuple[Callable[[int], Any], Callable[[float], float] | None]]] = {
    "hdrhistogram 0.10.8, 2 digits": hdr,
    "ddsketch 3.0.1, 0.78 %": dd,
    "datasketches 5.2.0, KLL 200": kll,
    "datasketches 5.2.0, t-digest 200": tdigest,
    "prometheus_client 0.26.0, observe": prometheus_client,
}


def worst_percent(values: Sequence[int], told: Callable[[float], float]) -> float:
    """The largest relative error of the percentiles, by nearest rank."""
    ordered = sorted(values)
    errors = []
    for q in QUANTILES:
        truth = ordered[max(0, -int(-q * len(ordered) // 1) - 1)]
        errors.append(abs(told(q) - truth) / max(truth, 1) * 100)
    return max(errors)


def cost_ns(add: Callable[[int], Any], values: Sequence[int]) -> float:
    began = time.process_time_ns()
    for value in values:
        add(value)
    return (time.process_time_ns() - began) / len(values)


def main(peer: str, shape: str, count: str, seed: str) -> None:
    values = SHAPES[shape](Random(int(seed)), int(count))
    add, told = PEERS[peer]()
    ns = cost_ns(add, values)
    print(json.dumps({"ns": ns, "worst_percent": worst_percent(values, told) if told is not None else None}))


if __name__ == "__main__":
    main(*sys.argv[1:])
