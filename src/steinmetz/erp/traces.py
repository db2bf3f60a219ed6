"""Tracebacks for the log: what went wrong and where, without what a database quotes in its messages.

``Key (email)=(x) already exists``, ``Failing row contains (...)``, ``invalid input syntax for type integer: "x"``:
of a database's message only that a constraint was violated, and which one, is told.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

from sqlalchemy.exc import SQLAlchemyError, StatementError

from steinmetz.sql.shape import shape_of

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

WITHHELD = "(message withheld)"
LONGEST_STATEMENT = 2_000
_DRIVERS = frozenset({"sqlite3", "aiosqlite", "asyncpg", "psycopg", "psycopg2", "pg8000"})
_HARMLESS = re.compile(
    r"(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: [\w., ]+)?"  # SQLite
    r"|duplicate key value violates unique constraint \"\w+\""
    r"|new row for relation \"\w+\" violates check constraint \"\w+\""
    r"|null value in column \"\w+\" of relation \"\w+\" violates not-null constraint"
    r"|(?:insert or )?(?:update|delete) on table \"\w+\" violates foreign key constraint \"\w+\""
    r"|database is locked|deadlock detected|could not serialize access"
)


def trace_of(exc_info: ExcInfo) -> str:
    """The traceback of an error and of what led to it, as Python prints it."""
    return "".join(_lines(exc_info[1], exc_info[2], set())).rstrip("\n")


def write_trace(to: TextIO, exc_info: ExcInfo) -> None:
    """`trace_of` for structlog's console."""
    to.write("\n" + trace_of(exc_info))


def message_of(error: BaseException) -> str:
    """What an error says, if it is none of a database."""
    if isinstance(error, StatementError):
        told = f"({_name(error.orig)}) {message_of(error.orig)}" if error.orig is not None else WITHHELD
        text = shape_of(error.statement).text[:LONGEST_STATEMENT] if error.statement else "none"
        return f"{told} [SQL: {text}]"
    root = type(error).__module__.partition(".")[0]
    if root in _DRIVERS or (root == "sqlalchemy" and not isinstance(error, SQLAlchemyError)):
        found = _HARMLESS.search(str(error))
        return found[0] if found is not None else WITHHELD
    if isinstance(error.__context__, StatementError) or isinstance(error.__cause__, StatementError):
        # What is raised for a database's error often repeats it.
        quoted = str((error.__cause__ or error.__context__).__dict__.get("orig", ""))
        return WITHHELD if quoted and quoted in str(error) else str(error)
    return str(error)


def _lines(error: BaseException, place: TracebackType | None, told: set[int]) -> Iterator[str]:
    told.add(id(error))
    cause, context = error.__cause__, error.__context__
    if cause is not None and id(cause) not in told:
        yield from _lines(cause, cause.__traceback__, told)
        yield "\nThe above exception was the direct cause of the following exception:\n\n"
    elif cause is None and context is not None and not error.__suppress_context__ and id(context) not in told:
        yield from _lines(context, context.__traceback__, told)
        yield "\nDuring handling of the above exception, another exception occurred:\n\n"
    if place is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(place)
    message = message_of(error)
    yield f"{_name(error)}: {message}\n" if message else f"{_name(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, 1):
            yield f"  +---------------- {number} ----------------\n"
            for line in _lines(member, member.__traceback__, told):
                yield f"  | {line}"


def _name(error: BaseException | None) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
