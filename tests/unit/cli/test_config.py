from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from steinmetz.cli.main import app
from steinmetz.erp.settings_listing import HIDDEN

SECRET = "q8Zk3vX0pLw6Rt1yUe9sBn4mHc7jDf2A"


def test_every_setting_is_shown_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "STEINMETZ_JWT_SECRET": SECRET,
        "STEINMETZ_METRICS_TOKEN": SECRET,
        "STEINMETZ_REDIS_URL": f"redis://:{SECRET}@h/0",
        "STEINMETZ_DATABASE_URL": f"postgresql://u:{SECRET}@h/n",
        "SLOW_QUERY_THRESHOLD_MS": "5",
    }.items():
        monkeypatch.setenv(name, value)
    table, as_json = (CliRunner().invoke(app, ["config", "show", *more]) for more in ([], ["--json"]))
    assert SECRET not in table.output + as_json.output
    rows = {row["variable"]: row for row in json.loads(as_json.stdout)}
    assert rows["STEINMETZ_JWT_SECRET"] == {
        "variable": "STEINMETZ_JWT_SECRET",
        "value": HIDDEN,
        "from": "environment",
    }
    assert rows["STEINMETZ_DATABASE_URL"]["value"] == "postgresql+asyncpg://u:***@h/n"
    assert rows["SLOW_QUERY_THRESHOLD_MS"]["value"] == 5
    assert rows["STEINMETZ_CACHE"] == {"variable": "STEINMETZ_CACHE", "value": "on", "from": "default"}
    for variable in rows:
        assert variable in table.stdout
