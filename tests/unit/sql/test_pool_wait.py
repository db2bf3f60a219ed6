"""Waiting for a connection is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from steinmetz.sql import Execution, hook


class Waits:
    def __init__(self) -> None:
        self.waits: list[int] = []
        self.exhaustions: list[int] = []

    def waited(self, wait_ns: int) -> None:
        self.waits.append(wait_ns)

    def exhausted(self, wait_ns: int) -> None:
        self.exhaustions.append(wait_ns)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/a.db", pool_size=1, max_overflow=0, pool_timeout=0)
    yield engine
    engine.dispose()


def test_each_checkout_is_a_wait_also_after_the_pool_was_made_anew(engine: Engine) -> None:
    waits, seen = Waits(), list[Execution]()
    sql = hook(engine)
    sql.observe_pool(waits)
    sql.observe_executions(seen.append)
    for _ in range(2):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1")).all()
        assert seen[-1].pool_wait_ns == waits.waits[-1] > 0
        engine.dispose()
    assert len(waits.waits) == 2


def test_a_pool_that_has_nothing_to_give_is_exhausted(engine: Engine) -> None:
    waits = Waits()
    hook(engine).observe_pool(waits)
    with engine.connect(), pytest.raises(PoolTimeoutError), engine.connect():
        pass
    assert (len(waits.waits), len(waits.exhaustions)) == (1, 1)


def test_removing_the_hook_gives_the_pool_its_own_methods_back(engine: Engine) -> None:
    hook(engine).remove()
    assert not {"connect", "recreate"} & set(vars(engine.pool))
