"""One question to a database about indexes, wherever its engine keeps its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.monitor.dialects.base import CannotExplain, Proof, WhatIf, side, side_sync
from steinmetz.monitor.dialects.postgres import PostgresWhatIf
from steinmetz.monitor.dialects.postgres_clone import cloned, cloned_sync
from steinmetz.monitor.dialects.postgres_proof import PostgresProof
from steinmetz.monitor.dialects.postgres_session import PostgresSession
from steinmetz.monitor.dialects.sqlite import SqliteProof, SqliteWhatIf, copied
from steinmetz.monitor.dialects.sqlite_copy import MAX_COPY_MB, SqliteCopy

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner of a database allows.

    SQLite: a database larger than ``max_copy_mb`` is sampled, and then proven only with ``on_sample``.
    PostgreSQL: with nothing allowed it is asked for plans and nothing is proven. ``clone_url`` is a database on
    which indexes may be built and statements run; ``clone`` has one made, for which nobody may be connected to the
    original; ``here`` allows it on the database itself, whose tables are locked meanwhile.
    """

    max_copy_mb: float = MAX_COPY_MB
    on_sample: bool = False
    clone_url: str | None = field(default=None, repr=False)
    clone: bool = False
    here: bool = False


Question = Callable[[WhatIf, Proof | None], T]
"""Asked with what the database can answer; there is no proof where running is not allowed."""


async def consult(engine: Engine | AsyncEngine, question: Question[T], terms: Terms | None = None) -> T:
    """Ask ``question``, uncounted by the monitor, and leave nothing behind.

    SQLite: the database is copied by a connection of its own, all the rest happens in a worker thread. PostgreSQL:
    all of it happens in one transaction on a connection of its own, on the greenlet of an async engine.
    Raises `CannotExplain` with what to do: an engine of another kind, HypoPG missing, no clone to be had.
    """
    if not isinstance(engine, AsyncEngine):
        return await asyncio.to_thread(consult_sync, engine, question, terms)
    terms = terms or Terms()
    if engine.dialect.name == "sqlite":
        copy = await side(engine, lambda connection: copied(connection, max_mb=terms.max_copy_mb))
        return await asyncio.to_thread(_on_copy, copy, question, terms)
    _refuse_unless_postgres(engine.dialect.name)
    async with AsyncExitStack() as stack:
        url = terms.clone_url
        if url is None and terms.clone:
            url = (await stack.enter_async_context(cloned(engine.url))).render_as_string(hide_password=False)
        if url is None:
            return await side(engine, lambda connection: _on_session(connection, question, terms.here))
        clone = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
        try:
            async with clone.connect():
                pass
        except Exception as error:  # each driver has its own for a server that is not there
            raise _unreachable(error) from None
        return await side(clone, lambda connection: _on_session(connection, question, True))


def consult_sync(engine: Engine, question: Question[T], terms: Terms | None = None) -> T:
    """`consult` for sync engines, in the caller's thread."""
    terms = terms or Terms()
    if engine.dialect.name == "sqlite":
        copy = side_sync(engine, lambda connection: copied(connection, max_mb=terms.max_copy_mb))
        return _on_copy(copy, question, terms)
    _refuse_unless_postgres(engine.dialect.name)
    with ExitStack() as stack:
        url = terms.clone_url
        if url is None and terms.clone:
            url = stack.enter_context(cloned_sync(engine.url)).render_as_string(hide_password=False)
        if url is None:
            return side_sync(engine, lambda connection: _on_session(connection, question, terms.here))
        clone = create_engine(url, poolclass=NullPool, hide_parameters=True)
        try:
            clone.connect().close()
        except Exception as error:  # each driver has its own for a server that is not there
            raise _unreachable(error) from None
        return side_sync(clone, lambda connection: _on_session(connection, question, True))


def _on_copy(copy: SqliteCopy, question: Question[T], terms: Terms) -> T:
    try:
        what_if = SqliteWhatIf(copy)
        proof = SqliteProof(copy, on_sample=terms.on_sample) if not copy.is_sample or terms.on_sample else None
        try:
            return question(what_if, proof)
        finally:
            what_if.close()
    finally:
        copy.close()


def _on_session(connection: Connection, question: Question[T], may_build: bool) -> T:
    session = PostgresSession(connection, may_build=may_build)
    what_if = PostgresWhatIf(session)
    try:
        return question(what_if, PostgresProof(session) if may_build else None)
    finally:
        what_if.close()


def _unreachable(error: Exception) -> CannotExplain:
    # The address has a password in it.
    return CannotExplain(f"the clone cannot be reached ({type(error).__name__}): look at its URL")


def _refuse_unless_postgres(name: str) -> None:
    if name != "postgresql":
        raise CannotExplain(f"index advice knows SQLite and PostgreSQL, not {name}")
