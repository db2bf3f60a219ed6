"""Every log of changes keeps what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.clock import FakeClock
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
