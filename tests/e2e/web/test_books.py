"""The books: accounts, a manual entry and its reversal, reports down to the posting line; and our company."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import DARK, ENGLISH, GERMAN, LIGHT, PHONE, WIDE, WITHIN_MS, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


async def test_a_manual_entry_must_balance_and_is_taken_back(server: RunningServer, browser: Browser) -> None:
    async with screen(
        server, browser, role="manager", taste=WIDE | DARK | GERMAN, path="/journal/new?account=4930"
    ) as visitor:
        page = visitor.page
        await visitor.heading("Neue Buchung")
        await expect(page.get_by_role("combobox", name="Konto, Zeile 1")).to_have_value("4930 Bürobedarf")
        await page.get_by_label("Buchungstext").fill("Papier und Stifte")
        await page.get_by_label("Soll, Zeile 1").fill("47,60")
        await expect(page.get_by_text("Im Haben fehlen 47,60 €.")).to_be_visible()
        await visitor.press("Buchen")
        await expect(page.get_by_role("alert")).to_contain_text("mindestens zwei Zeilen")
        await page.get_by_role("combobox", name="Konto, Zeile 2").press_sequentially("1000")
        await expect(page.get_by_role("option")).to_have_count(1)
        await page.keyboard.press("Enter")
        await page.get_by_label("Haben, Zeile 2").press("=")
        await expect(page.get_by_label("Haben, Zeile 2")).to_have_value("47,60")
        await expect(page.get_by_text("Soll und Haben sind gleich.")).to_be_visible()
        await visitor.look("entry-new")
        await visitor.is_sound()
        await page.keyboard.press("Control+Enter")
        await visitor.shows_toast("gebucht")
        await expect(page.locator(".items-table")).to_contain_text("1000 Kasse", timeout=WITHIN_MS)
        await visitor.is_sound()

        await visitor.press("Stornieren")
        await page.get_by_label("Grund").fill("Falsches Konto")
        await visitor.look("entry-reverse")
        await page.get_by_role("dialog").get_by_role("button", name="Stornieren", exact=True).click()
        await visitor.shows_toast("Storniert durch")
        await expect(page.get_by_text("Nimmt zurück")).to_be_visible(timeout=WITHIN_MS)
        await visitor.go("/journal?account=4930&source=manual")
        await (await visitor.row("Papier und Stifte")).get_by_role("link").first.click()
        await expect(page.locator(".page-title .badge")).to_have_text("Storniert", timeout=WITHIN_MS)
        await visitor.is_sound()


async def test_a_report_moves_with_the_books_and_leads_down_to_the_lines(
    server: RunningServer, browser: Browser, tmp_path: Path
) -> None:
    async with (
        colleague(server) as http,
        screen(server, browser, role="manager", taste=PHONE | LIGHT | ENGLISH, path="/reports") as visitor,
    ):
        page = visitor.page
        await visitor.heading("Reports")
        await visitor.press("Year")
        supplies = page.locator(".report-table tr", has_text="Bürobedarf")
        accounts = (await http.get("/api/accounts", params={"limit": 200})).json()["data"]
        ids = {each["number"]: each["id"] for each in accounts}
        lines = [
            {"accountId": ids["4930"], "amountCents": 1_234},
            {"accountId": ids["1000"], "amountCents": -1_234},
        ]
        await expect(page.locator(".report-result")).to_be_visible(timeout=WITHIN_MS)
        posted = await http.post("/api/journal-entries", json={"description": "Toner", "lines": lines})
        assert posted.status_code == 201, posted.text
        await expect(supplies).to_contain_text("12.34", timeout=WITHIN_MS)
        await visitor.look("profit-loss")
        await visitor.is_sound()
        async with page.expect_download() as coming:
            await visitor.press("CSV")
        await (await coming.value).save_as(tmp_path / "report.csv")
        assert "4930,Bürobedarf," in (tmp_path / "report.csv").read_text("utf-8-sig")

        await page.get_by_role("tab", name="Balance sheet").click()
        await expect(page.get_by_text("Both sides are equal.")).to_be_visible(timeout=WITHIN_MS)
        await visitor.look("balance-sheet")
        await visitor.is_sound()
        await page.get_by_role("tab", name="Key figures").click()
        await expect(page.get_by_text("Invoices sent")).to_be_visible(timeout=WITHIN_MS)
        await visitor.look("key-figures")
        await visitor.is_sound()

        await page.get_by_role("tab", name="Profit and loss").click()
        await supplies.get_by_role("link").click()
        await visitor.heading("4930 Bürobedarf")
        await (await visitor.row("Toner")).get_by_role("link", name="Toner").click()
        await visitor.heading(f"Entry {posted.json()['data']['id']}")
        visitor.is_quiet()


async def test_an_account_is_opened_and_closed_and_the_closing_undone(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, role="manager", path="/accounts") as visitor:
        page = visitor.page
        await visitor.row("Kasse")
        await visitor.look("accounts")
        await visitor.is_sound()
        await page.get_by_role("link", name="New account").click()
        await page.get_by_label("Number").fill("4945")
        await page.get_by_label("Name").fill("Fortbildungskosten")
        await visitor.press("Save")
        await visitor.heading("4945 Fortbildungskosten")
        await visitor.press("Close account")
        await expect(page.locator(".page-title .badge")).to_have_text("Closed", timeout=WITHIN_MS)
        await visitor.press("Undo")
        await expect(page.locator(".page-title .badge")).to_have_count(0, timeout=WITHIN_MS)
        await visitor.is_sound()


async def test_the_books_are_shut_for_a_clerk_and_the_company_is_for_administrators(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, path="/reports") as visitor:
        await expect(visitor.page.get_by_text("Your role does not include this", exact=False)).to_be_visible()
        await visitor.go("/company")
        await expect(visitor.page.get_by_text("An administrator changes it.")).to_be_visible(timeout=WITHIN_MS)
        await visitor.is_sound()
    async with screen(server, browser, role="admin", path="/company") as visitor:
        await visitor.page.get_by_role("link", name="Edit", exact=True).click()
        iban = visitor.page.get_by_label("IBAN")
        await iban.fill("DE00 1234")
        await visitor.press("Save")
        await expect(visitor.page.get_by_label("IBAN")).to_have_attribute(
            "aria-invalid", "true", timeout=WITHIN_MS
        )
        await visitor.page.get_by_label("IBAN").fill("DE02 1203 0000 0000 2020 51")
        await visitor.press("Save")
        await expect(visitor.page.get_by_text("DE02 1203 0000 0000 2020 51")).to_be_visible(timeout=WITHIN_MS)
        assert [said for said in visitor.complaints if "422" not in said] == []
