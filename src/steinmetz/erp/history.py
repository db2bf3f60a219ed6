"""Where the query monitor's figures outlive the process: beside the business's own data, never in its way.

A SQLite file has one pen, so with the embedded database the figures have a file of their own; in PostgreSQL they
are tables of the same database, which the application makes itself: they belong to no migration. The engine is not
hooked, so what it does is neither counted nor drops a cached answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.engine import URL

from steinmetz.erp.db import make_engine
from steinmetz.erp.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

FILE = "monitor.sqlite3"


def figures_engine(settings: Settings) -> AsyncEngine:
    """An engine for the figures alone; whoever makes it disposes of it."""
    address = settings.database_address
    if settings.is_embedded:
        url = URL.create("sqlite+aiosqlite", database=str(settings.data_dir / FILE))
        address = url.render_as_string(hide_password=False)
    return make_engine(address, pool_size=1)
