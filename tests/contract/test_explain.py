"""Both engines tell plans on a connection of the monitor's own, run nothing, and say why where they cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, column, create_engine, delete, insert, make_url, select, table, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.capture.plans import PlanRecord, Plans
from steinmetz.monitor.dialects.auto_explain import ExecutedPlans
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.sql import WriteSet, hook

pytestmark = pytest.mark.anyio

parcels = table("parcels", column("id"), column("city"), column("weight"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/parcels.db")
    else:
        url = make_url(request.getfixturevalue("module_postgres_url")).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS parcels"))
        await connection.execute(
            text("CREATE TABLE parcels (id INTEGER PRIMARY KEY, city VARCHAR(40), weight INTEGER)")
        )
        rows = [{"id": n, "city": f"c{n % 500}", "weight": n} for n in range(3_000)]
        await connection.execute(insert(parcels), rows)
        await connection.execute(text("ANALYZE"))
    yield engine
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE parcels"))
    await engine.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def monitor(engine: AsyncEngine, clock: FakeClock) -> AsyncIterator[QueryMonitor]:
    monitor = QueryMonitor(clock, slow_threshold_ms=0)
    sql = hook(engine)
    monitor.attach(sql)
    yield monitor
    monitor.detach(sql)


async def fingerprint(engine: AsyncEngine, monitor: QueryMonitor, statement: Any, values: Any = None) -> str:
    """Run ``statement``, undo it, and say by which fingerprint the monitor knows it."""
    async with engine.connect() as connection:
        await connection.execute(statement, values)
    return str(monitor.slow_queries(1)[0]["details"]["fingerprint"])


BY_CITY = select(parcels.c.id).where(parcels.c.city == "c7")


async def test_a_full_scan_is_remarked(engine: AsyncEngine, monitor: QueryMonitor) -> None:
    record = await monitor.plans.of(await fingerprint(engine, monitor, BY_CITY))
    (remark,) = record.tree.remarks()
    assert remark.startswith(
        "reads all of parcels (3000 rows)" if engine.dialect.name == "postgresql" else "reads"
    )
    assert {node.relation for node in record.tree.walk()} - {""} == {"parcels"}
    assert "c7" not in record.plan.text


class Told:
    """Observes transactions, and writes down of which it was told."""

    def __init__(self) -> None:
        self.marked: list[WriteSet] = []

    def mark(self, writes: WriteSet) -> object:
        self.marked.append(writes)
        return None

    def bump(self, token: object) -> None:
        pass

    def unmark(self, token: object) -> None:
        pass


@pytest.mark.parametrize("statement", [BY_CITY, delete(parcels).where(parcels.c.city == "c7")])
async def test_a_plan_writes_nothing_so_that_no_kept_answer_falls(
    engine: AsyncEngine, monitor: QueryMonitor, statement: Any
) -> None:
    known, told = await fingerprint(engine, monitor, statement), Told()
    hook(engine).observe_transactions(told)
    plan = await monitor.plans.of(known)
    assert {node.relation for node in plan.tree.walk()} - {""} == {"parcels"}
    assert told.marked == []


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (select(parcels).where(parcels.c.id.in_([1, 2, 3])).order_by(parcels.c.city), None),
        (text("SELECT id FROM parcels WHERE city = :c AND weight > :w"), {"c": "c7", "w": 5}),
        (insert(parcels).values(id=9_001, city="x", weight=1), None),
        (insert(parcels), [{"id": n, "city": "x", "weight": 1} for n in (9_001, 9_002)]),
        (update(parcels).where(parcels.c.city == "c7").values(weight=None), None),
        (delete(parcels), None),
        (text("DELETE FROM parcels WHERE id IN (SELECT id FROM parcels WHERE weight < 10)"), None),
    ],
    ids=str,
)  # fmt: skip
async def test_whatever_reads_or_writes_is_explained_and_not_run(
    engine: AsyncEngine, monitor: QueryMonitor, statement: Any, values: Any
) -> None:
    record = await monitor.plans.of(await fingerprint(engine, monitor, statement, values))
    assert record.tree.text()
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM parcels WHERE weight IS NOT NULL")) == 3_000
        assert await connection.scalar(text("SELECT count(*) FROM parcels")) == 3_000


async def test_the_question_itself_is_not_counted(engine: AsyncEngine, monitor: QueryMonitor) -> None:
    known = await fingerprint(engine, monitor, BY_CITY)
    before = monitor.query_stats()["totalQueries"]
    await monitor.plans.of(known)
    assert monitor.query_stats()["totalQueries"] == before


async def test_another_plan_is_told_to_whoever_listens(
    engine: AsyncEngine, monitor: QueryMonitor, clock: FakeClock
) -> None:
    heard: list[tuple[str, str, PlanRecord, PlanRecord]] = []
    monitor.plans.on_changed(lambda *change: heard.append(change))
    known = await fingerprint(engine, monitor, BY_CITY)
    first = await monitor.plans.of(known)
    clock.advance(60)
    assert await monitor.plans.of(known) is first
    assert first.seen == 2
    assert heard == []
    async with engine.begin() as connection:
        await connection.execute(text("CREATE INDEX ix_parcels_city ON parcels (city)"))
    assert await monitor.plans.of(known) is first, "a plan of this moment is not asked for again"
    clock.advance(60)
    second = await monitor.plans.of(known)
    assert heard == [(known, heard[0][1], first, second)]
    assert second.plan.indexes == {"ix_parcels_city"}
    assert second.tree.remarks() == []
    assert [record.plan.hash for record in monitor.plans.history(known)] == [second.plan.hash, first.plan.hash]
    assert (first.last_seen - first.first_seen).total_seconds() == 60


class TestReasons:
    async def refused(self, monitor: QueryMonitor, known: str) -> str:
        with pytest.raises(CannotExplain) as refusal:
            await monitor.plans.of(known)
        told = monitor.plans.told(known)
        assert told is not None
        assert told["refused"] == str(refusal.value)
        return str(refusal.value)

    async def test_a_table_of_one_connection_only(self, engine: AsyncEngine, monitor: QueryMonitor) -> None:
        async with engine.connect() as connection:
            await connection.execute(text("CREATE TEMPORARY TABLE own (secret TEXT)"))
            await connection.execute(text("SELECT * FROM own WHERE secret = 'x4711'"))
            known = str(monitor.slow_queries(1)[0]["details"]["fingerprint"])
            reason = await self.refused(monitor, known)
        assert reason.startswith("cannot be explained: ")
        assert "not there for another connection" in reason
        assert "x4711" not in reason

    async def test_a_table_that_is_locked(self, engine: AsyncEngine, monitor: QueryMonitor) -> None:
        if engine.dialect.name == "sqlite":
            known = await fingerprint(engine, monitor, BY_CITY)
            async with engine.begin() as writer:
                await writer.execute(update(parcels).values(weight=1))
                assert (await monitor.plans.of(known)).tree.relation == "parcels", "nobody waits for a writer"
            return
        known = await fingerprint(engine, monitor, BY_CITY)
        async with engine.connect() as connection:
            await connection.execute(text("LOCK TABLE parcels IN ACCESS EXCLUSIVE MODE"))
            assert "is locked" in await self.refused(monitor, known)

    async def test_what_has_no_plan(self, engine: AsyncEngine, monitor: QueryMonitor) -> None:
        known = await fingerprint(engine, monitor, text("CREATE TABLE never (a INTEGER)"))
        assert await self.refused(monitor, known) == "cannot be explained: CREATE has no plan"

    async def test_an_engine_that_is_gone(self, engine: AsyncEngine, monitor: QueryMonitor) -> None:
        known = await fingerprint(engine, monitor, BY_CITY)
        monitor.detach(hook(engine))
        assert "no engine of the database 'main'" in await self.refused(monitor, known)

    async def test_a_statement_that_nobody_knows(self, monitor: QueryMonitor) -> None:
        with pytest.raises(LookupError):
            await monitor.plans.of("0" * 16)
        assert monitor.plans.told("0" * 16) is None


async def test_a_volatile_function_is_not_called(engine: AsyncEngine, monitor: QueryMonitor) -> None:
    if engine.dialect.name == "sqlite":
        known = await fingerprint(engine, monitor, text("INSERT INTO parcels (city) SELECT random() FROM parcels"))
        await monitor.plans.of(known)
        return
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SEQUENCE numbers"))
    known = await fingerprint(engine, monitor, text("SELECT nextval('numbers') FROM parcels LIMIT 5"))
    await monitor.plans.of(known)
    async with engine.begin() as connection:
        assert await connection.scalar(text("SELECT nextval('numbers')")) == 6
        await connection.execute(text("DROP SEQUENCE numbers"))


async def test_what_was_slow_is_explained_by_itself(
    engine: AsyncEngine,
    clock: FakeClock,
    until: Callable[[Callable[[], bool]], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ExecutedPlans, "is_possible", lambda engine: False)
    monitor = QueryMonitor(clock, slow_threshold_ms=0, explain="slow")
    monitor.plans = Plans(clock, "slow", pace_s=0)
    monitor.configure()
    sql = hook(engine)
    monitor.attach(sql)
    await monitor.plans.start()
    try:
        known = await fingerprint(engine, monitor, BY_CITY)
        await until(lambda: bool(monitor.plans.history(known)))
        assert monitor.plans.history(known)[0].seen == 1
        other = await fingerprint(engine, monitor, BY_CITY)
        another = await fingerprint(engine, monitor, select(parcels.c.weight))
        await until(lambda: bool(monitor.plans.history(another)))
        assert other == known
        assert monitor.plans.history(known)[0].seen == 1, "not again for ten minutes"
        clock.advance(601)
        await fingerprint(engine, monitor, BY_CITY)
        await until(lambda: monitor.plans.history(known)[0].seen == 2)
    finally:
        await monitor.plans.stop()
        monitor.detach(sql)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Any]:
    import anyio

    async def wait(condition: Callable[[], bool]) -> None:
        with anyio.fail_after(20):
            while not condition():
                await anyio.sleep(0.005)

    return wait


async def counted(url: Any, threshold_ms: float, *, role: str | None = None) -> tuple[Plans, str, ExecutedPlans]:
    """Run a statement on an engine whose executed plans are asked for; its plans and its fingerprint."""
    engine = create_async_engine(url if role is None else url.set(username=role, password=None))
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=threshold_ms, explain="slow")
    sql = hook(engine)
    monitor.attach(sql)
    (executed,) = monitor.plans._executed.values()
    statement = text("SELECT count(*) FROM pg_class a WHERE relname <> :secret")
    try:
        async with engine.connect() as connection:
            await connection.execute(statement, {"secret": "x4711"})
        known = str(monitor.slow_queries(1)[0]["details"]["fingerprint"])
    finally:
        monitor.detach(sql)
        await engine.dispose()
    return monitor.plans, known, executed


async def test_postgres_tells_what_it_has_executed(request: pytest.FixtureRequest) -> None:
    url = make_url(request.getfixturevalue("module_postgres_url")).set(drivername="postgresql+asyncpg")
    plans, known, executed = await counted(url, 0)
    assert executed.permitted
    (record,) = plans.history(known)
    assert {node.relation for node in record.tree.walk()} - {""} == {"pg_class"}
    assert "x4711" not in str(plans.told(known))


async def test_a_role_that_may_not_load_it_is_left_in_peace(request: pytest.FixtureRequest) -> None:
    url = make_url(request.getfixturevalue("module_postgres_url")).set(drivername="postgresql+asyncpg")
    server = create_async_engine(url)
    async with server.begin() as connection:
        await connection.execute(text("CREATE ROLE plain_reader LOGIN"))
    try:
        plans, known, executed = await counted(url, 0, role="plain_reader")
        assert executed.permitted is False
        assert plans.history(known) == []
    finally:
        async with server.begin() as connection:
            await connection.execute(text("DROP ROLE plain_reader"))
        await server.dispose()


def test_a_synchronous_engine_is_asked_in_the_callers_thread(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sync.db")
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=0)
    monitor.attach(hook(engine))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE parcels (id INTEGER PRIMARY KEY, city TEXT)"))
        connection.execute(BY_CITY)
    known = str(monitor.slow_queries(1)[0]["details"]["fingerprint"])
    assert monitor.plans.of_sync(known).tree.relation == "parcels"
    engine.dispose()


def test_a_database_in_memory_has_nobody_to_ask() -> None:
    engine = create_engine("sqlite://")
    monitor = QueryMonitor(FakeClock(), slow_threshold_ms=0)
    monitor.attach(hook(engine))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    known = str(monitor.slow_queries(1)[0]["details"]["fingerprint"])
    with pytest.raises(CannotExplain, match="in memory has no second connection"):
        monitor.plans.of_sync(known)
    engine.dispose()
