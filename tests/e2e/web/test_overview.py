"""Signing in, and the overview that moves by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import RunningServer, running_server
from tests.e2e.web.screen import DARK, GERMAN, LIGHT, PHONE, colleague, screen
from tests.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

OVERVIEW = "/api/dashboard/overview"


async def overview(http: httpx2.AsyncClient) -> dict[str, Any]:
    data: dict[str, Any] = (await http.get(OVERVIEW)).json()["data"]
    return data


async def pay_an_invoice(http: httpx2.AsyncClient) -> int:
    """Settle a sent invoice; tells the cents."""
    invoice = (await http.get("/api/invoices", params={"status": "sent", "limit": 1})).json()["data"][0]
    cents: int = invoice["openCents"]
    paid = await http.post(
        f"/api/invoices/{invoice['id']}/pay",
        json={"amountCents": cents, "method": "transfer", "version": invoice["version"]},
    )
    assert paid.status_code < 300, paid.text
    return cents


def euros(cents: int) -> str:
    """As a British page writes it."""
    return f"{'-' if cents < 0 else ''}€{abs(cents) / 100:,.2f}"


async def test_a_visitor_signs_in_and_a_payment_made_elsewhere_moves_the_numbers(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, None) as visitor, colleague(server) as http:
        await expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
        await visitor.sign_in()
        await visitor.is_live()

        before = await overview(http)
        await expect(visitor.figure("revenue")).to_have_text(euros(before["revenue"]["months"][-1]["netCents"]))
        await expect(visitor.figure("openInvoices")).to_have_text(euros(before["openInvoices"]["sumCents"]))
        await expect(visitor.figure("overdueInvoices")).to_have_text(euros(before["overdueInvoices"]["sumCents"]))
        await expect(visitor.figure("cash")).to_have_text(euros(before["cash"]["balanceCents"]))
        await expect(visitor.figure("headcount")).to_have_text(str(before["headcount"]["total"]))
        await expect(visitor.page.locator(".chart .bar")).to_have_count(len(before["revenue"]["months"]))
        await expect(visitor.page.locator(".change")).to_have_count(0)

        cents = await pay_an_invoice(http)

        owed = before["openInvoices"]["sumCents"] - cents
        await expect(visitor.figure("openInvoices")).to_have_text(euros(owed))
        await expect(visitor.figure("cash")).to_have_text(euros(before["cash"]["balanceCents"] + cents))
        await expect(visitor.page.locator("[data-figure=openInvoices] .change")).to_have_text(f"−{euros(cents)}")
        assert await overview(http) != before
        assert visitor.documents == 1, "the page was loaded again"

        stored = await visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert "eyJ" not in stored, "a token is in the browser's storage"
        visitor.is_quiet()


async def test_a_session_begins_with_the_right_password_and_outlives_a_reload_but_not_the_sign_out(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, None) as visitor:
        await visitor.sign_in("manager", password="not the password")
        await expect(visitor.page.get_by_role("alert")).to_contain_text("E-mail or password is wrong")
        await expect(visitor.page.locator(".kpi")).to_have_count(0)
        # The browser itself reports the refusal; nothing else may be said from here on.
        assert [said for said in visitor.complaints if "401" not in said] == []
        visitor.complaints.clear()

        await visitor.sign_in("manager")
        await visitor.is_live()
        await visitor.page.reload()
        await visitor.is_live()
        await visitor.page.get_by_role("button", name="Account of").click()
        await visitor.press("Sign out")
        await expect(visitor.page.get_by_text("You are signed out.")).to_be_visible()
        await visitor.page.reload()
        await expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert visitor.complaints == []


async def test_the_page_says_that_it_is_offline_and_catches_up(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser) as visitor, colleague(server) as http:
        banner = visitor.page.locator(".banner")
        before = await overview(http)
        await expect(visitor.figure("openInvoices")).to_have_text(euros(before["openInvoices"]["sumCents"]))
        await visitor.page.context.set_offline(True)
        await expect(visitor.page.locator(".live")).to_have_attribute("data-live", "offline")
        await expect(banner).to_contain_text("The connection is lost")
        cents = await pay_an_invoice(http)
        await visitor.page.context.set_offline(False)
        await visitor.is_live()
        owed = before["openInvoices"]["sumCents"] - cents
        await expect(visitor.figure("openInvoices")).to_have_text(euros(owed))
        await expect(banner).to_have_count(0)
        assert visitor.documents == 1, "the page was loaded again"


async def test_a_server_that_ends_and_comes_back_under_the_page_is_caught_up_with(
    new_folder: Callable[[], Path], browser: Browser
) -> None:
    folder, port = new_folder(), free_port()
    with ExitStack() as running:
        first = running.enter_context(running_server(folder, port=port))
        async with colleague(first) as http:
            before = await overview(http)
        async with screen(first, browser) as visitor:
            banner = visitor.page.locator(".banner")
            open_invoices = visitor.figure("openInvoices")
            await expect(open_invoices).to_have_text(euros(before["openInvoices"]["sumCents"]))
            running.close()
            await expect(banner).to_contain_text("The connection is lost")
            await expect(open_invoices).to_have_text(euros(before["openInvoices"]["sumCents"]))
            second = running.enter_context(running_server(folder, port=port))
            async with colleague(second) as http:
                cents = await pay_an_invoice(http)
            await visitor.is_live()
            await expect(open_invoices).to_have_text(euros(before["openInvoices"]["sumCents"] - cents))
            await expect(banner).to_have_count(0)
            assert visitor.documents == 1, "the page was loaded again"
            # What the browser itself says of requests that nobody answered is no complaint of ours.
            assert [said for said in visitor.complaints if "ERR_CONNECTION_REFUSED" not in said] == []


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
async def test_a_german_phone_shows_everything_in_its_width_by_day_and_by_night(
    server: RunningServer, browser: Browser, scheme: dict[str, Any]
) -> None:
    async with screen(server, browser, None, taste=PHONE | GERMAN | scheme) as visitor:
        await visitor.heading("Anmelden")
        await visitor.sign_in()
        await visitor.is_live()
        await visitor.heading("Übersicht")
        await expect(visitor.figure("openInvoices")).to_contain_text("€")
        await expect(visitor.page.locator(".chart .bar").first).to_be_visible()
        assert await visitor.page.evaluate("document.documentElement.lang") == "de"
        await visitor.look(f"overview-phone-{scheme['color_scheme']}")
        await visitor.is_sound()
        ground = await visitor.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == ("rgb(246, 245, 242)" if scheme is LIGHT else "rgb(21, 20, 18)")
        await visitor.press("Navigation öffnen")
        await expect(visitor.page.get_by_role("link", name="Kunden")).to_be_visible()
        await visitor.look(f"navigation-phone-{scheme['color_scheme']}")
        await visitor.page.get_by_role("link", name="Kunden").click()
        await visitor.heading("Kunden")
        await expect(visitor.page.get_by_role("link", name="Kunden")).to_be_hidden()


async def test_one_pays_through_the_screens_and_two_others_see_it_where_they_are(
    server: RunningServer, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(colleague(server, "auditor"))
        invoice = (await http.get("/api/invoices", params={"status": "sent", "limit": 1})).json()["data"][0]
        before = await overview(http)
        owed, cents = before["openInvoices"]["sumCents"], invoice["openCents"]

        listed = f"/invoices?customer={invoice['customerId']}"
        clerk = await stack.enter_async_context(screen(server, browser, "clerk", path="/invoices?status=sent"))
        manager = await stack.enter_async_context(screen(server, browser, "manager", DARK))
        admin = await stack.enter_async_context(screen(server, browser, "admin", path=listed))
        await expect(manager.figure("openInvoices")).to_have_text(euros(owed))
        await expect(manager.figure("cash")).to_have_text(euros(before["cash"]["balanceCents"]))
        theirs = (await admin.row(invoice["number"])).locator(".badge")
        await expect(theirs).to_have_text("Sent")

        await (await clerk.row(invoice["number"])).get_by_role("link").first.click()
        await clerk.heading(invoice["number"])
        await clerk.press("Record payment")
        form = clerk.page.get_by_role("dialog")
        await expect(form.get_by_role("textbox", name="Amount")).to_have_value(f"{cents / 100:.2f}")
        await form.get_by_role("button", name="Record payment", exact=True).click()
        await clerk.shows_toast("received")

        await expect(manager.figure("openInvoices")).to_have_text(euros(owed - cents))
        await expect(manager.figure("cash")).to_have_text(euros(before["cash"]["balanceCents"] + cents))
        await expect(manager.page.locator("[data-figure=openInvoices] .change")).to_have_text(f"−{euros(cents)}")
        await expect(theirs).to_have_text("Paid")
        await expect(clerk.page.locator(".page-title .badge")).to_have_text("Paid")

        after = await overview(http)
        assert after["openInvoices"]["sumCents"] == owed - cents
        assert after["cash"]["balanceCents"] == before["cash"]["balanceCents"] + cents
        stands = (await http.get(f"/api/invoices/{invoice['id']}")).json()["data"]
        assert (stands["status"], stands["openCents"]) == ("paid", 0)
        for visitor in (clerk, manager, admin):
            assert visitor.documents == 1, "the page was loaded again"
            visitor.is_quiet()
