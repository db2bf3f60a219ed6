from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.harness.probe import Counts, observe_every_hook
from benchmarks.harness.product import Probed
from steinmetz.sql.engine import SqlHook, hook
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.tasks import Tasks


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Counts that are told by every hook made in this test."""
    monkeypatch.setattr(SqlHook, "__init__", SqlHook.__init__)
    found = Counts()
    observe_every_hook(found)
    return found


def test_statements_are_counted_by_what_they_were_for(counts: Counts) -> None:
    engine = create_engine("sqlite://")
    hook(engine)
    with engine.connect() as connection:
        for kind, name in (
            (ScopeKind.REQUEST, "GET /api/invoices"),
            (ScopeKind.REQUEST, "POST /api/invoices"),
            (ScopeKind.ADMISSION, "admission"),
            (ScopeKind.JOB, "overdue"),
        ):
            with open_scope(kind, name):
                connection.execute(text("SELECT 1"))
        connection.execute(text("SELECT 1"))
    assert counts.statements == {"read": 1, "write": 1, "admission": 1, "job": 1, "outside": 1}


@pytest.mark.anyio
async def test_a_request_that_nobody_sent_is_a_recomputation(counts: Counts) -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    hook(engine)

    async def recompute() -> None:
        with open_scope(ScopeKind.REQUEST, "GET /api/dashboard/overview"):
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

    tasks = Tasks("live")
    await tasks.spawn("recompute /api/dashboard/overview", recompute())
    await recompute()
    await engine.dispose()
    assert (counts.statements["recompute"], counts.statements["read"]) == (1, 1)


def test_only_commits_that_wrote_are_stamped(counts: Counts, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'db'}")
    hook(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a)"))
    stamped = len(counts.commits)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    with engine.begin() as connection:
        connection.execute(text("SELECT * FROM t"))
    assert len(counts.commits) == stamped + 1
    counts.write_to(tmp_path / "probe.json")
    written: dict[str, Any] = json.loads((tmp_path / "probe.json").read_text())
    assert written["commits"] == list(counts.commits)


def test_what_was_probed_is_compared_with_before() -> None:
    earlier = Probed({"read": 5}, (10, 20))
    later = Probed({"read": 9, "write": 2}, (10, 20, 30))
    assert later.since(earlier) == Probed({"read": 4, "write": 2}, (30,))
    assert later.since(Probed()) == later
