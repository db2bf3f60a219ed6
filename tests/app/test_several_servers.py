"""Two servers of the whole application on one database, kept right by a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from steinmetz.cache.testing import assert_hit, assert_miss
from steinmetz.clock import SystemClock
from steinmetz.erp.main import Application, create_app
from tests.app.conftest import PASSWORD, running, settings_for
from tests.servers import Server, redis_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server() as server:
        yield server


class Pair:
    """Two servers, each with a client of the same administrator."""

    def __init__(self, apps: list[Application], clients: list[httpx2.AsyncClient]) -> None:
        self.apps = apps
        self.one, self.two = clients

    async def ready(self, which: httpx2.AsyncClient) -> str:
        answer = await which.get("/readyz")
        assert answer.status_code == 200
        return str(answer.json()["checks"]["redis"])


@pytest.fixture
async def pair(server: Server, database_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        apps, clients = [], []
        for _ in range(2):
            settings = settings_for(tmp_path, database_url, redis_url=server.url, cache_consistency="strong")
            app = create_app(settings, clock=SystemClock())
            await stack.enter_async_context(running(app))
            transport = httpx2.ASGITransport(app, client=("127.0.0.1", 40_000))
            client = httpx2.AsyncClient(transport=transport, base_url="http://testserver")
            apps.append(app)
            clients.append(await stack.enter_async_context(client))
        answer = await clients[0].post(
            "/api/auth/login", json={"email": "admin@example.com", "password": PASSWORD}
        )
        for client in clients:
            client.headers["Authorization"] = f"Bearer {answer.json()['data']['accessToken']}"
        yield Pair(apps, clients)


async def until_ready(pair: Pair) -> None:
    async with asyncio.timeout(10):
        while {await pair.ready(pair.one), await pair.ready(pair.two)} != {"ok"}:
            await asyncio.sleep(0.01)


async def add_department(client: httpx2.AsyncClient, name: str) -> None:
    answer = await client.post("/api/departments", json={"name": name, "costCenter": name[:4]})
    assert answer.status_code == 201, answer.text
    assert answer.headers["x-consistency-token"]


async def names(client: httpx2.AsyncClient) -> httpx2.Response:
    answer = await client.get("/api/departments")
    assert answer.status_code == 200
    return answer


async def test_a_write_at_one_server_is_read_at_the_other(pair: Pair) -> None:
    await until_ready(pair)
    await names(pair.one)
    assert_hit(await names(pair.one))
    await add_department(pair.two, "Einkauf")
    answer = await names(pair.one)
    assert "Einkauf" in answer.text
    assert_hit(await names(pair.one))


async def test_a_login_revoked_at_one_server_is_refused_at_the_other_at_once(pair: Pair) -> None:
    await until_ready(pair)
    await names(pair.two)
    assert (await pair.two.get("/api/auth/me")).status_code == 200
    assert (await pair.one.post("/api/auth/logout", headers={"Origin": "http://testserver"})).status_code < 300
    assert (await pair.two.get("/api/auth/me")).status_code == 401
    assert (await pair.two.get("/api/departments")).status_code == 401


async def test_readiness_says_so_and_all_goes_on_when_redis_is_gone(pair: Pair, server: Server) -> None:
    await until_ready(pair)
    await names(pair.one)
    server.kill()
    answer = await names(pair.one)
    assert answer.headers["x-cache"] == "BYPASS"
    assert (await pair.ready(pair.one)).startswith("warning")
    await add_department(pair.two, "Versand")
    assert "Versand" in (await names(pair.one)).text
    await asyncio.to_thread(server.start)
    await until_ready(pair)
    answer = await names(pair.one)
    assert_miss(answer)
    assert "Versand" in answer.text
    assert_hit(await names(pair.one))
