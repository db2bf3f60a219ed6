"""Customers: the model of a list, a record and its form."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import TASTES, WITHIN_MS, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WORDS = {
    "en-GB": {"customers": "Customers", "edit": "Edit", "phone": "Phone", "save": "Save", "saved": "Saved"},
    "de-DE": {"customers": "Kunden", "edit": "Bearbeiten", "phone": "Telefon", "save": "Speichern",
              "saved": "Gespeichert"},
}  # fmt: skip


@pytest.mark.parametrize("taste", TASTES, ids=["wide-light-en", "phone-dark-de", "wide-dark-de", "phone-light-en"])
async def test_a_clerk_finds_a_customer_and_changes_the_phone_number(
    server: RunningServer, browser: Browser, taste: Taste
) -> None:
    words = WORDS[taste["locale"]]
    name = f"{taste['locale']}-{taste['viewport']['width']}-{taste['color_scheme']}"
    async with colleague(server) as http:
        customer = (await http.get("/api/customers", params={"limit": 1})).json()["data"][0]
    async with screen(server, browser, taste=taste, path="/customers") as visitor:
        await visitor.heading(words["customers"])
        await visitor.row(customer["name"])
        await visitor.look(f"customers-{name}")
        await visitor.is_sound()

        await visitor.page.locator("[data-search]").fill(customer["number"])
        await expect(visitor.page.locator("tbody tr")).to_have_count(1)
        assert f"q={customer['number']}" in visitor.page.url
        await (await visitor.row(customer["name"])).get_by_role("link").click()
        heading = await visitor.heading(customer["name"])
        await expect(heading).to_be_focused()
        await expect(visitor.page.locator(".data-table, .empty")).to_be_visible()
        await visitor.look(f"customer-{name}")
        await visitor.is_sound()

        await visitor.page.get_by_role("link", name=words["edit"], exact=True).click()
        await visitor.heading(words["edit"])
        phone = visitor.page.get_by_label(words["phone"])
        await phone.fill(f"+49 711 {taste['viewport']['width']}")
        await visitor.look(f"customer-edit-{name}")
        await visitor.is_sound()
        await phone.press("Enter")
        await visitor.shows_toast(words["saved"])
        await visitor.heading(customer["name"])
        await expect(visitor.page.get_by_text(f"+49 711 {taste['viewport']['width']}")).to_be_visible()

        await visitor.page.go_back()
        await expect(visitor.page.locator("[data-search]")).to_have_value(customer["number"])
        assert visitor.documents == 1, "the page was loaded again"
        visitor.is_quiet()


async def test_the_rows_stay_until_those_in_the_new_order_have_come(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, path="/customers") as visitor:
        links = visitor.page.locator("tbody a.row-link")
        await expect(links.first).to_be_visible()
        names = await links.all_inner_texts()
        may_come = asyncio.Event()

        async def late(route: Route) -> None:
            await may_come.wait()
            await route.continue_()

        await visitor.page.route("**/api/customers?*", late)
        await visitor.press("Name")
        table = visitor.page.get_by_role("table")
        await expect(table).to_have_attribute("aria-busy", "true")
        await expect(visitor.page.locator("th[aria-sort=descending]")).to_have_text("Name")
        assert await links.all_inner_texts() == names
        may_come.set()
        await expect(links).to_have_text(names[::-1])
        await expect(table).not_to_have_attribute("aria-busy", "true")
        visitor.is_quiet()


async def test_a_flaw_stands_at_its_field_and_what_was_typed_outlives_a_reload(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, path="/customers/new") as visitor:
        await visitor.heading("New customer")
        await visitor.page.get_by_label("Name").fill("Granit & Söhne")
        await visitor.page.get_by_label("Country").fill("de")
        await visitor.press("Save")
        await expect(visitor.page.get_by_label("Country")).to_have_attribute("aria-invalid", "true")
        await expect(visitor.page.get_by_label("Country")).to_be_focused()

        visitor.page.on("dialog", lambda dialog: dialog.accept())
        await visitor.page.reload()
        await expect(visitor.page.get_by_label("Name")).to_have_value("Granit & Söhne")
        await visitor.page.get_by_label("Country").fill("DE")
        await visitor.press("Save")
        await visitor.heading("Granit & Söhne")
        assert [said for said in visitor.complaints if "422" not in said] == []


async def test_a_draft_outlives_a_session_that_ended_but_not_a_sign_out(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, path="/customers/new") as visitor:
        name = visitor.page.get_by_label("Name")
        await name.fill("Basalt KG")
        visitor.page.on("dialog", lambda dialog: dialog.accept())
        # The session ends elsewhere: this page is told by its socket, asks, and is refused.
        await visitor.page.evaluate("fetch('/api/auth/logout', { method: 'POST' })")
        await expect(visitor.page.get_by_text("Your session has ended.")).to_be_visible(timeout=WITHIN_MS)
        await visitor.sign_in()
        await expect(name).to_have_value("Basalt KG", timeout=WITHIN_MS)
        await expect(visitor.page.get_by_text("What you had typed")).to_be_visible()
        await visitor.look("draft")
        await visitor.press("Discard it")
        await expect(name).to_have_value("")

        await name.fill("Gneis AG")
        await visitor.go("/customers")
        await visitor.shows_toast("Not saved, but kept")
        await visitor.go("/customers/new")
        await expect(name).to_have_value("Gneis AG")
        await visitor.page.get_by_role("button", name="Account of").click()
        await visitor.press("Sign out")
        await expect(visitor.page.get_by_text("You are signed out.")).to_be_visible()
        await visitor.look("signed-out")
        await visitor.sign_in()
        await visitor.heading("New customer")
        await expect(name).to_have_value("")
        assert [said for said in visitor.complaints if "401" not in said] == []


async def test_who_was_slower_sees_theirs_beside_his_own_and_chooses(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, path="/customers") as visitor:
        customer = (await http.get("/api/customers", params={"limit": 1, "sort": "-name"})).json()["data"][0]
        path = f"/api/customers/{customer['id']}"
        await visitor.go(f"/customers/{customer['id']}/edit")
        await visitor.page.get_by_label("Contact person").fill("Mine")
        faster = await http.patch(path, json={"version": customer["version"], "contact": "Theirs"})
        assert faster.status_code == 200
        await visitor.press("Save")
        dialog = visitor.page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Theirs")
        await expect(dialog).to_contain_text("Mine")
        await visitor.look("conflict")
        await dialog.get_by_role("button", name="Save mine over it").click()
        await visitor.heading(customer["name"])
        assert (await http.get(path)).json()["data"]["contact"] == "Mine"
        assert [said for said in visitor.complaints if "409" not in said] == []


async def test_all_rows_are_saved_as_csv(server: RunningServer, browser: Browser, tmp_path: Path) -> None:
    async with colleague(server) as http, screen(server, browser, path="/customers") as visitor:
        answer = (await http.get("/api/customers", params={"limit": 500})).json()
        async with visitor.page.expect_download() as coming:
            await visitor.press("CSV")
        await (await coming.value).save_as(tmp_path / "customers.csv")
        lines = (tmp_path / "customers.csv").read_text("utf-8-sig").splitlines()
        assert lines[0].startswith("Number,Name,")
        assert len(lines) == 1 + len(answer["data"])
        visitor.is_quiet()
