"""The advisor at work: in the background, one run at a time, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.clock import FakeClock
from steinmetz.monitor.advisor.advisor import IndexAdvisor, advise_on
from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.sql.facts import Verb

pytestmark = pytest.mark.anyio


def fill(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)"))
        connection.execute(
            text(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, note TEXT)"
            )
        )
        rows = [{"id": number, "customer": number % 500, "note": "x" * 30} for number in range(4_000)]
        connection.execute(text("INSERT INTO orders (id, customer_id, note) VALUES (:id, :customer, :note)"), rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    fill(engine)
    engine.dispose()
    return tmp_path / "shop.db"


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"isolation_level": None})
    yield engine
    await engine.dispose()


@pytest.fixture
def workload() -> Workload:
    sql = "SELECT id, note FROM orders WHERE customer_id = ?"
    query = Query("f", "orders of a customer", sql, Verb.SELECT, frozenset({"orders"}), 500, 500 * 10**6)
    query.offer(10**6, (17,))
    return Workload([query])


@pytest.fixture
async def advisor(workload: Workload) -> AsyncIterator[IndexAdvisor]:
    advisor = IndexAdvisor(lambda: workload, FakeClock)
    yield advisor
    await advisor.aclose()


async def ended(advisor: IndexAdvisor) -> None:
    async with asyncio.timeout(20):
        while advisor.is_running:
            await asyncio.sleep(0)


async def test_a_run_in_the_background_leaves_its_advice(advisor: IndexAdvisor, engine: AsyncEngine) -> None:
    assert advisor.document() == {"advice": None, "running": None, "error": None}
    assert advisor.start(engine, verify=True)
    assert not advisor.start(engine), "one at a time"
    assert advisor.document()["running"] == {"step": "Beginning", "done": 0, "total": 1}
    await ended(advisor)
    assert advisor.error == ""
    advice = advisor.document()["advice"]
    assert advice["madeAt"] == "2026-03-02T09:00:00Z"
    assert advice["verified"]
    assert [each["columns"][0] for each in advice["create"]] == ["customer_id"]


async def test_a_run_is_given_up_at_once_when_its_owner_closes(advisor: IndexAdvisor, engine: AsyncEngine) -> None:
    advisor.start(engine, verify=True)
    await advisor.aclose()
    assert not advisor.is_running
    assert advisor.advice is None
    assert "given up" in advisor.error
    assert advisor.start(engine)
    await ended(advisor)
    assert advisor.advice is not None


async def test_a_database_that_cannot_be_asked_is_told(advisor: IndexAdvisor) -> None:
    other = create_engine("sqlite://")
    other.dialect.name = "mysql"
    advisor.start(other)
    await ended(advisor)
    other.dispose()
    assert "not mysql" in advisor.error


async def test_an_application_that_takes_the_pen_at_once_is_copied_too(
    engine: AsyncEngine, workload: Workload
) -> None:
    def do_begin(connection: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.close()

    engine.sync_engine.dialect.do_begin = do_begin  # type: ignore[method-assign]
    advice = await advise_on(engine, workload)
    assert len(advice.create) == 1
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM orders")) == 4_000


async def test_a_sync_engine_is_advised_too_and_says_why_nothing_was_verified(
    path: Path, workload: Workload
) -> None:
    engine = create_engine(f"sqlite:///{path}")
    advice = await advise_on(engine, workload)
    assert [each.index.columns[0].name for each in advice.create] == ["customer_id"]
    assert not advice.is_verified
    assert advice.not_verified_because == "It was not asked for."
    engine.dispose()
