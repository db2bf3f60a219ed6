"""Two servers of the whole application on one database, kept right by a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from steinmetz.cache.testing import assert_hit, assert_miss
from steinmetz.clock import SystemClock
from steinmetz.erp.kit.announcements import Announcement, Expulsion, as_json
from steinmetz.erp.main import Application, create_app
from steinmetz.realtime import ConnectError
from steinmetz.realtime.testing import InProcessClient, connect
from tests.app.conftest import PASSWORD, running, settings_for
from tests.servers import Server, redis_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server() as server:
        yield server


def notice(number: int) -> dict[str, Any]:
    return {"id": number, "level": "info", "title": "A", "message": "B", "at": "2026-03-02T09:00:00Z"}


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


class TestSockets:
    """The sockets of both servers are those of one."""

    async def acquainted(self, pair: Pair) -> None:
        async with asyncio.timeout(10):
            while not all(app.state.io.cluster.node.peers.up() for app in pair.apps):  # type: ignore[union-attr]
                await asyncio.sleep(0.01)

    def token(self, pair: Pair) -> dict[str, str]:
        return {"token": pair.one.headers["Authorization"].removeprefix("Bearer ")}

    async def test_an_announcement_is_heard_at_both_servers_once(self, pair: Pair) -> None:
        await self.acquainted(pair)
        async with (
            connect(pair.apps[0].state.io, auth=self.token(pair)) as one,
            connect(pair.apps[1].state.io, auth=self.token(pair)) as two,
        ):
            await listening(pair)
            for app in pair.apps:
                async with app.state.database.unit() as unit:
                    unit.publish(Announcement("system:notification", notice(1), ("role:admin", "ops")))
                    unit.publish(Announcement("system:notification", notice(2)))
            for client in (one, two):
                told = [(await client.heard("system:notification"))[0]["id"] for _ in range(4)]
                assert sorted(told) == [1, 1, 2, 2]
            await silence(pair, one, two)

    async def test_a_client_goes_on_at_the_other_server(self, pair: Pair) -> None:
        await self.acquainted(pair)
        one, two = (app.state.io for app in pair.apps)
        async with connect(one, auth=self.token(pair)) as before:
            one.to("role:admin").emit("system:notification", notice(1))
            assert await before.heard("system:notification") == [notice(1)]
            before.drop()
            two.to("role:admin").emit("system:notification", notice(2))
            await listening(pair)
            async with connect(two, auth=self.token(pair), resume=before) as after:
                assert after.recovered
                assert after.id == before.id
                one.to("role:admin").emit("system:notification", notice(3))
                for number in (2, 3):
                    assert await after.heard("system:notification") == [notice(number)]
        assert two.statistics.recoveries == {"recovered": 1}

    async def test_a_logout_at_one_server_ends_the_sockets_at_the_other(self, pair: Pair) -> None:
        await self.acquainted(pair)
        async with connect(pair.apps[1].state.io, auth=self.token(pair)) as two:
            answer = await pair.one.post("/api/auth/logout", headers={"Origin": "http://testserver"})
            assert answer.status_code < 300
            assert await two.disconnected() == "io server disconnect"

    async def test_a_commit_at_one_server_is_told_to_the_subscribers_of_both_once(self, pair: Pair) -> None:
        await until_ready(pair)
        await self.acquainted(pair)
        async with (
            connect(pair.apps[0].state.io, auth=self.token(pair)) as one,
            connect(pair.apps[1].state.io, auth=self.token(pair)) as two,
        ):
            for client in (one, two):
                answer = await client.call("live:subscribe", {"path": "/api/departments"})
                assert answer["ok"], answer
            await add_department(pair.two, "Einkauf")
            for client, http in ((one, pair.one), (two, pair.two)):
                [update] = await client.heard("live:update")
                now = await names(http)
                assert (update["body"], update["etag"]) == (now.json(), now.headers["etag"])
            for app in pair.apps:
                await app.live.settled()
            await silence(pair, one, two)
            assert [
                len([each for each in client.events if each[0] == "live:update"]) for client in (one, two)
            ] == [
                1,
                1,
            ]

    async def test_what_a_command_says_is_said_once_and_whom_it_sends_away_is_gone_everywhere(
        self, pair: Pair
    ) -> None:
        await self.acquainted(pair)
        async with (
            connect(pair.apps[0].state.io, auth=self.token(pair)) as one,
            connect(pair.apps[1].state.io, auth=self.token(pair)) as two,
        ):
            await listening(pair)
            for app in pair.apps:
                app.live._said(as_json(Announcement("system:notification", notice(1))))
            for client in (one, two):
                assert await client.heard("system:notification") == [notice(1)]
            await silence(pair, one, two)
            pair.apps[0].live._said(as_json(Expulsion("role:admin")))
            for client in (one, two):
                assert await client.disconnected() == "io server disconnect"

    async def test_who_is_just_let_in_at_the_other_server_does_not_slip_through(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.acquainted(pair)
        identity = pair.apps[1].state.identity
        authenticate = identity.authenticate
        asked = 0

        async def authenticate_then_log_out(credential: bytes) -> object:
            nonlocal asked
            asked += 1
            admission = await authenticate(credential)
            if asked == 1:
                there = pair.apps[1].state.io.sockets
                before = there.removals
                await pair.one.post("/api/auth/logout", headers={"Origin": "http://testserver"})
                async with asyncio.timeout(5):
                    while there.removals == before:  # any other word of the other server is not enough
                        await asyncio.sleep(0.001)
            return admission

        monkeypatch.setattr(identity, "authenticate", authenticate_then_log_out)
        with pytest.raises(ConnectError, match="Authentication required"):
            async with connect(pair.apps[1].state.io, auth=self.token(pair)):
                pass
        assert asked == 2

    async def test_a_commit_is_told_to_each_listener_once_by_its_own_server(self, pair: Pair) -> None:
        await self.acquainted(pair)
        async with (
            connect(pair.apps[0].state.io, auth=self.token(pair)) as one,
            connect(pair.apps[1].state.io, auth=self.token(pair)) as two,
        ):
            for client in (one, two):
                assert (await client.call("chat:message", {"channel": "general", "text": "Hallo"}))["ok"]
            for client in (one, two):
                texts = [(await client.heard("chat:message"))[0]["text"] for _ in range(2)]
                assert texts == ["Hallo", "Hallo"]
            await silence(pair, one, two)
            assert len([name for name, _ in one.events if name == "chat:message"]) == 2

    async def test_readiness_warns_but_serves_while_the_bus_is_away(self, pair: Pair, server: Server) -> None:
        await self.acquainted(pair)
        server.kill()
        async with asyncio.timeout(10):
            while (await checks(pair))["realtime"] == "ok":
                await asyncio.sleep(0.02)
        assert (await checks(pair))["realtime"].startswith("warning: out of reach")
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(10):
            while (await checks(pair))["realtime"] != "ok":
                await asyncio.sleep(0.02)


async def checks(pair: Pair) -> dict[str, str]:
    answer = await pair.one.get("/readyz")
    assert answer.status_code == 200, "a balancer does not take it out"
    return dict(answer.json()["checks"])


async def listening(pair: Pair) -> None:
    """Wait until both servers hear what is said in the rooms of their clients."""
    async with asyncio.timeout(10):
        for app in pair.apps:
            while not app.state.io.cluster.node._bus.is_settled:  # type: ignore[union-attr, attr-defined]
                await asyncio.sleep(0.005)


async def silence(pair: Pair, *clients: InProcessClient) -> None:
    """Whatever is on its way has come once a last word from both servers has."""
    for app in pair.apps:
        app.state.io.emit("last word")
    for client in clients:
        for _ in pair.apps:
            await client.heard("last word")
    for client in clients:
        assert not any(client._unheard[name] for name in ("system:notification", "chat:message"))
