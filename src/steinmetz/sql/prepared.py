"""The shortest way to a statement that asyncpg has prepared already.

SQLAlchemy's cursor for asyncpg goes through seven coroutines for each query, looks the prepared statement up
twice, describes its columns anew and reads the number of rows with a regular expression. Where the statement is at
hand and nothing is in doubt, `execute_prepared` does the same in one coroutine, which saves more than the monitor
takes; in every other case SQLAlchemy's own way is gone. That the two do the same is known for the versions whose
code `is_known` recognises, and only there it is used.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from sqlalchemy.util import await_only

DESCRIBED = 4_096
"""Prepared statements whose columns are kept as the description of a cursor."""

_described: dict[int, tuple[Any, list[Any] | None]] = {}


def execute_prepared(cursor: Any, statement: str, parameters: Any) -> None:
    """``cursor.execute`` of SQLAlchemy's cursor for asyncpg."""
    await_only(_execute(cursor, statement, parameters))


async def _execute(cursor: Any, statement: str, parameters: Any) -> None:
    adapted = cursor._adapt_connection
    cache = adapted._prepared_statement_cache
    known = None if cache is None else cache.get(statement)
    mutex = adapted._execute_mutex
    if known is None or cursor.server_side or adapted._transaction is None or mutex.locked():
        await cursor._prepare_and_execute(statement, parameters)
        return
    prepared, attributes, cached_s = known
    invalid_since_s = cursor._invalidate_schema_cache_asof
    connection = cursor._connection
    state = prepared._state
    if (
        cached_s <= invalid_since_s
        or invalid_since_s > adapted._invalidate_schema_cache_asof
        or state.closed
        or connection.is_closed()
        or connection._pool_release_ctr != prepared._con_release_ctr
    ):
        await cursor._prepare_and_execute(statement, parameters)
        return
    described = _described.get(id(attributes))
    if described is None or described[0] is not attributes:
        described = _describe(attributes)
    await mutex.acquire()  # nobody holds it: there is no turn of the loop in between
    try:
        cursor._description = described[1]
        try:
            rows, status, _ = await connection._protocol.bind_execute(state, parameters or (), "", 0, True, None)
        except Exception as error:
            if type(error).__name__ == "OutdatedSchemaCacheError":
                await connection.reload_schema_state()
                state.mark_closed()
            cursor._handle_exception(error)
        else:
            prepared._last_status = status
            cursor._rows = deque(rows)
            cursor._rowcount = rows_of(status)
    finally:
        mutex.release()


def _describe(attributes: Any) -> tuple[Any, list[Any] | None]:
    """What SQLAlchemy's cursor calls its description; ``attributes`` are kept, so that their id stays theirs."""
    columns = [(column.name, column.type.oid, None, None, None, None, None) for column in attributes or ()]
    if len(_described) >= DESCRIBED:
        _described.clear()
    described = _described[id(attributes)] = (attributes, columns or None)
    return described


def rows_of(status: bytes | None) -> int:
    """The number of rows in a command tag of PostgreSQL (CommandComplete); -1 where SQLAlchemy reads none."""
    verb, _, figures = (status or b"").partition(b" ")
    if verb == b"INSERT":
        figures = figures.partition(b" ")[2]
    elif verb not in (b"SELECT", b"UPDATE", b"DELETE"):
        return -1
    try:
        return int(figures)
    except ValueError:
        return -1


_OF_SQLALCHEMY = frozenset(
    {
        "_adapt_connection", "_execute_mutex", "_transaction", "_start_transaction", "_prepare",
        "_invalidate_schema_cache_asof", "_description", "server_side", "cursor", "_cursor", "_rowcount", "deque",
        "fetch", "_rows", "get_statusmsg", "re", "match", "int", "group", "Exception", "_handle_exception",
    }
)  # fmt: skip
_OF_ITS_PREPARATION = frozenset(
    {
        "_check_type_cache_invalidation", "_prepared_statement_cache", "_connection", "prepare",
        "_prepared_statement_name_func", "get_attributes", "time",
    }
)  # fmt: skip
_OF_ASYNCPG = frozenset(
    {
        "_connection", "_protocol", "exceptions", "OutdatedSchemaCacheError", "reload_schema_state", "_state",
        "mark_closed",
    }
)  # fmt: skip


def is_known() -> bool:
    """Whether SQLAlchemy and asyncpg do what `execute_prepared` does in their place.

    Raises `AttributeError` if one of them has changed by more than a name, `ImportError` without asyncpg.
    """
    from asyncpg.prepared_stmt import PreparedStatement
    from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection, AsyncAdapt_asyncpg_cursor

    adapted: Any = AsyncAdapt_asyncpg_cursor
    own: Any = PreparedStatement
    return (
        set(adapted._prepare_and_execute.__code__.co_names) == _OF_SQLALCHEMY
        and set(AsyncAdapt_asyncpg_connection._prepare.__code__.co_names) == _OF_ITS_PREPARATION
        and set(own._PreparedStatement__do_execute.__code__.co_names) == _OF_ASYNCPG
        and set(own._PreparedStatement__bind_execute.__code__.co_names)
        == {"_PreparedStatement__do_execute", "_last_status"}
    )
