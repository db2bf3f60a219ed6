"""The monitor's figures as Prometheus metric families, made when they are asked for.

Needs ``prometheus-client``. An application with a registry of its own registers `MonitorCollector`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from steinmetz.monitor.analysis.histogram import Histogram, value_of
from steinmetz.monitor.exports.figures import heaviest, pool_counts

if TYPE_CHECKING:
    from steinmetz.monitor.monitor import QueryMonitor

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class MonitorCollector(Collector):
    """``REGISTRY.register(MonitorCollector(monitor))``."""

    def __init__(self, monitor: QueryMonitor) -> None:
        self._monitor = monitor

    def collect(self) -> Iterator[Metric]:
        return families(self._monitor)


def families(monitor: QueryMonitor) -> Iterator[Metric]:
    """All families of one monitor."""
    names = heaviest(monitor.statistics())
    yield CounterMetricFamily("steinmetz_queries", "Queries.", sum(each.count for each in names.values()))
    yield CounterMetricFamily("steinmetz_slow_queries", "Slow queries.", sum(each.slow for each in names.values()))
    seconds = HistogramMetricFamily(
        "steinmetz_query_seconds", "Time of the queries by name, in seconds.", labels=["name"]
    )
    errors = CounterMetricFamily("steinmetz_query_errors", "Failed queries by name.", labels=["name"])
    for name, statistics in names.items():
        seconds.add_metric([name], cumulative(statistics.histogram), statistics.total_ns / 1e9)
        errors.add_metric([name], statistics.errors)
    yield seconds
    yield errors
    alerts = GaugeMetricFamily("steinmetz_alerts", "Active alerts.", labels=["kind", "severity"])
    counts: dict[tuple[str, str], int] = {}
    for alert in monitor.alerts.active():
        labels = (alert.measure.value, alert.severity.value)
        counts[labels] = counts.get(labels, 0) + 1
    for labels, count in counts.items():
        alerts.add_metric(labels, count)
    yield alerts
    connections = GaugeMetricFamily(
        "steinmetz_pool_connections", "Connections of the pools.", labels=["database", "state"]
    )
    for database, engine in monitor.engines():
        for state, count in pool_counts(engine).items():
            connections.add_metric([database, state], count)
    yield connections


def cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    """Counts at or below each bound; a bucket counts by its middle, which is within 0.78 % of its values."""
    counts = [0] * (len(BOUNDS_S) + 1)
    for bucket, count in list(histogram.counts.items()):
        taken_s = value_of(bucket) / 1e9
        place = next((i for i, bound in enumerate(BOUNDS_S) if taken_s <= bound), len(BOUNDS_S))
        counts[place] += count
    told: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], counts, strict=True):
        total += count
        told.append((bound, total))
    return told
