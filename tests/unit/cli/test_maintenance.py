from __future__ import annotations

import pytest
from typer.testing import CliRunner

from steinmetz.cli.main import app


@pytest.fixture(autouse=True)
def migrated() -> None:
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["maintenance", *words])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()[-1]  # a busy machine may warn of a slow query before it


def test_it_is_switched_on_and_off_and_says_how_it_stands() -> None:
    off = "Maintenance is off: changes are taken."
    on = "Maintenance is on until 2999-07-01 22:00 (Europe/Berlin): Neue Version."
    assert run() == off
    assert run("on", "--message", "Neue Version", "--until", "2999-07-01T22:00") == on
    assert run() == on
    assert run("on", "--message", "Neue Version", "--until", "2999-07-01T20:00Z") == on
    assert run("on") == "Maintenance is on: changes are refused."
    assert run("off") == off
    assert run() == off


REFUSED = {"tomorrow": "no instant like 2026-03-02T22:00", "2001-01-01T00:00": "in the past"}


@pytest.mark.parametrize("until", REFUSED)
def test_an_end_that_makes_no_sense_is_one_line_and_status_2(until: str) -> None:
    done = CliRunner().invoke(app, ["maintenance", "on", "--until", until])
    assert done.exit_code == 2
    assert REFUSED[until] in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "off" in run()
