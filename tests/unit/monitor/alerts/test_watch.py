"""From figures to listeners."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from steinmetz.clock import FakeClock
from steinmetz.monitor import Alert, Budget, QueryMonitor
from steinmetz.monitor.alerts.readings import of_loop, of_pools, of_queries
from steinmetz.monitor.analysis.alerting import Measure
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.sql import hook

MS = 1_000_000


def durations(*taken_ms: float, slow: bool = False, failed: bool = False) -> Statistics:
    statistics = Statistics()
    for each in taken_ms:
        statistics.add(round(each * MS), failed=failed, slow=slow)
    return statistics


class TestReadings:
    def test_of_queries(self) -> None:
        names = {"a": durations(*[10] * 90), "b": durations(*[300] * 10, slow=True, failed=True)}
        found = {each.measure: each for each in of_queries(names, {"b": Budget(p95_ms=150), "unknown": Budget(1)})}
        assert set(found) == {Measure.SLOW_SHARE, Measure.ERROR_RATE, Measure.P95}
        assert found[Measure.SLOW_SHARE].value == found[Measure.ERROR_RATE].value == 0.1
        assert found[Measure.P95].value == pytest.approx(2.0, rel=0.01)
        assert found[Measure.P95].samples == 10
        assert found[Measure.P95].message == "p95 of b is 300.0 ms; its budget is 150 ms"
        assert list(of_queries({}, {})) == []

    def test_of_pools(self, tmp_path: Path) -> None:
        engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}", pool_size=1, max_overflow=1)
        boundless = create_engine("sqlite://", poolclass=NullPool)
        held = [engine.connect(), engine.connect()]
        (full,) = of_pools([("main", engine), ("other", boundless)])
        assert (full.subject, full.value, full.message) == ("main", 1.0, "2 of 2 connections are in use")
        for connection in held:
            connection.close()
        assert [each.value for each in of_pools([("main", engine)])] == [0.0]
        engine.dispose()

    def test_of_the_loop(self) -> None:
        (blocked,) = of_loop(1_500 * MS, 5.0)
        assert blocked.value == pytest.approx(0.3)
        assert blocked.message == "the event loop was blocked for 1,500 ms of the last 5.0 s"
        assert list(of_loop(0, 0.0)) == []


@pytest.fixture
def monitor() -> QueryMonitor:
    return QueryMonitor(FakeClock(), slow_threshold_ms=100)


def fail(monitor: QueryMonitor, times: int) -> None:
    engine = create_engine("sqlite://")
    monitor.attach(hook(engine))
    for _ in range(times):
        with engine.connect() as connection, pytest.raises(Exception, match="no such table"):
            connection.execute(text("SELECT * FROM nowhere"))
    monitor.detach(hook(engine))
    engine.dispose()


def test_failing_queries_become_one_alert_and_resolve(monitor: QueryMonitor) -> None:
    told: list[Alert] = []
    stop = monitor.alerts.on_alert(told.append)
    fail(monitor, 30)
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            monitor.alerts.look()
    assert [(alert.measure, alert.is_active) for alert in told] == [(Measure.ERROR_RATE, True)]
    assert monitor.alerts.active() == told
    assert [(line["event"], line["kind"], line["log_level"]) for line in logs] == [
        ("Alert", "error_rate", "warning")
    ]
    assert "nowhere" not in str(logs)
    monitor.reset()
    for _ in range(6):
        monitor.alerts.look()
    assert [alert.is_active for alert in told] == [True, False]
    assert monitor.alerts.active() == []
    stop()
    fail(monitor, 30)
    for _ in range(2):
        monitor.alerts.look()
    assert len(told) == 2


def test_a_listener_that_fails_does_not_keep_others_from_hearing(monitor: QueryMonitor) -> None:
    told: list[Alert] = []

    def broken(alert: Alert) -> None:
        raise RuntimeError("s3cret")

    monitor.alerts.on_alert(broken)
    monitor.alerts.on_alert(told.append)
    with structlog.testing.capture_logs() as logs:
        monitor.alerts.plan_regressed("invoices.list", 10, 50)
    assert told[0].message == "the plan of invoices.list has changed, and its p95 rose from 10.0 to 50.0 ms"
    assert told[0].value == 5
    assert "s3cret" not in str(logs)


def test_an_unpredicted_write_is_an_alert(monitor: QueryMonitor) -> None:
    monitor.alerts.unpredicted_write("insert orders 1a2b3c4d", ["stats", "audit"])
    (alert,) = monitor.alerts.active()
    assert alert.message == "insert orders 1a2b3c4d wrote audit, stats, which was not predicted"
    monitor.alerts.unpredicted_write("insert orders 1a2b3c4d", ["audit"])
    assert [each.times for each in monitor.alerts.active()] == [2]


@pytest.mark.anyio
async def test_it_looks_in_the_background_until_it_is_stopped(monitor: QueryMonitor) -> None:
    heard = asyncio.Event()
    monitor.alerts.on_alert(lambda alert: heard.set())
    monitor.alerts.interval_s = 0.001
    fail(monitor, 30)
    monitor.alerts.start()
    await asyncio.wait_for(heard.wait(), 10)
    await monitor.alerts.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("alerts")]
