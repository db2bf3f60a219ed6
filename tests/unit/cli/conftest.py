"""A command runs in an environment of its own: no settings from outside, an empty current folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("STEINMETZ_") or name == "SLOW_QUERY_THRESHOLD_MS":
            monkeypatch.delenv(name)
    for name, value in {
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_TIME_COST": "1",
        "DATA_DIR": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(f"STEINMETZ_{name}", value)
    monkeypatch.chdir(tmp_path)
