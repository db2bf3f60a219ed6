"""The monitor's figures to OpenTelemetry: metrics by callback, and spans of slow queries.

Needs ``opentelemetry-api`` (extra ``otel``). Spans follow the semantic conventions for databases
(https://opentelemetry.io/docs/specs/semconv/database/): the query's text has no literals, parameters are not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from steinmetz.monitor.exports.figures import heaviest, pool_counts
from steinmetz.sql.facts import Verb

if TYPE_CHECKING:
    from steinmetz.monitor.analysis.statistics import Statistics
    from steinmetz.monitor.monitor import QueryMonitor
    from steinmetz.sql.engine import Execution

SCOPE = "steinmetz.monitor"
SYSTEMS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mariadb",
           "mssql": "microsoft.sql_server", "oracle": "oracle.db"}  # fmt: skip


class Telemetry:
    """Exports one monitor; ``close`` ends it.

    ``spans`` says which statements become spans: ``"slow"`` ones, ``"all"`` (tens of microseconds each), or
    ``"off"``. Metrics cost nothing per query: they are read when the SDK collects.
    """

    def __init__(
        self,
        monitor: QueryMonitor,
        *,
        spans: Literal["slow", "all", "off"] = "slow",
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._monitor = monitor
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        self._stop: Callable[[], None] = lambda: None
        if spans == "slow":
            self._stop = monitor.on_slow(self._slow)
        elif spans == "all":
            self._stop = monitor.on_execution(self._executed)
        self._measure(metrics.get_meter(SCOPE, meter_provider=meter_provider))

    def close(self) -> None:
        """Make no further spans."""
        self._stop()

    # -- spans -----------------------------------------------------------------------------------------------

    def _slow(self, name: str, duration_ns: int, execution: Execution | None) -> None:
        self._span(name, duration_ns, execution)

    def _executed(self, execution: Execution) -> None:
        if execution.facts.verb is not Verb.TRANSACTION:
            self._span(
                self._monitor.name_of(execution.facts), execution.execute_ns + execution.fetch_ns, execution
            )

    def _span(self, name: str, duration_ns: int, execution: Execution | None) -> None:
        end_ns = int(self._monitor.clock.now().timestamp() * 1e9)
        attributes = {"db.query.summary": name}
        if execution is not None:
            facts = execution.facts
            attributes |= {
                "db.namespace": execution.database,
                "db.operation.name": facts.verb.value.upper(),
                "db.query.text": facts.text,
            }
            if execution.context is not None:
                dialect = execution.context.dialect.name
                attributes["db.system.name"] = SYSTEMS.get(dialect, dialect)
            tables = facts.reads | facts.writes
            if len(tables) == 1:
                attributes["db.collection.name"] = next(iter(tables)).name
        span = self._tracer.start_span(
            name, kind=SpanKind.CLIENT, attributes=attributes, start_time=end_ns - duration_ns
        )
        if execution is not None and execution.error is not None:
            # The kind alone: a driver's message may hold the values that it complains about.
            span.set_attribute("error.type", type(execution.error).__name__)
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_time=end_ns)

    # -- metrics ---------------------------------------------------------------------------------------------

    def _measure(self, meter: metrics.Meter) -> None:
        meter.create_observable_counter(
            "steinmetz.db.queries", [self._of(lambda each: each.count)], "{query}", "Queries by name."
        )
        meter.create_observable_counter(
            "steinmetz.db.errors", [self._of(lambda each: each.errors)], "{query}", "Failed queries by name."
        )
        meter.create_observable_counter(
            "steinmetz.db.time", [self._of(lambda each: each.total_ns / 1e9)], "s", "Time of the queries by name."
        )
        for label, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            meter.create_observable_gauge(
                f"steinmetz.db.duration.{label}",
                [self._of(lambda each, q=quantile: each.quantile(q) / 1e9, window_s=60.0)],  # type: ignore[misc]
                "s",
                f"{label} of the last minute by name, within 0.78 %.",
            )
        meter.create_observable_up_down_counter(
            "db.client.connection.count", [self._connections], "{connection}", "Connections of the pools by state."
        )

    def _of(
        self, value: Callable[[Statistics], float], window_s: float | None = None
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for name, statistics in heaviest(self._monitor.statistics(window_s)).items():
                yield Observation(value(statistics), {"db.query.summary": name})

        return observe

    def _connections(self, _: CallbackOptions) -> Iterator[Observation]:
        for database, engine in self._monitor.engines():
            for state, count in pool_counts(engine).items():
                attributes = {"db.client.connection.pool.name": database, "db.client.connection.state": state}
                yield Observation(count, attributes)
