"""One case on a database of its own: a SQLite file, for threads and tasks have connections of their own."""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

from steinmetz.sql import open_scope
from tests.contract.n_plus_one_corpus.case import Case
from tests.contract.n_plus_one_corpus.schema import fill

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
