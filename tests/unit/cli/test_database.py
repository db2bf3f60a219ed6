from __future__ import annotations

from typer.testing import CliRunner

from steinmetz.cli.database import revision
from steinmetz.cli.main import app
from steinmetz.erp.migrations import head
from steinmetz.erp.settings import load_settings


def test_migrate_makes_the_database_and_is_done_the_second_time() -> None:
    assert revision(load_settings()) is None
    first = CliRunner().invoke(app, ["migrate"])
    assert first.exit_code == 0, first.output
    assert f"from nothing to {head()}" in first.stdout
    assert revision(load_settings()) == head()
    second = CliRunner().invoke(app, ["migrate"])
    assert f"is at {head()}" in second.stdout
