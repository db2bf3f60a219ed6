"""The doors to a cached application: what a client is given must not depend on which it came by.

A door is an asynchronous context manager around an ASGI application that has been started; `ask` sends one
request. Tests are run for each of `DOORS`.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Protocol, Self
from urllib.parse import unquote

import uvicorn
from uvicorn.server import ServerState

from steinmetz.cache import CacheMiddleware
from steinmetz.cache.hits.native import NativeHits
from steinmetz.live.native import protocol_class

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Lines = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Given:
    """One response as it came: ``headers`` in lower case, in their order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def cache(self) -> str:
        return self.header("x-cache") or "-"


class Door(Protocol):
    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *error: object) -> None: ...

    async def ask(self, target: str, headers: Lines = (), method: str = "GET") -> Given:
        """``target`` is path and query as they stand on the wire."""


class AsgiDoor:
    """Calls the application itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def ask(self, target: str, headers: Lines = (), method: str = "GET") -> Given:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (b"host", b"testserver"),
                *((name.lower().encode(), value.encode("latin-1")) for name, value in headers),
            ],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        start, *rest = messages
        lines = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]
        )
        body = b"".join(message.get("body", b"") for message in rest)
        return Given(start["status"], lines, b"" if method == "HEAD" else body)  # a server sends none there


class NativeDoor:
    """uvicorn on a socket, with the protocol class that answers kept requests before its parser sees them."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._state = ServerState()
        self._connection: HTTPConnection | None = None

    async def __aenter__(self) -> Self:
        http = protocol_class(None, hits=NativeHits(self._app)) if isinstance(self._app, CacheMiddleware) else None
        config = uvicorn.Config(
            self._app, http=http or self._app.http_protocol, lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=False, proxy_headers=False,
        )  # fmt: skip
        config.load()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: config.http_protocol_class(config=config, server_state=self._state, app_state={}),  # type: ignore[call-arg]
            "127.0.0.1", 0,
        )  # fmt: skip
        self._connection = HTTPConnection("127.0.0.1", self._server.sockets[0].getsockname()[1], timeout=60)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._connection is not None:
            self._connection.close()
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._server.wait_closed()

    async def ask(self, target: str, headers: Lines = (), method: str = "GET") -> Given:
        return await asyncio.to_thread(self._ask, target, list(headers), method)

    def _ask(self, target: str, headers: list[tuple[str, str]], method: str) -> Given:
        connection = self._connection
        assert connection is not None
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", "testserver")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        lines = tuple((name.lower(), value) for name, value in response.getheaders())
        return Given(response.status, lines, response.read())


DOORS: dict[str, Callable[[ASGIApp], Door]] = {"asgi": AsgiDoor, "native": NativeDoor}

# What the cache itself writes, and what belongs to one exchange.
_NOT_COMPARED = frozenset(
    {"x-cache", "cache-status", "age", "date", "x-request-id", "connection", "keep-alive", "transfer-encoding"}
)
# What the cache gives an answer of a cached route that has none.
_MAY_BE_ADDED = frozenset({"etag", "cache-control", "content-length", "accept-ranges"})
_RANGE = re.compile(r"bytes (?:\*|([0-9]+)-([0-9]+))/([0-9]+)")


def differences(cached: Given, uncached: Given) -> list[str]:
    """In what an answer differs from the one that the application gives without a cache.

    The cache may cut a byte range out of an answer that the application gives whole, and encode its content; what
    comes out must be the very bytes.
    """
    given = _whole(cached, uncached)
    found = [] if given.status == uncached.status else [f"status {uncached.status} -> {given.status}"]
    if given.body != uncached.body:
        found.append(f"body {uncached.body[:80]!r} -> {given.body[:80]!r}")
    one, other = _lines(given), _lines(uncached)
    found += [f"lost {name}" for name in other if name not in one]
    found += [f"added {name}" for name in one if name not in other and name not in _MAY_BE_ADDED]
    found += [f"{name} {other[name]} -> {one[name]}" for name in one if name in other and one[name] != other[name]]
    return found


def _whole(cached: Given, uncached: Given) -> Given:
    """``cached`` with the marks of a part and of a coding taken off, if they are true of ``uncached``."""
    status, body, changed = cached.status, cached.body, dict[str, str | None]()
    length = uncached.header("content-length")
    if (coding := cached.header("content-encoding")) and uncached.header("content-encoding") is None:
        body = gzip.decompress(body) if coding == "gzip" else body
        changed |= {"content-encoding": None, "content-length": length or str(len(body))}
    if (vary := cached.header("vary")) and "accept-encoding" not in (uncached.header("vary") or "").lower():
        names = [name.strip() for name in vary.split(",")]
        changed["vary"] = ", ".join(name for name in names if name.lower() != "accept-encoding") or None
    if status in {206, 416} and uncached.status == 200:
        part = _RANGE.fullmatch(cached.header("content-range") or "")
        assert part is not None, "a part says which it is"
        assert not uncached.body or int(part[3]) == len(uncached.body), "the range is of another body"
        changed["content-range"] = None
        if status == 206 and body == uncached.body[int(part[1]) : int(part[2]) + 1]:
            status, body = 200, uncached.body
            changed["content-length"] = length or str(len(body))
    lines = [(name, changed.get(name, value)) for name, value in cached.headers]
    return Given(status, tuple((name, value) for name, value in lines if value is not None), body)


def _lines(given: Given) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for name, value in given.headers:
        if name not in _NOT_COMPARED:
            lines.setdefault(name, []).append(value)
    return lines
