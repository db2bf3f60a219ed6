"""A hit through the native door is counted, logged, limited and headed as one through ASGI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import structlog
import uvicorn
from uvicorn.server import ServerState

from steinmetz.erp.logging import configure_logging
from steinmetz.erp.main import Application
from steinmetz.erp.settings import Settings
from tests.app.conftest import SignIn, settings_for
from tests.contract.http_doors import Answer, Peer, get

pytestmark = pytest.mark.anyio

ORIGIN = "https://intranet.example"
OVERVIEW = b"/api/dashboard/overview"
DOORS = ("asgi", "native")
DIFFERENT = {"duration_ms", "request_id", "timestamp"}


@pytest.fixture
def settings(tmp_path: Any, database_url: str) -> Settings:
    return settings_for(
        tmp_path,
        database_url,
        cors_origins=ORIGIN,
        access_log=True,
        log_level="info",
        log_format="json",
        rate_limit_address="60/60",
        rate_limit_user="20/40",
    )


@pytest.fixture
def lines(app: Application, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines of the access log since the last call; the first begins it."""

    def read() -> list[dict[str, Any]]:
        said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        configure_logging("info", "json")
        return [line for line in said if line["msg"] == "Request"]

    yield read
    structlog.reset_defaults()
    logging.getLogger().handlers = []


class Served:
    """The application behind uvicorn, which trusts what is said on this machine of the client's address."""

    def __init__(self, app: Application, door: str) -> None:
        self.through_asgi = 0
        self._app = app
        self.config = uvicorn.Config(
            self,
            http=app.http_protocol if door == "native" else "httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=True,
            forwarded_allow_ips="127.0.0.1",
        )
        self.config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Mon, 02 Mar 2026 09:00:00 GMT")]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.through_asgi += 1
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        def protocol() -> Any:
            return self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.state, app_state={}
            )

        listener = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1")
        peer = Peer(*await asyncio.open_connection(*listener.sockets[0].getsockname()))
        try:
            yield peer
        finally:
            peer.leave()
            listener.close()
            for connection in list(self.state.connections):
                connection.transport.abort()
            await asyncio.gather(*self.state.tasks, return_exceptions=True)


class Caller:
    """Asks for the overview as one clerk from one address, through one door."""

    def __init__(self, peer: Peer, token: str, address: str = "192.0.2.1") -> None:
        self._peer = peer
        self._lines = (
            b"Authorization: " + token.encode(),
            b"X-Forwarded-For: " + address.encode(),
            b"User-Agent: browser/1 \xc3\xa4",
        )

    async def ask(self, *lines: bytes, method: bytes = b"GET", path: bytes = OVERVIEW) -> Answer:
        return await self._peer.ask(get(path, *self._lines, *lines, method=method))


@asynccontextmanager
async def calling(app: Application, door: str, token: str) -> AsyncIterator[tuple[Caller, Served]]:
    served = Served(app, door)
    async with served.peer() as peer:
        yield Caller(peer, token), served


async def test_both_doors_say_the_same_of_a_hit(
    app: Application, sign_in: SignIn, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    token = (await sign_in("clerk")).headers["authorization"]
    found: dict[str, list[tuple[Any, ...]]] = {}
    for door in DOORS:
        async with calling(app, door, token) as (caller, served):
            await caller.ask()
            lines()
            before = served.through_asgi
            requests, hits = app.state.traffic.requests.copy(), app.state.cache.stats()["hits"]
            answers = [
                await caller.ask(),
                await caller.ask(),
                await caller.ask(b"X-Request-Id: my-id.1", b"Origin: https://intranet.example"),
                await caller.ask(b"X-Request-Id: my-id.2", b"Origin: https://elsewhere.example"),
                await caller.ask(method=b"HEAD"),
            ]
            etag = answers[0].headers["etag"].encode()
            answers.append(await caller.ask(b"If-None-Match: " + etag))
            assert [answer.cache for answer in answers] == ["HIT"] * 6
            assert served.through_asgi - before == (6 if door == "asgi" else 0)
            logged = lines()
            assert [line["request_id"] for line in logged] == [
                answer.headers.pop("x-request-id") for answer in answers
            ]
            assert [line["request_id"] for line in logged][2:4] == ["my-id.1", "my-id.2"]
            ages = [answer.headers.pop("age") for answer in answers]
            assert all(age.isdigit() for age in ages)
            found[door] = [
                *[(answer.status, answer.headers, answer.body) for answer in answers],
                *[{name: value for name, value in line.items() if name not in DIFFERENT} for line in logged],
                *[list(line) for line in logged],
                app.state.traffic.requests - requests,
                app.state.cache.stats()["hits"] - hits,
            ]  # type: ignore[list-item]
    assert found["asgi"] == found["native"]
    assert found["native"][6]["address"] == "192.0.2.1"  # type: ignore[call-overload]


@pytest.mark.parametrize("door", DOORS)
async def test_the_rate_of_a_user_holds_for_hits(app: Application, sign_in: SignIn, door: str) -> None:
    token = (await sign_in("clerk")).headers["authorization"]
    async with calling(app, door, token) as (caller, served):
        answers = [await caller.ask() for _ in range(22)]
        assert [answer.status for answer in answers] == [200] * 20 + [429] * 2
        assert json.loads(answers[-1].body)["detail"].startswith("Too many requests by this user")
        assert app.state.rates.refused == {"address": 0, "user": 2}
        assert app.state.traffic.requests["GET", "4xx"] == 2
        if door == "native":
            assert served.through_asgi < 6


@pytest.mark.parametrize("door", DOORS)
async def test_t16_whoever_signed_out_is_refused_at_his_next_request(
    app: Application, sign_in: SignIn, door: str
) -> None:
    clerk: httpx2.AsyncClient = await sign_in("clerk")
    async with calling(app, door, clerk.headers["authorization"]) as (caller, served):
        assert [(await caller.ask()).status for _ in range(3)] == [200] * 3
        assert (await clerk.post("/api/auth/logout", headers={"Origin": "http://testserver"})).status_code == 200
        assert (await caller.ask()).status == 401
        assert served.through_asgi > 0


@pytest.mark.parametrize("door", DOORS)
async def test_a_write_is_seen_by_the_next_read_of_the_same_connection(
    app: Application, sign_in: SignIn, door: str
) -> None:
    clerk = await sign_in("clerk")
    async with calling(app, door, clerk.headers["authorization"]) as (caller, _):
        asked = [(await caller.ask(path=b"/api/customers")).cache for _ in range(3)]
        assert asked == ["MISS", "HIT", "HIT"]
        assert (await clerk.post("/api/customers", json={"name": "Beispiel GmbH"})).status_code == 201
        answer = await caller.ask(path=b"/api/customers")
        assert answer.cache == "MISS"
        assert b"Beispiel GmbH" in answer.body
