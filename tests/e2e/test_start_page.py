"""The start page in a real browser, served by the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.server import RunningServer, running_server

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

OVERVIEW = "/api/dashboard/overview"
PASSWORD = "steinmetz-demo"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """A page, and everything that a visitor should never see of it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    documents: int = 0

    def listen(self) -> None:
        self.page.on("console", lambda said: self._complain(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url, request.resource_type))
        self.page.on("websocket", lambda opened: self._note(opened.url, "websocket"))

    def _complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _note(self, url: str, kind: str) -> None:
        self.hosts.add(urlsplit(url).netloc)
        self.documents += kind == "document"

    async def sign_in(self, role: str = "clerk", password: str = PASSWORD) -> None:
        await self.page.locator("input[name=email]").fill(f"{role}@steinmetz.example")
        await self.page.locator("input[name=password]").fill(password)
        await self.page.keyboard.press("Enter")

    async def is_live(self) -> None:
        await expect(self.page.locator(".live")).to_have_attribute("data-live", "live", timeout=15_000)

    def figure(self, name: str) -> Any:
        return self.page.locator(f"[data-figure={name}] .value")


@pytest.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        yield await play.chromium.launch(executable_path=chromium, args=FLAGS)


@asynccontextmanager
async def visit(server: RunningServer, browser: Browser, **taste: Any) -> AsyncIterator[Visit]:
    """In a context of its own: no cookie, no storage and no cache of an earlier visit."""
    page = await browser.new_page(**{"locale": "en-GB", "viewport": {"width": 1440, "height": 900}, **taste})
    try:
        visitor = Visit(page)
        visitor.listen()
        await page.goto(server.url)
        yield visitor
    finally:
        await page.close()


@pytest.fixture(scope="module")
def server(new_folder: Callable[[], Path]) -> Iterator[RunningServer]:
    with running_server(new_folder()) as running:
        yield running


@asynccontextmanager
async def colleague(server: RunningServer) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody else who is signed in, without a browser."""
    async with httpx2.AsyncClient(base_url=server.url) as http:
        answer = await http.post(
            "/api/auth/login", json={"email": "manager@steinmetz.example", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        http.headers["Authorization"] = f"Bearer {answer.json()['data']['accessToken']}"
        yield http


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
    async with visit(server, browser) as visitor, colleague(server) as http:
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
        await expect(visitor.figure("openInvoices")).to_have_text(euros(owed), timeout=2_000)
        await expect(visitor.figure("cash")).to_have_text(euros(before["cash"]["balanceCents"] + cents))
        await expect(visitor.page.locator("[data-figure=openInvoices] .change")).to_have_text(f"−{euros(cents)}")
        assert await overview(http) != before
        assert visitor.documents == 1, "the page was loaded again"

        stored = await visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert "eyJ" not in stored, "a token is in the browser's storage"
        assert visitor.hosts == {urlsplit(server.url).netloc}
        assert visitor.complaints == []


async def test_a_session_begins_with_the_right_password_and_outlives_a_reload_but_not_the_sign_out(
    server: RunningServer, browser: Browser
) -> None:
    async with visit(server, browser) as visitor:
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
        await visitor.page.get_by_role("button", name="Sign out").click()
        await expect(visitor.page.get_by_text("You are signed out.")).to_be_visible()
        await visitor.page.reload()
        await expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert visitor.complaints == []


async def test_the_page_says_that_it_is_offline_and_catches_up(server: RunningServer, browser: Browser) -> None:
    async with visit(server, browser) as visitor, colleague(server) as http:
        await visitor.sign_in()
        await visitor.is_live()
        before = await overview(http)
        await visitor.page.context.set_offline(True)
        await expect(visitor.page.locator(".live")).to_have_attribute("data-live", "offline")
        await expect(visitor.page.locator(".note")).to_contain_text("Not live at the moment")
        cents = await pay_an_invoice(http)
        await visitor.page.context.set_offline(False)
        await visitor.is_live()
        owed = before["openInvoices"]["sumCents"] - cents
        await expect(visitor.figure("openInvoices")).to_have_text(euros(owed))
        await expect(visitor.page.locator(".note")).to_have_count(0)
        assert visitor.documents == 1, "the page was loaded again"


async def test_a_german_phone_shows_everything_in_its_width_by_day_and_by_night(
    server: RunningServer, browser: Browser
) -> None:
    phone = {"locale": "de-DE", "viewport": {"width": 390, "height": 844}}
    grounds = []
    for scheme in ("light", "dark"):
        async with visit(server, browser, **phone, color_scheme=scheme) as visitor:
            await visitor.sign_in()
            await visitor.is_live()
            await expect(visitor.page.get_by_role("heading", name="Übersicht")).to_be_visible()
            await expect(visitor.figure("openInvoices")).to_contain_text("€")
            await expect(visitor.page.locator(".chart .bar").first).to_be_visible()
            assert await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert await visitor.page.evaluate("document.documentElement.lang") == "de"
            grounds.append(
                await visitor.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            )
            assert visitor.complaints == []
    assert grounds[0] != grounds[1]
