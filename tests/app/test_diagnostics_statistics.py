"""The figures of queries, as operators see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import create_engine, text

from steinmetz.clock import FakeClock
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.settings import Settings
from steinmetz.erp.watching import Watching
from steinmetz.monitor.stores.base import StatisticsStore
from tests.app.conftest import SignIn, running, settings_for

pytestmark = pytest.mark.anyio

MS = 1_000_000


@pytest.fixture
def store(app: Application) -> StatisticsStore:
    monitor = app.state.monitor
    assert monitor is not None
    monitor.reset()
    return monitor.store


def fill(store: StatisticsStore) -> None:
    for number, duration_ms in enumerate((30, 10, 20), 1):
        meter = store.meter(f"f{number}", f"select f{number}", f"SELECT {number}")
        for _ in range(number):
            meter.add(duration_ms * MS)
        store.route(f"GET /{number}", 100 * MS, 4 - number, duration_ms * MS)


async def get(client: httpx2.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/diagnostics/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_statements_come_by_time_count_or_percentile(sign_in: SignIn, store: StatisticsStore) -> None:
    auditor = await sign_in("auditor")
    store.clear()
    fill(store)

    def ours(found: dict[str, Any]) -> list[str]:
        return [
            each["fingerprint"]
            for each in found["data"]
            if each["fingerprint"][0] == "f" and len(each["name"]) < 12
        ]

    assert ours(await get(auditor, "statements")) == ["f3", "f1", "f2"]
    assert ours(await get(auditor, "statements", sort="count")) == ["f3", "f2", "f1"]
    assert ours(await get(auditor, "statements", sort="p95", window="5m")) == ["f1", "f3", "f2"]
    first = next(each for each in (await get(auditor, "statements"))["data"] if each["fingerprint"] == "f3")
    assert first["statement"] == "SELECT 3"
    assert (first["count"], first["totalTime"], first["avgTime"], first["maxTime"]) == (3, 60.0, 20.0, 20.0)
    assert first["p95"] == pytest.approx(20, rel=0.0079)


async def test_routes_tell_what_they_ask_of_the_database(sign_in: SignIn, store: StatisticsStore) -> None:
    auditor = await sign_in("auditor")
    store.clear()
    fill(store)
    found = await get(auditor, "routes", sort="most")
    ours = [each for each in found["data"] if len(each["route"]) == len("GET /1")]
    assert [(each["route"], each["mostStatements"]) for each in ours] == [
        ("GET /1", 3),
        ("GET /2", 2),
        ("GET /3", 1),
    ]
    assert (ours[0]["count"], ours[0]["totalTime"], ours[0]["databaseTime"]) == (1, 100.0, 30.0)
    assert ours[0]["statementsPerRun"] == 3.0


async def test_pages_hold_every_row_once(sign_in: SignIn, store: StatisticsStore) -> None:
    auditor = await sign_in("auditor")
    store.clear()
    for number in range(25):
        store.route(f"GET /{number:02}", (number // 3 + 1) * MS, 1, MS)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 4}
    while True:
        found = await get(auditor, "routes", **query)
        seen += [each["route"] for each in found["data"]]
        if found["page"]["next"] is None:
            break
        query["cursor"] = found["page"]["next"]
    numbered = [route for route in seen if route[5:].isdigit()]
    assert sorted(numbered) == [f"GET /{number:02}" for number in range(25)]
    assert len(seen) == len(set(seen)) <= found["page"]["total"] + 1
    answer = await auditor.get("/api/diagnostics/routes", params={"cursor": "nonsense"})
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["query-stats", "statements", "routes"])
async def test_a_window_that_is_none_is_refused_and_told_which_are_good(sign_in: SignIn, path: str) -> None:
    auditor = await sign_in("auditor")
    for window in ("60", "30s", "5m", "1h", "24h"):
        await get(auditor, path, window=window)
    for window in ("0", "25h", "5 weeks", "-1"):
        answer = await auditor.get(f"/api/diagnostics/{path}", params={"window": window})
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["errors"][0]["field"] == "window"
        assert "30s (seconds), 5m (minutes), 1h (hours)" in problem["detail"]


async def test_a_window_leaves_out_what_was_before(
    sign_in: SignIn, store: StatisticsStore, clock: FakeClock
) -> None:
    auditor = await sign_in("auditor")
    store.clear()
    store.add("getUserById", 5 * MS, failed=False, slow=False)
    clock.advance(600)
    # Reading as such asks the database, too.
    now = (await get(auditor, "query-stats", window="5m"))["stats"]["queryBreakdown"]
    assert "getUserById" not in now
    assert "getUserById" in (await get(auditor, "query-stats", window="1h"))["stats"]["queryBreakdown"]


async def test_sorting_by_what_is_not_there_is_refused(sign_in: SignIn) -> None:
    auditor = await sign_in("auditor")
    assert (await auditor.get("/api/diagnostics/statements", params={"sort": "most"})).status_code == 422


def test_the_history_can_be_switched_off(tmp_path: Path, clock: FakeClock) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    assert Watching(settings_for(tmp_path, url), clock).history is None
    assert Watching(settings_for(tmp_path, url, monitor_history=True, monitor=False), clock).history is None
    assert Watching(settings_for(tmp_path, url, monitor_history=True), clock).history is not None


class TestHistory:
    @pytest.fixture
    def settings(self, tmp_path: Path, database_url: str) -> Settings:
        return settings_for(tmp_path, database_url, monitor_history=True)

    @pytest.mark.both_databases
    async def test_figures_outlive_the_process(self, settings: Settings, clock: FakeClock, tmp_path: Path) -> None:
        for run in (1, 2):
            application = create_app(settings, clock=clock)
            async with running(application):
                monitor = application.state.monitor
                assert monitor is not None
                monitor.store.add("getUserById", 5 * MS, failed=False, slow=False)
                assert await monitor.store.refresh()
                assert monitor.query_stats()["queryBreakdown"]["getUserById"]["count"] == run
        if settings.is_embedded:
            with create_engine(f"sqlite:///{tmp_path}/monitor.sqlite3").connect() as connection:
                assert connection.scalar(text("SELECT count(*) FROM monitor_statistics")) > 0
