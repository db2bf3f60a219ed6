"""A browser beside the product: visits that begin with nothing kept, and how soon each key and click was seen.

The browser's own Event Timing tells of every interaction that took 16 ms or more from the input to the next frame;
events with one `interactionId` (the press of a key and its release) are one interaction, as slow as its slowest.
What it does not tell of was faster: it counts as answered within 16 ms.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.harness.processes import StartError
from steinmetz.erp.seed import PASSWORD

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDTH, HEIGHT = 1440, 900
FRAME = 200
"""What the window is larger than the page: the browser's own bars take some of it, and what changes beyond its
edge is never shown. A key typed there would wait for its frame until something else moves."""
LEAST_MS = 16.0
"""The browser names no interaction that was faster."""

WATCH = """
window.watched = { deeds: [], inputs: [], events: [], tasks: [], pages: [] };
const note = (event) => event.isTrusted && !event.repeat && window.watched.inputs.push(event.timeStamp);
addEventListener('pointerdown', note, { capture: true, passive: true });
addEventListener('keydown', note, { capture: true, passive: true });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (!one.interactionId) continue;
    const { interactionId: id, startTime: at, duration, processingStart: from, processingEnd: to } = one;
    window.watched.events.push([id, at, duration, from - at, to - from]);
  }
}).observe({ type: 'event', durationThreshold: 16, buffered: true });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.watched.tasks.push(one.duration);
}).observe({ type: 'longtask', buffered: true });
"""
WATCH_PAGES = """
() => {
  let from = 0;
  const drawn = (press) => requestAnimationFrame(() => setTimeout(() => {
    window.watched.pages.push(performance.now() - press);
  }));
  new MutationObserver((changes) => {
    const isPage = changes.some((one) => [...one.addedNodes].some((node) => node.classList?.contains('page')));
    const press = window.watched.inputs.at(-1) ?? 0;
    if (isPage && press !== from) drawn(from = press);
  }).observe(document.querySelector('#content'), { childList: true });
}
"""
AT_REST = """
() => document.querySelector('main [aria-busy=true]') === null
  && new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true))))
"""


@dataclass(frozen=True, slots=True)
class Interaction:
    """A key or click, with what its time went into."""

    deed: str
    took_ms: float
    waited_ms: float = 0.0
    """Until the page could begin with it."""
    worked_ms: float = 0.0
    """In the page's own code; the rest is style, layout, paint and the wait for the frame."""


@contextmanager
def browsing() -> Iterator[Browser]:
    """Raises `StartError` without a browser."""
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as play:
        found = found or play.chromium.executable_path
        if not Path(found).exists():
            raise StartError("no browser: install Debian's package chromium")
        browser = play.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visitor(browser: Browser, url: str) -> Iterator[Page]:
    """A page of a browser that has kept nothing."""
    page = browser.new_page(locale="en-GB", viewport={"width": WIDTH, "height": HEIGHT})
    page.add_init_script(WATCH)
    try:
        _widen(page)
        page.goto(url)
        yield page
    finally:
        page.close()


def _widen(page: Page) -> None:
    """Have the window hold the whole page: it was made as large as the page, its own bars included."""
    devtools = page.context.new_cdp_session(page)
    window = devtools.send("Browser.getWindowForTarget")["windowId"]
    bounds = {"width": WIDTH + FRAME, "height": HEIGHT + FRAME}
    devtools.send("Browser.setWindowBounds", {"windowId": window, "bounds": bounds})
    devtools.detach()


def sign_in(page: Page, role: str) -> None:
    page.locator("input[name=email]").fill(f"{role}@steinmetz.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("[data-figure=openInvoices] .value").wait_for()


def at_rest(page: Page) -> None:
    """Wait until nothing of the page is on its way any more, and is drawn."""
    page.wait_for_function(AT_REST)


def watch_pages(page: Page) -> None:
    """From now on, how long it takes from a key or click to the first frame of the page that it opens."""
    page.evaluate(WATCH_PAGES)


def opened_ms(page: Page) -> list[float]:
    """One time for each page that was opened since `watch_pages`."""
    return [float(took) for took in page.evaluate("window.watched.pages")]


def begin(page: Page, deed: str) -> None:
    """What is pressed from now on is done for ``deed``."""
    page.evaluate("(deed) => window.watched.deeds.push([performance.now(), deed])", deed)


def interactions(page: Page) -> list[Interaction]:
    """Every key and click since the first `begin`."""
    page.wait_for_timeout(200)  # the browser tells of the last ones after their frame
    return read(page.evaluate("window.watched"))


def read(watched: dict[str, Any]) -> list[Interaction]:
    starts = [at for at, _ in watched["deeds"]]
    names = [deed for _, deed in watched["deeds"]]

    def deed_at(ms: float) -> str | None:
        place = bisect_right(starts, ms)
        return names[place - 1] if place else None

    told: dict[int, Interaction] = {}
    for number, at, took, waited, worked in watched["events"]:
        deed = deed_at(at)
        if deed is not None and (number not in told or told[number].took_ms < took):
            told[number] = Interaction(deed, took, waited, worked)
    found = list(told.values())
    pressed = Counter(deed for at in watched["inputs"] if (deed := deed_at(at)) is not None)
    unseen = pressed - Counter(one.deed for one in found)
    return found + [Interaction(deed, LEAST_MS) for deed, count in unseen.items() for _ in range(count)]
