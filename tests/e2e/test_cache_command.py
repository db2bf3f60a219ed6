"""``steinmetz cache`` asks a running server, and what it has learned survives a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from steinmetz.erp.warming import WANTED_FILE
from tests.e2e.server import running_server
from tests.e2e.test_main_job import OVERVIEW, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


def command(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("STEINMETZ_")},
        "STEINMETZ_DATA_DIR": str(folder),
        "STEINMETZ_PORT": url.rpartition(":")[2],
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "steinmetz", "cache", *arguments],
        env=settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_it_tells_drops_and_warms_and_a_restart_begins_warm(new_folder: Callable[[], Path]) -> None:
    folder = new_folder()
    with running_server(folder) as server:
        async with httpx2.AsyncClient(base_url=server.url) as client:
            token = await sign_in(client, "clerk")
            clerk = {"Authorization": f"Bearer {token}"}
            outcomes = [(await client.get(OVERVIEW, headers=clerk)).headers["x-cache"] for _ in range(3)]
            assert outcomes == ["MISS", "HIT", "HIT"]

            stats = json.loads(command(folder, server.url, "stats", "--json").stdout)
            assert (stats["hits"], stats["misses"]) == (2, 1)
            assert f"{OVERVIEW}" in command(folder, server.url, "stats").stdout
            assert f"{OVERVIEW}" in command(folder, server.url, "entries", "--by", "saved").stdout

            warmed = command(folder, server.url, "warm")
            assert "1 answers are warm, 0 could not be kept." in warmed.stdout, warmed.stderr
            dropped = command(folder, server.url, "invalidate", "/api/dashboard")
            assert dropped.stdout == "1 answers dropped.\n"
            assert "/api/dashboard" in command(folder, server.url, "invalidations").stdout
            assert "1 answers are warm" in command(folder, server.url, "warm").stdout
            assert (await client.get(OVERVIEW, headers=clerk)).headers["x-cache"] == "HIT"

            refused = command(folder, server.url, "invalidate")
            assert (refused.returncode, refused.stdout) == (2, "")
            assert "name one thing to drop" in refused.stderr
    assert (folder / WANTED_FILE).stat().st_mode & 0o077 == 0

    with running_server(folder, STEINMETZ_CACHE_WARM_S="60") as server:
        async with httpx2.AsyncClient(base_url=server.url) as client:
            while (ready := await client.get("/readyz")).status_code == 503:
                assert "warming the cache" in ready.text
            clerk = {"Authorization": f"Bearer {await sign_in(client, 'clerk')}"}
            assert (await client.get(OVERVIEW, headers=clerk)).headers["x-cache"] == "HIT"
    unreachable = command(folder, server.url, "stats")
    assert unreachable.returncode == 2
    assert "no server answers" in unreachable.stderr
