"""The running product keeps what its OpenAPI document promises: asked by the stock Schemathesis over HTTP.

Every operation of the document is asked with its examples, with values at the edge of what its schemas allow, with
values beyond, and with chance ones; always the same. An answer may be refused but not be a 5xx, and its status,
media type, headers and body are as documented. What is left out stands in ``schemathesis.toml`` with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.seed import LOGINS, PASSWORD
from tests.e2e.conftest import new_folder, settled_folder  # noqa: F401 - fixtures
from tests.e2e.server import RunningServer, running_server

CONFIG = Path(__file__).with_name("schemathesis.toml")
TABLES = str(Path(__file__).resolve().parents[3] / ".hypothesis")
"""Where Hypothesis keeps its tables of Unicode for this suite; in a new folder it makes them anew, for seconds."""

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def server(new_folder: Callable[[], Path]) -> Iterator[RunningServer]:  # noqa: F811
    with running_server(
        new_folder(), STEINMETZ_ARGON2_MEMORY_KIB="8", STEINMETZ_ARGON2_TIME_COST="1", STEINMETZ_LOG_FORMAT="json"
    ) as running:
        yield running


def token(server: RunningServer, role: Role) -> str:
    email = next(login.email for login in LOGINS if login.role is role)
    request = urllib.request.Request(
        f"{server.url}/api/auth/login",
        json.dumps({"email": email, "password": PASSWORD}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["data"]["accessToken"])


def ask(server: RunningServer, role: Role, *options: str) -> None:
    """Fails with Schemathesis' own report, which holds a command line for each finding."""
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"]
    asked = subprocess.run(
        [*command, f"{server.url}/openapi.json", "-H", f"Authorization: Bearer {token(server, role)}", *options],
        capture_output=True,
        text=True,
        cwd=server.log.parent,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": TABLES},
    )
    assert asked.returncode == 0, asked.stdout[-20_000:] + asked.stderr[-2_000:]


def answers(server: RunningServer) -> list[dict[str, object]]:
    lines = (json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line["msg"] == "Request" and str(line["agent"]).startswith("schemathesis")]


def test_an_administrator_finds_what_the_document_says(server: RunningServer) -> None:
    phases = "examples,coverage,fuzzing" if "LONG_TESTS" in os.environ else "examples,coverage"
    ask(server, Role.ADMIN, f"--phases={phases}", "--max-examples=2")
    found = answers(server)
    assert len(found) > 1_000
    assert {line["status"] for line in found if int(str(line["status"])) >= 500} <= {503}
    assert {200, 201, 401, 404, 405, 409, 415, 422} <= {line["status"] for line in found}
    assert sum(line["status"] == 401 for line in found) < len(found) / 5, "the sign-in got lost on the way"


def test_a_clerk_finds_what_the_document_says_and_closed_doors(server: RunningServer) -> None:
    ask(server, Role.CLERK, "--phases=examples,fuzzing", "--max-examples=2")
    assert {200, 403} <= {line["status"] for line in answers(server)}
