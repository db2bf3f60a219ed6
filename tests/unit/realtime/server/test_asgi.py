"""The endpoint as an ASGI application."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from steinmetz.realtime import Config, RealtimeApp, Server
from tests.unit.realtime.server.asgi_driver import WS, Exchange, WebSocket

pytestmark = pytest.mark.anyio


async def test_a_head_that_is_too_big_to_be_kept_opens_no_session(app: RealtimeApp, io: Server) -> None:
    exchange = await Exchange(app, cookie="x" * 20_000).run()
    assert exchange.status == 431
    line = WebSocket(app, WS, cookie="x" * 20_000)
    await line.run()
    assert line.sent[0]["status"] == 431
    assert not io.clients
    assert io.statistics.refused["header fields too large"] == 2


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
