"""One question to a database about indexes, wherever its engine keeps its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from steinmetz.monitor.dialects.base import CannotExplain, Proof, WhatIf, side, side_sync
from steinmetz.monitor.dialects.sqlite import SqliteProof, SqliteWhatIf, copied
from steinmetz.monitor.dialects.sqlite_copy import MAX_COPY_MB, SqliteCopy

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner of a database allows.

    ``max_copy_mb`` (SQLite): a larger database is sampled, and proven only with ``on_sample``.
    """

    max_copy_mb: float = MAX_COPY_MB
    on_sample: bool = False


Question = Callable[[WhatIf, Proof | None], T]
"""Asked with what the database can answer; no proof where running is not allowed."""


async def consult(engine: Engine | AsyncEngine, question: Question[T], terms: Terms | None = None) -> T:
    """Ask ``question`` away from the event loop where that is possible, uncounted by the monitor.

    SQLite: the database is copied by a connection of its own, all the rest happens in a worker thread.
    Raises `CannotExplain` for an engine of another kind, or a database that cannot be read.
    """
    terms = terms or Terms()
    if engine.dialect.name == "sqlite":
        copy = await side(engine, lambda connection: copied(connection, max_mb=terms.max_copy_mb))
        return await asyncio.to_thread(_on_copy, copy, question, terms)
    raise _unknown(engine.dialect.name)


def consult_sync(engine: Engine, question: Question[T], terms: Terms | None = None) -> T:
    """`consult` for sync engines, in the caller's thread."""
    terms = terms or Terms()
    if engine.dialect.name == "sqlite":
        copy = side_sync(engine, lambda connection: copied(connection, max_mb=terms.max_copy_mb))
        return _on_copy(copy, question, terms)
    raise _unknown(engine.dialect.name)


def _on_copy(copy: SqliteCopy, question: Question[T], terms: Terms) -> T:
    what_if = SqliteWhatIf(copy)
    try:
        proof = SqliteProof(copy, on_sample=terms.on_sample) if not copy.is_sample or terms.on_sample else None
        return question(what_if, proof)
    finally:
        what_if.close()
        copy.close()


def _unknown(name: str) -> CannotExplain:
    return CannotExplain(f"index advice knows SQLite and PostgreSQL, not {name}")
