"""What a hook says of what it cannot see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from steinmetz.sql import hook


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    yield engine
    engine.dispose()


def test_t2_another_engine_on_the_same_database_is_named(engine: Engine) -> None:
    sql = hook(engine)
    assert sql.blind_spots() == []
    other = create_engine(engine.url)
    assert sql.blind_spots() == ["another engine on the same database has no hook: sqlite"]
    hook(other)
    assert sql.blind_spots() == []
    other.dispose()


def test_t2_engines_that_share_the_hook_or_the_database_of_nobody_are_none(engine: Engine) -> None:
    autocommitting = engine.execution_options(isolation_level="AUTOCOMMIT")
    memory = create_engine("sqlite://")
    assert hook(engine).blind_spots() == []
    assert hook(autocommitting) is hook(engine)
    assert hook(create_engine("sqlite://")).blind_spots() == []
    memory.dispose()


def test_t2_somebody_elses_override_is_named(engine: Engine) -> None:
    sql = hook(engine)
    ours = engine.dialect.do_execute

    def theirs(*arguments: Any) -> None:
        ours(*arguments)

    engine.dialect.do_execute = theirs  # type: ignore[method-assign]
    assert sql.blind_spots() == ["do_execute of the dialect has been replaced by somebody else"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
