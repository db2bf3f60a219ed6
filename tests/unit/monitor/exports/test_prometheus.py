from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.analysis.statistics import OTHER, Statistics
from steinmetz.monitor.exports.figures import heaviest
from steinmetz.monitor.exports.prometheus import BOUNDS_S, MonitorCollector, cumulative
from steinmetz.sql import hook


def samples_of(monitor: QueryMonitor) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(MonitorCollector(monitor))
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_counts_times_errors_alerts_and_connections(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}", pool_size=3)
    monitor = QueryMonitor(FakeClock())
    monitor.attach(hook(engine))
    with engine.connect() as connection:
        for _ in range(4):
            with monitor.track('odd"\nname'):
                connection.execute(text("SELECT 1"))
        with pytest.raises(Exception, match="nowhere"), monitor.track("failing"):
            connection.execute(text("SELECT * FROM nowhere"))
        monitor.alerts.plan_regressed("a", 1, 2)
        found = samples_of(monitor)
    assert found["steinmetz_queries_total",] == 5
    assert found["steinmetz_query_seconds_count", 'odd"\nname'] == 4
    assert found["steinmetz_query_seconds_bucket", "+Inf", 'odd"\nname'] == 4
    assert found["steinmetz_query_errors_total", "failing"] == 1
    assert found["steinmetz_alerts", "critical", "plan_regressed"] == 1
    assert found["steinmetz_pool_connections", "main", "used"] == 1
    engine.dispose()


def test_buckets_are_cumulative() -> None:
    histogram = Histogram()
    for taken_s in (0.0001, 0.0004, 0.003, 0.2, 60):
        histogram.add(int(taken_s * 1e9))
    told = dict(cumulative(histogram))
    assert (told["0.0005"], told["0.005"], told["0.25"], told["10.0"], told["+Inf"]) == (2, 3, 4, 4, 5)
    assert list(told) == [*map(str, BOUNDS_S), "+Inf"]


def test_the_names_are_bounded_and_nothing_is_lost() -> None:
    names = {}
    for number in range(500):
        names[f"q{number}"] = statistics = Statistics()
        statistics.add(number * 1_000)
    names[OTHER] = Statistics()
    names[OTHER].add(10**12)
    shown = heaviest(names, 100)
    assert len(shown) == 101
    assert "q499" in shown
    assert "q0" not in shown
    assert sum(each.count for each in shown.values()) == 501
