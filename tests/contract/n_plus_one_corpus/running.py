"""One case on a database of its own: a SQLite file, for threads and tasks have connections of their own."""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

from steinmetz.sql import ScopeKind, open_scope
from tests.contract.n_plus_one_corpus.case import CASES, Case
from tests.contract.n_plus_one_corpus.schema import Base, fill

Attach = Callable[[Engine | AsyncEngine], None]


def fresh(folder: Path) -> Path:
    """The filled database, to be copied for each case."""
    path = folder / "filled" / "filled.db"
    path.parent.mkdir()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        fill(connection)
    engine.dispose()
    return path


def run(case: Case, template: Path, attach: Attach) -> None:
    """Run ``case`` in its scope on an engine that ``attach`` has seen."""
    path = template.parent.parent / f"{case.name}.db"
    shutil.copy(template, path)
    (wanted,) = inspect.signature(case.run).parameters
    if inspect.iscoroutinefunction(case.run):
        asyncio.run(_run_async(case, path, wanted, attach))
        return
    engine = create_engine(f"sqlite:///{path}")
    attach(engine)
    with _scope(case):
        if wanted == "session":
            with Session(engine) as session:
                case.run(session)
        elif wanted == "connection":
            with engine.connect() as connection:
                case.run(connection)
        else:
            case.run(engine)
    engine.dispose()


async def _run_async(case: Case, path: Path, wanted: str, attach: Attach) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    attach(engine)
    sessions = async_sessionmaker(engine)
    with _scope(case):
        if wanted == "session":
            async with sessions() as session:
                await case.run(session)
        else:
            await case.run(sessions)
    await engine.dispose()


def _scope(case: Case) -> AbstractContextManager[Any]:
    return nullcontext() if case.own_scopes else open_scope(case.kind, case.name)


SCHEMA = "corpus"
WRITING = ("writes", "second_thoughts")
"""Files whose cases need the tables filled anew."""
SQLITE_ONLY = {
    "driver_text": "its parameter style",
    "chunks_in_plain_text": "its parameter style",
    "upsert_in_a_loop": "its own INSERT",
    "number_taken_try_the_next": "goes on in a transaction in which a statement failed",
    "threads": "a synchronous engine",
}
"""Cases that are not run on PostgreSQL, and why."""


def engine_on_postgres(url: str) -> AsyncEngine:
    """With the corpus in a schema of its own."""
    return create_async_engine(url, connect_args={"server_settings": {"search_path": SCHEMA}})


async def run_on_postgres(case: Case, engine: AsyncEngine) -> None:
    """Run ``case`` through asyncpg; the cases come in the order of `CASES`."""
    if case is CASES[0] or case.run.__module__.endswith(WRITING):
        with open_scope(ScopeKind.MONITOR, "fill"):
            async with engine.begin() as connection:
                await connection.run_sync(_refill)
    sessions = async_sessionmaker(engine)
    (wanted,) = inspect.signature(case.run).parameters
    with _scope(case):
        if wanted == "sessions":
            await case.run(sessions)
        elif wanted == "connection":
            async with engine.connect() as connection:
                await connection.run_sync(case.run)
        else:
            async with sessions() as session:
                await (case.run(session) if inspect.iscoroutinefunction(case.run) else session.run_sync(case.run))


def _refill(connection: Connection) -> None:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    Base.metadata.create_all(connection)
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(table.delete())
    fill(connection)
    for table in Base.metadata.sorted_tables:
        if "id" in table.c:
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            last = f"(SELECT max(id) FROM {table.name})"
            connection.execute(text(f"SELECT setval({sequence}, {last}) WHERE {sequence} IS NOT NULL"))
