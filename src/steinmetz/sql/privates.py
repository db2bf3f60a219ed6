"""The private names of SQLAlchemy, aiosqlite and asyncpg that the hook relies on, and whether they still stand.

Each has a fallback, so a missing one costs speed or a figure and no answer: `broken` says which, for a canary test
against each SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import cursor as cursors
from sqlalchemy.engine.default import DefaultDialect, DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm.unitofwork import UOWTransaction
from sqlalchemy.pool import Pool

from steinmetz.sql import prepared
from steinmetz.sql.transaction import CACHE_OPTION
from steinmetz.sql.worker import is_timed_in_its_thread


def broken() -> list[str]:
    """The names that are not what the hook takes them for, each with what is lost; empty on a known SQLAlchemy."""
    return [f"{name}: {lost}" for name, (holds, lost) in _PRIVATE.items() if not _tried(holds)]


def has_prepared_way() -> bool:
    """Whether `prepared.execute_prepared` may stand in for SQLAlchemy's cursor for asyncpg."""
    try:
        return _tried(prepared.is_known)
    except ImportError:
        return False


def _tried(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except (AttributeError, TypeError):
        return False


def _seen() -> tuple[Any, Any, str]:
    """The context, the connection and the text of a statement that has just been executed."""
    engine = create_engine("sqlite://")
    seen: list[tuple[Any, Any, str]] = []
    original = engine.dialect.do_execute

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        original(cursor, statement, parameters, context)
        seen.append((context, context.root_connection.connection, statement))

    engine.dialect.do_execute = do_execute  # type: ignore[method-assign]
    with engine.connect() as connection:
        connection.execute(select(1)).all()
    engine.dispose()
    return seen[0]


def _is_the_connection() -> bool:
    context, connection, _ = _seen()
    return context._dbapi_connection is connection


def _attributes_of_compiled() -> bool:
    compiled = _seen()[0].compiled
    compiled._steinmetz = True
    return bool(compiled._steinmetz)


def _is_the_units_cache() -> bool:
    """Whether a flush compiles its statements into the cache of the mapper."""

    class Base(DeclarativeBase):
        pass

    class Thing(Base):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    seen: list[Any] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda *arguments: seen.append(arguments[4].execution_options.get(CACHE_OPTION)),
    )
    with Session(engine) as session:
        thing = Thing(id=1, name="a")
        session.add(thing)
        session.flush()
        thing.name = "b"
        session.flush()
    engine.dispose()
    return seen[-1] is Thing.__mapper__._compiled_cache


def _is_one_text() -> bool:
    context, _, statement = _seen()
    return statement is context.statement and statement is context.compiled.string


_PRIVATE: dict[str, tuple[Callable[[], bool], str]] = {
    "Dialect.do_execute on an instance": (lambda: _seen()[2] == "SELECT 1", "the hook listens to events"),
    "ExecutionContext._dbapi_connection": (
        _is_the_connection,
        "every statement goes the whole way",
    ),
    "Compiled takes attributes": (_attributes_of_compiled, "every statement is looked up by its text"),
    "Compiled.string is the text that is sent": (_is_one_text, "every statement goes the whole way"),
    "ExecutionContext._is_server_side": (
        lambda: DefaultExecutionContext._is_server_side is False,
        "every statement goes the whole way",
    ),
    "ExecutionContext.execute_style": (
        lambda: _seen()[0].execute_style.name == "EXECUTE",
        "fetches are not timed",
    ),
    "ExecutionContext.cursor_fetch_strategy": (
        lambda: DefaultExecutionContext.cursor_fetch_strategy is cursors._DEFAULT_FETCH,
        "fetches are not timed",
    ),
    "cursor._NO_CURSOR_DQL": (lambda: cursors._NO_CURSOR_DQL is not None, "fetches are not timed"),
    "CursorResult._soft_close": (lambda: callable(cursors.CursorResult._soft_close), "fetches are not timed"),
    "Connection._is_autocommit_isolation": (
        lambda: callable(Connection._is_autocommit_isolation),
        "every write counts as visible at once",
    ),
    "DefaultDialect.do_execute calls the cursor": (
        lambda: "execute" in DefaultDialect.do_execute.__code__.co_names,
        "the cursor is called directly where the dialect would do more",
    ),
    "Mapper._compiled_cache": (_is_the_units_cache, "rows that the ORM writes are known by their keys alone"),
    "UOWTransaction.states": (
        lambda: "states" in UOWTransaction.__init__.__code__.co_names,
        "rows that the ORM writes are known by their keys alone",
    ),
    "Dialect._on_connect_isolation_level": (
        lambda: DefaultDialect()._on_connect_isolation_level is None,
        "an engine's own isolation level is taken for none that keeps what was read",
    ),
    "Pool.connect on an instance": (lambda: callable(Pool.connect), "waits for the pool are not known"),
    "Engine._has_events": (lambda: Engine._has_events is False, "foreign listeners are not seen"),
    "adapted cursor._cursor": (
        is_timed_in_its_thread,
        "aiosqlite is timed outside of its thread",
    ),
    "cursor of asyncpg": (has_prepared_way, "asyncpg's statements go SQLAlchemy's own way"),
}
