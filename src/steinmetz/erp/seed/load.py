"""Rows into an empty database, fast, in one transaction: executemany on SQLite, COPY on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from json import dumps
from typing import Any, Protocol, cast, get_type_hints

from sqlalchemy import Connection, text

from steinmetz.erp.seed.rows import TABLES, Row

BATCH = 5_000
"""Rows held at once; bounds memory at every scale."""


class Writer(Protocol):
    """Writes many rows of one table."""

    def write(self, table: str, columns: tuple[str, ...], rows: list[Row]) -> None: ...

    def finish(self) -> None:
        """What is left to do when all is written: id counters, statistics for the planner."""


def writer(connection: Connection) -> Writer:
    return SqliteWriter(connection) if connection.dialect.name == "sqlite" else PostgresWriter(connection)


def load(into: Writer, rows: Iterable[Row], written: Callable[[int], None], batch: int = BATCH) -> None:
    """Write ``rows``, at most ``batch`` at once, parents before children; ``written`` hears the sum so far."""
    waiting: dict[type[Row], list[Row]] = {row_type: [] for row_type in TABLES}
    count = 0

    def flush() -> None:
        for row_type, some in waiting.items():
            if some:
                into.write(TABLES[row_type], row_type._fields, some)
                some.clear()
        written(count)

    for row in rows:
        waiting[type(row)].append(row)
        count += 1
        if count % batch == 0:
            flush()
    flush()


def tables_with_ids() -> list[str]:
    """The tables whose ids the database gives from now on."""
    return [name for row_type, name in TABLES.items() if get_type_hints(row_type).get("id") is int]


# SQLite


class SqliteWriter:
    """Gives values as SQLAlchemy's types would write them, without asking them one by one."""

    def __init__(self, connection: Connection) -> None:
        self._driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        self._driver.execute("PRAGMA cache_size = -65536")

    def write(self, table: str, columns: tuple[str, ...], rows: list[Row]) -> None:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        plain = _KEEP_AS_THEY_ARE
        self._driver.executemany(
            statement,
            ([value if type(value) in plain else _as_sqlite(value) for value in row] for row in rows),
        )

    def finish(self) -> None:
        # Statistics from a sample: the planner wants proportions, not exact counts.
        self._driver.execute("PRAGMA analysis_limit = 1000")
        self._driver.execute("ANALYZE")


_KEEP_AS_THEY_ARE = frozenset({int, str, type(None)})


def _as_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return _iso(value)
    if isinstance(value, bool):
        return int(value)
    return _json(value) if isinstance(value, dict) else str(value)


_iso = lru_cache(maxsize=4_096)(date.isoformat)


def _json(value: dict[str, Any]) -> str:
    return dumps(value)


# PostgreSQL


class PostgresWriter:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The driver begins its transaction with the first statement; COPY alone would stand outside.
        connection.execute(text("SELECT 1"))

    def write(self, table: str, columns: tuple[str, ...], rows: list[Row]) -> None:
        records = [[_json(value) if type(value) is dict else value for value in row] for row in rows]
        driver: Any = self._connection.connection.dbapi_connection
        driver.run_async(lambda asyncpg: asyncpg.copy_records_to_table(table, records=records, columns=columns))

    def finish(self) -> None:
        for table in tables_with_ids():
            counter = f"pg_get_serial_sequence('{table}', 'id')"
            self._connection.execute(text(f"SELECT setval({counter}, max(id)) FROM {table} HAVING max(id) > 0"))
        self._connection.execute(text("ANALYZE"))
