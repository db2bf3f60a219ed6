"""What an HTTP cache must do, as conversations written from the RFCs, held at each door.

The rows stand in ``cache/*.toml`` and say what they are from; `tests.conformance.http.cache.conversations` tells
how they are written. The origin is played in process, the clock stands still until a row moves it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Protocol

import pytest
import uvicorn
from uvicorn.server import ServerState

from steinmetz.cache import CacheConfig, CacheMiddleware, Gateway, OriginUnreachableError, ResponseCache, cached
from steinmetz.cache.asgi.protocol import ASGIApp, Message, Receive, Scope, Send
from steinmetz.cache.hits.native import NativeHits
from steinmetz.clock import FakeClock
from steinmetz.live.native import protocol_class
from tests.conformance.http.cache.conversations import Origin, Row, Step, Wait, Written, at, rows

pytestmark = pytest.mark.anyio

HOST = "cache.test"
PATIENCE_S = 10
ROWS = rows()


def http_date(instant_s: float) -> bytes:
    return formatdate(instant_s, usegmt=True).encode()


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name]


@dataclass
class PlayedOrigin:
    """Answers as the row says next; notes what it was asked, also when nobody expected it."""

    clock: FakeClock
    due: list[Origin] = field(default_factory=list)
    asked: list[Reply] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        if not self.due:
            self.unexpected.append(f"{scope['method']} {scope['path']}")
            await send({"type": "http.response.start", "status": 599, "headers": []})
            await send({"type": "http.response.body", "body": b"nobody asked for this"})
            return
        expected = self.due.pop(0)
        self.asked.append(Reply(0, headers, body))
        if expected.answer is None:
            raise OriginUnreachableError("the origin breaks off")
        await self._answer(expected.answer, send)

    async def _answer(self, answer: Written, send: Send) -> None:
        now_s = self.clock.now().timestamp()
        status, text = answer.words
        body = b"" if text == "-" else text.encode()
        fields = [(name, at(value, now_s, http_date)) for name, value in answer.fields]
        named = {name for name, _ in fields}
        lines = [
            (name.encode(), value.encode("latin-1")) for name, value in fields if (name, value) != ("date", "!")
        ]
        if "date" not in named:
            lines.append((b"date", http_date(now_s)))
        if "content-length" not in named and int(status) not in (204, 304) and text != "-":
            lines.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": int(status), "headers": lines})
        await send({"type": "http.response.body", "body": body})


class Door(Protocol):
    async def ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply: ...


class AsgiDoor:
    """In process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        path, _, query = target.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path.replace("%2F", "/"),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        }
        messages: list[Message] = []
        came = asyncio.Event()

        async def receive() -> Message:
            if came.is_set():
                return {"type": "http.disconnect"}
            came.set()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        start, rest = messages[0], messages[1:]
        return Reply(
            start["status"],
            [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]],
            b"".join(message.get("body", b"") for message in rest),
        )


class UvicornDoor:
    """Over a socket, through the HTTP class that `steinmetz serve` gives to uvicorn."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [
            f"{method} {target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers),
            "connection: close",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        try:
            async with asyncio.timeout(PATIENCE_S):
                whole = await reader.read()
        finally:
            writer.close()
        head, _, rest = whole.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in fields)]
        reply = Reply(int(first.split()[1]), pairs, rest)
        if reply.values("transfer-encoding") == ["chunked"]:
            reply.body = _dechunked(rest)
        return reply


def _dechunked(rest: bytes) -> bytes:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
    return body


@asynccontextmanager
async def asgi_door(app: ASGIApp) -> AsyncIterator[Door]:
    yield AsgiDoor(app)


@asynccontextmanager
async def uvicorn_door(app: ASGIApp) -> AsyncIterator[Door]:
    hits = NativeHits(app) if isinstance(app, CacheMiddleware) else None
    http = protocol_class(None, hits=hits)
    config = uvicorn.Config(
        app, http=http, lifespan="off", log_config=None, access_log=False, server_header=False, date_header=False
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield UvicornDoor(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await server.wait_closed()


DOORS: dict[str, Callable[[ASGIApp], Any]] = {"asgi": asgi_door, "uvicorn": uvicorn_door}


@asynccontextmanager
async def gateway(row: Row, origin: PlayedOrigin) -> AsyncIterator[ASGIApp]:
    cache = Gateway(CacheConfig(budget_bytes=1_000_000, max_entry_bytes=10_000), clock=origin.clock)
    try:
        yield cache.wrap(origin)
    finally:
        await cache.aclose()


@dataclass
class OneRoute:
    """An application of one marked route, which answers as the row says next."""

    origin: PlayedOrigin
    terms: dict[str, Any]

    @property
    def routes(self) -> Iterator[Any]:
        @cached(**{"public": True, "ttl": 60, **self.terms})
        async def endpoint() -> None: ...

        @dataclass
        class Route:
            path: str
            endpoint: Any
            methods: frozenset[str] = frozenset({"GET", "HEAD"})

        yield Route("/a", endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.origin(scope, receive, send)


@asynccontextmanager
async def application(row: Row, origin: PlayedOrigin) -> AsyncIterator[ASGIApp]:
    cache = ResponseCache(CacheConfig(budget_bytes=1_000_000, max_entry_bytes=10_000), clock=origin.clock)
    try:
        yield cache.wrap(OneRoute(origin, row.route))
    finally:
        await cache.aclose()


# -- the conversations


@pytest.mark.parametrize(
    ("row", "door"),
    [pytest.param(row, door, id=f"{row.file}-{row.name}-{door}") for row in ROWS for door in row.doors],
)
async def test_the_conversation_goes_as_the_rfc_says(row: Row, door: str) -> None:
    origin = PlayedOrigin(FakeClock())
    made = application if row.file == "application" else gateway
    async with made(row, origin) as app, DOORS[door](app) as asking:
        for number, step in enumerate(row.steps, 1):
            if isinstance(step, Wait):
                origin.clock.advance(step.seconds)
            else:
                await _held(step, asking, origin, f"step {number} ({row.rfc})")


async def _held(step: Step, door: Door, origin: PlayedOrigin, where: str) -> None:
    now_s = origin.clock.now().timestamp()
    method, target = step.request.words
    fields = [(name, at(value, now_s, http_date)) for name, value in step.request.fields if name != "body"]
    body = "".join(value for name, value in step.request.fields if name == "body").encode()
    if "host" not in {name for name, _ in fields}:
        fields.insert(0, ("host", HOST))
    if body:
        fields.append(("content-length", str(len(body))))
    origin.due = [expected for expected in (step.origin, step.behind) if expected is not None]
    origin.asked = []
    reply = await door.ask(method, target, fields, body)
    if step.behind is not None:
        async with asyncio.timeout(PATIENCE_S):
            while origin.due:
                await asyncio.sleep(0)
        for _ in range(5):  # what came behind is kept within these turns of the loop
            await asyncio.sleep(0)
    assert not origin.unexpected, f"{where}: the origin was asked {origin.unexpected}, got {reply}"
    assert not origin.due, f"{where}: the origin was not asked, got {reply}"
    for expected, seen in zip((e for e in (step.origin, step.behind) if e is not None), origin.asked, strict=True):
        _compare(expected.seen, seen, now_s, f"{where}, at the origin")
    assert reply.status == int(step.response.words[0]), f"{where}: {reply}"
    if len(step.response.words) > 1:
        text = step.response.words[1]
        assert reply.body == (b"" if text == "-" else text.encode()), f"{where}: {reply}"
    _compare(step.response, reply, now_s, where)


def _compare(expected: Written, got: Reply, now_s: float, where: str) -> None:
    for name in expected.absent:
        assert not got.values(name), f"{where}: {name} is there: {got.headers}"
    wanted: dict[str, list[str]] = {}
    for name, value in expected.fields:
        wanted.setdefault(name, []).append(at(value, now_s, http_date))
    for name, values in wanted.items():
        if name == "body":
            assert got.body.decode() == values[0], f"{where}: {got}"
        elif values[0].startswith("~"):
            assert any(values[0][1:] in value for value in got.values(name)), f"{where}: {name}: {got.headers}"
        else:
            assert got.values(name) == values, f"{where}: {name}: {got.headers}"


# -- the rows themselves


def test_there_are_at_least_150_rows_each_with_its_own_name_and_its_section() -> None:
    assert len(ROWS) >= 150
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []
    assert all(
        row.rfc.split()[0] in {"9110", "9111", "9211", "9213", "9651", "9875", "5861", "6265"} for row in ROWS
    )
