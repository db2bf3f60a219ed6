"""A migrated company without any data, on the engine that a test asks for."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database


@pytest.fixture
def clock() -> FakeClock:
    """Monday, 2 March 2026, 10:00 in Berlin."""
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, sqlite_migrated: Path, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[Database]:
    """On both engines."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'company.sqlite3'}"
        shutil.copy(sqlite_migrated, tmp_path / "company.sqlite3")
    else:
        url = request.getfixturevalue("clean_postgres_url")
    made = Database(url, clock=clock)
    yield made
    await made.close()
