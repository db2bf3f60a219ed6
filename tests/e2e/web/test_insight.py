"""The operations rooms: what an engineer sees, and what an administrator does there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser, expect

from steinmetz.clock import SystemClock
from tests.e2e.server import RunningServer, running_server
from tests.e2e.web.screen import TASTES, WITHIN_MS, Screen, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

HEADINGS = {
    "queries": {"en-GB": "Requests, queries", "de-DE": "Anfragen, Abfragen"},
    "advice": {"en-GB": "Index advice", "de-DE": "Index-Empfehlungen"},
    "comparisons": {"en-GB": "Before and after", "de-DE": "Vorher und nachher"},
    "cache": {"en-GB": "Cache", "de-DE": "Cache"},
    "realtime": {"en-GB": "Realtime", "de-DE": "Echtzeit"},
    "system": {"en-GB": "System", "de-DE": "System"},
}
ROOMS = [
    ["queries", "advice", "system"],
    ["queries", "cache", "realtime"],
    ["comparisons", "cache", "realtime"],
    ["advice", "comparisons", "system"],
]
"""Which are looked at in each taste: every room in two of them."""
SHOWN = {"advice": ".empty, .insight-tiles", "comparisons": ".insight-change, .empty"}


DDL = "CREATE INDEX ix_invoices_status ON invoices (status, issue_date)"
GAIN = {"estimated": 42.0, "verified": 40.0, "verifiedWorst": 31.0, "observed": None}
LOSS = {"estimated": 0.94, "verified": 0.95, "verifiedWorst": 0.95, "observed": None}
EFFECT = {"statement": "SELECT id FROM invoices", "calls": 40, "totalTime": 812.5}
ADVICE = {
    "success": True,
    "advice": {
        "madeAt": "2026-03-02T09:00:00Z",
        "engine": "sqlite",
        "verified": True,
        "notVerifiedBecause": None,
        "workload": {"statements": 12, "calls": 400, "parameterSets": 30},
        "candidates": 9,
        "candidatesLeftOut": 0,
        "savedShare": 0.31,
        "create": [
            {
                "name": "ix_invoices_status",
                "table": "invoices",
                "columns": ["status", "issue_date"],
                "include": [],
                "where": None,
                "ddl": DDL,
                "sizeBytes": 120_000,
                "savedTime": 790.0,
                "helps": [{"name": "select invoices 0b", "fingerprint": "0" * 16, "gain": GAIN, **EFFECT}],
                "slows": [{"name": "update invoices 1c", "fingerprint": "1" * 16, "gain": LOSS, **EFFECT}],
                "note": "",
            }
        ],
        "drop": [],
        "rejected": [{"index": "invoices (note)", "reason": "It would cost more than it saves."}],
        "rejectedCount": 1,
        "notUnderstood": [],
    },
    "running": None,
    "error": None,
    "statementsSeen": 12,
}


ONE = {
    "activeConnections": 40,
    "uptime": 7_200,
    "queues": {"sessions": 41, "polling": 1, "waiting": 3, "bytes": 12_000, "largestBytes": 9_000},
    "slowClients": 2,
    "nodes": {"id": "ab12", "reachable": True, "others": 1},
}
SPREAD = {"count": 90, "p50Ms": 1.5, "p99Ms": 12.0, "worstMs": 30.0}
SOCKETS = {
    "success": True,
    "stats": {
        **ONE,
        "rooms": ["chat-room", "dashboard-room"],
        "events": {"dashboard:update": 900, "chat:message": 30},
        "received": {"chat:message": 30, "(other)": 1},
        "rates": {
            "windowS": 60.0,
            "out": {"dashboard:update": 13.5, "chat:message": 0.5},
            "in": {"chat:message": 0.5},
        },
        "traffic": {
            "sessionsOpened": 90,
            "sessionsClosed": 49,
            "deliveries": 37_000,
            "bytesOut": 9e6,
            "bytesIn": 4e4,
        },
        "dropped": {"volatile": 4, "replaced": 1},
        "refused": {"Authentication required": 5},
        "invalid": {"received": 1, "sent": 0},
        "recoveries": {"recovered": 8},
        "revocations": 1,
        "roundTrip": SPREAD,
        "writes": {**SPREAD, "stalls": 2},
        "collector": {"collections": 3, "pauseMs": 4.2, "worstPauseMs": 9.1},
        "draining": False,
    },
    "cluster": {
        "activeConnections": 75,
        "servers": [ONE, {**ONE, "nodes": {"id": "cd34"}, "activeConnections": 35}],
        "missing": ["ef56"],
    },
}


@pytest.fixture(scope="module")
def server(new_folder: Callable[[], Path]) -> Iterator[RunningServer]:
    # Slow is whatever takes a tenth of a millisecond: so there is a slow log.
    with running_server(new_folder(), SLOW_QUERY_THRESHOLD_MS="0.1") as running:
        yield running


def history_until(now_s: int) -> dict[str, Any]:
    """Five minutes of everything."""
    times = [now_s - 60 * ago for ago in range(5, 0, -1)]
    shares = {"p50": 0.5, "p95": 2.0, "p99": 4.0, "avgTime": 0.8}
    series = {name: [factor * (3 + at % 2) for at in range(5)] for name, factor in shares.items()}
    counts = {"key": None, "count": [90, 120, 60, 240, 180], "errors": [0] * 5, "slow": [0, 1, 0, 0, 2]}
    return {"success": True, "data": {"times": times, "seconds": [60] * 5, "series": [{**counts, **series}]}}


async def tile(visitor: Screen, figure: str, text: str | None = None) -> None:
    place = visitor.page.locator(f".insight-tile[data-figure='{figure}'] .value")
    await expect(place).to_contain_text(text or "", timeout=WITHIN_MS)


@pytest.mark.parametrize(
    ("taste", "rooms"),
    list(zip(TASTES, ROOMS, strict=True)),
    ids=["wide-light-en", "phone-dark-de", "wide-dark-de", "phone-light-en"],
)
async def test_every_room_is_sound(
    server: RunningServer, browser: Browser, taste: Taste, rooms: list[str]
) -> None:
    name = f"{taste['locale']}-{taste['viewport']['width']}-{taste['color_scheme']}"
    async with screen(server, browser, "auditor", taste, f"/operations/{rooms[0]}") as visitor:
        for room in rooms:
            await visitor.go(f"/operations/{room}")
            await visitor.heading(HEADINGS[room][taste["locale"]])
            shown = visitor.page.locator(SHOWN.get(room, ".insight-tiles")).first
            await expect(shown).to_be_visible(timeout=WITHIN_MS)
            await expect(visitor.page.locator(".skeleton")).to_have_count(0, timeout=WITHIN_MS)
            await visitor.look(f"{room}-{name}")
            await visitor.is_sound()
        assert visitor.documents == 1, "the page was loaded again"


async def test_an_engineer_goes_from_a_request_to_its_query_its_plan_and_its_slow_runs(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, "admin", path="/operations/queries") as visitor:
        for _ in range(3):
            await http.get("/api/invoices", headers={"Cache-Control": "no-cache"})
        page = visitor.page
        await tile(visitor, "requests", "/s")
        # A line needs two minutes, and the server may be younger.
        now_s = int(SystemClock().now().timestamp()) // 60 * 60
        await page.route("**/api/diagnostics/history?*", lambda route: route.fulfill(json=history_until(now_s)))
        await expect(page.locator(".insight-chart canvas")).to_have_count(3, timeout=WITHIN_MS)
        await page.locator(".insight-chart summary").first.click()
        table = page.locator(".insight-chart-table").first
        await expect(table.locator("tbody tr")).to_have_count(5, timeout=WITHIN_MS)
        await visitor.look("queries")
        await page.unroute("**/api/diagnostics/history?*")

        # The dearest come first, and other tests have asked this server for dearer ones.
        await page.locator("[data-search]").fill("GET /api/invoices")
        await page.get_by_role("link", name="GET /api/invoices", exact=True).click(timeout=WITHIN_MS)
        await visitor.heading("GET /api/invoices")
        await tile(visitor, "runs")

        await visitor.go("/operations/queries?tab=statements&window=5m")
        await page.locator("[data-search]").fill("select invoices")
        await expect(page.locator(".data-table tbody tr").first).to_contain_text("select invoices")
        await expect(page).to_have_url(re.compile(r"q=select\+invoices"))
        await page.get_by_role("button", name="Runs").click()
        await expect(page).to_have_url(re.compile("sort=-count"))
        await page.locator("a.row-link").first.click()
        await expect(page.locator(".insight-sql").first).to_contain_text("SELECT")
        await page.get_by_role("button", name="Explain").click()
        await expect(page.locator(".insight-sql.is-plan, .note[lang=en]").first).to_be_visible(timeout=WITHIN_MS)
        await visitor.look("statement")
        await visitor.is_sound()

        await visitor.go("/operations/queries?tab=slow")
        await page.locator("a.row-link").first.click()
        await expect(page.get_by_text("Threshold", exact=True)).to_be_visible(timeout=WITHIN_MS)
        await visitor.look("slow-query")
        await visitor.is_sound()

        for tab in ("patterns", "alerts"):
            await visitor.go(f"/operations/queries?tab={tab}")
            await expect(page.get_by_role("tabpanel").locator(".card, .empty").first).to_be_visible(
                timeout=WITHIN_MS
            )
        await visitor.is_sound()


async def test_an_administrator_asks_for_indexes_and_copies_their_ddl(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, "admin", path="/operations/advice") as visitor:
        page = visitor.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await visitor.press("Find and verify")
        await expect(page.locator("[data-figure=saved] .value")).to_contain_text("%", timeout=60_000)

        # Whether so small a company needs an index is its own affair: from here on it does.
        await page.route("**/api/diagnostics/index-advice", lambda route: route.fulfill(json=ADVICE))
        await expect(page.locator("[data-index=ix_invoices_status]")).to_contain_text("42 ×", timeout=WITHIN_MS)
        await visitor.look("advice")
        await visitor.is_sound()
        await visitor.press("Copy DDL")
        await visitor.shows_toast("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == DDL
        async with page.expect_download() as coming:
            await visitor.press("Alembic revision")
        assert (await coming.value).suggested_filename == "index_advice.py"


async def test_a_marked_change_stands_in_the_list(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser, "admin", path="/operations/comparisons") as visitor:
        await visitor.press("Mark a change")
        await visitor.page.get_by_label("What is changed").fill("Invoices in one statement")
        await visitor.page.get_by_label("Tables").fill("invoices, invoice_items")
        await visitor.is_sound()
        await visitor.press("Save")
        await visitor.shows_toast("Marked")
        change = visitor.page.locator(".insight-change", has_text="Invoices in one statement")
        await expect(change).to_have_attribute("open", "", timeout=WITHIN_MS)
        await expect(change).to_contain_text("Tables: invoices and invoice_items")
        await expect(visitor.page).to_have_url(re.compile("change="))
        visitor.is_quiet()


async def is_kept(http: httpx2.AsyncClient, path: str) -> None:
    """Ask until the answer is kept: what a start writes at leisure lets none be kept meanwhile."""
    async with asyncio.timeout(30):
        while any(chore["doneAt"] is None for chore in (await http.get("/api/system/chores")).json()["data"]):
            await asyncio.sleep(0.05)
        while (await http.get(path)).headers["X-Cache"] != "HIT":
            await asyncio.sleep(0.05)


async def test_a_commit_elsewhere_is_told_with_what_it_dropped_and_answers_are_dropped_by_hand(
    server: RunningServer, browser: Browser
) -> None:
    async with (
        colleague(server, "admin") as http,
        screen(server, browser, "admin", path="/operations/cache?tab=drops") as visitor,
    ):
        page = visitor.page
        drops = page.locator(".insight-alert")
        await expect(drops.first).to_be_visible(timeout=WITHIN_MS)
        await is_kept(http, "/api/customers")
        created = await http.post("/api/customers", json={"name": "Granit & Söhne", "country": "DE"})
        assert created.status_code == 201, created.text
        drop = drops.filter(has_text="POST /api/customers").first
        await expect(drop).to_contain_text("customers", timeout=WITHIN_MS)
        await expect(drop).to_contain_text("/api/customers × 1")
        await visitor.look("cache-drops")
        await visitor.is_sound()

        await visitor.press("Invalidate")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Which").fill("/api/dashboard")
        await visitor.is_sound()
        await dialog.get_by_role("button", name="Invalidate").click()
        await visitor.shows_toast("dropped")

        await visitor.press("Warm up")
        await page.get_by_role("dialog").get_by_role("button", name="Warm up").click()
        await visitor.shows_toast("computed again")
        visitor.is_quiet()


async def test_all_that_a_cluster_of_servers_says_of_its_sockets_is_shown(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, "admin", path="/operations/realtime") as visitor:
        await tile(visitor, "connections", "1")
        await visitor.page.route("**/api/ws/stats", lambda route: route.fulfill(json=SOCKETS))
        await tile(visitor, "out", "14/s")
        await tile(visitor, "queue", "12 kB")
        await tile(visitor, "slow-clients", "2")
        await expect(visitor.page.get_by_text("No answer within a second: ef56")).to_be_visible()
        await visitor.row("cd34")
        await visitor.look("realtime-cluster")
        await visitor.is_sound()


async def test_an_auditor_only_looks_and_a_clerk_does_not_even_that(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, "auditor", path="/operations/cache?tab=keys") as visitor:
        await expect(visitor.page.locator(".insight-tiles")).to_be_visible(timeout=WITHIN_MS)
        await expect(visitor.page.get_by_role("button", name="Invalidate")).to_have_count(0)
        await visitor.go("/operations/advice")
        await visitor.heading("Index advice")
        await expect(visitor.page.get_by_role("button", name="Find and verify")).to_have_count(0)
    async with screen(server, browser, "clerk", path="/operations/system") as visitor:
        await expect(visitor.page.get_by_text("Your role does not include this")).to_be_visible()
        await expect(visitor.page.get_by_role("link", name="Realtime")).to_have_count(0)
        await visitor.is_sound()
