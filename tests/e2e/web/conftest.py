"""One server with a small company for all journeys, and one browser for each file of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e.server import RunningServer, running_server
from tests.e2e.web.screen import FLAGS, WITHIN_MS

expect.set_options(timeout=WITHIN_MS)  # a busy machine is no fault of the page


@pytest.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        yield await play.chromium.launch(executable_path=chromium, args=FLAGS)


@pytest.fixture(scope="session")
def server(new_folder: Callable[[], Path]) -> Iterator[RunningServer]:
    cheap = {"STEINMETZ_ARGON2_MEMORY_KIB": "8", "STEINMETZ_ARGON2_TIME_COST": "1"}  # each journey signs in
    with running_server(new_folder(), **cheap) as running:
        yield running
