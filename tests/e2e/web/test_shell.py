"""What is around every page: palette, shortcuts, wrong addresses, what a role may open."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import DARK, WIDE, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


async def test_the_palette_leads_to_pages_actions_and_records_without_a_mouse(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, taste=WIDE | DARK) as visitor:
        customer = (await http.get("/api/customers", params={"limit": 1})).json()["data"][0]
        keys = visitor.page.keyboard
        await visitor.heading("Overview")
        await visitor.look("overview-dark")
        await visitor.is_sound()
        await keys.press("Control+k")
        await expect(visitor.page.get_by_role("dialog", name="Command palette")).to_be_visible()
        await visitor.look("palette")
        await visitor.is_sound()
        await keys.type("cust")
        await keys.press("Enter")
        await visitor.heading("Customers")
        await expect(visitor.page.get_by_role("dialog")).to_have_count(0)

        await keys.press("Control+k")
        await expect(visitor.page.get_by_role("combobox", name="Command palette")).to_be_focused()
        await keys.type(customer["number"])
        await expect(visitor.page.get_by_role("option", name=customer["name"])).to_be_visible()
        await keys.press("Enter")
        await visitor.heading(customer["name"])

        await keys.press("?")
        await expect(visitor.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        await visitor.is_sound()
        await keys.press("Escape")
        await expect(visitor.page.get_by_role("dialog")).to_have_count(0)


async def test_an_address_that_leads_nowhere_says_so_and_an_auditor_may_not_create(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, "auditor", path="/nowhere") as visitor:
        await visitor.heading("There is nothing here")
        assert await visitor.page.title() == "There is nothing here · SteinmetZ"
        await visitor.is_sound()
        await visitor.go("/customers/new")
        await expect(visitor.page.get_by_text("Your role does not include this")).to_be_visible()
        await visitor.is_sound()


async def test_the_way_back_leads_to_where_one_was_in_the_list(server: RunningServer, browser: Browser) -> None:
    low: Taste = {"viewport": {"width": 1440, "height": 420}}
    async with screen(server, browser, taste=low, path="/customers") as visitor:
        last = visitor.page.locator("a.row-link").last
        await last.scroll_into_view_if_needed()
        before = await visitor.page.evaluate("scrollY")
        assert before > 0
        await last.click()
        await expect(visitor.page.get_by_role("link", name="Edit", exact=True)).to_be_visible()
        assert await visitor.page.evaluate("scrollY") == 0
        await visitor.page.go_back()
        await visitor.heading("Customers")
        await visitor.page.wait_for_function("(top) => Math.abs(scrollY - top) < 2", arg=before)
        visitor.is_quiet()


async def test_arrows_go_from_row_to_row_and_slash_to_the_search(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser, path="/customers") as visitor:
        links = visitor.page.locator("a.row-link")
        await expect(links.first).to_be_visible()
        await links.first.focus()
        await visitor.page.keyboard.press("ArrowDown")
        await expect(links.nth(1)).to_be_focused()
        await visitor.page.keyboard.press("End")
        await expect(links.last).to_be_focused()
        await visitor.page.keyboard.press("/")
        await expect(visitor.page.locator("[data-search]")).to_be_focused()
        visitor.is_quiet()
