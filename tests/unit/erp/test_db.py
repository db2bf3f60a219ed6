from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from steinmetz.erp import db
from steinmetz.erp.db import PAGES_KIB, Database
from steinmetz.erp.errors import problem_of
from steinmetz.erp.kit.announcements import Announcement

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("where", ["localhost:1/none", "/none?host={folder}"])
@pytest.mark.parametrize("writes", [True, False])
async def test_a_server_that_is_not_there_is_told_as_unavailable(tmp_path: Path, where: str, writes: bool) -> None:
    database = Database(f"postgresql+asyncpg://nobody@{where.format(folder=tmp_path)}")
    with pytest.raises(OperationalError) as refused:
        async with database.unit(writes=writes) as unit:
            await unit.session.execute(text("SELECT 1"))
    assert problem_of(refused.value).status == 503
    await database.close()


async def test_an_error_does_not_tell_what_was_bound_to_its_statement(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    with pytest.raises(DBAPIError) as refused:
        async with database.unit() as unit:
            await unit.session.execute(text("SELECT :word FROM nowhere"), {"word": "a secret word"})
    assert "a secret word" not in f"{refused.value} {refused.value!r}"
    await database.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    """With one table, ``words (word)``."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    async with database.unit() as unit:
        await unit.session.execute(text("CREATE TABLE words (word TEXT UNIQUE)"))
    yield database
    await database.close()


async def add(database: Database, word: str) -> None:
    async with database.unit() as unit:
        await unit.session.execute(text("INSERT INTO words VALUES (:word)"), {"word": word})


async def words(database: Database) -> list[str]:
    async with database.unit(writes=False) as unit:
        return list(await unit.session.scalars(text("SELECT word FROM words ORDER BY rowid")))


async def test_each_connection_of_sqlite_keeps_few_pages(sqlite: Database) -> None:
    async with sqlite.unit(writes=False) as first, sqlite.unit(writes=False) as second:
        for unit in (first, second):
            assert await unit.session.scalar(text("PRAGMA cache_size")) == -PAGES_KIB


async def test_writers_get_the_pen_of_sqlite_in_the_order_in_which_they_came(sqlite: Database) -> None:
    async with sqlite.unit():
        waiting = []
        for number in range(5):
            waiting.append(asyncio.create_task(add(sqlite, str(number))))
            await asyncio.sleep(0)
        assert await words(sqlite) == []  # a reader waits for nobody
    await asyncio.gather(*waiting)
    assert await words(sqlite) == ["0", "1", "2", "3", "4"]


async def test_a_writer_that_gets_no_turn_is_told_that_the_database_is_busy(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "BUSY_S", 0.01)
    async with sqlite.unit():
        with pytest.raises(Exception, match="no turn to write") as refused:
            await add(sqlite, "late")
    assert problem_of(refused.value).status == 503
    await add(sqlite, "later")
    assert await words(sqlite) == ["later"]


async def test_a_savepoint_that_fails_takes_back_what_it_wrote_and_meant_to_say(sqlite: Database) -> None:
    said: list[str] = []
    sqlite.publisher = lambda publication: said.append(getattr(publication, "event", ""))
    async with sqlite.unit() as unit:
        unit.publish(Announcement("before", {}))
        with suppress(ZeroDivisionError):
            async with unit.savepoint():
                await unit.session.execute(text("INSERT INTO words VALUES ('within')"))
                unit.publish(Announcement("within", {}))
                unit.afterwards(lambda: said.append("done within"))
                raise ZeroDivisionError
        await unit.session.execute(text("INSERT INTO words VALUES ('after')"))
        unit.afterwards(lambda: said.append("done after"))
        assert said == []
    assert await words(sqlite) == ["after"]
    assert said == ["before", "done after"]
