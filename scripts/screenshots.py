"""Pictures of the page for the README, taken from the running product: light and dark, 1440 wide, and a phone.

    python3 dev.py screenshots [NAME ...]

Starts the product on a free port with a fresh demo company in a temporary folder and opens each of `SHOTS`,
live, as the user it names. Before the overview is taken, somebody else pays an invoice: it shows what that has
moved. The rooms of the operators are taken last, while simulated clerks work. Writes
``docs/screenshots/NAME-light.png`` and ``NAME-dark.png``. Raises what the browser raises if a page does not
appear, and `RuntimeError` for a picture that is too large to be in a repository.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from steinmetz.erp.seed import PASSWORD

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en-GB"]
READY_WITHIN_S = 60.0
CLERKS = ("--clerks", "16", "--rate", "2", "--duration", "1200")
MAX_BYTES = 250_000
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ADDRESS = re.compile(r"answers at (http://\S+)")


@contextmanager
def product() -> Iterator[str]:
    """The address of a server with a demo company of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="steinmetz-screenshots-") as folder:
        log = Path(folder) / "server.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STEINMETZ_")}
        environment |= {"STEINMETZ_DATA_DIR": str(Path(folder) / "data"), "STEINMETZ_PORT": "0"}
        with log.open("wb") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "steinmetz", "serve"], env=environment, stdout=output, stderr=output
            )
        try:
            yield address_in(log, server)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def address_in(log: Path, server: subprocess.Popen[bytes]) -> str:
    """Where the server answers, as soon as it says so. Raises `RuntimeError`."""
    give_up = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < give_up and server.poll() is None:
        if found := ADDRESS.search(log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


@contextmanager
def clerks_at_work(address: str) -> Iterator[None]:
    """Simulated clerks at the server, until the block ends."""
    command = [sys.executable, "-m", "steinmetz", "traffic", "--url", address, *CLERKS, "--json", "--until-eof"]
    work = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        work.communicate(timeout=30)


def ask(address: str, path: str, token: str = "", body: Any = None) -> Any:
    """The ``data`` of an answer; a POST if there is a body."""
    request = urllib.request.Request(
        address + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


def pay_an_invoice(address: str) -> None:
    """Somebody who looks at another screen settles the newest invoice that was sent."""
    login = {"email": "clerk@steinmetz.example", "password": PASSWORD}
    token = ask(address, "/api/auth/login", body=login)["accessToken"]
    invoice = ask(address, "/api/invoices?status=sent&limit=1", token)[0]
    open_cents = invoice["grossCents"] - invoice["paidCents"]
    payment = {"version": invoice["version"], "amountCents": open_cents}
    ask(address, f"/api/invoices/{invoice['id']}/pay", token, payment)


@dataclass(frozen=True)
class Shot:
    """A page as somebody sees it; taken when ``ready`` is visible. ``act`` is done on it before.

    ``busy``: while clerks work. ``watched_s``: so long the page is open before, for its charts to have a past.
    """

    name: str
    path: str
    ready: str
    role: str = "manager"
    act: Callable[[Page, str], None] | None = None
    width: int = 1440
    height: int = 900
    busy: bool = False
    watched_s: float = 0.0


def _see_a_payment(page: Page, address: str) -> None:
    pay_an_invoice(address)
    expect(page.locator("[data-figure=openInvoices] .change")).to_be_visible(timeout=5_000)


def _open_first(page: Page, address: str) -> None:
    """The first record of the list."""
    page.locator("tbody .row-link").first.click()
    expect(page.locator(".items-card").first).to_be_visible()


def _open_a_function(page: Page, address: str) -> None:
    for level, index in ((1, 2), (2, 0)):
        page.locator(f".tree-row[aria-level='{level}']").nth(index).locator(".twisty").click()
    page.locator(".tree-row[aria-level='3']").first.click()
    expect(page.locator(".functions-record .details")).to_be_visible()


def _measure_indexes(page: Page, address: str) -> None:
    page.get_by_role("button", name="Find and verify").click()
    expect(page.locator("[data-figure=saved]")).to_be_visible(timeout=240_000)


SHOTS = (
    Shot("overview", "/", "[data-figure=cash-by-month] .line", act=_see_a_payment),
    Shot("phone", "/", ".chart .bar >> nth=0", width=390, height=844),
    Shot("invoices", "/invoices", "tbody tr >> nth=10"),
    Shot("invoice", "/invoices?status=overdue", "tbody tr >> nth=2", act=_open_first),
    Shot("functions", "/functions", ".tree-row >> nth=5", act=_open_a_function),
    Shot("queries", "/operations/queries", "tbody tr >> nth=5", "admin", busy=True, watched_s=60.0),
    Shot("cache", "/operations/cache", ".time-series canvas >> nth=0", "admin", busy=True, watched_s=60.0),
    Shot("advice", "/operations/advice", "h1", "admin", act=_measure_indexes, busy=True),
)


def take(browser: Browser, address: str, shot: Shot) -> Iterator[Path]:
    """Its pictures, light and dark: signed in, live, at rest."""
    page = browser.new_page(
        locale="en-GB", color_scheme="light", viewport={"width": shot.width, "height": shot.height}
    )
    page.goto(address + shot.path)
    page.locator("input[name=email]").fill(f"{shot.role}@steinmetz.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".live")).to_have_attribute("data-live", "live", timeout=15_000)
    expect(page.locator(shot.ready)).to_be_visible(timeout=15_000)
    page.wait_for_timeout(shot.watched_s * 1_000)
    if shot.act is not None:
        shot.act(page, address)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
        file = FOLDER / f"{shot.name}-{scheme}.png"
        page.screenshot(path=file, animations="disabled")
        if file.stat().st_size > MAX_BYTES:
            raise RuntimeError(f"{file.name} has {file.stat().st_size:,} bytes; a picture may have {MAX_BYTES:,}")
        yield file
    page.close()


def main(wanted: Sequence[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    shots = [shot for shot in SHOTS if not wanted or shot.name in wanted]
    if not shots:
        raise SystemExit(f"no such picture; there are: {', '.join(shot.name for shot in SHOTS)}")
    with product() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for is_busy in (False, True):
            due = [shot for shot in shots if shot.busy == is_busy]
            with clerks_at_work(address) if is_busy and due else nullcontext():
                for file in (file for shot in due for file in take(browser, address, shot)):
                    sys.stdout.write(f"{file.name}: {file.stat().st_size // 1024} kB\n")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
