"""The canary: which private name a SQLAlchemy has taken away."""

from __future__ import annotations

import pytest
from sqlalchemy.engine.default import DefaultExecutionContext

from steinmetz.sql import privates


def test_this_sqlalchemy_is_what_the_hook_takes_it_for() -> None:
    gone = privates.broken()
    # On 2.0 aiosqlite has a cursor of its own, which is timed from outside.
    assert [name for name in gone if "aiosqlite" not in name] == []


def test_a_name_that_is_gone_is_said_with_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(DefaultExecutionContext, "_is_server_side")
    assert privates.broken() == ["ExecutionContext._is_server_side: every statement goes the whole way"]
