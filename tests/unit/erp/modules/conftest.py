"""A migrated company without any data, on the engine that a test asks for."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from steinmetz.clock import FakeClock
from steinmetz.erp import migrations
from steinmetz.erp.db import Database
from steinmetz.erp.migrations.schema import schema
from tests.servers import _database


@pytest.fixture
def clock() -> FakeClock:
    """Monday, 2 March 2026, 10:00 in Berlin."""
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "company.sqlite3"
    migrations.upgrade(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_url: str, postgres_template: str, database_names: Iterator[str]) -> Iterator[str]:
    """One migrated database for these tests, emptied after each: a new one takes the server ten times as long."""
    with _database(postgres_url, next(database_names), template=postgres_template) as url:
        yield url


EMPTY = f"""
DO $$
DECLARE sequence name;
BEGIN
    {" ".join(f"DELETE FROM {table.name};" for table in reversed(schema().sorted_tables))}
    FOR sequence IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', sequence);
    END LOOP;
END $$
"""


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[Database]:
    """On both engines."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'company.sqlite3'}"
        shutil.copy(sqlite_template, tmp_path / "company.sqlite3")
    else:
        url = request.getfixturevalue("shared_postgres_url")
    made = Database(url, clock=clock)
    yield made
    if not made.is_sqlite:
        async with made.engine.begin() as connection:
            await connection.execute(text(EMPTY))
    await made.close()
