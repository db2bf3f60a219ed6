"""The outermost layer through the whole application: rate limits, request ids, and the line of the access log."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
import structlog
from sqlalchemy import text
from structlog.testing import capture_logs

from steinmetz.clock import FakeClock
from steinmetz.erp.dependencies import Reading
from steinmetz.erp.logging import configure_logging
from steinmetz.erp.main import Application
from steinmetz.erp.settings import Settings
from tests.app.conftest import settings_for
from tests.app.test_errors import add_route, is_problem

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]
From = Callable[..., Awaitable[httpx2.AsyncClient]]
ORIGIN = "https://intranet.example"
CUSTOMER = {"name": "Beispiel GmbH"}


@pytest.fixture
def settings(tmp_path: Any, database_url: str) -> Settings:
    return settings_for(
        tmp_path,
        database_url,
        cors_origins=ORIGIN,
        access_log=True,
        log_level="info",
        rate_limit_address="60/60",
        rate_limit_user="20/40",
    )


@pytest.fixture
async def coming_from(app: Application) -> AsyncIterator[From]:
    """Makes clients that come from an address."""
    async with AsyncExitStack() as stack:

        async def make(address: str, **headers: str) -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app, client=(address, 40_000))
            return await stack.enter_async_context(
                httpx2.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)
            )

        yield make


@pytest.fixture
async def tokens(sign_in: SignIn) -> dict[str, str]:
    """``Authorization`` of each role; signing in over the loopback costs nobody anything."""
    return {role: (await sign_in(role)).headers["authorization"] for role in ("admin", "clerk")}


async def statuses(client: httpx2.AsyncClient, path: str, times: int, method: str = "GET") -> list[int]:
    return [(await client.request(method, path)).status_code for _ in range(times)]


class TestRateLimits:
    async def test_count_hits_and_misses_alike_for_the_user(
        self, coming_from: From, tokens: dict[str, str], app: Application, clock: FakeClock
    ) -> None:
        clerk = await coming_from("192.0.2.1", Authorization=tokens["clerk"])
        answers = [await clerk.get("/api/customers") for _ in range(21)]
        assert [one.headers.get("x-cache") for one in answers] == ["MISS", *["HIT"] * 19, None]
        refused = answers[-1]
        assert refused.status_code == 429
        assert is_problem(refused)
        assert refused.headers["ratelimit-policy"] == '"user";q=20;w=40'
        assert refused.headers["ratelimit"] == '"user";r=0;t=2'
        assert refused.headers["cache-control"] == "no-store"
        clock.advance(int(refused.headers["retry-after"]) - 1)
        assert await statuses(clerk, "/api/customers", 1) == [429]
        clock.advance(1)
        assert await statuses(clerk, "/api/customers", 2) == [200, 429]
        assert app.state.rates.refused == {"address": 0, "user": 3}

    async def test_make_a_write_cost_five_readings_and_a_refused_one_nothing(
        self, coming_from: From, tokens: dict[str, str], clock: FakeClock
    ) -> None:
        clerk = await coming_from("192.0.2.1", Authorization=tokens["clerk"])
        written = [(await clerk.post("/api/customers", json=CUSTOMER)).status_code for _ in range(5)]
        assert written == [201, 201, 201, 201, 429]
        clock.advance(8)
        assert await statuses(clerk, "/api/auth/me", 5) == [200, 200, 200, 200, 429]
        admin = await coming_from("192.0.2.1", Authorization=tokens["admin"])
        assert (await admin.get("/api/customers")).json()["page"]["total"] == 4

    async def test_follow_the_user_to_another_address_and_the_address_to_another_user(
        self, coming_from: From, tokens: dict[str, str]
    ) -> None:
        here = await coming_from("192.0.2.1", Authorization=tokens["clerk"])
        elsewhere = await coming_from("192.0.2.2", Authorization=tokens["clerk"])
        assert (await statuses(here, "/api/auth/me", 20)).count(200) == 20
        assert await statuses(elsewhere, "/api/auth/me", 1) == [429]
        admin = await coming_from("192.0.2.1", Authorization=tokens["admin"])
        assert (await statuses(admin, "/api/auth/me", 20)).count(200) == 20
        stranger = await coming_from("192.0.2.1")
        assert await statuses(stranger, "/nowhere", 21) == [*[404] * 20, 429]
        assert await statuses(stranger, "/healthz", 1) == [200]
        assert await statuses(stranger, "/assets/none.js", 1) == [429]

    async def test_take_an_ipv6_network_for_one_address(self, coming_from: From) -> None:
        first, second, other = [
            await coming_from(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
        ]
        assert (await statuses(first, "/version", 60)).count(200) == 60
        assert await statuses(second, "/version", 1) == [429]
        assert await statuses(other, "/version", 1) == [200]

    async def test_stop_guesses_of_tokens_by_address(self, coming_from: From, app: Application) -> None:
        guesser = await coming_from("192.0.2.1")
        asked = [
            (await guesser.get("/api/auth/me", headers={"Authorization": f"Bearer {n}"})).status_code
            for n in range(61)
        ]
        assert asked == [*[401] * 60, 429]

    async def test_are_told_by_metrics(self, coming_from: From, client: httpx2.AsyncClient) -> None:
        await statuses(await coming_from("192.0.2.1"), "/version", 62)
        told = (await client.get("/metrics")).text
        assert 'steinmetz_http_requests_rate_limited_total{by="address"} 2.0' in told
        assert 'steinmetz_http_requests_rate_limited_total{by="user"} 0.0' in told

    async def test_leave_this_machine_alone(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        assert set(await statuses(clerk, "/api/customers", 200)) == {200}


class TestBodies:
    async def test_of_imports_may_be_longer_than_all_others(self, sign_in: SignIn) -> None:
        admin = await sign_in("admin")

        async def in_pieces(size: int) -> AsyncIterator[bytes]:
            for _ in range(size // 100_000):
                yield b" " * 100_000

        for path, fits, too_long in (
            ("/api/customers", 900_000, 1_100_000),
            ("/api/functions/import", 4_900_000, 5_100_000),
            ("/api/auth/password", 20_000, 20_001),
        ):
            for size, expected in ((fits, {404, 405, 422}), (too_long, {413})):
                answer = await admin.post(path, content=b" " * size, headers={"Content-Type": "application/json"})
                assert answer.status_code in expected, (path, size, answer.text)
                assert is_problem(answer)
        chunked = await admin.post(
            "/api/customers", content=in_pieces(1_100_000), headers={"Content-Type": "application/json"}
        )
        assert chunked.status_code == 413

    async def test_of_strangers_are_hardly_read(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post("/api/customers", json={"name": "x" * 100_000})
        assert (answer.status_code, is_problem(answer)) == (401, True)

    @pytest.mark.parametrize(
        ("content", "kind", "status", "word"),
        [
            (b"[" * 500_000, "application/json", 422, "deep"),
            (b'{"name": "a", "name": "b"}', "application/json", 422, "twice"),
            (b'{"name": NaN}', "application/json", 422, "NaN"),
            (b'{"name": "\\ud800"}', "application/json", 422, "surrogate"),
            (b'{"name": "a"}', "text/plain", 415, "application/json"),
            (b"name=a", "application/x-www-form-urlencoded", 415, "application/json"),
            (b'{"name": "a"', "application/json", 422, "JSON"),
        ],
    )
    async def test_that_cannot_be_read_are_refused_in_words(
        self, sign_in: SignIn, content: bytes, kind: str, status: int, word: str
    ) -> None:
        clerk = await sign_in("clerk")
        answer = await clerk.post("/api/customers", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, is_problem(answer)) == (status, True)
        assert word in answer.json()["detail"]


class TestParameters:
    async def test_of_one_value_are_given_once(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        answer = await clerk.get("/api/customers?limit=1&limit=2")
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "limit", "message": "Give this parameter once."}]
        assert (await clerk.get("/api/invoices?status=draft&status=sent")).status_code == 200

    async def test_are_not_too_many(self, sign_in: SignIn) -> None:
        answer = await (await sign_in("clerk")).get("/api/invoices?" + "status=draft&" * 101)
        assert answer.status_code == 422
        assert "100" in answer.json()["detail"]


class TestRequestIds:
    async def test_are_in_every_kind_of_answer(
        self, app: Application, sign_in: SignIn, client: httpx2.AsyncClient, coming_from: From
    ) -> None:
        clerk = await sign_in("clerk")
        etag = (await clerk.get("/api/customers")).headers["etag"]
        flood = await coming_from("192.0.2.1")
        await statuses(flood, "/version", 60)
        preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        named = {"X-Request-Id": "my-id.1"}
        for status, answer in (
            (200, await clerk.get("/api/customers", headers=named)),
            (304, await clerk.get("/api/customers", headers={**named, "If-None-Match": etag})),
            (401, await client.get("/api/customers", headers=named)),
            (404, await clerk.get("/api/customers/4711", headers=named)),
            (405, await clerk.put("/api/customers", headers=named)),
            (413, await clerk.post("/api/auth/password", content=b"x" * 20_001, headers=named)),
            (422, await clerk.get("/api/customers?x=1", headers=named)),
            (429, await flood.get("/version", headers=named)),
            (204, await client.options("/api/customers", headers={**named, **preflight})),
            (200, await client.head("/healthz", headers=named)),
        ):
            assert answer.status_code == status, answer.text
            assert answer.headers.get_list("x-request-id") == ["my-id.1"]
            if status >= 400:
                assert answer.json()["requestId"] == "my-id.1"

    async def test_are_in_the_audit(self, sign_in: SignIn) -> None:
        clerk, admin = await sign_in("clerk"), await sign_in("admin")
        await clerk.post("/api/customers", json=CUSTOMER, headers={"X-Request-Id": "audited-1"})
        newest = (await admin.get("/api/audit?limit=1")).json()["data"][0]
        assert newest["requestId"] == "audited-1"

    async def test_are_in_the_refusal_of_a_websocket(self, app: Application) -> None:
        scope: dict[str, Any] = {"type": "websocket", "path": "/x\nforged", "query_string": b"token=geheim"}
        scope |= {"headers": [(b"x-request-id", b"ws-1")], "extensions": {"websocket.http.response": {}}}
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        with capture_logs() as logs:
            await app(scope, receive, send)
        assert (b"x-request-id", b"ws-1") in sent[0]["headers"]
        assert json.loads(sent[1]["body"])["requestId"] == "ws-1"
        assert [line["request_id"] for line in logs if line["event"] == "WebSocket refused"] == ["ws-1"]


class TestTheLog:
    @pytest.fixture(autouse=True)
    def lines(self, app: Application, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Any]]:
        """What the log says since the last call; the first begins it."""

        def read() -> list[dict[str, Any]]:
            said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
            configure_logging("info", "json")
            return [line for line in said if line.get("logger") != "httpx2"]

        yield read
        structlog.reset_defaults()
        logging.getLogger().handlers = []

    async def test_has_one_line_a_request_with_all_that_is_asked_of_it(
        self, coming_from: From, tokens: dict[str, str], lines: Callable[[], Any]
    ) -> None:
        clerk = await coming_from(
            "192.0.2.1", Authorization=tokens["clerk"], **{"User-Agent": "test/1 " + "x" * 500}
        )
        lines()
        body = json.dumps(CUSTOMER).encode()
        kind = {"Content-Type": "application/json"}
        created = await clerk.post("/api/customers", content=body, headers=kind)
        path = f"/api/customers/{created.json()['data']['id']}"
        await clerk.get(path)
        hit = await clerk.get(path, headers={"X-Request-Id": "r-1"})
        await asyncio.sleep(0)  # lines of hits are written together, once a turn of the loop
        posted, missed, kept = [line for line in lines() if line["msg"] == "Request"]
        assert set(posted) == {
            "msg", "level", "timestamp", "method", "route", "path", "status", "duration_ms", "bytes", "bytes_in",
            "cache", "user", "address", "agent", "request_id",
        }  # fmt: skip
        assert (posted["method"], posted["route"], posted["status"]) == ("POST", "/api/customers", 201)
        assert (posted["bytes_in"], posted["bytes"]) == (len(body), len(created.content))
        assert [line["cache"] for line in (posted, missed, kept)] == [None, "MISS", "HIT"]
        for line in (missed, kept):
            assert (line["route"], line["path"]) == ("/api/customers/{customer_id}", path)
            assert line["bytes_in"] == 0
        assert (kept["request_id"], kept["bytes"]) == ("r-1", len(hit.content))
        assert kept["user"].startswith("user:")
        assert kept["address"] == "192.0.2.1"
        assert (len(kept["agent"]), kept["agent"][:6]) == (120, "test/1")
        assert posted["duration_ms"] > 0

    async def test_cannot_be_written_to_by_a_caller(
        self, app: Application, client: httpx2.AsyncClient, lines: Callable[[], Any]
    ) -> None:
        forged = "/%0A%7B%22msg%22%3A%22forged%22%7D%0D%E2%80%AE%E2%80%A8x" + "y" * 5_000
        lines()
        await client.get(forged, headers=[(b"user-agent", b"a\x1b[2Jb\xe2\x80\xae")])
        await client.request("GE\u00a0T", "/")
        written = lines()
        assert [line["msg"] for line in written] == ["Request", "Request"]
        assert len(written[0]["path"]) < 400
        assert written[0]["path"].startswith("/\\n{")
        for line in written:
            assert all(str(value).isprintable() for value in line.values())

    async def test_knows_no_query_no_header_and_a_bounded_number_of_routes(
        self, client: httpx2.AsyncClient, lines: Callable[[], Any]
    ) -> None:
        lines()
        secret = {"Authorization": "Bearer geheim", "Cookie": "steinmetz_refresh=geheim", "Referer": "geheim"}
        for number in range(3):
            await client.get(
                f"/api/customers/{number}?token=geheim&access_token=geheim",
                headers=secret,
            )
            await client.get(f"/api/none/{number}?password=geheim")
        written = lines()
        assert len(written) == 6
        assert "geheim" not in json.dumps(written)
        routes = {line["route"] for line in written}
        assert len(routes) == 2
        assert routes <= {"/api/customers/{customer_id}", "/", "(unrouted)"}

    async def test_names_the_request_of_a_slow_query(
        self, app: Application, sign_in: SignIn, lines: Callable[[], Any]
    ) -> None:
        @add_route(app, "get", "/slow")
        async def slow(unit: Reading) -> None:
            await unit.session.execute(text("SELECT 1"))

        lines()
        clerk = await sign_in("clerk")
        assert app.state.monitor is not None
        app.state.monitor.configure(slow_threshold_ms=0)
        lines()
        try:
            await clerk.get("/slow", headers={"X-Request-Id": "slow-1"})
        finally:
            app.state.monitor.configure(slow_threshold_ms=100)
        warned = [line for line in lines() if line["msg"] == "Slow query detected"]
        assert warned
        assert {line["request_id"] for line in warned} == {"slow-1"}
