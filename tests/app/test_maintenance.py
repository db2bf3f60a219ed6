"""While maintenance is on, everybody reads and nobody writes; no write slips in after the switch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, text

from steinmetz.clock import FakeClock
from steinmetz.erp import maintenance
from steinmetz.erp.db import Database, Publication
from steinmetz.erp.errors import UnderMaintenance, problem_of
from steinmetz.erp.kit.announcements import Announcement
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.system import service
from steinmetz.erp.modules.system.models import AuditEntry
from steinmetz.realtime.testing import connect
from tests.app.conftest import PASSWORD

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]

PATH = "/api/system/maintenance"
OVERVIEW = "/api/dashboard/overview"
CLERK = Actor(3, "Klara Clerk", Role.CLERK)


async def switch(http: httpx2.AsyncClient, *, enabled: bool, **more: Any) -> dict[str, Any]:
    answer = await http.put(PATH, json={"enabled": enabled, **more})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


class TestTheSwitch:
    async def test_is_read_by_all_who_sign_in_and_turned_by_administrators_alone(
        self, sign_in: SignIn, client: httpx2.AsyncClient
    ) -> None:
        off = {"enabled": False, "message": "", "until": None, "since": None, "by": None}
        for role, status in (("admin", 200), ("manager", 403), ("clerk", 403), ("auditor", 403)):
            http = await sign_in(role)
            assert (await http.get(PATH)).json()["data"] == off
            assert (await http.put(PATH, json={"enabled": False})).status_code == status
        assert (await client.get(PATH)).status_code == 401
        assert (await client.put(PATH, json={"enabled": True})).status_code == 401

    async def test_says_since_when_and_by_whom(
        self, sign_in: SignIn, clock: FakeClock, published: list[Publication]
    ) -> None:
        admin = await sign_in("admin")
        until = "2026-03-02T12:00:00Z"
        on = await switch(admin, enabled=True, message="Neue Version", until="2026-03-02T13:00:00+01:00")
        assert on == {
            "enabled": True,
            "message": "Neue Version",
            "until": until,
            "since": "2026-03-02T09:00:00Z",
            "by": "Admin Beispiel",
        }
        clock.advance(60)
        longer = await switch(admin, enabled=True, message="Dauert länger")
        assert (longer["since"], longer["until"]) == (on["since"], None)
        off = await switch(admin, enabled=False)
        assert (off["message"], off["since"]) == ("", "2026-03-02T09:01:00Z")
        assert [each for each in published if isinstance(each, Announcement)] == [
            Announcement("system:maintenance", {"enabled": True, "message": "Neue Version", "until": until}),
            Announcement("system:maintenance", {"enabled": True, "message": "Dauert länger", "until": None}),
            Announcement("system:maintenance", {"enabled": False, "message": "", "until": None}),
        ]
        log = (await admin.get("/api/audit", params={"entity": "maintenance"})).json()["data"]
        assert [entry["action"] for entry in log] == ["maintenance.off", "maintenance.on", "maintenance.on"]
        assert log[1]["before"] == {"message": "Neue Version", "until": until}
        assert log[1]["after"] == {"message": "Dauert länger", "until": None}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"enabled": "perhaps"},
            {"enabled": True, "until": "2026-03-02T08:59:59Z"},
            {"enabled": True, "until": "2026-03-02T12:00:00"},
            {"enabled": False, "message": "x"},
            {"enabled": False, "until": "2026-03-02T12:00:00Z"},
            {"enabled": True, "message": "x" * 501},
            {"enabled": True, "message": "\0"},
            {"enabled": True, "force": True},
        ],
    )
    async def test_refuses_what_makes_no_sense(self, sign_in: SignIn, body: dict[str, Any]) -> None:
        admin = await sign_in("admin")
        assert (await admin.put(PATH, json=body)).status_code == 422
        assert (await admin.get(PATH)).json()["data"]["enabled"] is False

    async def test_is_turned_off_by_the_scheduler_when_the_announced_end_has_come_not_by_looking(
        self, app: Application, sign_in: SignIn, clock: FakeClock
    ) -> None:
        admin = await sign_in("admin")
        await switch(admin, enabled=True, until="2026-03-02T09:10:00Z")
        assert app.state.scheduler is not None
        clock.advance(599)
        await app.state.scheduler.run_due(clock.now())
        assert (await admin.get(PATH)).json()["data"]["enabled"] is True
        clock.advance(61)
        refused = await admin.post("/api/customers", json={"name": "Muster"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert (await admin.get(PATH)).json()["data"]["enabled"] is True
        await app.state.scheduler.run_due(clock.now())
        state = (await admin.get(PATH)).json()["data"]
        assert (state["enabled"], state["by"]) == (False, "SteinmetZ")
        assert (await admin.post("/api/customers", json={"name": "Muster"})).status_code == 201


ALLOWED = {
    ("post", "/api/auth/login"),
    ("post", "/api/auth/refresh"),
    ("post", "/api/auth/logout"),
    ("put", PATH),
    ("post", "/api/cache/invalidate"),  # these write nothing into the database
    ("post", "/api/cache/warm"),
    ("post", "/api/cache/commands/{command}"),
    ("post", "/api/diagnostics/index-advice"),
    ("post", "/api/diagnostics/workload"),
    ("post", "/api/diagnostics/comparisons"),  # the monitor's own log; maintenance is when changes are made
}
BODIES: dict[str, dict[str, Any]] = {
    "/api/users": {"email": "n@example.com", "name": "Neu", "role": "clerk", "password": PASSWORD},
    "/api/users/{user_id}/password": {"newPassword": "ein anderes Wort"},
    "/api/auth/password": {"currentPassword": PASSWORD, "newPassword": "ein anderes Wort"},
    "/api/functions/import": {"files": [{"name": "_1_LAGER.md", "text": "## Lager\n├── Regale\n"}]},
}
"""Of routes that look at the body before they open their unit."""


class TestWhileItIsOn:
    @pytest.mark.both_databases
    async def test_every_route_that_writes_is_refused_to_everybody(
        self, app: Application, sign_in: SignIn, clock: FakeClock
    ) -> None:
        admin = await sign_in("admin")
        await switch(admin, enabled=True, message="Neue Version", until="2026-03-02T09:30:00Z")
        clock.advance(0.5)
        routes = [
            (method, path)
            for path, operations in app.api.openapi()["paths"].items()
            for method in operations
            if method not in {"get", "head"}
        ]
        assert len(routes) > 15
        for method, path in routes:
            if (method, path) in ALLOWED:
                continue
            url = path.replace("{node_id}", "x").replace("_id}", "}").replace("{user}", "3")
            url = "/".join("1" if part.startswith("{") else part for part in url.split("/"))
            body = {"json": BODIES.get(path, {})} if method != "delete" else {}
            answer = await admin.request(method.upper(), url, **body)
            assert answer.status_code == 503, f"{method} {path} is let through: {answer.text}"
            problem = answer.json()
            assert problem["title"] == "Under maintenance"
            assert problem["detail"] == (
                "Neue Version: reading goes on, changes are refused until 2026-03-02T09:30:00Z."
            )
            assert problem["maintenance"] == {"message": "Neue Version", "until": "2026-03-02T09:30:00Z"}
            assert answer.headers["retry-after"] == "1800"
            assert answer.headers["content-type"] == "application/problem+json"

    async def test_reading_and_signing_in_and_out_go_on(
        self, sign_in: SignIn, client: httpx2.AsyncClient, published: list[Publication]
    ) -> None:
        admin, clerk = await sign_in("admin"), await sign_in("clerk")
        await clerk.get(OVERVIEW)
        await switch(admin, enabled=True)
        assert (await clerk.get("/api/invoices")).headers["x-cache"] == "MISS"
        assert (await clerk.get("/api/invoices")).headers["x-cache"] == "HIT"
        assert (await clerk.post("/api/customers", json={"name": "x"})).headers["retry-after"] == "60"
        login = {"email": "clerk@example.com", "password": PASSWORD}
        assert (await client.post("/api/auth/login", json=login)).status_code == 200
        wrong = await client.post("/api/auth/login", json=login | {"password": "falsches Wort"})
        assert wrong.status_code == 401
        assert (await client.post("/api/auth/refresh")).status_code == 200
        assert (await client.post("/api/auth/logout")).status_code == 200
        assert (await client.get("/healthz")).json() == {"success": True, "status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["maintenance"]) == (200, "on")

    async def test_the_system_itself_goes_on_and_its_workers_can_ask(
        self, app: Application, sign_in: SignIn
    ) -> None:
        await switch(await sign_in("admin"), enabled=True)
        async with app.state.database.unit() as unit:
            assert (await service.maintenance.maintenance(unit)).enabled
            service.audit.record(unit, "batch.pause", "batch_job", 1)

    @pytest.mark.parametrize("as_system", [False, True])
    async def test_events_of_sockets_that_write_are_refused_in_their_ack(
        self, app: Application, sign_in: SignIn, as_system: bool
    ) -> None:
        """Also a handler that forgets to say who acts."""
        admin, clerk = await sign_in("admin"), await sign_in("clerk")
        assert app.state.io is not None

        async def write(socket: Any, *_: Any) -> dict[str, bool]:
            actor = {} if as_system else {"actor": socket.data["user"]}
            async with app.state.database.unit(**actor) as unit:
                service.audit.record(unit, "chat.say", "chat", 1)
            return {"ok": True}

        app.state.io.on("test:write", write)
        token = clerk.headers["Authorization"].removeprefix("Bearer ")
        async with connect(app.state.io, auth={"token": token}) as socket:
            assert await socket.call("test:write") == {"ok": True}
            await switch(admin, enabled=True, message="Neue Version")
            refused = await socket.call("test:write")
            assert refused["error"] == {
                "code": "maintenance",
                "message": "Neue Version: reading goes on, changes are refused.",
                "retryAfterMs": 60_000,
            }
            await switch(admin, enabled=False)
            assert await socket.call("test:write") == {"ok": True}


async def count_entries(unit: Any) -> int:
    found = await unit.session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "hammer")
    )
    return int(found)


@pytest.fixture
async def command(app: Application, clock: FakeClock) -> Any:
    """The database as another process opens it."""
    url = app.state.database.url.render_as_string(hide_password=False)
    database = Database(url, clock=clock, pool_size=1)
    yield database
    await database.close()


@pytest.mark.both_databases
class TestTheMomentOfSwitching:
    async def test_nothing_is_committed_after_it(self, app: Application, command: Database) -> None:
        async def hammer() -> int:
            written = 0
            while True:
                try:
                    async with app.state.database.unit(actor=CLERK) as unit:
                        service.audit.record(unit, "hammer", "customer", written)
                        await unit.session.flush()
                        await asyncio.sleep(0)
                except UnderMaintenance:
                    return written
                written += 1
                progress.set()

        for _ in range(5):
            progress = asyncio.Event()
            writers = [asyncio.create_task(hammer()) for _ in range(8)]
            await progress.wait()
            async with command.unit() as unit:
                await service.maintenance.switch_maintenance(unit, enabled=True)
                # Whoever writes has ended or waits for us: all that will ever be there is there already.
                committed = await count_entries(unit)
            assert sum(await asyncio.gather(*writers)) > 0
            async with command.unit() as unit:
                assert await count_entries(unit) == committed
                await service.maintenance.switch_maintenance(unit, enabled=False)

    async def test_waits_for_a_writer_under_way_and_refuses_the_one_after(
        self, app: Application, command: Database
    ) -> None:
        async def switch_on() -> None:
            async with command.unit() as unit:
                await service.maintenance.switch_maintenance(unit, enabled=True)

        async with app.state.database.unit(actor=CLERK) as unit:
            service.audit.record(unit, "hammer", "customer", 1)
            await unit.session.flush()
            switching = asyncio.create_task(switch_on())
            if not command.is_sqlite:
                await waits_for_lock(app.state.database)
            assert not switching.done()
        await switching
        with pytest.raises(UnderMaintenance):
            async with app.state.database.unit(actor=CLERK):
                pass
        async with command.unit(writes=False) as unit:
            assert await count_entries(unit) == 1


async def waits_for_lock(database: Database) -> None:
    """Until somebody waits for an advisory lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    while True:
        async with database.unit(writes=False) as unit:
            if await unit.session.scalar(waiting):
                return


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(
    app: Application, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is a worker of the system that has asked: its answer stands until its unit ends."""
    monkeypatch.setattr(maintenance, "PATIENCE", "50ms")
    admin = await sign_in("admin")
    async with app.state.database.unit() as unit:
        assert not (await service.maintenance.maintenance(unit)).enabled
        refused = await admin.put(PATH, json={"enabled": True})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (await switch(admin, enabled=True))["enabled"] is True


def test_a_refusal_tells_the_seconds_that_are_left() -> None:
    now = FakeClock().now()
    problem = problem_of(UnderMaintenance("", None, now))
    assert problem.headers == {"Retry-After": "60"}
    assert problem.detail == "SteinmetZ is being maintained: reading goes on, changes are refused."
