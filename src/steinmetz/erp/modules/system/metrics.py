"""The process as Prometheus metric families, made from numbers when they are asked for; nothing is kept here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from steinmetz.erp.scheduler import Outcome


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What the parts of one process have counted; a part that is switched off is None."""

    requests: dict[tuple[str, str], int]
    """(method, status class) -> answers."""
    request_seconds: float
    in_flight: int
    sockets: Iterable[Metric]
    queries: Iterable[Metric]
    cache: dict[str, Any] | None
    rate_limited: dict[str, int] = field(default_factory=dict)
    """Requests refused because there were too many, by "address" and "user"."""
    chores: dict[str, Outcome] = field(default_factory=dict)
    """By name; only those that this process has run."""
    live: dict[str, int] = field(default_factory=dict)
    """Answers that somebody listens to, and what was told of them."""


class _Families(Collector):
    def __init__(self, figures: ProcessFigures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        yield from _http(figures)
        yield from figures.sockets
        yield from figures.queries
        if figures.cache is not None:
            yield from _cache(figures.cache)
        if figures.live:
            yield from _live(figures.live)
        yield from _chores(figures.chores)


def _http(figures: ProcessFigures) -> Iterator[Metric]:
    requests = CounterMetricFamily("steinmetz_http_requests", "Answered requests.", labels=["method", "status"])
    for labels, count in figures.requests.items():
        requests.add_metric(labels, count)
    yield requests
    yield CounterMetricFamily(
        "steinmetz_http_request_seconds", "Time spent on them, in seconds.", figures.request_seconds
    )
    limited = CounterMetricFamily(
        "steinmetz_http_requests_rate_limited", "Requests refused with 429 by a rate limit.", labels=["by"]
    )
    for kind, count in figures.rate_limited.items():
        limited.add_metric([kind], count)
    yield limited
    yield GaugeMetricFamily("steinmetz_http_requests_in_flight", "Requests being answered.", figures.in_flight)


def _cache(stats: dict[str, Any]) -> Iterator[Metric]:
    cache = GaugeMetricFamily("steinmetz_cache", "Figures of the response cache.", labels=["figure"])
    for figure, value in stats.items():
        if type(value) in (int, float):
            cache.add_metric([figure], value)
    yield cache
    outcomes = CounterMetricFamily(
        "steinmetz_cache_requests", "Requests at cached routes.", labels=["route", "outcome"]
    )
    saved = CounterMetricFamily("steinmetz_cache_saved_seconds", "Computing that hits saved.", labels=["route"])
    served = CounterMetricFamily("steinmetz_cache_served_bytes", "Bytes that hits sent.", labels=["route"])
    dropped = CounterMetricFamily(
        "steinmetz_cache_dropped", "Answers dropped by writes.", labels=["route", "needless"]
    )
    for route in stats["routes"]:
        name = route["route"]
        for outcome, figure in _OUTCOMES.items():
            outcomes.add_metric([name, outcome], route[figure])
        saved.add_metric([name], route["savedMs"] / 1000)
        served.add_metric([name], route["bytesServed"])
        dropped.add_metric([name, "yes"], route["needless"])
        dropped.add_metric([name, "no"], route["dropped"] - route["needless"])
    yield from (outcomes, saved, served, dropped)


def _live(stats: dict[str, int]) -> Iterator[Metric]:
    yield GaugeMetricFamily("steinmetz_live_answers", "Answers that somebody listens to.", stats["answers"])
    yield GaugeMetricFamily("steinmetz_live_subscriptions", "Subscriptions to them.", stats["subscriptions"])
    yield CounterMetricFamily(
        "steinmetz_live_computations", "Computations for those who listen.", stats["computations"]
    )
    told = CounterMetricFamily(
        "steinmetz_live_told", "What was told of an answer, to all at once.", labels=["what"]
    )
    for what in ("updates", "patches", "stale", "ended"):
        told.add_metric([what], stats[what])
    yield told


_OUTCOMES = {"hit": "hits", "stale": "stale", "miss": "misses", "bypass": "bypasses"}


def _chores(outcomes: dict[str, Outcome]) -> Iterator[Metric]:
    at = GaugeMetricFamily("steinmetz_chore_last_run_seconds", "When it last ran, Unix time.", labels=["chore"])
    took = GaugeMetricFamily("steinmetz_chore_duration_seconds", "How long that took.", labels=["chore"])
    changed = GaugeMetricFamily("steinmetz_chore_changed", "Records that it changed.", labels=["chore"])
    failures = GaugeMetricFamily("steinmetz_chore_failures", "Failures in a row.", labels=["chore"])
    for name, outcome in outcomes.items():
        at.add_metric([name], outcome.at.timestamp())
        took.add_metric([name], outcome.duration_ms / 1000)
        changed.add_metric([name], outcome.changed)
        failures.add_metric([name], outcome.failures)
    yield from (at, took, changed, failures)


def exposition(figures: ProcessFigures) -> bytes:
    """All metrics in Prometheus' text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Families(figures))
    return generate_latest(registry)
