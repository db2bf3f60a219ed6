"""asyncpg's short way beside SQLAlchemy's own: the same rows, descriptions, counts and errors, in every state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import column, select, table, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_cursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from steinmetz.sql import hook, prepared
from steinmetz.sql.privates import has_prepared_way

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not has_prepared_way(),
        reason="this SQLAlchemy's cursor for asyncpg does other things: its own way is gone",
    ),
]

STATEMENTS = [
    ("SELECT id, name FROM things WHERE id = :id", {"id": 2}),
    ("SELECT id, name FROM things WHERE id = :id", {"id": 77}),
    ("SELECT name, id AS other FROM things ORDER BY id", {}),
    ("SELECT", {}),
    ("INSERT INTO things VALUES (:id, 'new')", {"id": 10}),
    ("INSERT INTO things SELECT id + 100, name FROM things", {}),
    ("INSERT INTO things VALUES (:id, 'back') RETURNING id", {"id": 11}),
    ("UPDATE things SET name = 'u' WHERE id > :id", {"id": 1}),
    ("UPDATE things SET name = 'u' WHERE id > :id", {"id": 9_000}),
    ("DELETE FROM things WHERE id = :id RETURNING name", {"id": 1}),
    ("DELETE FROM things", {}),
    ("MERGE INTO things t USING (SELECT 5 AS i) n ON t.id = n.i WHEN NOT MATCHED THEN INSERT VALUES (5, 'm')", {}),
    ("WITH gone AS (DELETE FROM things RETURNING id) SELECT count(*) FROM gone", {}),
    ("VALUES (1), (2)", {}),
    ("CREATE TEMPORARY TABLE passing (id int) ON COMMIT DROP", {}),
    ("SET LOCAL work_mem = '1MB'", {}),
    ("SHOW work_mem", {}),
    ("SELECT 1 / (id - 2) FROM things WHERE id >= :id", {"id": 2}),
    ("INSERT INTO things VALUES (:id, 'twice')", {"id": 3}),
    ("SELECT nothing FROM nowhere", {}),
]  # fmt: skip


@pytest.fixture
async def engines(clean_postgres_url: str) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """One all of whose statements go the short way, and one that is as it comes."""
    short, bare = (create_async_engine(clean_postgres_url, pool_size=2) for _ in range(2))

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        prepared.execute_prepared(cursor, statement, parameters)

    short.sync_engine.dialect.do_execute = do_execute  # type: ignore[method-assign]
    async with bare.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS things"))
        await connection.execute(text("CREATE TABLE things (id int PRIMARY KEY, name text)"))
        await connection.execute(text("INSERT INTO things VALUES (1, 'a'), (2, 'b'), (3, 'c')"))
    yield short, bare
    await short.dispose()
    await bare.dispose()


@pytest.fixture
def short_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that went the short way to its end."""
    gone: list[str] = []
    own = AsyncAdapt_asyncpg_cursor._prepare_and_execute
    sent: list[str] = []

    async def noticed(self: Any, operation: str, parameters: Any) -> None:
        sent.append(operation)
        await own(self, operation, parameters)

    execute = prepared._execute

    async def counted(cursor: Any, statement: str, parameters: Any) -> None:
        before = len(sent)
        await execute(cursor, statement, parameters)
        if len(sent) == before:
            gone.append(statement)

    assert has_prepared_way()
    monkeypatch.setattr(AsyncAdapt_asyncpg_cursor, "_prepare_and_execute", noticed)
    monkeypatch.setattr(prepared, "_execute", counted)
    return gone


async def told(connection: AsyncConnection, statement: str, values: dict[str, Any]) -> Any:
    """Everything that a caller can see of a statement, in a savepoint that is rolled back."""
    point = await connection.begin_nested()
    try:
        result = await connection.execute(text(statement), values)
        return (
            result.rowcount,
            list(result.keys()) if result.returns_rows else None,
            result.context.cursor.description,  # type: ignore[attr-defined]
            [tuple(row) for row in result] if result.returns_rows else None,
        )
    except DBAPIError as error:
        return type(error), type(error.orig), str(error.orig), error.statement, error.params
    finally:
        await point.rollback()


@pytest.mark.parametrize(("statement", "values"), STATEMENTS)
async def test_a_caller_sees_no_difference(
    engines: tuple[AsyncEngine, AsyncEngine], short_ways: list[str], statement: str, values: dict[str, Any]
) -> None:
    short, bare = engines
    async with short.connect() as one:
        seen = [await told(one, statement, values) for _ in range(3)]
    async with bare.connect() as other:
        assert seen == [await told(other, statement, values) for _ in range(3)]
    fails = isinstance(seen[0][0], type)
    assert len(short_ways) == (0 if fails else 2)


async def test_ddl_of_another_connection_is_noticed_as_without(
    engines: tuple[AsyncEngine, AsyncEngine], short_ways: list[str]
) -> None:
    query = text("SELECT * FROM things WHERE id = 1")
    seen = []
    for engine in engines:
        async with engine.connect() as one:
            for _ in range(2):
                await one.execute(query)
            await one.rollback()
            async with engine.connect() as other:
                await other.execute(text("ALTER TABLE things ADD COLUMN more int"))
                await other.commit()
            answers = []
            for _ in range(3):
                try:
                    answers.append([tuple(row) for row in await one.execute(query)])
                except DBAPIError as error:
                    answers.append([(type(error.orig).__name__,)])
                await one.rollback()
            seen.append(answers)
            await one.execute(text("ALTER TABLE things DROP COLUMN more"))
            await one.commit()
    assert seen[0] == seen[1]
    assert seen[0][-1] == [(1, "a", None)]
    assert short_ways


async def test_a_connection_that_is_in_use_is_waited_for(
    engines: tuple[AsyncEngine, AsyncEngine], short_ways: list[str]
) -> None:
    short, _ = engines
    async with short.connect() as connection:
        await connection.execute(text("SELECT pg_sleep(0)"))
        adapted = (await connection.get_raw_connection()).dbapi_connection
        assert adapted is not None
        await adapted._execute_mutex.acquire()
        waiting = asyncio.create_task(connection.execute(text("SELECT pg_sleep(0)")))
        await asyncio.sleep(0)
        assert not waiting.done()
        adapted._execute_mutex.release()
        await waiting
        assert short_ways == []
        await connection.execute(text("SELECT pg_sleep(0)"))
        assert short_ways == ["SELECT pg_sleep(0)"]


async def test_a_cancelled_statement_leaves_the_connection_usable(
    engines: tuple[AsyncEngine, AsyncEngine], short_ways: list[str]
) -> None:
    short, bare = engines
    async with short.connect() as connection, bare.connect() as other:
        adapted = (await connection.get_raw_connection()).dbapi_connection
        assert adapted is not None
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await connection.execute(text("SELECT pg_sleep(:for)"), {"for": 0.0})
        asleep = asyncio.create_task(connection.execute(text("SELECT pg_sleep(:for)"), {"for": 60.0}))
        is_asleep = text("SELECT wait_event FROM pg_stat_activity WHERE pid = :pid")
        while (await other.execute(is_asleep, {"pid": pid})).scalar_one() != "PgSleep":
            await asyncio.sleep(0)
        asleep.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asleep
        assert not adapted._execute_mutex.locked()
    async with short.connect() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    assert short_ways == []


async def test_the_hook_goes_the_short_way(
    engines: tuple[AsyncEngine, AsyncEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = create_async_engine(engines[0].url)
    hook(watched)
    gone: list[str] = []
    execute = prepared._execute

    async def noticed(cursor: Any, statement: str, parameters: Any) -> None:
        gone.append(" ".join(statement.split()))
        await execute(cursor, statement, parameters)

    monkeypatch.setattr(prepared, "_execute", noticed)
    query = select(column("id")).select_from(table("things"))
    async with watched.connect() as connection:
        for _ in range(4):
            assert (await connection.execute(query)).scalars().all() == [1, 2, 3]
    await watched.dispose()
    assert gone[-1] == "SELECT id FROM things"


async def test_descriptions_are_bounded(
    engines: tuple[AsyncEngine, AsyncEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "DESCRIBED", 2)
    prepared._described.clear()
    async with engines[0].connect() as connection:
        for number in range(5):
            for _ in range(2):
                query = text(f"SELECT {number} AS n{number}")
                assert (await connection.execute(query)).mappings().one() == {f"n{number}": number}
    assert 0 < len(prepared._described) <= 2
