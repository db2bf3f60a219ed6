"""Figures over time, the shapes that the operators' documents promise, marks of changes, and the process."""

from __future__ import annotations

import os
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from steinmetz.clock import FakeClock
from steinmetz.erp.main import Application
from steinmetz.erp.modules.system.documents import (
    AlertDocument,
    CacheEntriesAnswer,
    CacheStatsAnswer,
    ChangeDocument,
    IndexAdviceDocument,
    InvalidationsAnswer,
    ReadyDocument,
    SlowQueriesDocument,
    SlowQueryInFullDocument,
    Told,
    ToldList,
    VersionDocument,
)
from steinmetz.erp.settings_listing import HIDDEN
from tests.app.conftest import SignIn

pytestmark = pytest.mark.anyio

MS = 1_000_000


async def get(client: httpx2.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_all_series_have_one_axis_with_every_minute_on_it(
    sign_in: SignIn, app: Application, clock: FakeClock
) -> None:
    auditor = await sign_in("auditor")
    monitor = app.state.monitor
    assert monitor is not None
    monitor.reset()
    store = monitor.store
    store.route("GET /a", 10 * MS, 1, MS)
    store.route("GET /a", 30 * MS, 1, MS, failed=True)
    clock.advance(180)
    store.route("GET /b", 5 * MS, 1, MS)

    found = (await get(auditor, "/api/diagnostics/history", kind="route", key=["GET /a", "GET /b"]))["data"]
    assert len(found["times"]) == 4, "the two minutes between are there, too"
    assert [later - earlier for earlier, later in zip(found["times"], found["times"][1:], strict=False)] == [
        60,
        60,
        60,
    ]
    first, second = found["series"]
    assert (first["key"], first["count"], first["errors"]) == ("GET /a", [2, 0, 0, 0], [1, 0, 0, 0])
    assert first["p50"][0] == pytest.approx(10, rel=0.01)
    assert first["p99"] == [pytest.approx(30, rel=0.01), None, None, None]
    assert second["count"] == [0, 0, 0, 1]
    assert found["seconds"][0] == 60.0

    everything = (await get(auditor, "/api/diagnostics/history", kind="route", window="1h"))["data"]["series"]
    assert [one["key"] for one in everything] == [None]
    assert everything[0]["count"][:4][0] == 2, "the sum of all routes in the closed minute"


async def test_the_sum_of_all_is_that_of_each(sign_in: SignIn, app: Application, clock: FakeClock) -> None:
    auditor = await sign_in("auditor")
    monitor = app.state.monitor
    assert monitor is not None
    monitor.reset()
    for number in range(5):
        meter = monitor.store.meter(f"f{number}", f"select f{number}", f"SELECT {number}")
        meter.add((number + 1) * MS)
        meter.inside(MS)
        monitor.store.dropped()  # whoever reads, brings all up to date
        clock.advance(60)
    statements = (await get(auditor, "/api/diagnostics/history", kind="statement"))["data"]["series"][0]
    names = (await get(auditor, "/api/diagnostics/history", kind="name"))["data"]["series"][0]
    assert statements["count"][1:4] == [2, 2, 2]
    assert names["count"][1:4] == [1, 1, 1], "runs inside of tracks are no samples of their own"


@pytest.mark.parametrize(
    "query", [{"window": "2d"}, {"kind": "nothing"}, {"key": [str(number) for number in range(51)]}]
)
async def test_what_is_not_kept_is_refused(sign_in: SignIn, query: dict[str, Any]) -> None:
    auditor = await sign_in("auditor")
    assert (await auditor.get("/api/diagnostics/history", params=query)).status_code == 422


async def test_an_administrator_marks_a_change_and_an_auditor_does_not(sign_in: SignIn, clock: FakeClock) -> None:
    admin, auditor = await sign_in("admin"), await sign_in("auditor")
    clock.advance(1)
    mark = {"note": "Invoices in one statement", "tables": ["invoices"]}
    made = await admin.post("/api/diagnostics/comparisons", json=mark)
    assert made.status_code == 201, made.text
    assert made.json()["data"]["author"]
    newest = (await get(auditor, "/api/diagnostics/comparisons"))["data"][0]
    assert (newest["note"], newest["cause"], newest["tables"]) == (mark["note"], "mark", ["invoices"])
    assert (await auditor.post("/api/diagnostics/comparisons", json=mark)).status_code == 403
    assert (await admin.post("/api/diagnostics/comparisons", json={"note": "  "})).status_code == 422


async def test_the_documents_are_what_their_types_say(sign_in: SignIn, app: Application) -> None:
    admin = await sign_in("admin")
    monitor = app.state.monitor
    assert monitor is not None
    monitor.configure(slow_threshold_ms=0.0)
    await get(admin, "/api/customers")
    await get(admin, "/api/customers")
    monitor.configure(slow_threshold_ms=10_000.0)
    monitor.alerts.plan_regressed("select invoices", 1.0, 3.0)
    await admin.post("/api/diagnostics/comparisons", json={"note": "Now"})
    told: list[tuple[str, type[BaseModel]]] = [
        ("/api/cache/stats", CacheStatsAnswer),
        ("/api/cache/entries", CacheEntriesAnswer),
        ("/api/cache/invalidations", InvalidationsAnswer),
        ("/api/diagnostics/alerts", ToldList[AlertDocument]),
        ("/api/diagnostics/comparisons", ToldList[ChangeDocument]),
        ("/api/diagnostics/index-advice", IndexAdviceDocument),
        ("/api/diagnostics/slow-queries", SlowQueriesDocument),
        ("/readyz", ReadyDocument),
        ("/version", VersionDocument),
    ]
    for path, model in told:
        body = await get(admin, path)
        assert model.model_validate(body).model_dump(mode="json", by_alias=True, exclude_unset=True) == body, path
    slow = (await get(admin, "/api/diagnostics/slow-queries"))["slowQueries"]
    assert slow
    path = f"/api/diagnostics/slow-queries/{slow[0]['details']['id']}"
    body = await get(admin, path)
    model = Told[SlowQueryInFullDocument]
    assert model.model_validate(body).model_dump(mode="json", by_alias=True, exclude_unset=True) == body


@pytest.mark.both_databases
async def test_the_process_tells_what_it_is_and_no_secret(sign_in: SignIn) -> None:
    auditor, clerk = await sign_in("auditor"), await sign_in("clerk")
    found = (await get(auditor, "/api/system/process"))["data"]
    assert found["pid"] == os.getpid()
    assert found["database"]["engine"] in {"sqlite", "postgresql"}
    assert found["database"]["sizeBytes"] > 0
    assert found["requests"]["total"] > 0
    settings = {setting["variable"]: setting["value"] for setting in found["settings"]}
    assert settings["STEINMETZ_JWT_SECRET"] in {None, HIDDEN}
    assert "SLOW_QUERY_THRESHOLD_MS" in settings
    assert (await clerk.get("/api/system/process")).status_code == 403
