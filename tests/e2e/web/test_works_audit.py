"""The audit log: found, read as a difference, followed to the thing, taken along."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import DARK, ENGLISH, GERMAN, LIGHT, PHONE, WIDE, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WORDS = {
    "en-GB": {"log": "Audit log", "act": "Customer changed", "kind": "Kind", "customer": "Customer",
              "phone": "Phone"},
    "de-DE": {"log": "Audit-Protokoll", "act": "Kunde geändert", "kind": "Art", "customer": "Kunde",
              "phone": "Telefon"},
}  # fmt: skip


@pytest.mark.parametrize(
    "taste", [WIDE | LIGHT | ENGLISH, PHONE | DARK | GERMAN], ids=["wide-light-en", "phone-dark-de"]
)
async def test_an_auditor_sees_who_changed_what(server: RunningServer, browser: Browser, taste: Taste) -> None:
    words = WORDS[taste["locale"]]
    name = f"{taste['locale']}-{taste['viewport']['width']}"
    async with colleague(server) as http, screen(server, browser, "auditor", taste, "/audit") as visitor:
        page = visitor.page
        await visitor.heading(words["log"])
        await expect(page.locator("tbody tr").first).to_be_visible()
        customer = (await http.get("/api/customers", params={"limit": 1})).json()["data"][0]
        phone = f"+49 711 {taste['viewport']['width']}"
        change = {"version": customer["version"], "phone": phone}
        assert (await http.patch(f"/api/customers/{customer['id']}", json=change)).status_code == 200

        # It is there by itself, marked as new.
        row = page.locator("tbody tr").first
        await expect(row).to_contain_text(words["act"])
        await expect(row).to_have_attribute("data-changed", "")
        await visitor.look(f"audit-{name}")
        await visitor.is_sound()

        await page.get_by_label(words["kind"], exact=True).select_option(label=words["customer"])
        assert "entity=customer" in page.url
        await expect(page.locator("tbody tr", has_text=words["act"]).first).to_be_visible()
        await page.locator("tbody a.row-link").first.click()
        await visitor.heading(words["act"])
        difference = page.locator(".differences tr", has_text=words["phone"])
        await expect(difference.locator("ins")).to_have_text(phone)
        await visitor.look(f"audit-entry-{name}")
        await visitor.is_sound()
        await page.get_by_role("link", name=f"{words['customer']} {customer['id']}", exact=True).click()
        await visitor.heading(customer["name"])
        visitor.is_quiet()


async def test_the_log_is_taken_along_as_it_is_filtered(
    server: RunningServer, browser: Browser, tmp_path: Path
) -> None:
    async with (
        colleague(server, "admin") as http,
        screen(server, browser, "admin", path="/audit?action=invoice.pay") as visitor,
    ):
        total = (await http.get("/api/audit", params={"action": "invoice.pay"})).json()["page"]["total"]
        await visitor.row("Payment received")
        async with visitor.page.expect_download() as coming:
            await visitor.press("CSV")
        await (await coming.value).save_as(tmp_path / "audit.csv")
        rows = list(csv.DictReader((tmp_path / "audit.csv").read_text("utf-8-sig").splitlines()))
        assert len(rows) == total > 0
        assert {row["action"] for row in rows} == {"invoice.pay"}
        await visitor.page.get_by_role("button", name="This year").click()
        assert "from=" in visitor.page.url
        await visitor.page.get_by_role("button", name="Clear the filters").first.click()
        assert visitor.page.url.endswith("/audit")
        visitor.is_quiet()


async def test_the_log_is_not_for_clerks(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser, "clerk", path="/audit") as visitor:
        await expect(visitor.page.get_by_text("Your role does not include this")).to_be_visible()
        await expect(visitor.page.get_by_role("link", name="Audit log")).to_have_count(0)
        visitor.is_quiet()
