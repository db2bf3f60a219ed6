"""Where the query monitor's figures outlive the process: beside the business's own data, never in its way.

A SQLite file has one pen, so with the embedded database the figures have a file of their own; in PostgreSQL they
are two tables of the same database, which the application makes itself: they belong to no migration. The engine is
not hooked, so what it does is neither counted nor drops a cached answer.
"""

from __future__ import annotations

from sqlalchemy.engine import URL

from steinmetz.clock import Clock
from steinmetz.erp.db import make_engine
from steinmetz.erp.settings import Settings
from steinmetz.monitor.stores.database import DatabaseShelf
from steinmetz.monitor.stores.shared import SharedStore

FILE = "monitor.sqlite3"


def history(settings: Settings, clock: Clock) -> SharedStore | None:
    """The store to be started and closed with the application; None if the figures are to stay in memory."""
    if not (settings.monitor and settings.monitor_history):
        return None
    address = settings.database_address
    if settings.is_embedded:
        url = URL.create("sqlite+aiosqlite", database=str(settings.data_dir / FILE))
        address = url.render_as_string(hide_password=False)
    return SharedStore(clock, DatabaseShelf(make_engine(address, pool_size=1), owned=True))
