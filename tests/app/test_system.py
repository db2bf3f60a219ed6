"""Health, statistics, metrics, the audit log, and who may ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from steinmetz.clock import FakeClock
from steinmetz.erp.edge import Traffic
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.system import repository, service
from steinmetz.erp.modules.system.service import audit

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


class TestHealth:
    async def test_is_told_to_anybody(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get("/healthz")).json() == {"success": True, "status": "ok"}
        ready = await client.get("/readyz")
        assert ready.json()["status"] == "ready"
        assert ready.json()["checks"] == {
            "database": "ok",
            "migrations": "ok",
            "maintenance": "off",
            "worker": "ok",
            "disk": "ok",
            "scheduler": "ok",
            "redis": "not used",
            "cache": "ok",
            "sockets": "ok",
        }

    async def test_tells_what_is_running(self, client: httpx2.AsyncClient) -> None:
        version = (await client.get("/version")).json()
        assert set(version) == {"success", "version", "schema", "python", "startedAt", "commit"}
        assert version["startedAt"] == "2026-03-02T09:00:00Z"

    async def test_fails_readiness_without_its_workers(self, app: Application, client: httpx2.AsyncClient) -> None:
        assert app.state.scheduler is not None
        await app.state.scheduler.stop()
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "scheduler: not running"
        assert answer.json()["checks"]["database"] == "ok"

    async def test_t28_fails_readiness_before_its_sockets_leave(
        self, app: Application, client: httpx2.AsyncClient
    ) -> None:
        await app.drain()
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "sockets: draining: 0 connections are left"
        assert (await client.get("/healthz")).status_code == 200

    async def test_shows_a_full_disk_and_stays_ready(
        self, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service.health, "LOW_DISK_BYTES", 10**18)
        answer = await client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"]["disk"].startswith("warning: only ")

    async def test_waits_for_no_check_for_long(
        self, app: Application, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def never(_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(service.health, "READY_WITHIN_S", 0.01)
        monkeypatch.setattr(repository, "ask", never)
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "no answer within 0.01 s"

    async def test_fails_readiness_behind_the_migrations_and_says_how_to_mend_it(
        self, app: Application, client: httpx2.AsyncClient
    ) -> None:
        async with app.state.database.unit() as unit:
            await unit.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "steinmetz migrate" in answer.json()["checks"]["migrations"]
        assert (await client.get("/healthz")).status_code == 200

    async def test_fails_readiness_without_a_database(
        self, app: Application, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from steinmetz.erp.db import Database

        gone = Database(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.db")
        monkeypatch.setattr(app.state, "database", gone)
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"].startswith("not reachable")
        assert str(tmp_path) not in answer.text


class TestOperatorsFigures:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/diagnostics/query-stats",
            "/api/diagnostics/query-stats?window=60",
            "/api/diagnostics/statements",
            "/api/diagnostics/routes?window=5m&sort=most",
            "/api/diagnostics/slow-queries",
            "/api/cache/stats",
            "/api/cache/entries",
            "/api/cache/invalidations",
            "/api/audit",
        ],
    )
    async def test_are_for_administrators_and_auditors(
        self, sign_in: SignIn, client: httpx2.AsyncClient, path: str
    ) -> None:
        for role, status in (("admin", 200), ("auditor", 200), ("manager", 403), ("clerk", 403)):
            assert (await (await sign_in(role)).get(path)).status_code == status, role
        assert (await client.get(path)).status_code == 401

    async def test_have_the_contracted_shapes(self, sign_in: SignIn) -> None:
        auditor = await sign_in("auditor")
        told = (await auditor.get("/api/ws/stats")).json()
        contracted = {"activeConnections", "rooms", "events", "uptime"}
        assert set(told["stats"]) >= contracted
        assert set(told["cluster"]) >= {*contracted, "servers", "missing"}
        queries = (await auditor.get("/api/diagnostics/query-stats")).json()["stats"]
        assert set(queries) == {
            "totalQueries",
            "slowQueries",
            "averageExecutionTime",
            "queryBreakdown",
            "slowestQueries",
            "patterns",
        }
        slow = (await auditor.get("/api/diagnostics/slow-queries", params={"limit": 1})).json()
        assert isinstance(slow["slowQueries"], list)
        for limit in (0, 501):
            answer = await auditor.get("/api/diagnostics/slow-queries", params={"limit": limit})
            assert answer.status_code == 422

    async def test_of_the_cache_can_be_dropped_by_the_administrator_alone(self, sign_in: SignIn) -> None:
        admin, clerk, auditor = await sign_in("admin"), await sign_in("clerk"), await sign_in("auditor")
        path = "/api/dashboard/overview"
        await clerk.get(path)
        assert (await clerk.get(path)).headers["x-cache"] == "HIT"
        wanted = {"path": "/api/dashboard"}
        assert (await auditor.post("/api/cache/invalidate", json=wanted)).status_code == 403
        dropped = await admin.post("/api/cache/invalidate", json=wanted)
        assert dropped.json()["data"] == {"path": "/api/dashboard", "dropped": 1}
        assert (await clerk.get(path)).headers["x-cache"] == "MISS"

    async def test_of_the_cache_are_dropped_by_one_thing_at_a_time(self, sign_in: SignIn) -> None:
        admin, clerk = await sign_in("admin"), await sign_in("clerk")
        await clerk.get("/api/dashboard/overview")
        two, none = {"path": "/api", "tag": "x"}, {"everything": False}
        for wanted in ({}, two, {"path": "api"}, none, {"tag": ""}, {"pattern": "/a*b"}):
            assert (await admin.post("/api/cache/invalidate", json=wanted)).status_code == 422
        dropped = await admin.post("/api/cache/invalidate", json={"pattern": "/api/*/overview"})
        assert dropped.json()["data"] == {"pattern": "/api/*/overview", "dropped": 1}
        dropped = await admin.post("/api/cache/invalidate", json={"tag": "nothing"})
        assert dropped.json()["data"] == {"tag": "nothing", "dropped": 0}
        await clerk.get("/api/dashboard/overview")
        dropped = await admin.post("/api/cache/invalidate", json={"everything": True})
        assert dropped.json()["data"]["everything"] is True
        assert dropped.json()["data"]["dropped"] >= 1
        newest = (await admin.get("/api/cache/invalidations", params={"limit": 1})).json()["invalidations"][0]
        assert (newest["cause"], newest["relations"]) == ("POST /api/cache/invalidate", ["everything"])

    async def test_of_the_cache_name_the_write_that_dropped_them(self, sign_in: SignIn) -> None:
        admin = await sign_in("admin")
        await admin.get("/api/system/maintenance")
        assert (await admin.put("/api/system/maintenance", json={"enabled": True})).status_code == 200
        await admin.put("/api/system/maintenance", json={"enabled": False})
        told = (await admin.get("/api/cache/invalidations")).json()["invalidations"]
        (found,) = [one for one in told if one["cause"] == "PUT /api/system/maintenance" and one["routes"]]
        assert found["routes"] == {"/api/system/maintenance": 1}
        assert found["user"]
        assert any("maintenance" in statement for statement in found["statements"]), found

    async def test_of_the_cache_are_warmed_again(self, sign_in: SignIn) -> None:
        admin, clerk, auditor = await sign_in("admin"), await sign_in("clerk"), await sign_in("auditor")
        for _ in range(2):
            await clerk.get("/api/dashboard/overview")
        assert (await auditor.post("/api/cache/warm")).status_code == 403
        answer = await admin.post("/api/cache/warm")
        assert (answer.status_code, answer.json()["data"]) == (202, {"answers": 1})

    async def test_of_the_cache_by_command_are_for_the_machine_itself(
        self, client: httpx2.AsyncClient, sign_in: SignIn
    ) -> None:
        told = await client.post("/api/cache/commands/stats", json={})
        assert told.json()["data"]["warming"] == {"running": False, "total": 0, "kept": 0, "failed": 0}
        listed = await client.post("/api/cache/commands/entries", json={"limit": 1, "order": "bytes"})
        assert isinstance(listed.json()["data"], list)
        forwarded = {"X-Forwarded-For": "192.0.2.1"}
        assert (await client.post("/api/cache/commands/stats", json={}, headers=forwarded)).status_code == 403


class TestMetrics:
    async def test_count_requests_and_queries(self, client: httpx2.AsyncClient) -> None:
        await client.get("/healthz")
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'steinmetz_http_requests_total{method="GET",status="2xx"} 1.0' in answer.text.splitlines()
        assert "steinmetz_sockets 0.0" in answer.text.splitlines()
        assert "# TYPE steinmetz_queries_total counter" in answer.text

    async def test_are_for_the_same_machine(self, app: Application, client: httpx2.AsyncClient) -> None:
        transport = httpx2.ASGITransport(app, client=("192.0.2.7", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as stranger:
            assert (await stranger.get("/metrics")).status_code == 403
        behind_proxy = await client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
        assert behind_proxy.status_code == 403

    async def test_know_only_so_many_methods(self) -> None:
        traffic = Traffic()
        for number in range(1_000):
            traffic.count(f"M{number}", 200, 1)
        assert dict(traffic.requests) == {("other", "2xx"): 1_000}


@pytest.mark.both_databases
class TestAudit:
    async def test_is_paged_from_the_newest_and_filtered(
        self, app: Application, sign_in: SignIn, clock: FakeClock
    ) -> None:
        clerk = Actor(3, "Klara Clerk", Role.CLERK)
        for number in range(5):
            async with app.state.database.unit(actor=clerk, request_id=f"r{number}") as unit:
                audit.record(unit, "invoice.pay", "invoice", number, f"RE {number}", {"paid": 0}, {"paid": 1})
            clock.advance(60)
        auditor = await sign_in("auditor")
        first = (await auditor.get("/api/audit", params={"limit": 3, "entity": "invoice"})).json()
        assert [entry["entityId"] for entry in first["data"]] == ["4", "3", "2"]
        assert first["page"]["total"] == 5
        assert first["data"][0] | {"id": 0} == {
            "id": 0,
            "at": "2026-03-02T09:04:00Z",
            "actorId": 3,
            "actorName": "Klara Clerk",
            "action": "invoice.pay",
            "entity": "invoice",
            "entityId": "4",
            "summary": "RE 4",
            "before": {"paid": 0},
            "after": {"paid": 1},
            "requestId": "r4",
        }
        rest = await auditor.get(
            "/api/audit", params={"limit": 3, "entity": "invoice", "cursor": first["page"]["next"]}
        )
        assert [entry["entityId"] for entry in rest.json()["data"]] == ["1", "0"]
        assert rest.json()["page"]["next"] is None

        span = {"from": "2026-03-02T10:01:00+01:00", "to": "2026-03-02T09:03:00Z", "actorId": 3}
        some = (await auditor.get("/api/audit", params=span)).json()["data"]
        assert [entry["entityId"] for entry in some] == ["2", "1"]
        for bad in ({"from": "2026-03-02T09:00:00"}, {"entity": "\0"}, {"cursor": "!!"}, {"actorId": 2**40}):
            assert (await auditor.get("/api/audit", params=bad)).status_code == 422, bad

    async def test_of_a_change_that_was_rolled_back_does_not_exist(
        self, app: Application, sign_in: SignIn
    ) -> None:
        async def change_and_fail() -> None:
            async with app.state.database.unit() as unit:
                audit.record(unit, "invoice.pay", "invoice", 1)
                raise LookupError

        with pytest.raises(LookupError):
            await change_and_fail()
        assert (await (await sign_in("auditor")).get("/api/audit")).json()["page"]["total"] == 0
