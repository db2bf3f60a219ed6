"""One blocking transaction on the application's database, for work that is done before or beside the server.

PostgreSQL has only an async driver here (asyncpg), so its transaction runs on an event loop of its own; the work
itself stays plain synchronous SQLAlchemy on both engines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

Result = TypeVar("Result")
AroundCommit = Callable[[], AbstractContextManager[None]]


def in_transaction(
    url: str | URL, work: Callable[[Connection], Result], *, around_commit: AroundCommit | None = None
) -> Result:
    """Run ``work`` in one transaction that writes, commit it, and return what it returned; roll back if it raises.

    ``url`` may name any driver; aiosqlite is replaced by sqlite3, everything of PostgreSQL by asyncpg. COMMIT is
    sent within ``around_commit()``: whoever else uses the database hears of it there, for no hook sees this work.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _on_sqlite(address.set(drivername="sqlite"), work, around_commit or nullcontext)
    return _on_own_loop(address.set(drivername="postgresql+asyncpg"), work, around_commit or nullcontext)


def _on_sqlite(url: URL, work: Callable[[Connection], Result], around_commit: AroundCommit) -> Result:
    engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None, "timeout": 60})

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver would begin only at the first INSERT and leave DDL outside: a broken upgrade half done.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: Any, record: Any) -> None:
        dbapi_connection.execute("PRAGMA journal_mode=WAL")
        dbapi_connection.execute("PRAGMA synchronous=NORMAL")

    with engine.connect() as connection, connection.begin() as transaction:
        result = work(connection)
        with around_commit():
            transaction.commit()
        return result


def _on_own_loop(url: URL, work: Callable[[Connection], Result], around_commit: AroundCommit) -> Result:
    async def run() -> Result:
        engine = create_async_engine(url, poolclass=NullPool)
        try:
            async with engine.connect() as connection, connection.begin() as transaction:
                result = await connection.run_sync(work)
                with around_commit():  # it blocks, and nobody else is on this loop
                    await transaction.commit()
                return result
        finally:
            await engine.dispose()

    # A caller on a running loop gets a thread: asyncio refuses a loop within a loop.
    with ThreadPoolExecutor(1, thread_name_prefix="steinmetz-database") as thread:
        return thread.submit(asyncio.run, run()).result()
