"""Which other writers of the ERP's database are noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.erp.db import DATABASE_NAME, Database
from steinmetz.live import PostgresStrangers, SqliteStrangers, Strangers

if TYPE_CHECKING:
    from steinmetz.erp.settings import Settings


def strangers_of(database: Database, settings: Settings) -> Strangers | None:
    """Who notices them, to be made before the engine is hooked; None if nobody should, or nobody can be there."""
    if not settings.foreign_writers:
        return None
    if not database.is_sqlite:
        return PostgresStrangers(database.engine, database=DATABASE_NAME)
    if database.url.database in (None, "", ":memory:"):
        return None
    return SqliteStrangers(database.engine, database=DATABASE_NAME)
