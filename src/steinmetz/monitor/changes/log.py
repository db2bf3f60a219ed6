"""The log of changes: in memory, or in the table ``monitor_changes`` of any database that SQLAlchemy speaks to.

It is written a few times a day, so the database is asked anew each time and nothing is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import orjson
from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, delete, insert, select, update

from steinmetz.monitor.changes.change import Entry, restored, shown
from steinmetz.monitor.dialects.base import side
from steinmetz.monitor.stores.tables import make

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

KEPT = 1_000
"""Entries that are kept; the oldest go first."""

METADATA = MetaData()
CHANGES = Table(
    "monitor_changes",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
    Column("entry", Text, nullable=False),
)


class ChangeLog(Protocol):
    """Keeps changes and what came of them."""

    async def put(self, entry: Entry) -> None:
        """Add an entry, or replace the one of the same change."""

    async def entries(self, limit: int = KEPT) -> list[Entry]:
        """Newest first."""


class MemoryChangeLog:
    """For as long as the process lives."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    async def put(self, entry: Entry) -> None:
        self._entries[entry.change.id] = entry
        while len(self._entries) > KEPT:
            del self._entries[next(iter(self._entries))]

    async def entries(self, limit: int = KEPT) -> list[Entry]:
        return sorted(self._entries.values(), key=lambda entry: entry.change.at, reverse=True)[:limit]


class DatabaseChangeLog:
    """In the table ``monitor_changes``, which is made if it is missing; for sync and async engines."""

    def __init__(self, engine: Engine | AsyncEngine) -> None:
        self._engine = engine

    async def put(self, entry: Entry) -> None:
        row = {"at": entry.change.at, "entry": orjson.dumps(shown(entry)).decode()}

        def write(connection: Connection) -> None:
            make(connection, METADATA)
            done = connection.execute(update(CHANGES).where(CHANGES.c.id == entry.change.id).values(**row))
            if not done.rowcount:
                connection.execute(insert(CHANGES).values(id=entry.change.id, **row))
                oldest = select(CHANGES.c.at).order_by(CHANGES.c.at.desc()).offset(KEPT - 1).limit(1)
                connection.execute(delete(CHANGES).where(CHANGES.c.at < oldest.scalar_subquery()))
            connection.commit()

        await side(self._engine, write)

    async def entries(self, limit: int = KEPT) -> list[Entry]:
        def read(connection: Connection) -> list[str]:
            make(connection, METADATA)
            return list(connection.scalars(select(CHANGES.c.entry).order_by(CHANGES.c.at.desc()).limit(limit)))

        return [restored(orjson.loads(text)) for text in await side(self._engine, read)]
