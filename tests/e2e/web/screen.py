"""A visitor's browser page with everything that a visitor should never meet: complaints, strangers, barriers.

async with screen(server, browser, role="manager", taste=PHONE | DARK | GERMAN) as visitor:
    await visitor.go("/customers")
    await visitor.heading("Kunden")
    await visitor.is_sound()
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.late import late_script

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
WITHIN_MS = 15_000

Taste = dict[str, Any]
WIDE: Taste = {"viewport": {"width": 1440, "height": 900}}
PHONE: Taste = {"viewport": {"width": 390, "height": 844}}
LIGHT: Taste = {"color_scheme": "light"}
DARK: Taste = {"color_scheme": "dark"}
ENGLISH: Taste = {"locale": "en-GB"}
GERMAN: Taste = {"locale": "de-DE"}

TASTES = [
    WIDE | LIGHT | ENGLISH,
    PHONE | DARK | GERMAN,
    WIDE | DARK | GERMAN,
    PHONE | LIGHT | ENGLISH,
]
"""Each width, theme and language twice: what a journey is run in."""

_AXE = Path(__file__).resolve().parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN_AXE = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'], preload: false });
  const places = (nodes) => nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${places(nodes)}`);
}
"""
_COME_TO_REST = """
document.getAnimations()
  .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
  .forEach((one) => one.finish())
"""
_HINT = """
if (performance.getEntriesByType('navigation')[0].type === 'navigate') {
  localStorage.setItem('steinmetz.session', 'open');
}
"""
"""What a page leaves behind where somebody is signed in; whoever signs out and reloads is without it."""


@cache
def axe() -> str:
    return _AXE.read_text()


class Held:
    """What the server says to a page by socket, held back from now on if it begins with ``start``.

    It is held in its order until it is released; the page has to be loaded after this was put in its way.
    """

    def __init__(self, start: str) -> None:
        self._start = start
        self._is_on = False
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        self._came = asyncio.Event()

    def begin(self) -> None:
        self._is_on = True

    async def came(self) -> None:
        """Something is held."""
        await self._came.wait()

    def release(self) -> None:
        self._is_on = False
        for route, message in self._held:
            route.send(message)

    def route(self, route: WebSocketRoute) -> None:
        def down(message: str | bytes) -> None:
            if self._is_on and str(message).startswith(self._start):
                self._held.append((route, message))
                self._came.set()
            else:
                route.send(message)

        server = route.connect_to_server()
        route.on_message(server.send)
        server.on_message(down)


@dataclass
class Screen:
    """A page as somebody sees it, and what went wrong behind it."""

    page: Page
    server: RunningServer
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    documents: int = 0

    def listen(self) -> None:
        self.page.on("console", lambda said: self._complain(said.type, f"{said.text} {said.location['url']}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url, request.resource_type))
        self.page.on("websocket", lambda opened: self._note(opened.url, "websocket"))

    def _complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _note(self, url: str, kind: str) -> None:
        if not url.startswith(("blob:", "data:")):
            self.hosts.add(urlsplit(url).netloc)
        self.documents += kind == "document"

    async def sign_in(self, role: str = "clerk", password: str = PASSWORD) -> None:
        await self.page.locator("input[name=email]").fill(f"{role}@steinmetz.example")
        await self.page.locator("input[name=password]").fill(password)
        await self.page.keyboard.press("Enter")

    async def resume(self, role: str) -> None:
        """Before the first page: signed in already, as somebody who comes back."""
        who = {"email": f"{role}@steinmetz.example", "password": PASSWORD}
        answer = await self.page.context.request.post(f"{self.server.url}/api/auth/login", data=who)
        assert answer.ok, await answer.text()
        await self.page.add_init_script(_HINT)

    async def is_live(self) -> None:
        await expect(self.page.locator(".live")).to_have_attribute("data-live", "live", timeout=WITHIN_MS)

    async def hold(self, start: str) -> Held:
        """Load the page anew with something in the way of what the server says; see ``Held``."""
        held = Held(start)
        await self.page.route_web_socket("**/socket.io/**", held.route)
        await self.page.reload()
        await self.is_live()
        return held

    async def go(self, path: str) -> None:
        """To a page of ours without loading the document anew, as a link would."""
        await self.page.evaluate(
            "(to) => { const link = document.createElement('a'); link.href = to; document.body.append(link);"
            " link.click(); link.remove(); }",
            path,
        )

    async def heading(self, text: str) -> Locator:
        """The page's own heading, waited for."""
        heading = self.page.get_by_role("heading", level=1, name=text, exact=True)
        await expect(heading).to_be_visible(timeout=WITHIN_MS)
        return heading

    async def row(self, text: str) -> Locator:
        """The first row of a table in which ``text`` stands, waited for."""
        row = self.page.locator("tbody tr", has_text=text).first
        await expect(row).to_be_visible(timeout=WITHIN_MS)
        return row

    async def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=False).first

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    def figure(self, name: str) -> Locator:
        """A number of the overview."""
        return self.page.locator(f"[data-figure={name}] .value")

    async def shows_toast(self, text: str) -> None:
        await expect(self.page.locator(".toasts")).to_contain_text(text, timeout=WITHIN_MS)

    async def is_sound(self) -> None:
        """Nothing serious for axe, nothing wider than the window, no complaint, nobody but our server asked."""
        # What fades or slides in is not judged on its way.
        await self.page.emulate_media(reduced_motion="reduce")
        await self.rest()
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(axe())
        barriers = await self.page.evaluate(_RUN_AXE)
        await self.page.emulate_media(reduced_motion="no-preference")
        assert barriers == [], "\n".join(barriers)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await self.page.evaluate(wide) <= 0, "the page is wider than the window"
        self.is_quiet()

    def is_quiet(self) -> None:
        assert self.complaints == [], self.complaints
        assert self.hosts == {urlsplit(self.server.url).netloc}, self.hosts

    async def rest(self) -> None:
        """Bring what moves to its end."""
        await self.page.evaluate(_COME_TO_REST)

    async def look(self, name: str) -> None:
        """A picture for people, into the folder that ``LOOK`` names; nothing without it."""
        if folder := os.environ.get("LOOK"):
            await self.rest()
            await self.page.screenshot(path=f"{folder}/{name}.png")


@asynccontextmanager
async def screen(
    server: RunningServer,
    browser: Browser,
    role: str | None = "clerk",
    taste: Taste | None = None,
    path: str = "/",
) -> AsyncIterator[Screen]:
    """A browser context of its own: no cookie, no storage and no cache of an earlier visit.

    Signed in as ``role`` (None: nobody is) at ``path``, and live. Those who sign in by hand are let in with None.
    """
    page = await browser.new_page(**{**WIDE, **LIGHT, **ENGLISH, **(taste or {})}, accept_downloads=True)
    try:
        visitor = Screen(page, server)
        visitor.listen()
        if late := os.environ.get("LATE"):
            await page.add_init_script(late_script(late))
        if role is not None:
            await visitor.resume(role)
        await page.goto(server.url + path)
        if role is not None:
            await visitor.is_live()
        yield visitor
    finally:
        await page.close()


@asynccontextmanager
async def colleague(server: RunningServer, role: str = "manager") -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody else who is signed in, without a browser: asks the API itself."""
    async with httpx2.AsyncClient(base_url=server.url) as http:
        answer = await http.post(
            "/api/auth/login", json={"email": f"{role}@steinmetz.example", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        http.headers["Authorization"] = f"Bearer {answer.json()['data']['accessToken']}"
        yield http
