"""What administrators and auditors see of slow queries: all of it, and no secret of anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from steinmetz.erp.main import Application
from steinmetz.erp.settings import Settings
from tests.app.conftest import PASSWORD, SignIn, settings_for
from tests.app.people import data

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

SALARY_CENTS = 918_273_645
NICKNAME = "Qzqz Wunderlich"
BROKEN = {"email": "clerk@example.com", "name": "Twice", "role": "clerk", "password": f"{PASSWORD}-mZ4q"}


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return settings_for(
        tmp_path, database_url, slow_query_threshold_ms=0, log_format="json",
        sensitive_columns="last_name, summary",  # the audit log's summary repeats the name
        slow_query_thresholds='{"auth.user_by_email": 60000}',
    )  # fmt: skip


async def work(sign_in: SignIn) -> httpx2.AsyncClient:
    """A day on which every secret of the company passes through the database."""
    admin = await sign_in("admin")
    department = await data(admin.post("/api/departments", json={"name": "Lager", "costCenter": "1"}), 201)
    employee = {
        "firstName": "Ulla", "lastName": NICKNAME, "email": "ulla@example.com", "departmentId": department["id"],
        "jobTitle": "Chefin", "salaryCents": SALARY_CENTS, "hiredOn": "2020-01-01",
    }  # fmt: skip
    await data(admin.post("/api/employees", json=employee), 201)
    assert (await admin.post("/api/users", json=BROKEN)).status_code == 409
    await data(admin.get("/api/employees"))
    await data(admin.get("/api/customers", params={"q": "nobody"}))
    return admin


async def test_a_slow_query_is_shown_in_full_with_its_plan(sign_in: SignIn, app: Application) -> None:
    admin = await work(sign_in)
    slow = (await admin.get("/api/diagnostics/slow-queries", params={"limit": 500})).json()["slowQueries"]
    listed = next(query for query in slow if query["name"] == "hr.employees" and query["details"]["slowest"])
    found = await data(admin.get(f"/api/diagnostics/slow-queries/{listed['details']['id']}"))
    assert found["name"] == "hr.employees"
    assert found["details"]["requestId"]
    assert found["details"]["slowest"]["scope"].startswith("request")
    fingerprint = found["details"]["slowest"]["fingerprint"]
    told = await data(admin.get(f"/api/diagnostics/plans/{fingerprint}"))
    assert told["refused"] is None
    (plan,) = told["plans"]
    assert "employees" in plan["text"]
    assert plan["tree"]["operation"]
    again = await data(admin.get(f"/api/diagnostics/slow-queries/{listed['details']['id']}"))
    assert again["plans"]["plans"][0]["hash"] == plan["hash"]


async def test_nobody_else_sees_them_and_what_is_not_there_is_said(sign_in: SignIn) -> None:
    admin, clerk = await sign_in("admin"), await sign_in("clerk")
    for path, status in (
        ("slow-queries/0123456789ab", 404), ("plans/0123456789abcdef", 404),
        ("slow-queries/x", 422), ("plans/DROP", 422),
    ):  # fmt: skip
        assert (await admin.get(f"/api/diagnostics/{path}")).status_code == status
        assert (await clerk.get(f"/api/diagnostics/{path}")).status_code == 403


async def test_no_secret_of_the_company_is_shown_anywhere(
    sign_in: SignIn, app: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = await work(sign_in)
    auditor = await sign_in("auditor")
    token = str(admin.headers["Authorization"]).removeprefix("Bearer ")
    shown: dict[str, str] = {}
    slow: list[dict[str, Any]] = []
    for path in ("query-stats", "slow-queries?limit=500"):
        answer = await auditor.get(f"/api/diagnostics/{path}")
        assert answer.status_code == 200
        shown[path] = answer.text
        slow += answer.json().get("slowQueries", [])
    assert len(slow) > 20
    for query in slow:
        answer = await auditor.get(f"/api/diagnostics/slow-queries/{query['details']['id']}")
        shown[query["details"]["id"]] = answer.text
    fingerprints = {found["fingerprint"] for query in slow if (found := query["details"].get("slowest"))}
    for fingerprint in sorted(fingerprints)[:40]:
        shown[fingerprint] = (await auditor.get(f"/api/diagnostics/plans/{fingerprint}")).text
    shown["/metrics"] = (await auditor.get("/metrics")).text
    shown["the log"] = capsys.readouterr().err
    for where, text in shown.items():
        for secret in (PASSWORD, BROKEN["password"], str(SALARY_CENTS), NICKNAME, token, token[:40], "$argon2"):
            assert secret not in text, (where, secret)
    assert any('"…"' in text or "[redacted]" in text for text in shown.values())
    names = {query["name"] for query in slow}
    assert names
    assert "auth.user_by_email" not in names, "it has a threshold of its own"
