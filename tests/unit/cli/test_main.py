from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from steinmetz.cli.main import app

COMMANDS = ["serve", "migrate", "seed", "traffic", "user create", "token", "config show", "doctor"]


def fastest_help_s() -> float:
    """Of several runs, for the machine may be busy with other things."""
    taken_s = []
    for _ in range(5):
        begun_s = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "steinmetz", "--help"], capture_output=True, text=True, check=True
        )
        taken_s.append(time.perf_counter() - begun_s)
        assert "serve" in done.stdout
    return min(taken_s)


def test_help_comes_in_less_than_half_a_second() -> None:
    assert fastest_help_s() < 0.5


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, steinmetz.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"fastapi", "sqlalchemy", "uvicorn", "pydantic", "alembic", "argon2", "redis", "aiohttp"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(app, ["srve"]).exit_code == 2


@pytest.mark.parametrize("command", ["serve", "migrate", "seed", "token --email x@y.z", "config show"])
def test_unusable_settings_are_one_line_and_status_2(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEINMETZ_PORT", "no")
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 2
    assert done.stderr.startswith("steinmetz: STEINMETZ_PORT: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_one_line_without_its_password() -> None:
    environment = {**os.environ, "STEINMETZ_DATABASE_URL": "postgresql://u:geheim@127.0.0.1:1/n"}
    for command in ("migrate", "serve"):
        done = subprocess.run(
            [sys.executable, "-m", "steinmetz", command, *(["--port", "0"] if command == "serve" else [])],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert "steinmetz doctor" in done.stderr
        assert "geheim" not in done.stderr
