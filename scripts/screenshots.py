"""Pictures of the page for the README, taken from the running product: light and dark, 1440 wide, and a phone.

    python3 dev.py screenshots [NAME ...]

Starts the product on a free port with a fresh demo company in a temporary folder and opens each of `SHOTS`,
live, as the user it names. Before the overview is taken, somebody else pays an invoice: it shows what that has
moved. Writes ``docs/screenshots/NAME-light.png`` and ``NAME-dark.png``. Raises what the browser raises if a
page does not appear.
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from steinmetz.erp.seed import PASSWORD

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
READY_WITHIN_S = 60.0
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
    """A page as somebody sees it; taken when ``ready`` is visible. ``act`` is done on it before."""

    name: str
    path: str
    ready: str
    role: str = "manager"
    act: Callable[[Page, str], None] | None = None
    width: int = 1440
    height: int = 900


def _see_a_payment(page: Page, address: str) -> None:
    pay_an_invoice(address)
    expect(page.locator("[data-figure=openInvoices] .change")).to_be_visible(timeout=5_000)


def _search(page: Page, address: str) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").press_sequentially("ma")
    expect(page.get_by_role("option").nth(3)).to_be_visible()


SHOTS = (
    Shot("overview", "/", "[data-figure=cash-by-month] .line", act=_see_a_payment),
    Shot("overview-phone", "/", ".chart .bar >> nth=0", width=390, height=844),
    Shot("customers", "/customers", "tbody tr >> nth=10"),
    Shot("palette", "/customers", "tbody tr >> nth=10", act=_search),
)


def take(browser: Browser, address: str, shot: Shot, scheme: Literal["light", "dark"]) -> Path:
    """One picture: signed in, live, at rest."""
    page = browser.new_page(
        locale="en-GB", color_scheme=scheme, viewport={"width": shot.width, "height": shot.height}
    )
    page.goto(address + shot.path)
    page.locator("input[name=email]").fill(f"{shot.role}@steinmetz.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".live")).to_have_attribute("data-live", "live", timeout=15_000)
    expect(page.locator(shot.ready)).to_be_visible(timeout=15_000)
    if shot.act is not None:
        shot.act(page, address)
    file = FOLDER / f"{shot.name}-{scheme}.png"
    page.screenshot(path=file, animations="disabled")
    page.close()
    return file


def main(wanted: Sequence[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    shots = [shot for shot in SHOTS if not wanted or shot.name in wanted]
    if not shots:
        raise SystemExit(f"no such picture; there are: {', '.join(shot.name for shot in SHOTS)}")
    with product() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for shot in shots:
            for scheme in ("light", "dark"):
                file = take(browser, address, shot, scheme)
                sys.stdout.write(f"{file.name}: {file.stat().st_size // 1024} kB\n")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
