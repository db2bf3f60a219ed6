"""A day at the company, through the real door: what one does, the others hear, and commands beside it count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import socketio

from steinmetz.clock import SystemClock
from steinmetz.erp.kit.days import company_date, week_start
from tests.e2e.server import running_server
from tests.e2e.test_doorbell import command
from tests.e2e.test_main_job import sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

CATALOGUE_FILE = """## Betriebsrat
├── 📁 Vereinbarungen
│   └── 📄 Gleitzeit
└── 📁 Sitzungen
"""


@dataclass
class Person:
    """One signed-in user: HTTP, and a socket of python-socketio that notes all it hears."""

    http: httpx2.AsyncClient
    socket: socketio.AsyncClient
    heard: list[tuple[str, Any]] = field(default_factory=list)

    async def hears(self, event: str, within_s: float = 30.0, **wanted: Any) -> Any:
        """The first payload of ``event`` with these fields, heard by now or soon."""
        async with asyncio.timeout(within_s):
            while True:
                for name, payload in self.heard:
                    if name == event and all(payload.get(key) == value for key, value in wanted.items()):
                        return payload
                await asyncio.sleep(0.01)

    def names(self) -> set[str]:
        return {name for name, _ in self.heard}

    async def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = await self.http.request(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json().get("data")


@asynccontextmanager
async def person(url: str, role: str) -> AsyncIterator[Person]:
    async with httpx2.AsyncClient(base_url=url, timeout=20) as http:
        token = await sign_in(http, role)
        http.headers["Authorization"] = f"Bearer {token}"
        came = Person(http, socketio.AsyncClient(reconnection=False))

        @came.socket.on("*")  # type: ignore[untyped-decorator]
        async def hear(event: str, payload: Any) -> None:
            came.heard.append((event, payload))

        await came.socket.connect(url, auth={"token": token}, transports=["websocket"])
        try:
            yield came
        finally:
            await came.socket.disconnect()


@pytest.mark.both_databases
async def test_a_day_at_the_company(company: tuple[Path, str | None], tmp_path: Path) -> None:
    folder, database_url = company
    with running_server(folder, database_url=database_url) as server:
        async with AsyncExitStack() as stack:
            admin, manager, clerk = [
                await stack.enter_async_context(person(server.url, role)) for role in ("admin", "manager", "clerk")
            ]
            await talk(clerk, manager)
            await notice(admin, manager, clerk)
            await leave(manager, clerk)
            await bill(manager, clerk)
            await export(manager, clerk)
            await maintain(company, admin, clerk)
            await take_in_a_catalogue(company, tmp_path, clerk)
            await keep_and_do_not_restore(company, tmp_path, manager)


async def talk(clerk: Person, manager: Person) -> None:
    said = {"channel": "general", "text": "Guten Morgen, Aalen! 🌄", "key": "morning-1"}
    first = await clerk.socket.call("chat:message", said)
    again = await clerk.socket.call("chat:message", said)
    assert first["ok"] is again["ok"] is True
    assert first["message"]["id"] == again["message"]["id"]
    heard = await manager.hears("chat:message", id=first["message"]["id"])
    assert heard["text"] == said["text"]
    channels = {each["id"]: each for each in await manager.ask("GET", "/api/chat/channels")}
    assert channels["general"]["unread"] > 0
    await manager.ask("POST", "/api/chat/channels/general/read", json={"messageId": heard["id"]})
    channels = {each["id"]: each for each in await manager.ask("GET", "/api/chat/channels")}
    assert channels["general"]["unread"] == 0


async def notice(admin: Person, manager: Person, clerk: Person) -> None:
    wanted = {
        "audience": "role",
        "role": "clerk",
        "level": "info",
        "title": "Inventur",
        "message": "Freitag 14 Uhr",
    }
    await admin.ask("POST", "/api/notifications", 201, json=wanted)
    heard = await clerk.hears("system:notification", title="Inventur")
    listed = await clerk.ask("GET", "/api/notifications?unread=true")
    assert heard["id"] in {each["id"] for each in listed}
    await clerk.ask("POST", f"/api/notifications/{heard['id']}/read")
    assert heard["id"] not in {each["id"] for each in await clerk.ask("GET", "/api/notifications?unread=true")}
    assert "Inventur" not in {
        payload.get("title") for name, payload in manager.heard if name.startswith("system:")
    }


async def leave(manager: Person, clerk: Person) -> None:
    today = company_date(SystemClock().now())
    monday = week_start(today) + timedelta(days=21)
    asked = {"kind": "special", "firstDay": monday.isoformat(), "lastDay": monday.isoformat()}
    request = await clerk.ask("POST", "/api/leave-requests", 201, json=asked)
    step = {"version": request["version"]}
    await clerk.ask("POST", f"/api/leave-requests/{request['id']}/approve", 403, json=step)
    await manager.ask("POST", f"/api/leave-requests/{request['id']}/approve", json=step)
    told = await clerk.hears("system:notification", level="success")
    assert told["title"] == "Ihre Abwesenheit ist genehmigt"


async def bill(manager: Person, clerk: Person) -> None:
    customer = (await clerk.ask("GET", "/api/customers?limit=1"))[0]
    items = [{"description": "Wartung Łódź", "quantityMilli": 1500, "unitPriceCents": 10_000}]
    invoice = await clerk.ask("POST", "/api/invoices", 201, json={"customerId": customer["id"], "items": items})
    path = f"/api/invoices/{invoice['id']}"
    before = await manager.ask("GET", "/api/reports/profit-loss")
    invoice = await clerk.ask("POST", f"{path}/send", json={"version": invoice["version"]})
    credit = {"version": invoice["version"], "reason": "Kulanz"}
    credit["items"] = [{"description": "Kulanz", "quantityMilli": 500, "unitPriceCents": 10_000}]
    note = (await manager.http.post(f"{path}/credit", json=credit)).json()["data"]
    after = await manager.ask("GET", "/api/reports/profit-loss")
    assert after["resultCents"] - before["resultCents"] == 10_000, note
    await clerk.ask("GET", "/api/reports/profit-loss", 403)
    for language in ("de", "en"):
        document = await clerk.http.get(f"{path}/pdf?lang={language}")
        assert document.content.startswith(b"%PDF-")
        assert document.headers["content-type"] == "application/pdf"
        assert (await clerk.http.get(f"{path}/pdf?lang={language}")).headers["X-Cache"] == "HIT"


async def export(manager: Person, clerk: Person) -> None:
    wanted = {"kind": "export", "parameters": {"subject": "customers"}}
    job = await manager.ask("POST", "/api/batch/jobs", 202, json=wanted)
    complete = await manager.hears("batch:complete", jobId=job["id"], within_s=30)
    assert complete["result"]["status"] == "done"
    progress = [p["done"] for name, p in manager.heard if name == "batch:progress" and p["jobId"] == job["id"]]
    assert progress == sorted(progress)
    file = await manager.http.get(f"/api/batch/jobs/{job['id']}/download")
    total = (await manager.http.get("/api/customers?limit=1")).json()["page"]["total"]
    assert len(file.text.strip().splitlines()) == total + 1
    assert (await clerk.http.get(f"/api/batch/jobs/{job['id']}/download")).status_code in {403, 404}


async def maintain(company: tuple[Path, str | None], admin: Person, clerk: Person) -> None:
    assert (await admin.ask("GET", "/api/system/maintenance"))["enabled"] is False
    status, errors = await command(company, "-m", "steinmetz", "maintenance", "on", "--message", "Neue Version")
    assert status == 0, errors
    assert (await clerk.hears("system:maintenance", enabled=True))["message"] == "Neue Version"
    refused = await clerk.http.post("/api/customers", json={"name": "Zu spät GmbH"})
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["success"] is False
    answer = await clerk.socket.call("chat:message", {"channel": "general", "text": "Hallo?"})
    assert (answer["ok"], answer["error"]["code"]) == (False, "maintenance")
    assert (await clerk.ask("GET", "/api/system/maintenance"))["enabled"] is True
    status, errors = await command(company, "-m", "steinmetz", "maintenance", "off")
    assert status == 0, errors
    await clerk.hears("system:maintenance", enabled=False)
    await clerk.ask("POST", "/api/customers", 201, json={"name": "Wieder da GmbH"})


async def take_in_a_catalogue(company: tuple[Path, str | None], folder: Path, clerk: Person) -> None:
    file = folder / "_9_BETRIEBSRAT.md"
    file.write_text(CATALOGUE_FILE, encoding="utf-8")
    path = "/api/functions"
    await clerk.ask("GET", path)
    assert (await clerk.http.get(path)).headers["X-Cache"] == "HIT"
    status, errors = await command(company, "-m", "steinmetz", "catalog", "import", str(file))
    assert status == 0, errors
    async with asyncio.timeout(30):
        while not clerk.names() & {"catalog:update", "catalog:reload"}:
            await asyncio.sleep(0.01)
    first = await clerk.http.get(path)
    assert first.headers["X-Cache"] == "MISS"
    assert "Betriebsrat" in {area["title"] for area in first.json()["data"]}


async def keep_and_do_not_restore(company: tuple[Path, str | None], folder: Path, manager: Person) -> None:
    archive = folder / "company.backup"
    status, errors = await command(company, "-m", "steinmetz", "backup", str(archive))
    assert status == 0, errors
    assert archive.stat().st_mode & 0o077 == 0
    status, errors = await command(company, "-m", "steinmetz", "restore", str(archive), "--replace")
    assert status == 2, errors
    await manager.ask("GET", "/api/customers?limit=1")
