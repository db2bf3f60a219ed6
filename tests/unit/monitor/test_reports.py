"""The figures as they are shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from steinmetz.clock import FakeClock
from steinmetz.monitor import reports
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores.memory import MemoryStore

MS = 1_000_000


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore(FakeClock())
    for key, durations_ms in (("a", (1, 1, 1, 1)), ("b", (9,)), ("c", (3, 3))):
        meter = store.meter(key, f"select {key}", f"SELECT {key}")
        for duration_ms in durations_ms:
            meter.add(duration_ms * MS)
        store.route(f"GET /{key}", 20 * MS, durations_ms[0], 2 * MS)
    return store


def test_the_total_is_the_sum_of_the_counts(store: MemoryStore) -> None:
    store.add("getUserById", 50 * MS, failed=True, slow=True)
    store.meter("a", "", "").inside(MS)
    stats = reports.query_stats(store)
    assert stats["totalQueries"] == sum(each["count"] for each in stats["queryBreakdown"].values()) == 8
    assert stats["slowQueries"] == 1
    assert stats["patterns"][0] == {"pattern": "SELECT a", "name": "select a", "count": 5, "avgTime": 1.0}
    json.dumps(stats)


@pytest.mark.parametrize(("sort", "order"), [("total", "bca"), ("count", "acb"), ("p95", "bca")])
def test_statements_are_ranked(store: MemoryStore, sort: reports.SortBy, order: str) -> None:
    assert "".join(each.key for each in reports.ranking(store, Kind.STATEMENT, sort=sort)) == order


def test_equal_ones_come_by_their_keys(store: MemoryStore) -> None:
    routes = [each.key for each in reports.ranking(store, Kind.ROUTE, sort="total")]
    assert routes == ["GET /a", "GET /b", "GET /c"]
    assert [each.key for each in reports.ranking(store, Kind.ROUTE, sort="most")] == ["GET /b", "GET /c", "GET /a"]


def test_a_statement_and_a_route_are_told_in_milliseconds(store: MemoryStore) -> None:
    statement = reports.statement_report(reports.ranking(store, Kind.STATEMENT)[0])
    assert statement["fingerprint"] == "b"
    assert (statement["totalTime"], statement["avgTime"], statement["p50"], statement["p99"]) == (9.0,) * 4
    route = reports.route_report(reports.ranking(store, Kind.ROUTE, sort="most")[0])
    assert (route["route"], route["statements"], route["mostStatements"], route["databaseTime"]) == (
        "GET /b", 9, 9, 2.0,
    )  # fmt: skip


def test_instants_end_in_z() -> None:
    assert reports.instant(datetime(2026, 3, 2, 9, 0, 0, 5_000, tzinfo=UTC)) == "2026-03-02T09:00:00.005Z"
