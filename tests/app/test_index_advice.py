"""Index advice over HTTP: asked for by administrators, read by auditors, and the workload for the command."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from steinmetz.erp.main import Application
from steinmetz.erp.modules.system.workload import WORKLOAD_FILE
from steinmetz.erp.settings import Settings
from steinmetz.monitor.advisor.workload_file import from_text

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]
PATH = "/api/diagnostics/index-advice"
WORKLOAD = "/api/diagnostics/workload"


async def test_advice_is_asked_for_by_an_administrator_and_read_by_an_auditor(
    app: Application, sign_in: SignIn
) -> None:
    admin, auditor = await sign_in("admin"), await sign_in("auditor")
    before = (await auditor.get(PATH)).json()
    assert (before["success"], before["advice"], before["running"]) == (True, None, None)
    assert before["statementsSeen"] > 0
    assert (await auditor.get(f"{PATH}/revision")).status_code == 404

    assert (await auditor.post(PATH, json={})).status_code == 403
    begun = await admin.post(PATH, json={"verify": True})
    assert begun.status_code == 202
    assert begun.json()["running"] is not None
    assert (await admin.post(PATH, json={})).status_code == 409
    async with asyncio.timeout(30):
        while (after := (await auditor.get(PATH)).json())["running"]:
            await asyncio.sleep(0)
    assert after["error"] is None
    assert after["advice"]["verified"]
    assert after["advice"]["workload"]["statements"] > 0
    assert "admin@example.com" not in json.dumps(after)

    revision = await auditor.get(f"{PATH}/revision")
    assert revision.headers["content-type"].startswith("text/plain")
    assert "def upgrade() -> None:" in revision.text


async def test_nobody_else_reads_it(sign_in: SignIn, client: httpx2.AsyncClient) -> None:
    assert (await client.get(PATH)).status_code == 401
    assert (await (await sign_in("clerk")).get(PATH)).status_code == 403


async def test_before_any_statement_there_is_nothing_to_advise_on(app: Application, sign_in: SignIn) -> None:
    admin = await sign_in("admin")
    assert app.state.monitor is not None
    await admin.get(PATH)  # the first request of a token is proven by a statement
    app.state.monitor.workload.clear()
    refused = await admin.post(PATH, json={})
    assert refused.status_code == 409
    assert "Use the application first" in refused.json()["detail"]


async def test_the_workload_goes_into_the_data_folder_and_not_over_the_wire(
    app: Application, sign_in: SignIn, client: httpx2.AsyncClient, settings: Settings
) -> None:
    await sign_in("admin")
    answer = await client.post(WORKLOAD)
    assert answer.status_code == 200
    assert set(answer.json()["data"]) == {"statements", "calls"}
    file = settings.data_dir / WORKLOAD_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    workload, made_at = from_text(file.read_text())
    assert made_at == "2026-03-02T09:00:00Z"
    assert len(workload.queries) == answer.json()["data"]["statements"]
    signing_in = next(query for query in workload.queries if "users.email =" in query.sql)
    assert signing_in.sets()[0].values == ("admin@example.com",)
    assert "argon2" not in file.read_text(), "hashes of passwords stay in the database"


async def test_only_the_same_machine_may_have_the_workload_written(
    client: httpx2.AsyncClient, app: Application, settings: Settings
) -> None:
    assert (await client.post(WORKLOAD, headers={"X-Forwarded-For": "203.0.113.7"})).status_code == 403
    assert not (settings.data_dir / WORKLOAD_FILE).exists()


async def test_a_folder_that_cannot_be_written_is_said(
    client: httpx2.AsyncClient, sign_in: SignIn, settings: Settings
) -> None:
    await sign_in("admin")
    (settings.data_dir / WORKLOAD_FILE).mkdir()
    (settings.data_dir / WORKLOAD_FILE / "in the way").touch()
    answer = await client.post(WORKLOAD)
    assert answer.status_code == 503
    assert "cannot be written" in answer.json()["detail"]
    assert not [name for name in os.listdir(settings.data_dir) if name.startswith(".workload")]


class TestSwitchedOff:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"monitor": False})

    async def test_it_says_so(self, sign_in: SignIn) -> None:
        refused = await (await sign_in("admin")).get(PATH)
        assert refused.status_code == 503
        assert "STEINMETZ_MONITOR" in refused.json()["detail"]
