"""/docs in a real browser, served by the real server: no script, nothing from elsewhere, readable at any width."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.e2e.server import running_server
from tests.e2e.web.screen import FLAGS, Screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


async def test_an_operation_opens_by_its_link_at_any_width_in_the_light_and_in_the_dark(
    new_folder: Callable[[], Path], chromium: str
) -> None:
    with running_server(new_folder()) as server:
        async with async_playwright() as play:
            browser = await play.chromium.launch(executable_path=chromium, args=FLAGS)
            colours = set()
            for scheme in ("light", "dark"):
                for width in (1440, 390):
                    context = await browser.new_context(
                        viewport={"width": width, "height": 900},
                        color_scheme="light" if scheme == "light" else "dark",
                        java_script_enabled=True,
                    )
                    visit = Screen(await context.new_page(), server)
                    visit.listen()
                    await visit.page.goto(f"{server.url}/docs")
                    pay = visit.page.locator("#finance_pay_invoice")
                    await expect(pay).not_to_be_visible()
                    link = visit.page.locator('nav a[href="#finance_pay_invoice"]')
                    if not await link.is_visible():
                        await visit.page.locator("nav summary", has_text="finance").click()
                    await link.click()
                    await expect(pay).to_be_visible()
                    await expect(pay.locator("pre", has_text="amountCents").first).to_be_visible()
                    await pay.locator('a[href="#Problem409"]').click()
                    await expect(visit.page.locator("#Problem409 pre")).to_be_visible()
                    overflow = await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    assert overflow <= 0, f"wider than {width}"
                    colours.add(await visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
                    assert visit.complaints == []
                    assert {f"http://{host}" for host in visit.hosts} == {server.url}
                    await context.close()
            assert len(colours) == 2
            await browser.close()
