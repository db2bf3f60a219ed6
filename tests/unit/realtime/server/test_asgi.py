"""The endpoint as an ASGI application, driven without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, RealtimeApp, Server

pytestmark = pytest.mark.anyio

OPEN = b"EIO=4&transport=polling"


class Exchange:
    """One HTTP request and its response."""

    def __init__(
        self,
        app: RealtimeApp,
        method: str = "GET",
        query: bytes = OPEN,
        body: bytes = b"",
        *,
        path: str = "/socket.io/",
        **headers: str,
    ) -> None:
        named = {"host": "erp.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("10.0.0.1", 5000),
            "scheme": "http",
        }
        self._app = app
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": body})
        self._sent: list[Any] = []

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def send(self, message: Any) -> None:
        self._sent.append(message)

    async def run(self) -> Exchange:
        await self._app(self.scope, self._incoming.get, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self._sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self._sent[0]["headers"]}

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self._sent[1:]).decode()


@pytest.fixture
def app(io: Server) -> RealtimeApp:
    return RealtimeApp(io)


async def opened(app: RealtimeApp) -> bytes:
    exchange = await Exchange(app).run()
    return OPEN + b"&sid=" + orjson.loads(exchange.text[1:])["sid"].encode()


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


class TestPolling:
    async def test_a_poll_waits_for_news(self, app: RealtimeApp, io: Server) -> None:
        query = await opened(app)
        await Exchange(app, "POST", query, b"40").run()
        await Exchange(app, query=query).run()
        poll = asyncio.create_task(Exchange(app, query=query).run())
        await asyncio.sleep(0.01)
        assert not poll.done()
        io.emit("a", 1)
        io.emit("b", b"\x01")
        assert (await poll).text == '42["a",1]\x1e451-["b",{"_placeholder":true,"num":0}]\x1ebAQ=='

    async def test_a_body_is_counted_while_it_comes(self, app: RealtimeApp, io: Server) -> None:
        for headers in ({}, {"content_length": "1000001"}):
            query = await opened(app)
            exchange = await Exchange(app, "POST", query, b"4" * 1_000_001, **headers).run()
            assert exchange.status == 413
            assert (await Exchange(app, query=query).run()).status == 400

    async def test_a_second_post_at_the_same_time_ends_the_session(self, app: RealtimeApp, io: Server) -> None:
        query = await opened(app)
        first = Exchange(app, "POST", query)
        first._incoming.get_nowait()
        running = asyncio.create_task(first.run())
        await asyncio.sleep(0.01)
        assert (await Exchange(app, "POST", query, b"40").run()).status == 400
        assert not io.clients
        first.hang_up()
        await running

    async def test_a_poll_that_hangs_up_ends_the_session(self, app: RealtimeApp, io: Server) -> None:
        poll = Exchange(app, query=await opened(app))
        running = asyncio.create_task(poll.run())
        await asyncio.sleep(0.01)
        poll.hang_up()
        await running
        assert not io.clients

    async def test_a_disconnect_is_heard_even_if_no_poll_was_waiting(self, app: RealtimeApp, io: Server) -> None:
        query = await opened(app)
        await Exchange(app, "POST", query, b"40").run()
        await Exchange(app, query=query).run()
        io.disconnect_sockets(close=True)
        assert [(await Exchange(app, query=query).run()).text for _ in range(2)] == ["41", "1"]
        assert (await Exchange(app, query=query).run()).status == 400

    async def test_a_session_that_is_overdue_is_gone_even_before_the_wheel_turns(
        self, app: RealtimeApp, io: Server, clock: FakeClock
    ) -> None:
        query = await opened(app)
        clock.advance(25)
        assert (await Exchange(app, query=query).run()).text == "2"
        clock.advance(20)
        assert (await Exchange(app, query=query).run()).status == 400
        assert not io.clients

    async def test_a_slow_poller_is_cut_off(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=10_000), clock=clock)
        app = RealtimeApp(io)
        query = await opened(app)
        await Exchange(app, "POST", query, b"40").run()
        for _ in range(20):
            io.emit("x", "y" * 1_000)
        await asyncio.sleep(0)
        assert not io.clients
        assert io.slow_clients == 1
        await io.shutdown()


class WebSocket:
    """A WebSocket as an ASGI server shows it."""

    def __init__(self, app: RealtimeApp, query: bytes, **headers: str) -> None:
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/socket.io/",
            "query_string": query,
            "headers": [
                (name.encode(), value.encode()) for name, value in {"host": "erp.example", **headers}.items()
            ],
            "client": ("10.0.0.1", 5000),
            "scheme": "ws",
            "extensions": {"websocket.http.response": {}},
        }
        self._app = app
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.sent: list[dict[str, Any]] = []
        self.is_stuck = False

    async def _send(self, message: Any) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self._incoming.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    def say(self, data: str | bytes) -> None:
        self._incoming.put_nowait(
            {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}
        )

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def run(self) -> None:
        await self._app(self.scope, self._incoming.get, self._send)

    @property
    def texts(self) -> list[Any]:
        return [message.get("text", message.get("bytes")) for message in self.sent if "send" in message["type"]]


WS = b"EIO=4&transport=websocket"


class TestWebSocket:
    async def test_events_come_in_and_go_out_in_order(
        self, app: RealtimeApp, io: Server, until: Callable[[Callable[[], bool]], Any]
    ) -> None:
        io.on("back", lambda socket, *args: socket.emit("back", *args))
        line = WebSocket(app, WS)
        running = asyncio.create_task(line.run())
        line.say("40")
        line.say('42["back",1]')
        line.say('451-["back",{"_placeholder":true,"num":0}]')
        line.say(b"\x01")
        await until(lambda: len(line.texts) == 5)
        assert line.texts[2:] == ['42["back",1]', '451-["back",{"_placeholder":true,"num":0}]', b"\x01"]
        line.hang_up()
        await running
        assert not io.clients
        await until(lambda: len(io.tasks) == 0)

    async def test_a_refusal_is_an_http_answer(self, app: RealtimeApp) -> None:
        line = WebSocket(app, b"EIO=3&transport=websocket")
        await line.run()
        assert line.sent[0]["status"] == 400
        assert orjson.loads(line.sent[1]["body"])["code"] == 5

    async def test_or_a_bare_close_where_the_server_knows_no_better(self, app: RealtimeApp) -> None:
        line = WebSocket(app, b"EIO=3&transport=websocket")
        del line.scope["extensions"]
        await line.run()
        assert [message["type"] for message in line.sent] == ["websocket.close"]

    async def test_a_foreign_page_is_told_why(self, app: RealtimeApp, io: Server) -> None:
        line = WebSocket(app, WS, origin="https://evil.example")
        line.say("40")
        await line.run()
        assert line.texts[1] == '44{"message":"Origin not allowed"}'
        assert line.sent[-1]["type"] == "websocket.close"
        assert not io.clients

    async def test_a_foreign_page_cannot_take_a_session_over(self, app: RealtimeApp) -> None:
        sid = (await opened(app)).partition(b"&sid=")[2]
        line = WebSocket(app, WS + b"&sid=" + sid, origin="https://evil.example")
        await line.run()
        assert line.sent[0]["status"] == 403

    async def test_a_message_that_is_too_big_ends_it(self, app: RealtimeApp, io: Server) -> None:
        line = WebSocket(app, WS)
        line.say("4" * 1_000_001)
        await line.run()
        assert line.sent[-1] == {"type": "websocket.close", "code": 1009}
        assert not io.clients

    async def test_a_stuck_reader_is_cut_off(
        self, clock: FakeClock, until: Callable[[Callable[[], bool]], Any]
    ) -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=10_000), clock=clock)
        line = WebSocket(RealtimeApp(io), WS)
        line.say("40")
        running = asyncio.create_task(line.run())
        await until(lambda: len(line.texts) == 2)
        line.is_stuck = True
        for _ in range(20):
            io.emit("x", "y" * 1_000)
        await running
        assert not io.clients
        await until(lambda: len(io.tasks) == 0)
        await io.shutdown()


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
