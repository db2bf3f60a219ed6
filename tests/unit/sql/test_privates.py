"""The canary: which private name a SQLAlchemy has taken away."""

from __future__ import annotations

import pytest
import sqlalchemy
from sqlalchemy.engine.default import DefaultExecutionContext

from steinmetz.sql import privates


def _of_a_driver(name: str) -> bool:
    """On 2.0 aiosqlite has a cursor of its own, and asyncpg's does other things: both are taken as they are."""
    return "aiosqlite" in name or "asyncpg" in name


def test_this_sqlalchemy_is_what_the_hook_takes_it_for() -> None:
    assert [name for name in privates.broken() if not _of_a_driver(name)] == []


@pytest.mark.skipif(sqlalchemy.__version__.startswith("2.0."), reason="2.0 has another cursor for asyncpg")
def test_the_short_way_to_asyncpgs_statements_is_open() -> None:
    pytest.importorskip("asyncpg")
    assert privates.has_prepared_way()


def test_a_name_that_is_gone_is_said_with_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(DefaultExecutionContext, "_is_server_side")
    gone = [name for name in privates.broken() if not _of_a_driver(name)]
    assert gone == ["ExecutionContext._is_server_side: every statement goes the whole way"]


def test_a_cursor_of_asyncpg_that_does_more_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def _prepare_and_execute(self: object, operation: str, parameters: object) -> None:
        raise NotImplementedError

    cursor = pytest.importorskip("sqlalchemy.dialects.postgresql.asyncpg").AsyncAdapt_asyncpg_cursor
    monkeypatch.setattr(cursor, "_prepare_and_execute", _prepare_and_execute)
    assert not privates.has_prepared_way()
    assert "cursor of asyncpg: asyncpg's statements go SQLAlchemy's own way" in privates.broken()
