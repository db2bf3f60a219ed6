"""The company on each engine, and a case asked on it: what-if and proof over its data, nothing left behind."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, NullPool, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.advice.case import Case
from benchmarks.advice.company import FilledTable, as_sqlite
from steinmetz.monitor.dialects.base import Proof, WhatIf, side
from steinmetz.monitor.dialects.postgres import PostgresWhatIf
from steinmetz.monitor.dialects.postgres_proof import PostgresProof
from steinmetz.monitor.dialects.postgres_session import PostgresSession
from steinmetz.monitor.dialects.sqlite import SqliteProof, SqliteWhatIf
from steinmetz.monitor.dialects.sqlite_copy import FileSource, SqliteCopy

T = TypeVar("T")


class Company(Protocol):
    """The tables, filled, on one engine."""

    engine: str

    def ask(self, case: Case, question: Callable[[WhatIf, Proof], T]) -> T:
        """Ask with the case's own set-up in place."""


class SqliteCompany:
    """In memory; each case has a copy."""

    engine = "sqlite"

    def __init__(self, tables: Sequence[FilledTable]) -> None:
        self._template = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        for table in tables:
            self._template.execute(table.sqlite_ddl)
            marks = ", ".join("?" * len(table.columns))
            rows = ([as_sqlite(value) for value in row] for row in table.rows)
            self._template.execute("BEGIN")
            self._template.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
            self._template.execute("COMMIT")

    def ask(self, case: Case, question: Callable[[WhatIf, Proof], T]) -> T:
        database = sqlite3.connect(":memory:", isolation_level=None)
        self._template.backup(database)
        for statement in case.setup:
            database.execute(statement)
        database.execute("PRAGMA foreign_keys = ON")
        copy = SqliteCopy(FileSource(database))
        database.close()
        what_if = SqliteWhatIf(copy)
        try:
            return question(what_if, SqliteProof(copy))
        finally:
            what_if.close()
            copy.close()


class PostgresCompany:
    """A database of its own; each case is one transaction that is rolled back."""

    engine = "postgres"

    def __init__(self, url: str, *, runs: int) -> None:
        self.url = url
        self._engine = create_async_engine(url, poolclass=NullPool)
        self._runs = runs

    def ask(self, case: Case, question: Callable[[WhatIf, Proof], T]) -> T:
        def work(connection: Connection) -> T:
            for statement in case.setup:
                connection.exec_driver_sql(statement)
            session = PostgresSession(connection, may_build=True)
            what_if = PostgresWhatIf(session)
            try:
                return question(what_if, PostgresProof(session, runs=self._runs))
            finally:
                what_if.close()

        return asyncio.run(side(self._engine, work))


@contextmanager
def postgres_company(
    server: str, name: str, tables: Sequence[FilledTable], *, runs: int = 3, also: Sequence[str] = ()
) -> Iterator[PostgresCompany]:
    """A database ``name`` on ``server`` (the URL of a maintenance database), filled; dropped at the end."""
    url = make_url(server).set(drivername="postgresql+asyncpg")
    asyncio.run(_on_server(server, f'CREATE DATABASE "{name}" TEMPLATE template0'))
    try:
        filled = url.set(database=name).render_as_string(hide_password=False)
        asyncio.run(_fill(filled, tables, also))
        yield PostgresCompany(filled, runs=runs)
    finally:
        asyncio.run(_on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _connect(url: str) -> Any:
    import asyncpg

    address = make_url(url)
    return await asyncpg.connect(
        host=address.query.get("host") or address.host,
        port=int(str(address.query.get("port") or address.port or 5432)),
        user=address.username,
        password=address.password,
        database=address.database,
    )


async def _on_server(url: str, statement: str) -> None:
    connection = await _connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _fill(url: str, tables: Sequence[FilledTable], also: Sequence[str]) -> None:
    connection = await _connect(url)
    try:
        # Rows whose commit is not yet written out are not marked as visible to all: no index would do alone.
        await connection.execute("SET synchronous_commit = on")
        for table in tables:
            await connection.execute(table.postgres_ddl)
            await connection.copy_records_to_table(table.name, records=table.rows, columns=table.columns)
        for statement in also:
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
