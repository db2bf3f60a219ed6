"""The cache with the real hook on a real engine: FastAPI, SQLAlchemy, SQLite; nothing is declared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import ForeignKey, event, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from steinmetz.cache import ResponseCache, cached
from steinmetz.cache.testing import assert_hit, assert_miss, uncached
from steinmetz.sql.engine import hook

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    cents: Mapped[int]


async def unit(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions.begin() as session:
        yield session


Unit = Annotated[AsyncSession, Depends(unit, scope="function")]


class Shop:
    """A small application, its cache and a client."""

    def __init__(self, folder: Path) -> None:
        self.engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'shop.db'}")
        event.listen(self.engine.sync_engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys=ON"))
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.cache = ResponseCache()
        self.hook = hook(self.engine)
        self.hook.observe_transactions(self.cache.observer)
        self.app = FastAPI()
        self.app.state.sessions = self.sessions
        self.door = self.cache.wrap(self.app)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.door), base_url="http://shop")
        self.routes()

    def routes(self) -> None:
        app = self.app

        @app.get("/customers")
        @cached(public=True)
        async def customers(unit: Unit) -> list[str]:
            return list(await unit.scalars(select(Customer.name).order_by(Customer.id)))

        @app.get("/total")
        @cached(public=True)
        async def total(unit: Unit) -> int:
            return await unit.scalar(select(func.coalesce(func.sum(Invoice.cents), 0))) or 0

        @app.get("/raw")
        @cached(public=True)
        async def raw(unit: Unit) -> int:
            return (await unit.execute(text("select count(*) from invoice_view"))).scalar_one()

        @app.get("/stream")
        @cached(public=True)
        async def stream() -> StreamingResponse:
            async def names() -> AsyncIterator[str]:
                async with self.sessions() as session:
                    for name in await session.scalars(select(Customer.name)):
                        yield name + "\n"

            return StreamingResponse(names())

        @app.post("/invoices/{cents}")
        async def add(cents: int, unit: Unit) -> dict[str, int]:
            unit.add(Invoice(customer_id=1, cents=cents))
            return {"cents": cents}

        @app.post("/fail")
        async def fail(unit: Unit) -> None:
            await unit.execute(update(Customer).values(name="nobody"))
            raise RuntimeError("no")

        @app.delete("/customers/{number}")
        async def remove(number: int, unit: Unit) -> None:
            await unit.execute(text("delete from customers where id = :id"), {"id": number})

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    async with shop.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text("create view invoice_view as select * from invoices"))
    async with shop.sessions.begin() as session:
        session.add_all([Customer(id=1, name="Anna"), Customer(id=2, name="Bert")])
        session.add(Invoice(customer_id=1, cents=100))
    yield shop
    await shop.client.aclose()
    shop.hook.remove()
    await shop.engine.dispose()


async def test_a_write_refreshes_what_read_its_table_and_leaves_the_rest(shop: Shop) -> None:
    for path in ("/customers", "/total", "/raw"):
        assert_miss(await shop.get(path))
        assert_hit(await shop.get(path))
    await shop.client.post("/invoices/50")
    assert_hit(await shop.get("/customers"))
    answer = await shop.get("/total")
    assert_miss(answer)
    assert answer.json() == 150
    answer = await shop.get("/raw")
    assert_miss(answer)
    assert answer.json() == 2


async def test_a_cascade_is_a_write_too(shop: Shop) -> None:
    for path in ("/total", "/raw", "/customers"):
        await shop.get(path)
    await shop.client.delete("/customers/1")
    assert (await shop.get("/total")).json() == 0
    assert (await shop.get("/raw")).json() == 0
    assert (await shop.get("/customers")).json() == ["Bert"]


async def test_a_rollback_leaves_the_hit(shop: Shop) -> None:
    await shop.get("/customers")
    with pytest.raises(RuntimeError, match="no"):
        await shop.client.post("/fail")
    answer = await shop.get("/customers")
    assert_hit(answer)
    assert answer.json() == ["Anna", "Bert"]


async def test_t13_a_stream_that_reads_as_it_goes_is_kept_with_all_its_reads(shop: Shop) -> None:
    assert (await shop.get("/stream")).text == "Anna\nBert\n"
    assert_hit(await shop.get("/stream"))
    await shop.client.delete("/customers/2")
    assert (await shop.get("/stream")).text == "Anna\n"


async def test_writes_outside_any_request_are_heard(shop: Shop) -> None:
    await shop.get("/customers")
    async with shop.sessions.begin() as session:
        session.add(Customer(id=3, name="Carl"))
    answer = await shop.get("/customers")
    assert_miss(answer)
    assert answer.json() == ["Anna", "Bert", "Carl"]
    assert shop.cache.invalidations()[0]["relations"] == ["main:customers"]
    assert shop.cache.invalidations()[0]["cause"] == "outside any request"


async def test_no_read_is_older_than_an_acknowledged_write(shop: Shop) -> None:
    """Writers and readers at the same time; each reader checks against the sum acknowledged before it asked."""
    acknowledged, faults = [100], list[str]()

    async def write() -> None:
        for _ in range(15):
            assert (await shop.client.post("/invoices/1")).status_code == 200
            acknowledged[0] += 1

    async def read() -> None:
        newest = 0
        for _ in range(60):
            before = max(newest, acknowledged[0])
            found = (await shop.get("/total")).json()
            if found < before:
                faults.append(f"{found} after {before}")
            newest = found

    await asyncio.gather(write(), *(read() for _ in range(4)))
    assert faults == []
    assert shop.cache.stats()["hits"] > 0
    with uncached(shop.cache):
        assert (await shop.get("/total")).json() == 115
    assert (await shop.get("/total")).json() == 115
