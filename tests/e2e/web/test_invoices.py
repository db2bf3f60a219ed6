"""Invoices: drafted by keyboard, sent, paid, credited, refunded, cancelled; and what others do meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser, Locator, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import (
    DARK,
    ENGLISH,
    GERMAN,
    LIGHT,
    PHONE,
    WIDE,
    WITHIN_MS,
    Screen,
    Taste,
    colleague,
    screen,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WORDS = {
    "en-GB": {
        "list": "Invoices", "new": "New invoice", "customer": "Customer", "what": "Description, item {}",
        "quantity": "Quantity, item {}", "price": "Unit price, item {}", "saved": "Draft saved", "send": "Send",
        "sent": "Sent as RE-", "pay": "Record payment", "amount": "Amount", "received": "received", "paid": "Paid",
        "gross": "357.00",
    },
    "de-DE": {
        "list": "Rechnungen", "new": "Neue Rechnung", "customer": "Kunde", "what": "Bezeichnung, Position {}",
        "quantity": "Menge, Position {}", "price": "Einzelpreis, Position {}", "saved": "Entwurf gespeichert",
        "send": "Versenden", "sent": "Als RE-", "pay": "Zahlung buchen", "amount": "Betrag",
        "received": "eingegangen", "paid": "Bezahlt", "gross": "357,00",
    },
}  # fmt: skip


async def a_draft(http: httpx2.AsyncClient, cents: int = 10_000) -> dict[str, Any]:
    customer = next(each for each in (await http.get("/api/customers")).json()["data"] if each["isActive"])
    items = [{"description": "Grundplatte", "quantityMilli": 2_000, "unitPriceCents": cents // 2}]
    answer = await http.post("/api/invoices", json={"customerId": customer["id"], "items": items})
    assert answer.status_code == 201, answer.text
    drafted: dict[str, Any] = answer.json()["data"]
    return drafted


async def act(http: httpx2.AsyncClient, invoice: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    path = f"/api/invoices/{invoice['id']}/{name}"
    answer = await http.post(path, json={"version": invoice["version"], **more})
    assert answer.status_code < 300, answer.text
    moved: dict[str, Any] = answer.json()["data"]
    return moved


async def a_sent_invoice(http: httpx2.AsyncClient) -> dict[str, Any]:
    return await act(http, await a_draft(http), "send")


def dialog(visitor: Screen) -> Locator:
    return visitor.page.get_by_role("dialog")


def amount(visitor: Screen, label: str = "Amount") -> Locator:
    return dialog(visitor).get_by_role("textbox", name=label)


async def begin(visitor: Screen, name: str) -> None:
    """An act of the menu "More"."""
    await visitor.press("More")
    await visitor.page.locator(".menu-item", has_text=name).click()
    await expect(dialog(visitor)).to_be_visible()


@pytest.mark.parametrize(
    "taste", [WIDE | LIGHT | ENGLISH, PHONE | DARK | GERMAN], ids=["wide-light-en", "phone-dark-de"]
)
async def test_an_invoice_is_drafted_by_keyboard_sent_and_paid(
    server: RunningServer, browser: Browser, taste: Taste
) -> None:
    words = WORDS[taste["locale"]]
    name = f"{taste['locale']}-{taste['viewport']['width']}"
    async with colleague(server) as http:
        customers = (await http.get("/api/customers")).json()["data"]
    customer = next(each for each in customers if each["isActive"])
    async with screen(server, browser, taste=taste, path="/invoices") as visitor:
        page = visitor.page
        await visitor.heading(words["list"])
        await expect(page.locator(".figures")).to_be_visible(timeout=WITHIN_MS)
        await expect(page.locator("tbody tr").first).to_be_visible()
        await visitor.look(f"invoices-{name}")
        await visitor.is_sound()

        await page.get_by_role("link", name=words["new"]).click()
        await expect(await visitor.heading(words["new"])).to_be_focused()
        await page.get_by_role("combobox", name=words["customer"]).press_sequentially(customer["number"])
        await expect(page.locator(".combobox [role=option]")).to_have_count(1)
        await page.keyboard.press("Enter")
        first = page.get_by_label(words["what"].format(1))
        await first.fill("Sockel, geschliffen")
        await page.get_by_label(words["quantity"].format(1)).fill("2,5")
        await page.get_by_label(words["price"].format(1)).fill("100")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label(words["what"].format(2))).to_be_focused()
        await page.keyboard.type("Anlieferung")
        await page.get_by_label(words["price"].format(2)).fill("50")
        await page.keyboard.press("ArrowUp")
        await expect(page.get_by_label(words["price"].format(1))).to_be_focused()
        await expect(page.locator("[data-gross]")).to_contain_text(
            "357" if taste["locale"] == "en-GB" else "357,00"
        )
        await visitor.look(f"invoice-new-{name}")
        await visitor.is_sound()
        await page.keyboard.press("Control+Enter")
        await visitor.shows_toast(words["saved"])

        await visitor.press(words["send"])
        await visitor.look(f"invoice-send-{name}")
        await visitor.is_sound()
        await dialog(visitor).get_by_role("button", name=words["send"], exact=True).click()
        await visitor.shows_toast(words["sent"])
        await visitor.press(words["pay"])
        await expect(amount(visitor, words["amount"])).to_have_value(words["gross"])
        await page.keyboard.press("Enter")
        await visitor.shows_toast(words["received"])
        await expect(page.locator(".page-title .badge")).to_have_text(words["paid"], timeout=WITHIN_MS)
        await visitor.look(f"invoice-{name}")
        await visitor.is_sound()
        assert visitor.documents == 1, "the page was loaded again"


async def test_who_pays_what_another_has_paid_in_part_sees_both_states_first(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, taste=DARK, path="/invoices") as visitor:
        invoice = await a_sent_invoice(http)
        await visitor.go(f"/invoices/{invoice['id']}")
        await visitor.heading(invoice["number"])
        await visitor.press("Record payment")
        await expect(amount(visitor)).to_have_value("119.00")
        await act(http, invoice, "pay", amountCents=1_900)
        note = dialog(visitor).get_by_role("alert")
        await expect(note).to_contain_text("Somebody else has changed this invoice", timeout=WITHIN_MS)
        await expect(note).to_contain_text("€119.00")
        await expect(note).to_contain_text("€100.00")
        await visitor.look("invoice-moved-on")
        await visitor.is_sound()
        await visitor.press("Go on with what stands now")
        await expect(amount(visitor)).to_have_value("100.00")
        await amount(visitor).fill("40")
        await expect(dialog(visitor)).to_contain_text("€60.00 stay open")
        await dialog(visitor).get_by_role("button", name="Record payment", exact=True).click()
        await visitor.shows_toast("€40.00 received")
        await expect(visitor.page.locator(".figures")).to_contain_text("€60.00", timeout=WITHIN_MS)
        visitor.is_quiet()


async def test_a_draft_that_somebody_else_has_changed_shows_theirs_and_mine(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, path="/invoices") as visitor:
        draft = await a_draft(http)
        await visitor.go(f"/invoices/{draft['id']}/edit")
        await visitor.page.get_by_label("Unit price, item 1").fill("75")
        items = [{"description": "Deckplatte", "unitPriceCents": 9_900}]
        path = f"/api/invoices/{draft['id']}"
        theirs = await http.patch(path, json={"version": draft["version"], "items": items})
        assert theirs.status_code == 200, theirs.text
        await visitor.press("Save")
        await expect(dialog(visitor)).to_contain_text("Deckplatte")
        await expect(dialog(visitor)).to_contain_text("2 Stk Grundplatte")
        await visitor.look("invoice-conflict")
        await dialog(visitor).get_by_role("button", name="Save mine over it").click()
        await visitor.shows_toast("Draft saved")
        saved = (await http.get(path)).json()["data"]
        assert [each["unitPriceCents"] for each in saved["items"]] == [7_500]
        assert [said for said in visitor.complaints if "409" not in said] == []


async def test_a_part_is_credited_and_what_was_paid_too_much_refunded(
    server: RunningServer, browser: Browser, tmp_path: Path
) -> None:
    async with colleague(server) as http, screen(server, browser, path="/invoices") as visitor:
        sent = await a_sent_invoice(http)
        invoice = await act(http, sent, "pay", amountCents=sent["openCents"])
        await visitor.go(f"/invoices/{invoice['id']}")
        await visitor.heading(invoice["number"])
        await begin(visitor, "Credit note")
        await visitor.page.get_by_label("Reason").fill("Returned")
        kept = "Object.values(sessionStorage).some((draft) => draft.includes('Returned'))"
        await visitor.page.wait_for_function(kept)
        await visitor.page.keyboard.press("Escape")
        await begin(visitor, "Credit note")
        await expect(visitor.page.get_by_label("Reason")).to_have_value("Returned")
        await visitor.page.get_by_label("Some items").check()
        await visitor.page.get_by_label("Quantity, item 1").fill("1")
        await expect(dialog(visitor)).to_contain_text("€59.50 are then to be refunded")
        await visitor.look("invoice-credit")
        await visitor.is_sound()
        await dialog(visitor).get_by_role("button", name="Credit note", exact=True).click()
        await visitor.shows_toast("Credit note GS-")
        await visitor.press("Refund")
        await expect(amount(visitor)).to_have_value("59.50")
        await dialog(visitor).get_by_role("button", name="Refund", exact=True).click()
        await visitor.shows_toast("€59.50 refunded")
        await expect(visitor.page.locator(".history")).to_contain_text("Refund of €59.50", timeout=WITHIN_MS)

        await visitor.press("PDF")
        async with visitor.page.expect_download() as coming:
            await visitor.page.get_by_role("button", name="Save PDF, German").click()
        await (await coming.value).save_as(tmp_path / "invoice.pdf")
        assert (tmp_path / "invoice.pdf").read_bytes().startswith(b"%PDF")

        link = visitor.page.locator(".items-card a", has_text="GS-")
        number = await link.inner_text()
        await link.click()
        await visitor.heading(number)
        await expect(visitor.page.get_by_text("Returned")).to_be_visible(timeout=WITHIN_MS)
        await visitor.look("credit-note")
        await visitor.is_sound()
        await visitor.go("/payments?kind=refunds")
        await visitor.row(invoice["number"])
        await visitor.is_sound()
        await visitor.go("/credit-notes")
        await visitor.row(invoice["number"])
        await visitor.is_sound()


async def test_a_manager_cancels_after_being_told_what_happens_and_a_clerk_cannot(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http:
        invoice = await a_sent_invoice(http)
        async with screen(server, browser, path=f"/invoices/{invoice['id']}") as visitor:
            await visitor.heading(invoice["number"])
            await visitor.press("More")
            await expect(visitor.page.locator(".menu-item", has_text="Credit note")).to_be_visible()
            await expect(visitor.page.locator(".menu-item", has_text="Cancel invoice")).to_have_count(0)
            visitor.is_quiet()
        async with screen(server, browser, role="manager", path=f"/invoices/{invoice['id']}") as visitor:
            await visitor.heading(invoice["number"])
            await begin(visitor, "Cancel invoice")
            await expect(dialog(visitor)).to_contain_text("cannot be undone")
            await dialog(visitor).get_by_role("button", name="Cancel invoice").click()
            await visitor.shows_toast("Invoice cancelled")
            await expect(visitor.page.locator(".page-title .badge")).to_have_text("Cancelled", timeout=WITHIN_MS)
            visitor.is_quiet()


async def test_the_list_and_its_sums_move_when_somebody_else_sends(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http:
        draft = await a_draft(http)
        listed = f"/invoices?customer={draft['customerId']}&status=open"
        async with screen(server, browser, taste=PHONE, path=listed) as visitor:
            await visitor.heading("Invoices")
            await expect(visitor.page.get_by_role("combobox", name="Customer")).to_have_value(
                draft["customerName"]
            )
            await expect(visitor.page.locator(".figures")).to_be_visible(timeout=WITHIN_MS)
            sent = await act(http, draft, "send")
            await visitor.row(sent["number"])
            await expect(visitor.page.locator(".figures .change").first).to_contain_text(
                "€119.00", timeout=WITHIN_MS
            )
            await visitor.press("Clear the filters")
            assert "customer=" not in visitor.page.url
            visitor.is_quiet()
