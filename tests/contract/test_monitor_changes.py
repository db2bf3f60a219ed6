"""Every log of changes keeps what it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.clock import FakeClock
from steinmetz.erp.db import make_engine
from steinmetz.monitor.analysis.regression import Verdict
from steinmetz.monitor.changes import log as module
from steinmetz.monitor.changes.change import Cause, Change, Entry, Outcome, shown
from steinmetz.monitor.changes.log import ChangeLog, DatabaseChangeLog, MemoryChangeLog

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "pysqlite", "aiosqlite", "postgresql"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ChangeLog]:
    match request.param:
        case "memory":
            yield MemoryChangeLog()
        case "pysqlite":
            engine = create_engine(f"sqlite:///{tmp_path / 'm.db'}")
            yield DatabaseChangeLog(engine)
            engine.dispose()
        case _:
            url = f"sqlite+aiosqlite:///{tmp_path / 'm.db'}"
            if request.param == "postgresql":
                url = request.getfixturevalue("empty_postgres_url").replace("postgresql:", "postgresql+asyncpg:")
            asynchronous = create_async_engine(url)
            yield DatabaseChangeLog(asynchronous)
            await asynchronous.dispose()


async def test_it_keeps_the_newest_first_and_replaces_by_id(kept: ChangeLog) -> None:
    assert await kept.entries() == []
    now = FakeClock().now()
    for number in range(3):
        change = Change(
            f"c{number}", now + timedelta(minutes=number), Cause.DDL, ddl="CREATE INDEX …", tables=("a",)
        )
        await kept.put(Entry(change))
    replaced = Entry(change, Outcome(Verdict.IMPROVED, settled=True))
    await kept.put(replaced)
    entries = await kept.entries()
    assert [entry.change.id for entry in entries] == ["c2", "c1", "c0"]
    assert shown(entries[0]) == shown(replaced)
    assert [entry.change.id for entry in await kept.entries(1)] == ["c2"]


async def test_the_oldest_go_when_there_are_too_many(kept: ChangeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    now = FakeClock().now()
    for number in range(6):
        await kept.put(Entry(Change(f"c{number}", now + timedelta(minutes=number), Cause.MARK, "n")))
    assert [entry.change.id for entry in await kept.entries(10)] == ["c5", "c4", "c3"]


async def test_a_file_that_others_write_to_is_no_obstacle(tmp_path: Path) -> None:
    """Whoever has begun by reading cannot write any more once somebody else has written."""
    path = tmp_path / "m.db"
    engine = make_engine(f"sqlite+aiosqlite:///{path}", pool_size=1)
    others = sqlite3.connect(path)
    others.execute("PRAGMA journal_mode=WAL")
    others.execute("CREATE TABLE theirs (a INTEGER)")
    disturbed: list[str] = []

    def disturb(_: Any, __: Any, statement: str, *___: Any) -> None:
        verb = statement.split()[0]
        if verb in ("CREATE", "UPDATE") and verb not in disturbed:
            disturbed.append(verb)
            others.execute("INSERT INTO theirs VALUES (1)")
            others.commit()

    event.listen(engine.sync_engine, "before_cursor_execute", disturb)
    kept = DatabaseChangeLog(engine)
    entry = Entry(Change("c", FakeClock().now(), Cause.DEPLOY, "1.0"))
    await kept.put(entry)
    assert disturbed == ["CREATE", "UPDATE"]
    assert await kept.entries() == [entry]
    others.close()
    await engine.dispose()


async def test_several_may_make_the_table_at_once(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    engine = make_engine(f"sqlite+aiosqlite:///{path}", pool_size=1)
    others = create_engine(f"sqlite:///{path}")

    def be_quicker(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.split()[0] == "CREATE":
            module.METADATA.create_all(others)

    event.listen(engine.sync_engine, "before_cursor_execute", be_quicker)
    assert await DatabaseChangeLog(engine).entries() == []
    others.dispose()
    await engine.dispose()
