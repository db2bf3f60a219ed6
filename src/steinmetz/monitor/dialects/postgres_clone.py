"""A copy of a whole PostgreSQL database beside it, for as long as it is needed.

``CREATE DATABASE ... TEMPLATE`` copies file by file and wants nobody to be connected
(https://www.postgresql.org/docs/15/manage-ag-templatedbs.html), so it is for databases at rest; of a busy one, let
pg_dump or a backup make a clone and give its URL.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.monitor.dialects.postgres_session import refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAINTENANCE_DATABASE = "postgres"
IN_USE = (
    "a clone cannot be made while somebody is connected to the database: stop the application, or restore a backup"
    " beside it and give the URL of that"
)


@asynccontextmanager
async def cloned(url: URL) -> AsyncIterator[URL]:
    """A clone of an async engine's database; dropped at the end.

    Raises `CannotExplain` when somebody is connected to the original, or the user may not create databases.
    """
    engine = create_async_engine(
        url.set(database=MAINTENANCE_DATABASE), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    try:
        async with engine.connect() as connection:
            name = await connection.run_sync(_create, url.database or "")
            try:
                yield url.set(database=name)
            finally:
                await connection.run_sync(_drop, name)
    except SQLAlchemyError as error:
        raise refusal(error, "a clone") from None
    finally:
        await engine.dispose()


@contextmanager
def cloned_sync(url: URL) -> Iterator[URL]:
    """`cloned` for sync engines."""
    engine = create_engine(
        url.set(database=MAINTENANCE_DATABASE), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    try:
        with engine.connect() as connection:
            name = _create(connection, url.database or "")
            try:
                yield url.set(database=name)
            finally:
                _drop(connection, name)
    except SQLAlchemyError as error:
        raise refusal(error, "a clone") from None
    finally:
        engine.dispose()


def _create(connection: Connection, original: str) -> str:
    # Asked for a database in use, the server would wait five seconds before it refuses.
    ((used,),) = connection.exec_driver_sql(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = {_literal(original)}"
    )
    if used:
        raise CannotExplain(IN_USE)
    name = f"steinmetz_clone_{secrets.token_hex(6)}"
    template = original.replace('"', '""')
    try:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    except SQLAlchemyError as error:
        reason = refusal(error, "a clone")
        if "55006" in str(reason):
            reason = CannotExplain(IN_USE)
        raise reason from None
    return name


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _drop(connection: Connection, name: str) -> None:
    connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
