"""Which tables an answer was computed from, and which have been written since: told by the words of statements.

Whatever a statement names counts, read or not. The cache reads statements more closely; this is what it is held
against, so it shares nothing with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from sqlalchemy.ext.asyncio import AsyncEngine

from steinmetz.erp.migrations.schema import schema

_computing: ContextVar[set[str] | None] = ContextVar("tables_of_an_answer", default=None)
_WRITE = re.compile(r"\b(insert|update|delete|replace|merge|truncate)\b", re.IGNORECASE)


@contextmanager
def noted() -> Iterator[set[str]]:
    """The tables that are named on behalf of this block."""
    named: set[str] = set()
    token = _computing.set(named)
    try:
        yield named
    finally:
        _computing.reset(token)


class Tables:
    """Hears every statement of an engine."""

    def __init__(self) -> None:
        names = sorted(schema().tables, key=len, reverse=True)
        # A table's search index has its name, and more, and moves with it.
        self._name = re.compile(rf"\b({'|'.join(names)})(?:_fts\w*)?\b")
        self._known: dict[str, frozenset[str]] = {}
        self._written: set[str] = set()

    def hear(self, statement: str) -> None:
        tables = self._known.get(statement)
        if tables is None:
            tables = self._known[statement] = frozenset(self._name.findall(statement))
        if (answer := _computing.get()) is not None:
            answer |= tables
        if _WRITE.search(statement):
            self._written |= tables

    def written(self) -> frozenset[str]:
        """Since this was asked last; with those whose rows go, or forget, when a row goes that they refer to."""
        found, self._written = self._written, set()
        while more := {table for table, parent in _following() if parent in found} - found:
            found |= more
        return frozenset(found)


def _following() -> set[tuple[str, str]]:
    return {
        (table.name, key.column.table.name)
        for table in schema().tables.values()
        for key in table.foreign_keys
        if key.ondelete is not None
    }


@contextmanager
def tables_told(engine: AsyncEngine) -> Iterator[Tables]:
    """In front of the dialect's methods: with a listener of SQLAlchemy's, statements would go another way."""
    tables, dialect = Tables(), engine.sync_engine.dialect

    def hearing(run: Callable[..., None]) -> Callable[..., None]:
        def heard(cursor: Any, statement: str, *rest: Any) -> None:
            tables.hear(statement)
            run(cursor, statement, *rest)

        return heard

    with ExitStack() as stack:
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            stack.enter_context(patch.object(dialect, name, hearing(getattr(dialect, name))))
        yield tables
