"""The classic that cost alone gets wrong: a tenant's newest rows of one status, and a tenant who has none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.monitor.advisor.advice import Advice
from steinmetz.monitor.advisor.advisor import advise_on
from steinmetz.monitor.advisor.index import IndexColumn
from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.monitor.dialects.consult import Terms
from steinmetz.sql.facts import Verb

TENANTS = 60
NOBODY = 9_999
ROWS = 30_000
COLUMNS = "id, customer_id, total, note, status"
NEWEST = {
    "sqlite": f"SELECT {COLUMNS} FROM orders WHERE tenant_id = ? AND status = ? ORDER BY created_at DESC LIMIT ?",
    "postgresql": f"SELECT {COLUMNS} FROM orders WHERE tenant_id = $1::INTEGER AND status = $2::VARCHAR"
    " ORDER BY created_at DESC LIMIT $3::INTEGER",
}
INTO = "INSERT INTO orders (tenant_id, status, created_at, customer_id, total, note) VALUES"
INSERT = {
    "sqlite": f"{INTO} (?, ?, ?, ?, ?, ?)",
    "postgresql": f"{INTO} ($1::INTEGER, $2::VARCHAR, $3::INTEGER, $4::INTEGER, $5::INTEGER, $6::VARCHAR)",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('orders') / 'orders.db'}"
    else:
        yield request.getfixturevalue("module_postgres_url")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def orders(url: str) -> AsyncIterator[AsyncEngine]:
    """Thirty thousand orders of sixty tenants."""
    engine = create_async_engine(url, poolclass=NullPool)
    random = Random(7)
    rows = [
        {
            "tenant": random.randrange(TENANTS),
            "status": random.choice(["open", "paid", "sent", "lost"]),
            "at": random.randrange(1_000_000),
            "customer": random.randrange(2_000),
            "total": random.randrange(10_000),
            "note": "x" * 40,
        }
        for _ in range(ROWS)
    ]
    key = "integer PRIMARY KEY" if url.startswith("sqlite") else "serial PRIMARY KEY"
    async with engine.begin() as connection:
        await connection.execute(
            text(
                f"CREATE TABLE orders (id {key}, tenant_id integer NOT NULL, status varchar(10) NOT NULL,"
                " created_at integer NOT NULL, customer_id integer NOT NULL, total integer, note varchar(80))"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO orders (tenant_id, status, created_at, customer_id, total, note)"
                " VALUES (:tenant, :status, :at, :customer, :total, :note)"
            ),
            rows,
        )
        await connection.execute(text("ANALYZE"))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def advice(orders: AsyncEngine) -> Advice:
    newest, insert = NEWEST[orders.dialect.name], INSERT[orders.dialect.name]
    read = Query("newest", "newest orders", newest, Verb.SELECT, frozenset({"orders"}), 5_000, 5_000 * 10**7)
    for tenant in (5, 11, NOBODY):
        read.offer(10**7, (tenant, "open", 20))
    write = Query("insert", "insert order", insert, Verb.INSERT, frozenset({"orders"}), 200, 200 * 10**5, 200)
    write.offer(10**5, (5, "open", 3, 4, 5, "x"))
    return await advise_on(orders, Workload([read, write]), verify=True, terms=Terms(here=True))


@pytest.mark.anyio
async def test_the_three_column_index_with_its_direction_is_the_advice(advice: Advice) -> None:
    (creation,) = advice.create
    assert creation.index.columns == (
        IndexColumn("tenant_id"),
        IndexColumn("status"),
        IndexColumn("created_at", descending=True),
    )
    (helped,) = creation.helps
    assert helped.gain.estimated is not None
    assert helped.gain.verified is not None
    assert helped.gain.worst is not None
    assert helped.gain.verified > 20
    assert helped.gain.worst > 20, "the tenant without orders gains, too"
    assert [effect.name for effect in creation.slows] == ["insert order"]
    assert creation.size_bytes > 100_000


@pytest.mark.anyio
async def test_the_index_on_the_order_alone_is_refused_for_the_tenant_who_has_none(advice: Advice) -> None:
    reasons = {rejection.index.definition(): rejection.reason for rejection in advice.rejected}
    reason = reasons["orders (created_at DESC)"]
    assert "newest orders" in reason
    assert "times as costly for some parameters" in reason


@pytest.mark.anyio
async def test_what_was_tried_is_gone(orders: AsyncEngine, advice: Advice) -> None:
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE tablename = 'orders' AND indexname <> 'orders_pkey'",
    }
    async with orders.connect() as connection:
        assert (await connection.execute(text(catalogue[orders.dialect.name]))).all() == []
        count = await connection.scalar(text("SELECT count(*) FROM orders"))
    assert advice.create
    assert count == ROWS
