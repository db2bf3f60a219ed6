"""Alerts reach the room of the operators, their list, and nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from steinmetz.erp.main import Application
from steinmetz.erp.settings import SettingsError, load_settings
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


def token_of(client: httpx2.AsyncClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


async def test_an_alert_is_heard_by_operators_and_listed(app: Application, sign_in: SignIn) -> None:
    admin, clerk = await sign_in("admin"), await sign_in("clerk")
    monitor = app.state.monitor
    assert monitor is not None
    subject = "finance.invoices (a test)"
    async with (
        connect(app.state.io, auth={"token": token_of(admin)}) as admins,
        connect(app.state.io, auth={"token": token_of(clerk)}) as clerks,
    ):
        monitor.alerts.plan_regressed(subject, 10.0, 30.0)
        (said,) = await admins.heard("monitor:alert")
        assert (said["kind"], said["subject"], said["state"]) == ("plan_regressed", subject, "active")
        app.state.io.emit("system:maintenance", {"enabled": False, "message": "", "until": None})
        assert await clerks.heard("system:maintenance") == [{"enabled": False, "message": "", "until": None}]
        assert "monitor:alert" not in {event for event, _ in clerks.events}

    for state in ("active", "all"):
        answer = (await admin.get("/api/diagnostics/alerts", params={"state": state})).json()
        assert said in answer["data"]
        assert answer["page"]["total"] >= 1
    assert (await clerk.get("/api/diagnostics/alerts")).status_code == 403
    assert (await admin.get("/api/diagnostics/alerts", params={"state": "gone"})).status_code == 422


def test_settings_for_alerts_are_checked() -> None:
    secret, url = "0123456789abcdef", "https://hooks.example.com/s3cret"
    assert load_settings(alert_webhook_url=url, alert_webhook_secret=secret).alert_webhook_url is not None
    for wrong, said in (
        ({"alert_webhook_url": url}, "go together"),
        (
            {"alert_webhook_url": "s3cret", "alert_webhook_secret": secret},
            "STEINMETZ_ALERT_WEBHOOK_URL: ",
        ),
        ({"alert_webhook_url": url, "alert_webhook_secret": "s3cret"}, "STEINMETZ_ALERT_WEBHOOK_SECRET: "),
        ({"query_budgets": {"a": {"p42": 1}}}, "STEINMETZ_QUERY_BUDGETS: the budget of 'a'"),
    ):
        with pytest.raises(SettingsError, match=said) as refused:
            load_settings(**wrong)  # type: ignore[arg-type]
        assert "s3cret" not in str(refused.value)
