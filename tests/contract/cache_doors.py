"""The doors to a cached application: what a client is given must not depend on which it came by.

A door is an asynchronous context manager around an ASGI application that has been started; `ask` sends one
request. Tests are run for each of `DOORS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import unquote

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


DOORS: dict[str, Callable[[ASGIApp], Door]] = {"asgi": AsgiDoor}

# What the cache itself writes, and what belongs to one exchange.
_NOT_COMPARED = frozenset({"x-cache", "cache-status", "age", "date", "x-request-id", "connection", "keep-alive"})
# What the cache gives an answer of a cached route that has none.
_MAY_BE_ADDED = frozenset({"etag", "cache-control", "content-length"})


def differences(cached: Given, uncached: Given) -> list[str]:
    """In what an answer differs from the one that the application gives without a cache."""
    found = [] if cached.status == uncached.status else [f"status {uncached.status} -> {cached.status}"]
    if cached.body != uncached.body:
        found.append(f"body {uncached.body[:80]!r} -> {cached.body[:80]!r}")
    one, other = _lines(cached), _lines(uncached)
    found += [f"lost {name}" for name in other if name not in one]
    found += [f"added {name}" for name in one if name not in other and name not in _MAY_BE_ADDED]
    found += [f"{name} {other[name]} -> {one[name]}" for name in one if name in other and one[name] != other[name]]
    return found


def _lines(given: Given) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for name, value in given.headers:
        if name not in _NOT_COMPARED:
            lines.setdefault(name, []).append(value)
    return lines
