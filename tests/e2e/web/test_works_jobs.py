"""Batch jobs: begun, followed live with their errors, tried again, cancelled, taken away as a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import DARK, ENGLISH, GERMAN, LIGHT, PHONE, WIDE, WITHIN_MS, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WORDS = {
    "en-GB": {
        "new": "Begin a job", "kind": "Customer import", "rows": "Rows as CSV", "begin": "Begin",
        "failed": "Failed", "download": "Download", "retry": "Try again", "attempt": "Attempt",
        "jobs": "Batch jobs", "over": "Customer import: ended with errors",
    },
    "de-DE": {
        "new": "Auftrag beginnen", "kind": "Kundenimport", "rows": "Zeilen als CSV", "begin": "Beginnen",
        "failed": "Fehlgeschlagen", "download": "Herunterladen", "retry": "Erneut versuchen", "attempt": "Versuch",
        "jobs": "Aufträge", "over": "Kundenimport: mit Fehlern beendet",
    },
}  # fmt: skip


def customers(count: int, *, wrong: int, mark: str) -> str:
    good = [f"{mark}{number};Kunde {mark}{number};Aalen" for number in range(count)]
    return "\n".join(["externalNumber;name;city", *good, *[f"{mark}x{n};;Aalen" for n in range(wrong)]])


@pytest.mark.parametrize(
    "taste", [WIDE | DARK | GERMAN, PHONE | LIGHT | ENGLISH], ids=["wide-dark-de", "phone-light-en"]
)
async def test_a_clerk_follows_his_import(
    server: RunningServer, browser: Browser, taste: Taste, tmp_path: Path
) -> None:
    words = WORDS[taste["locale"]]
    name = f"{taste['locale']}-{taste['viewport']['width']}"
    async with screen(server, browser, "clerk", taste, "/jobs") as visitor:
        page = visitor.page
        await visitor.heading(words["jobs"])
        await expect(page.locator("tbody tr").first).to_be_visible()
        await visitor.look(f"jobs-{name}")
        await visitor.is_sound()
        await page.get_by_role("link", name=words["new"]).click()
        await visitor.heading(words["new"])
        await page.get_by_label(words["kind"]).check()
        await page.get_by_label(words["rows"]).fill(customers(12, wrong=2, mark=name))
        await visitor.look(f"job-new-{name}")
        await visitor.is_sound()
        await visitor.press(words["begin"])

        await visitor.heading(words["kind"])
        await visitor.shows_toast(words["over"])
        await expect(page.locator(".page-header .badge")).to_have_text(words["failed"])
        await expect(page.locator("tbody tr")).to_have_count(2)
        await expect(page.locator("tbody tr").first).to_contain_text("name")
        await expect(page.locator("progress")).to_have_attribute("value", "1")
        await visitor.look(f"job-{name}")
        await visitor.is_sound()

        async with page.expect_download() as coming:
            await visitor.press(words["download"])
        await (await coming.value).save_as(tmp_path / "import.csv")
        lines = (tmp_path / "import.csv").read_text("utf-8-sig").splitlines()
        assert len(lines) == 1 + 12

        attempt = page.locator(".job-figures > div", has_text=words["attempt"])
        await visitor.press(words["retry"])
        await expect(attempt).to_contain_text("2")
        await expect(page.locator(".page-header .badge")).to_have_text(words["failed"], timeout=WITHIN_MS)
        visitor.is_quiet()


async def test_a_job_that_is_over_before_it_is_listed_is_told_of_too(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server, "clerk") as http, screen(server, browser, "clerk", path="/customers") as visitor:
        is_asked, is_over = asyncio.Event(), asyncio.Event()

        async def hold(route: Route) -> None:
            is_asked.set()
            await is_over.wait()
            await route.continue_()

        await visitor.page.route(lambda url: "/api/batch/jobs?" in url and "mine=true" in url, hold)
        await visitor.page.reload()
        await visitor.is_live()
        await is_asked.wait()
        parameters = {"csv": customers(1, wrong=1, mark="E")}
        begun = await http.post("/api/batch/jobs", json={"kind": "customers.import", "parameters": parameters})
        assert begun.is_success, begun.text
        await visitor.shows_toast("Customer import: ended with errors")
        is_over.set()
        await expect(visitor.page.locator(".job-chip")).to_have_count(0)
        visitor.is_quiet()


async def test_a_manager_follows_and_cancels_another_ones_job(server: RunningServer, browser: Browser) -> None:
    async with (
        colleague(server, "clerk") as http,
        screen(server, browser, "clerk", path="/") as owner,
        screen(server, browser, "manager", path="/jobs") as visitor,
    ):
        page = visitor.page
        await visitor.heading("Batch jobs")
        await expect(page.locator("tbody tr").first).to_be_visible()
        parameters = {"csv": customers(3000, wrong=1, mark="C")}
        begun = await http.post("/api/batch/jobs", json={"kind": "customers.import", "parameters": parameters})
        job = begun.json()["data"]["id"]

        # The list moves by itself, and the owner sees the chip wherever he is.
        row = page.locator("tbody tr", has=page.locator(f"a[href='/jobs/{job}']"))
        await expect(row).to_be_visible(timeout=WITHIN_MS)
        chip = owner.page.locator(".job-chip")
        await expect(chip).to_have_attribute("href", f"/jobs/{job}", timeout=WITHIN_MS)
        await owner.look("job-chip")
        await owner.is_sound()

        await row.get_by_role("link").click()
        await visitor.heading("Customer import")
        done = page.locator(".job-figures dd").first
        first = await done.inner_text()
        await expect(done).not_to_have_text(first, timeout=WITHIN_MS)
        await visitor.press("Cancel job")
        await page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
        await expect(page.locator(".page-header .badge")).to_have_text("Cancelled", timeout=WITHIN_MS)
        await expect(chip).to_have_count(0, timeout=WITHIN_MS)
        await owner.shows_toast("Customer import: cancelled")

        await visitor.press("Delete job")
        await page.get_by_role("dialog").get_by_role("button", name="Delete job").click()
        await visitor.shows_toast("Job deleted")
        await visitor.heading("Batch jobs")
        assert (await http.get(f"/api/batch/jobs/{job}")).status_code == 404
        owner.is_quiet()


async def test_what_a_kind_of_job_needs_is_asked_for(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser, "clerk", path="/jobs/new") as visitor:
        await visitor.heading("Begin a job")
        await expect(visitor.page.get_by_label("Month-end report")).to_have_count(0)
        await visitor.page.get_by_label("Customer import").check()
        await visitor.page.get_by_label("Rows as CSV").fill("nonsense\n1")
        await visitor.press("Begin")
        await expect(visitor.page.get_by_role("alert")).to_contain_text("the first line of the CSV")
        assert [said for said in visitor.complaints if "422" not in said] == []
    async with screen(server, browser, "auditor", path="/jobs/new") as visitor:
        await expect(visitor.page.get_by_text("Your role does not include this")).to_be_visible()
        visitor.is_quiet()
