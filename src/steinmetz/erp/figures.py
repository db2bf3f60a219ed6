"""Where the query monitor's figures outlive the process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL

from steinmetz.erp.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

FILE = "monitor.sqlite3"


def figures_url(settings: Settings) -> URL:
    """A file of its own on SQLite, as a database has one pen; the same database on PostgreSQL."""
    if settings.is_embedded:
        return URL.create("sqlite+aiosqlite", database=str(settings.data_dir / FILE))
    return settings.url


@asynccontextmanager
async def figures_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine for the figures alone, unhooked: what it asks is counted nowhere."""
    from sqlalchemy.ext.asyncio import create_async_engine

    settings.make_data_dir()
    engine = create_async_engine(figures_url(settings))
    try:
        yield engine
    finally:
        await engine.dispose()
