from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Engine, create_engine, text

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.exports.opentelemetry import Telemetry
from steinmetz.sql import hook


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER PRIMARY KEY, password TEXT UNIQUE)"))
    yield engine
    engine.dispose()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(spans: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


def test_only_what_is_slow_becomes_a_span(
    engine: Engine, spans: InMemorySpanExporter, tracing: TracerProvider
) -> None:
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=1_000, thresholds={"slow one": 0})
    monitor.attach(hook(engine))
    telemetry = Telemetry(monitor, tracer_provider=tracing)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with tracing.get_tracer("test").start_as_current_span("request"), monitor.track("slow one"):
            connection.execute(text("SELECT count(*) FROM users"))
    slow, request = spans.get_finished_spans()
    assert slow.name == "slow one"
    assert slow.parent is not None
    assert slow.parent.span_id == request.context.span_id
    telemetry.close()
    with engine.connect() as connection, monitor.track("slow one"):
        connection.execute(text("SELECT 2"))
    assert len(spans.get_finished_spans()) == 2


def test_a_span_tells_the_statement_without_its_values(
    engine: Engine, spans: InMemorySpanExporter, tracing: TracerProvider
) -> None:
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=0)
    monitor.attach(hook(engine))
    Telemetry(monitor, tracer_provider=tracing)
    insert = text("INSERT INTO users (id, password) VALUES (:id, :password)")
    with engine.connect() as connection:
        connection.execute(insert, {"id": 1, "password": "s3cret"})
        with pytest.raises(Exception, match="UNIQUE"):
            connection.execute(insert, {"id": 1, "password": "s3cret"})
        connection.execute(text("SELECT id FROM users WHERE password = 's3cret'"))
    done, failed, read = spans.get_finished_spans()
    assert done.attributes is not None
    assert {
        "db.system.name": "sqlite",
        "db.namespace": "main",
        "db.operation.name": "INSERT",
        "db.collection.name": "users",
        "db.query.text": "INSERT INTO users(id, password) VALUES (?)",
    }.items() <= dict(done.attributes).items()
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "IntegrityError"
    assert failed.status.is_ok is False
    assert "s3cret" not in "".join(span.to_json() for span in (done, failed, read))
    assert done.start_time is not None
    assert done.end_time is not None
    assert done.end_time > done.start_time


def test_all_statements_become_spans_if_asked(
    engine: Engine, spans: InMemorySpanExporter, tracing: TracerProvider
) -> None:
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=1_000)
    monitor.attach(hook(engine))
    telemetry = Telemetry(monitor, spans="all", tracer_provider=tracing)
    with engine.begin() as connection:
        connection.execute(text("SELECT 1"))
        connection.execute(text("SELECT 2"))
    telemetry.close()
    with engine.connect() as connection:
        connection.execute(text("SELECT 3"))
    assert len(spans.get_finished_spans()) == 2


def test_metrics_are_read_when_they_are_collected(engine: Engine) -> None:
    reader = InMemoryMetricReader()
    monitor = QueryMonitor(FakeClock())
    monitor.attach(hook(engine))
    Telemetry(monitor, spans="off", meter_provider=MeterProvider([reader]))
    with engine.connect() as connection:
        for _ in range(3):
            with monitor.track("one"):
                connection.execute(text("SELECT 1"))
        data = reader.get_metrics_data()
    assert data is not None
    found = {
        (metric.name, point.attributes.get("db.query.summary")): point.value
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    assert found["steinmetz.db.queries", "one"] == 3
    assert found["steinmetz.db.errors", "one"] == 0
    assert 0 < found["steinmetz.db.duration.p95", "one"] < 10
