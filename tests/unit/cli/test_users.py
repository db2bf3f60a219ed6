from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from steinmetz.cli.main import app
from steinmetz.clock import SystemClock
from steinmetz.erp.modules.auth.tokens import Tokens
from steinmetz.erp.settings import load_settings

PASSWORD = "ein langes Wort"
CREATE = ["user", "create", "--email", "A@example.com", "--name", "Anna", "--role", "admin"]


@pytest.fixture(autouse=True)
def migrated() -> None:
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0


def test_a_user_is_created_and_gets_a_token() -> None:
    created = CliRunner().invoke(app, [*CREATE, "--password-file", "-"], input=f"{PASSWORD}\n")
    assert (created.exit_code, created.stdout) == (0, "Created a@example.com as admin.\n"), created.output
    token = CliRunner().invoke(app, ["token", "--email", "a@example.com"])
    assert token.exit_code == 0
    claims = Tokens(load_settings().token_secrets()).prove_access(token.stdout.strip(), SystemClock().now())
    assert claims.user_id == 1
    assert "Bearer" in token.stderr


def test_the_password_comes_from_a_file_or_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    from_file = CliRunner().invoke(app, [*CREATE, "--password-file", "secret"])
    assert from_file.exit_code == 0
    again = ["user", "create", "--email", "b@example.com", "--name", "B"]
    asked = CliRunner().invoke(app, again, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert asked.exit_code == 0
    assert "as clerk" in asked.stdout
    assert PASSWORD not in asked.output


@pytest.mark.parametrize(
    ("change", "password", "says"),
    [
        (["--email", "nobody"], PASSWORD, "--email"),
        (["--role", "king"], PASSWORD, "--role"),
        ([], "kurz", "at least 10 characters"),
        (["--password-file", "missing"], PASSWORD, "--password-file"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(change: list[str], password: str, says: str) -> None:
    done = CliRunner().invoke(app, [*CREATE, "--password-file", "-", *change], input=password + "\n")
    assert done.exit_code == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert password not in done.stderr


def test_an_address_is_taken_once() -> None:
    for status in (0, 2):
        done = CliRunner().invoke(app, [*CREATE, "--password-file", "-"], input=f"{PASSWORD}\n")
        assert done.exit_code == status
    assert "exists" in done.stderr


def test_nobody_gets_no_token() -> None:
    done = CliRunner().invoke(app, ["token", "--email", "x@example.com"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no user x@example.com" in done.stderr
