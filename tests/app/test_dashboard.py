"""The figures of the company over HTTP: shared where everybody sees them, by role where not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.dashboard.schemas import Dashboard, Overview, Widget, WidgetId

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]

OVERVIEW = "/api/dashboard/overview"


async def pay_something(http: httpx2.AsyncClient) -> None:
    """A customer, an invoice over 119 €, and 19 € paid on it."""
    customer = (await http.post("/api/customers", json={"name": "Muster"})).json()["data"]
    items = [{"description": "Wartung", "unitPriceCents": 10_000}]
    draft = (await http.post("/api/invoices", json={"customerId": customer["id"], "items": items})).json()["data"]
    path = f"/api/invoices/{draft['id']}"
    sent = (await http.post(f"{path}/send", json={"version": draft["version"]})).json()["data"]
    paid = await http.post(f"{path}/pay", json={"version": sent["version"], "amountCents": 1_900})
    assert paid.status_code == 200, paid.text


@pytest.mark.both_databases
async def test_the_overview_is_one_answer_for_everybody(sign_in: SignIn, engine_name: str) -> None:
    clerk, admin = await sign_in("clerk"), await sign_in("admin")
    first, second = await clerk.get(OVERVIEW), await admin.get(OVERVIEW)
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    assert first.content == second.content
    Overview.model_validate(first.json()["data"])

    await pay_something(clerk)
    third, fourth = await admin.get(OVERVIEW), await clerk.get(OVERVIEW)
    assert (third.headers["x-cache"], fourth.headers["x-cache"]) == ("MISS", "HIT")
    told = fourth.json()["data"]
    assert told["openInvoices"] == {"count": 1, "sumCents": 10_000}
    assert told["cash"] == {"balanceCents": 1_900}
    assert told["activity"][0]["action"] == "invoice.pay"


async def test_the_dashboard_is_kept_by_role(sign_in: SignIn) -> None:
    clerk, manager, auditor = await sign_in("clerk"), await sign_in("manager"), await sign_in("auditor")
    seen: dict[str, Any] = {}
    for name, http in (("clerk", clerk), ("manager", manager), ("auditor", auditor)):
        answer = await http.get("/api/dashboard")
        assert answer.headers["x-cache"] == "MISS"
        assert (await http.get("/api/dashboard")).headers["x-cache"] == "HIT"
        Dashboard.model_validate(answer.json()["data"])
        seen[name] = [widget["id"] for widget in answer.json()["data"]["widgets"]]
    assert seen["manager"] == seen["auditor"] == list(WidgetId)
    assert set(WidgetId) - set(seen["clerk"]) == {"revenue", "cash"}


async def test_a_widget_that_is_the_managers_is_refused_to_a_clerk_also_from_the_cache(sign_in: SignIn) -> None:
    clerk, manager = await sign_in("clerk"), await sign_in("manager")
    for widget in WidgetId:
        path = f"/api/dashboard/widgets/{widget}"
        answers = [await manager.get(path) for _ in range(2)]
        assert [each.headers["x-cache"] for each in answers] == ["MISS", "HIT"]
        Widget.model_validate(answers[0].json()["data"])
        refused = await clerk.get(path)
        assert refused.status_code == (403 if widget in {"cash", "revenue"} else 200)
    assert (await clerk.get("/api/dashboard/widgets/cash")).json()["neededRole"] == "manager"
    assert (await manager.get("/api/dashboard/widgets/weather")).status_code == 404


async def test_nobody_reads_without_signing_in(client: httpx2.AsyncClient, sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    for path in ("/api/dashboard", OVERVIEW, "/api/dashboard/widgets/batch"):
        for _ in range(2):
            assert (await http.get(path)).status_code == 200
        refused = await client.get(path)
        assert refused.status_code == 401
        assert refused.headers["x-cache"] != "HIT"
        assert (await http.get(f"{path}?colour=red")).status_code == 422


async def test_t14_today_ends_at_midnight_in_berlin(sign_in: SignIn, clock: FakeClock) -> None:
    """22:59 UTC is still Monday; at 23:00 UTC it is Tuesday, and no kept answer says otherwise."""
    clock.advance(13 * 3_600 + 59 * 60)
    http = await sign_in("clerk")
    first = await http.get(OVERVIEW)
    assert (first.json()["data"]["businessDate"], first.headers["x-cache"]) == ("2026-03-02", "MISS")
    clock.advance(59)
    assert (await http.get(OVERVIEW)).headers["x-cache"] == "HIT"
    clock.advance(1)
    fresh = await http.get(OVERVIEW)
    assert (fresh.json()["data"]["businessDate"], fresh.headers["x-cache"]) == ("2026-03-03", "MISS")


@pytest.mark.both_databases
async def test_figures_in_demand_are_ready_again_before_anybody_asks(
    app: Application, sign_in: SignIn, engine_name: str
) -> None:
    assert app.state.cache is not None
    clerk, manager = await sign_in("clerk"), await sign_in("manager")
    for _ in range(5):
        await clerk.get(OVERVIEW)
        await manager.get("/api/dashboard")
    await clerk.post("/api/customers", json={"name": "Muster"})
    async with asyncio.timeout(20):
        while app.state.cache.stats()["renewed"] < 2:
            await asyncio.sleep(0.01)
    for http, path in ((clerk, OVERVIEW), (manager, "/api/dashboard")):
        ready, truth = await http.get(path), await http.get(path, headers={"Cache-Control": "no-store"})
        assert (ready.headers["x-cache"], ready.content) == ("HIT", truth.content)
        assert ready.json()["data"] == truth.json()["data"]


def asked(app: Application) -> Counter[str]:
    """How often each figure was asked of the database."""
    breakdown = app.state.monitor.query_stats()["queryBreakdown"]
    figures = ("hr.headcount", "hr.minutes", "batch.count_by_status", "finance.owed_by_status", "system.latest")
    return Counter({name: breakdown.get(name, {"count": 0})["count"] for name in figures})


@pytest.mark.both_databases
async def test_a_figure_is_asked_for_again_only_if_a_commit_has_changed_it(
    app: Application, sign_in: SignIn, engine_name: str
) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    await clerk.get(OVERVIEW)
    first = asked(app)
    assert set(first.values()) == {1}
    await clerk.post("/api/customers", json={"name": "Muster"})
    overview = (await clerk.get(OVERVIEW)).json()["data"]
    assert overview["activity"][0]["action"] == "customer.create"
    assert asked(app) - first == {"system.latest": 1}
    dashboard = (await auditor.get("/api/dashboard")).json()["data"]
    shown = {widget["id"]: widget["data"] for widget in dashboard["widgets"]}
    assert shown["headcount"] == overview["headcount"]
    # The auditor sees all acts, and the clerk those that are no secret.
    assert asked(app) - first == {"system.latest": 2}


@pytest.mark.both_databases
async def test_whoever_says_how_fresh_it_has_to_be_is_given_nothing_that_is_kept(
    app: Application, sign_in: SignIn, engine_name: str
) -> None:
    clerk = await sign_in("clerk")
    await clerk.get(OVERVIEW)
    before = asked(app)
    await clerk.get(OVERVIEW, headers={"Cache-Control": "no-store"})
    assert set((asked(app) - before).values()) == {1}


async def test_without_the_cache_nothing_is_kept(app: Application, sign_in: SignIn) -> None:
    assert app.state.cache is not None
    clerk = await sign_in("clerk")
    await clerk.get(OVERVIEW)
    app.state.cache.enabled = False
    before = asked(app)
    await clerk.get(OVERVIEW)
    assert set((asked(app) - before).values()) == {1}
