"""The port to a database that is asked about plans and indexes.

All of it is written as plain functions over a `sqlalchemy.Connection`; `side` runs such a function on a connection
of its own, whatever the engine is: in a worker thread, or on the greenlet of an async engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from steinmetz.monitor.advisor.index import Index
from steinmetz.sql.scope import ScopeKind, open_scope

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what is known of its values; ``distinct`` is None where nobody has counted.

    ``nulls`` is the share of rows without a value, ``most_common`` the share of rows that the most frequent value
    has; both are estimates from a sample.
    """

    name: str
    type: str
    nullable: bool
    distinct: float | None = None
    nulls: float = 0.0
    most_common: float = 0.0


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """``columns`` name a row of ``table`` by its ``refers_to``; who deletes there is looked for here."""

    columns: tuple[str, ...]
    table: str
    refers_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the planner knows it; ``rows`` is its estimate."""

    name: str
    rows: int
    columns: Mapping[str, Column]
    indexes: tuple[Index, ...] = ()
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement would be, or was, carried out.

    ``hash`` is equal for equal shapes of plan (nodes, relations, indexes; no costs, no values). ``cost`` is in the
    engine's own unit; ``indexes`` are the names of those it uses. ``text`` shows no parameter.
    """

    hash: str
    text: str
    cost: float
    indexes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Work:
    """What one real run cost, in the engine's steady unit: virtual machine steps (SQLite), or rows and buffers.

    ``is_broken_off``: it was stopped when it had taken so many steps, and would have taken more.
    """

    steps: float
    duration_ms: float
    rows: int
    is_broken_off: bool = False


class WhatIf(Protocol):
    """Plans under indexes that do not exist; opened on one connection, gone without a trace when it ends."""

    def tables(self) -> Mapping[str, Table]:
        """The tables of the database by name, with the indexes they have."""

    def plan(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Plan:
        """The plan of a statement as it would be with ``adding``, and without some of those that exist.

        PostgreSQL: ``values`` None asks for the generic plan, which a driver may fall back to.
        Raises `CannotExplain` with the reason where the engine cannot say.
        """

    def size_bytes(self, index: Index) -> int:
        """About how large the index would be or is."""


class Proof(Protocol):
    """Statements really run, on a copy or where that is allowed, with indexes that are really there."""

    def run(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Work:
        """The work of one statement; what it writes is undone. Raises `CannotExplain` with the reason."""


class CannotExplain(Exception):  # noqa: N818  the sentence reads better
    """The engine cannot tell the plan or the work of a statement; the message says why, without values."""


_RUNNABLE = frozenset({"select", "insert", "update", "delete", "replace", "merge", "with", "values"})


def refuse_unless_runnable(sql: str) -> None:
    """Raises `CannotExplain` for all but one statement that reads or writes rows."""
    text, word = sql.strip(), ""
    while text.startswith(("--", "/*", "(")):
        end = "\n" if text.startswith("--") else "*/"
        text = text[1:].lstrip() if text.startswith("(") else text.partition(end)[2].lstrip()
    if text:
        word = "".join(letter for letter in text.split(maxsplit=1)[0] if letter.isalpha()).lower()
    if word not in _RUNNABLE:
        raise CannotExplain(f"only reads and writes of rows have a plan, not {word.upper() or 'nothing'}")
    if any(letter == ";" for place, letter in outside_quotes(text) if text[place + 1 :].strip()):
        raise CannotExplain("two statements in one text have no plan: ask for each alone")


def outside_quotes(text: str, quotes: str = "'\"`") -> Iterator[tuple[int, str]]:
    """The letters that are not inside a literal or a quoted name; doubled quotes close and open again.

    ``[`` among the quotes is closed by ``]``, as SQLite has it.
    """
    closing = ""
    for place, letter in enumerate(text):
        if closing:
            if letter == closing:
                closing = ""
        elif letter in quotes:
            closing = "]" if letter == "[" else letter
        else:
            yield place, letter


def is_many(values: Any) -> bool:
    """Whether these are several sets of parameters, as ``executemany`` takes them."""
    return isinstance(values, list) and bool(values) and isinstance(values[0], tuple | dict | list)


async def side(engine: Engine | AsyncEngine, work: Callable[[Connection], T]) -> T:
    """Run ``work`` on a connection of its own, uncounted by the monitor; rolls back at the end."""
    with open_scope(ScopeKind.MONITOR, "monitor"):
        if isinstance(engine, AsyncEngine):
            async with engine.connect() as connection:
                return await connection.run_sync(work)
        return await asyncio.to_thread(side_sync, engine, work)


def side_sync(engine: Engine, work: Callable[[Connection], T]) -> T:
    """`side` for sync engines, in the caller's thread."""
    with open_scope(ScopeKind.MONITOR, "monitor"), engine.connect() as connection:
        return work(connection)
