"""Figures in a database: any that SQLAlchemy speaks to, by a sync or an async engine.

The tables are made if they are missing. Statements run in a scope of the monitor's own: they are not counted, and
they drop no cached answer. Do not put them into a SQLite file that others write to: it has one pen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from steinmetz.monitor.analysis.window import DAY, HOUR, Kind
from steinmetz.monitor.changes.weekly import Period
from steinmetz.monitor.dialects.base import side
from steinmetz.monitor.stores.shelf import (
    ARCHIVE,
    DEAD_AFTER_MS,
    HOURS_KEPT_MS,
    MINUTES_KEPT_MS,
    SILENT_AFTER_MS,
    WHOLE,
    Row,
    archived,
    caught_up,
    figures_of,
    hours_caught_up,
)
from steinmetz.monitor.stores.tables import (
    KINDS,
    READ,
    hours_and_rest,
    make,
    metadata,
    processes,
    put,
    row_of,
    statistics,
    values_of,
)
from steinmetz.sql.scope import ScopeKind, open_scope

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")

MINUTE_ROWS = 200_000
"""Where there are more minutes than this, only those of the last two hours are kept."""
TEXTS_REMEMBERED = 10_000
CLEARED = "(cleared)"
"""Stands among the processes for the moment when all was last dropped."""


class DatabaseShelf:
    """The `steinmetz.monitor.stores.shelf.Shelf` in a database.

    ``owned`` engines are disposed of at the end.
    """

    def __init__(self, engine: Engine | AsyncEngine, *, owned: bool = False) -> None:
        self._engine = engine
        self._owned = owned
        self._texts_told: set[str] = set()

    async def _run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction, in this greenlet or in a thread, as the engine wants it."""
        if isinstance(self._engine, AsyncEngine):
            with open_scope(ScopeKind.MONITOR, "monitor"):
                async with self._engine.begin() as connection:
                    return await connection.run_sync(work)
        return await asyncio.to_thread(self._run_here, self._engine, work)

    @staticmethod
    def _run_here(engine: Engine, work: Callable[[Connection], T]) -> T:
        with open_scope(ScopeKind.MONITOR, "monitor"), engine.begin() as connection:
            return work(connection)

    async def open(self) -> None:
        await side(self._engine, lambda connection: make(connection, metadata))

    async def aclose(self) -> None:
        if not self._owned:
            return
        if isinstance(self._engine, AsyncEngine):
            await self._engine.dispose()
        else:
            self._engine.dispose()

    async def write(self, rows: Iterable[Row], now_ms: int) -> None:
        values = [values_of(row, now_ms, with_text=self._tells_text(row)) for row in rows]
        if values:
            await self._run(lambda connection: put(connection, values))

    def _tells_text(self, row: Row) -> bool:
        """Whether the statement's text goes along: with wholes, and the first time."""
        key = row.subject.key
        if row.span != WHOLE and key in self._texts_told:
            return False
        if len(self._texts_told) < TEXTS_REMEMBERED:
            self._texts_told.add(key)
        return bool(row.subject.text)

    async def read(self, since_ms: int, now_ms: int) -> AsyncIterator[list[Row]]:
        minute = now_ms // 60_000
        lately = or_(statistics.c.span == WHOLE, statistics.c.start > minute - DAY - HOUR)
        if since_ms:
            yield await self._rows(statistics.c.changed_ms >= since_ms, lately)
            return
        yield await self._rows(statistics.c.span != 1, lately)
        # A day may have many minutes: an hour at a time, the newest first.
        for end in range(minute + HOUR, minute - DAY, -HOUR):
            yield await self._rows(
                statistics.c.span == 1, statistics.c.start >= end - HOUR, statistics.c.start < end
            )

    async def periods(self, since: datetime) -> list[Period]:
        """What all processes have counted by name since ``since``, to the last second that was written.

        Hours, of which the last eight days are kept, and the minutes that none of them has told yet: the open one,
        and those of an hour that had begun before ``since``.
        """
        samples = or_(
            statistics.c.kind == Kind.NAME.value,
            and_(statistics.c.kind == Kind.STATEMENT.value, statistics.c.inside == 0),
        )
        rows = await self._rows(samples, hours_and_rest(ceil(since.timestamp() / 60)))
        return [
            Period(row.subject.name, datetime.fromtimestamp(row.start * 60, UTC), figures)
            for row in rows
            if (figures := figures_of(row)) is not None
        ]

    async def _rows(self, *conditions: Any) -> list[Row]:
        query = READ.where(*conditions)

        def read(connection: Connection) -> list[Row]:
            return [row_of(values) for values in connection.execute(query) if values.kind in KINDS]

        return await self._run(read)

    async def beat(self, process: str, now_ms: int, *, first: bool) -> bool:
        return await self._run(lambda connection: _beat(connection, process, now_ms, first))

    async def cleared_ms(self) -> int:
        query = select(processes.c.seen_ms).where(processes.c.process == CLEARED)
        return await self._run(lambda connection: connection.scalar(query)) or 0

    async def clear(self, now_ms: int) -> None:
        def drop(connection: Connection) -> None:
            _beat(connection, CLEARED, now_ms, True)
            connection.execute(delete(statistics))

        await self._run(drop)
        self._texts_told.clear()

    async def forget(self, process: str) -> None:
        statement = delete(statistics).where(statistics.c.process == process)
        await self._run(lambda connection: connection.execute(statement))
        self._texts_told.clear()

    async def prune(self, now_ms: int) -> None:
        def prune(connection: Connection) -> None:
            # Whoever prunes holds this row: of two processes one waits, and then finds nothing left to do.
            _beat(connection, ARCHIVE, now_ms, True)
            _catch_up(connection, now_ms)
            _archive(connection, now_ms)
            _drop_old(connection, now_ms)

        await self._run(prune)


def _beat(connection: Connection, process: str, now_ms: int, first: bool) -> bool:
    this = processes.c.process == process
    if connection.execute(update(processes).where(this).values(seen_ms=now_ms)).rowcount:
        return True
    if first:
        connection.execute(insert(processes).values(process=process, seen_ms=now_ms))
    return first


def _unheard(connection: Connection, before_ms: int) -> list[str]:
    query = select(processes.c.process).where(
        processes.c.seen_ms < before_ms, processes.c.process.not_in([ARCHIVE, CLEARED])
    )
    return list(connection.scalars(query))


def _catch_up(connection: Connection, now_ms: int) -> None:
    minute = now_ms // 60_000
    for process in _unheard(connection, now_ms - SILENT_AFTER_MS):
        own = statistics.c.process == process
        first = select(func.min(statistics.c.start) - HOUR).where(own, statistics.c.span == 1).scalar_subquery()
        hours = and_(statistics.c.span == HOUR, statistics.c.start > first)  # those that have minutes
        query = READ.where(own, or_(statistics.c.span.in_([WHOLE, 1]), hours))
        rows = [row_of(values) for values in connection.execute(query) if values.kind in KINDS]
        told = caught_up(rows, minute) + hours_caught_up(rows)
        if told:
            put(connection, [values_of(row, now_ms) for row in told])


def _archive(connection: Connection, now_ms: int) -> None:
    dead = _unheard(connection, now_ms - DEAD_AFTER_MS)
    if not dead:
        return
    rows = connection.execute(READ.where(statistics.c.process.in_([*dead, ARCHIVE]), statistics.c.span == WHOLE))
    sums = archived((row_of(values) for values in rows if values.kind in KINDS), now_ms // 60_000)
    # Their hours stay for the review of the week.
    connection.execute(
        delete(statistics).where(statistics.c.process.in_([*dead, ARCHIVE]), statistics.c.span != HOUR)
    )
    connection.execute(delete(processes).where(processes.c.process.in_(dead)))
    if sums:
        put(connection, [values_of(row, now_ms) for row in sums])


def _drop_old(connection: Connection, now_ms: int) -> None:
    minute = now_ms // 60_000
    for span, oldest in ((1, (now_ms - MINUTES_KEPT_MS) // 60_000), (HOUR, (now_ms - HOURS_KEPT_MS) // 60_000)):
        connection.execute(delete(statistics).where(statistics.c.span == span, statistics.c.start < oldest))
    # Whoever had to make room, and has not come back for a day.
    forgotten = and_(statistics.c.span == WHOLE, statistics.c.count == 0, statistics.c.upto < minute - DAY)
    connection.execute(delete(statistics).where(forgotten))
    beyond = (
        select(statistics.c.start)
        .where(statistics.c.span == 1)
        .order_by(statistics.c.start.desc())
        .offset(MINUTE_ROWS)
        .limit(1)
    )
    if (start := connection.scalar(beyond)) is not None:
        oldest = min(start, minute - 2 * HOUR)
        connection.execute(delete(statistics).where(statistics.c.span == 1, statistics.c.start < oldest))
