"""Computing for many at once, with real engines: coroutines on an asynchronous one, plain functions in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from starlette.middleware.base import BaseHTTPMiddleware
from structlog.testing import capture_logs

from steinmetz.cache import CacheConfig, ResponseCache, cached
from steinmetz.cache.testing import assert_hit, assert_miss
from steinmetz.sql.engine import hook

pytestmark = pytest.mark.anyio


class Base(DeclarativeBase):
    pass


class Price(Base):
    __tablename__ = "prices"
    id: Mapped[int] = mapped_column(primary_key=True)
    cents: Mapped[int]


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)


async def unit(request: Request) -> AsyncIterator[AsyncSession]:
    """One transaction for one request, which FastAPI ends when it thinks fit."""
    async with request.app.state.sessions.begin() as session:
        yield session


class Shop:
    """An application over ``engine``, its cache and a client; ``computed`` counts the runs of its route."""

    def __init__(self, engine: Any, *, wraps: Callable[[FastAPI], Any] = lambda app: app) -> None:
        self.engine = engine
        self.cache = ResponseCache(CacheConfig(wait_s=5))
        self.hook = hook(engine)
        self.hook.observe_transactions(self.cache.observer)
        self.app = FastAPI()
        self.computed = 0
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.cache.wrap(wraps(self.app), self.app)), base_url="http://shop"
        )

    async def prices(self, times: int = 1) -> list[Any]:
        return await asyncio.gather(*(self.client.get("/prices") for _ in range(times)))

    async def close(self) -> None:
        await self.client.aclose()
        await self.cache.aclose()
        self.hook.remove()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A synchronous one with the tables and one price in it."""
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Price(id=1, cents=100))
    yield engine
    engine.dispose()


@pytest.fixture
async def plain(engine: Engine) -> AsyncIterator[Shop]:
    """``def`` endpoints in threads on a synchronous engine."""
    shop = Shop(engine)
    sessions = sessionmaker(engine)
    gate = shop.gate = threading.Event()  # type: ignore[attr-defined]

    @shop.app.get("/prices")
    @cached(public=True)
    def prices() -> list[int]:
        shop.computed += 1
        with sessions() as session:
            found = list(session.scalars(select(Price.cents)))
        gate.wait(10)
        return found

    @shop.app.put("/prices/{cents}")
    def write(cents: int) -> None:
        with sessions.begin() as session:
            session.execute(text("update prices set cents = :cents"), {"cents": cents})

    yield shop
    await shop.close()


@pytest.fixture
async def asynchronous(engine: Engine, tmp_path: Path) -> AsyncIterator[Shop]:
    """Coroutines on an asynchronous engine."""
    shop = Shop(create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"))
    sessions = async_sessionmaker(shop.engine)
    gate = shop.gate = threading.Event()  # type: ignore[attr-defined]

    @shop.app.get("/prices")
    @cached(public=True)
    async def prices() -> list[int]:
        shop.computed += 1
        async with sessions() as session:
            found = list(await session.scalars(select(Price.cents)))
        await asyncio.to_thread(gate.wait, 10)
        return found

    @shop.app.put("/prices/{cents}")
    async def write(cents: int) -> None:
        async with sessions.begin() as session:
            await session.execute(text("update prices set cents = :cents"), {"cents": cents})

    yield shop
    await shop.close()
    await shop.engine.dispose()


@pytest.fixture(params=["plain", "asynchronous"])
def shop(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def test_t10_two_hundred_misses_at_once_are_one_computation(shop: Any) -> None:
    readers = asyncio.ensure_future(shop.prices(200))
    await until(lambda: bool(shop.cache._statistics.misses) and shop.computed == 1)
    await until(lambda: sum(shop.cache._statistics.misses.values()) == 200)
    shop.gate.set()
    answers = await readers
    assert shop.computed == 1
    assert {answer.text for answer in answers} == {"[100]"}
    assert shop.cache.stats()["collapsed"] == 199
    assert_hit((await shop.prices())[0])


async def test_t10_across_a_commit_they_are_two_and_nobody_is_given_the_past(shop: Any) -> None:
    before = asyncio.ensure_future(shop.prices(100))
    await until(lambda: sum(shop.cache._statistics.misses.values()) == 100 and shop.computed == 1)
    await shop.client.put("/prices/200")
    after = asyncio.ensure_future(shop.prices(100))
    await until(lambda: sum(shop.cache._statistics.misses.values()) == 200)
    shop.gate.set()
    assert {answer.text for answer in await after} == {"[200]"}
    assert len(await before) == 100
    assert shop.computed == 2


async def test_h27_a_leader_that_is_cancelled_in_a_thread_or_not_leaves_its_answer_to_the_others(
    shop: Any,
) -> None:
    leader = asyncio.ensure_future(shop.prices())
    await until(lambda: shop.computed == 1)
    followers = asyncio.ensure_future(shop.prices(20))
    await until(lambda: sum(shop.cache._statistics.misses.values()) == 21)
    leader.cancel()
    await until(leader.done)
    shop.gate.set()
    assert {answer.text for answer in await followers} == {"[100]"}
    assert shop.computed == 1
    assert_hit((await shop.prices())[0])


class TestH7:
    """A snapshot older than the request, or among uncommitted writes, is nothing to keep."""

    @pytest.fixture
    async def shop(self, engine: Engine) -> AsyncIterator[Shop]:
        """One session for all requests, as it should not be."""
        shop = Shop(engine)
        self.session = Session(engine)

        @shop.app.get("/prices")
        @cached(public=True)
        async def prices() -> list[int]:
            shop.computed += 1
            return list(self.session.scalars(select(Price.cents).order_by(Price.id)))

        yield shop
        self.session.close()
        await shop.close()

    async def test_h7_a_transaction_that_had_begun_before_the_request_keeps_nothing(self, shop: Shop) -> None:
        self.session.scalars(select(Price.cents)).all()
        for _ in range(2):
            (answer,) = await shop.prices()
            assert_miss(answer)
            assert "what was read is not certain" in answer.headers["cache-status"]
        self.session.rollback()
        assert_miss((await shop.prices())[0])
        # The one that this request began is as young as the request.
        assert_hit((await shop.prices())[0])

    async def test_h8_what_an_open_transaction_has_written_is_not_kept(self, shop: Shop) -> None:
        self.session.add(Price(cents=50))
        self.session.flush()
        assert (await shop.prices())[0].json() == [100, 50]
        self.session.rollback()
        (answer,) = await shop.prices()
        assert_miss(answer)
        assert answer.json() == [100]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_h7_on_postgresql_an_answer_of_an_old_snapshot_is_not_kept(
    module_postgres_url: str, level: Any
) -> None:
    engine = create_async_engine(
        module_postgres_url.replace("postgresql://", "postgresql+asyncpg://"), isolation_level=level
    )
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text("insert into prices values (1, 100)"))
    shop = Shop(engine)
    await shop.hook.prime()
    session = AsyncSession(engine)

    @shop.app.get("/prices")
    @cached(public=True)
    async def prices() -> list[int]:
        return list(await session.scalars(select(Price.cents)))

    assert list(await session.scalars(select(Price.cents))) == [100]
    async with engine.begin() as connection:
        await connection.execute(text("update prices set cents = 200"))
    assert (await shop.prices())[0].json() == [100]  # the application's own doing
    await session.rollback()
    (answer,) = await shop.prices()
    assert_miss(answer)
    assert answer.json() == [200]
    await session.close()
    await shop.close()
    await engine.dispose()


class TestT8:
    """FastAPI ends a generator dependency after the response unless it has ``scope="function"``."""

    @pytest.fixture
    async def shop(self, engine: Engine, tmp_path: Path) -> AsyncIterator[Shop]:
        shop = Shop(create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"))
        shop.app.state.sessions = async_sessionmaker(shop.engine)

        @shop.app.put("/late/{cents}")
        async def late(cents: int, session: Annotated[AsyncSession, Depends(unit)]) -> None:
            await session.execute(text("update prices set cents = :cents"), {"cents": cents})

        @shop.app.put("/in-time/{cents}")
        async def in_time(cents: int, session: Annotated[AsyncSession, Depends(unit, scope="function")]) -> None:
            await session.execute(text("update prices set cents = :cents"), {"cents": cents})

        yield shop
        await shop.close()
        await shop.engine.dispose()

    @staticmethod
    def order(shop: Shop, heard: list[str]) -> Any:
        """The shop's door with the order of commit and response written down."""
        door = shop.client._transport.app  # type: ignore[attr-defined]
        shop.hook.failpoint = heard.append

        async def listening(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                heard.append(message["type"].removeprefix("http."))
                await send(message)

            await door(scope, receive, sending)

        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=listening), base_url="http://shop")

    async def test_t8_the_commit_comes_before_the_response_starts(self, shop: Shop) -> None:
        heard: list[str] = []
        async with self.order(shop, heard) as client:
            with capture_logs() as logs:
                await client.put("/in-time/7")
        assert heard == ["marked", "committed", "response.start", "response.body"]
        assert logs == []
        assert shop.cache.stats()["lateCommits"] == 0

    async def test_t8_if_it_does_not_that_is_told_with_what_to_do(self, shop: Shop) -> None:
        heard: list[str] = []
        async with self.order(shop, heard) as client:
            with capture_logs() as logs:
                await client.put("/late/7")
        assert heard.index("response.start") < heard.index("committed")
        assert [(line["event"].split(":")[0], line["request"]) for line in logs] == [
            ("A commit came after its response had started", "PUT /late/{cents}")
        ]
        assert 'scope="function"' in logs[0]["remedy"]
        assert shop.cache.stats()["lateCommits"] == 1


async def test_t13_a_background_task_that_writes_revokes_what_was_kept(engine: Engine) -> None:
    shop = Shop(engine)

    @shop.app.get("/prices")
    @cached(public=True)
    def prices(later: BackgroundTasks) -> list[int]:
        def count_visits() -> None:
            with engine.begin() as connection:
                connection.execute(text("insert into visits default values"))

        with engine.connect() as connection:
            found = list(connection.scalars(select(Price.cents)))
        later.add_task(count_visits)
        return found

    assert_miss((await shop.prices())[0])
    assert_miss((await shop.prices())[0])
    assert (shop.cache.stats()["revoked"], shop.cache.stats()["entries"]) == (2, 0)
    await shop.close()


async def test_an_answer_that_a_middleware_passes_on_as_a_stream_is_shared_and_mended_all_the_same(
    engine: Engine,
) -> None:
    """Starlette's BaseHTTPMiddleware makes a stream of every answer; its length tells that it is whole."""

    async def passing(request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        return answer

    shop = Shop(engine, wraps=lambda app: BaseHTTPMiddleware(app, dispatch=passing))

    @shop.app.get("/prices")
    @cached(public=True, statuses={404: 60})
    def prices() -> list[int]:
        shop.computed += 1
        with engine.connect() as connection:
            if found := list(connection.scalars(select(Price.cents))):
                return found
        raise HTTPException(404, "no prices")

    answers = await shop.prices(50)
    assert (shop.computed, {answer.text for answer in answers}) == (1, {"[100]"})
    assert_hit((await shop.prices())[0])
    with engine.begin() as connection:
        connection.execute(text("delete from prices"))
    answers = [(await shop.prices())[0] for _ in range(2)]
    assert [(answer.status_code, answer.headers["x-cache"]) for answer in answers] == [(404, "MISS"), (404, "HIT")]
    assert answers[0].content == answers[1].content
    with engine.begin() as connection:
        connection.execute(text("insert into prices values (2, 70)"))
    assert (await shop.prices())[0].json() == [70]
    await shop.close()
