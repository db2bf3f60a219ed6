"""The endpoint as an ASGI application."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from steinmetz.gcra import Rate
from steinmetz.realtime import Config, Limits, RealtimeApp, Server
from tests.unit.realtime.server.asgi_driver import OPEN, WS, Exchange, WebSocket

pytestmark = pytest.mark.anyio


async def test_a_head_that_is_too_big_to_be_kept_opens_no_session(app: RealtimeApp, io: Server) -> None:
    exchange = await Exchange(app, cookie="x" * 20_000).run()
    assert exchange.status == 431
    line = WebSocket(app, WS, cookie="x" * 20_000)
    await line.run()
    assert line.sent[0]["status"] == 431
    assert not io.clients
    assert io.statistics.refused["header fields"] == 2


class TestOrigins:
    async def test_the_servers_own_page_needs_no_cors(self, app: RealtimeApp) -> None:
        exchange = await Exchange(app, origin="http://erp.example").run()
        assert exchange.status == 200
        assert "access-control-allow-origin" not in exchange.headers

    async def test_a_foreign_page_is_refused(self, app: RealtimeApp, io: Server) -> None:
        exchange = await Exchange(app, origin="https://evil.example").run()
        assert exchange.status == 403
        assert orjson.loads(exchange.text) == {"code": 4, "message": "Origin not allowed"}
        assert "access-control-allow-origin" not in exchange.headers
        assert not io.clients

    async def test_a_listed_page_may_read_the_answer(self) -> None:
        app = RealtimeApp(Server(Config(cors_origins=("https://portal.example",))))
        exchange = await Exchange(app, origin="https://portal.example").run()
        assert exchange.headers["access-control-allow-origin"] == "https://portal.example"
        assert exchange.headers["access-control-allow-credentials"] == "true"
        assert exchange.headers["vary"] == "Origin"

    async def test_any_page_may_read_without_credentials(self) -> None:
        app = RealtimeApp(Server(Config(cors_origins=("*",))))
        exchange = await Exchange(app, origin="https://any.example").run()
        assert exchange.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in exchange.headers

    async def test_a_preflight(self) -> None:
        app = RealtimeApp(Server(Config(cors_origins=("https://portal.example",))))
        assert (await Exchange(app, "OPTIONS", origin="https://portal.example").run()).status == 204
        assert (await Exchange(app, "OPTIONS", origin="https://evil.example").run()).status == 403


class TestProxies:
    """The driver's requests come from 10.0.0.1."""

    async def address(self, config: Config, **headers: str) -> tuple[str, bool]:
        io = Server(config)
        app = RealtimeApp(io)
        line = WebSocket(app, WS, **headers)
        line.say("40")
        running = asyncio.create_task(line.run())
        async with asyncio.timeout(5):
            while len(line.texts) < 2:
                await asyncio.sleep(0)
        [socket] = await io.fetch_sockets()
        line.hang_up()
        await running
        return socket.handshake.address, socket.handshake.secure

    async def test_whoever_is_not_listed_is_not_believed(self) -> None:
        lies = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "forwarded": "for=203.0.113.9"}
        for config in (Config(require_auth=False), Config(require_auth=False, trusted_proxies=("10.0.0.2",))):
            assert await self.address(config, **lies) == ("10.0.0.1", False)

    async def test_a_listed_proxy_is(self) -> None:
        listed = Config(require_auth=False, trusted_proxies=("10.0.0.0/8",))
        headers = {"x-forwarded-for": "6.6.6.6, 203.0.113.9", "x-forwarded-proto": "https"}
        assert await self.address(listed, **headers) == ("203.0.113.9", True)

    async def test_limits_are_counted_for_who_is_behind_it(self) -> None:
        limits = Limits(connections_per_address=1)
        io = Server(Config(require_auth=False, trusted_proxies=("10.0.0.1",), limits=limits))
        app = RealtimeApp(io)
        for address in ("203.0.113.1", "203.0.113.2"):
            assert (await Exchange(app, x_forwarded_for=address).run()).status == 200
        second = orjson.loads((await Exchange(app, x_forwarded_for="203.0.113.1").run()).text[1:])["sid"]
        query = OPEN + b"&sid=" + second.encode()
        await Exchange(app, "POST", query, b"40").run()
        assert "Too many connections" in (await Exchange(app, query=query).run()).text


class TestTooMuch:
    async def test_an_address_that_may_not_even_be_told_so_gets_an_http_answer(self) -> None:
        io = Server(Config(limits=Limits(unauthenticated_per_address=1)))
        app = RealtimeApp(io)
        assert (await Exchange(app).run()).status == 200
        exchange = await Exchange(app).run()
        assert (exchange.status, exchange.headers["retry-after"]) == (503, "2")
        line = WebSocket(app, WS)
        await line.run()
        assert line.sent[0]["status"] == 503
        assert (b"retry-after", b"2") in line.sent[0]["headers"]

    async def test_tries_to_upgrade_are_counted_against_their_own_address(self) -> None:
        limits = Limits(handshakes_per_address=Rate(1, 60))
        io = Server(Config(trusted_proxies=("10.0.0.1",), limits=limits))
        app = RealtimeApp(io)
        exchange = await Exchange(app, x_forwarded_for="203.0.113.1").run()
        sid = orjson.loads(exchange.text[1:])["sid"].encode()
        for address, status in (("203.0.113.1", 429), ("203.0.113.2", None), ("203.0.113.2", 429)):
            line = WebSocket(app, WS + b"&sid=" + sid, **{"x-forwarded-for": address})
            line.hang_up()
            await line.run()
            assert line.sent[0].get("status") == status

    async def test_a_guessed_session_is_no_cheaper(self) -> None:
        io = Server(Config(limits=Limits(handshakes_per_address=Rate(2, 60))))
        statuses = []
        for _ in range(4):
            line = WebSocket(RealtimeApp(io), WS + b"&sid=guess")
            await line.run()
            statuses.append(line.sent[0]["status"])
        assert statuses == [400, 400, 429, 429]
        assert io.statistics.refused == {"bad request": 2, "Too many requests": 2}

    @pytest.mark.parametrize("headers", [{"x": "y" * 16_400}, {f"x-{number}": "" for number in range(101)}])
    async def test_headers_are_kept_with_the_session_so_they_are_bounded(
        self, app: RealtimeApp, io: Server, headers: dict[str, str]
    ) -> None:
        assert (await Exchange(app, **headers).run()).status == 431
        line = WebSocket(app, WS, **headers)
        await line.run()
        assert line.sent[0]["status"] == 431
        assert io.statistics.refused["header fields"] == 2
        assert not io.clients


class TestAnswers:
    async def test_they_are_never_cached_or_sniffed(self, app: RealtimeApp) -> None:
        headers = (await Exchange(app).run()).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"

    async def test_a_refusal_says_why(self, app: RealtimeApp) -> None:
        exchange = await Exchange(app, query=b"EIO=4&transport=carrier-pigeon").run()
        assert exchange.status == 400
        assert orjson.loads(exchange.text) == {"code": 0, "message": "Transport unknown"}

    async def test_what_is_elsewhere_goes_to_the_other_application(self, io: Server) -> None:
        async def other(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 418, "headers": []})

        assert (await Exchange(RealtimeApp(io, other), path="/api/x").run()).status == 418
        assert (await Exchange(RealtimeApp(io), path="/api/x").run()).status == 404
        assert (await Exchange(RealtimeApp(io), path="/socket.io").run()).status == 200
        assert (await Exchange(io.asgi, path="/anything").run()).status == 200

    async def test_a_server_that_shuts_down_says_so(self, app: RealtimeApp, io: Server) -> None:
        io.begin_shutdown()
        exchange = await Exchange(app).run()
        assert exchange.status == 503
        assert "shut" in exchange.text


async def test_without_another_application_it_answers_the_lifespan() -> None:
    io = Server(Config(require_auth=False))
    incoming = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Any:
        return next(incoming)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await RealtimeApp(io)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert io.loop is None


async def test_a_server_that_ends_says_when_to_try_again(app: RealtimeApp, io: Server) -> None:
    io.begin_shutdown()
    during = await Exchange(app).run()
    await io.shutdown()
    after = await Exchange(app).run()
    assert [(each.status, each.headers["retry-after"]) for each in (during, after)] == [(503, "1")] * 2
