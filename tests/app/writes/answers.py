"""A plain GET at the application's own door, and what it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.app.writes.tables import noted

Body = tuple[int, bytes]
"""Status and bytes of an answer; without the bytes of a refusal, which names its request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to a plain GET; header names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes
    tables: set[str]
    """That were named to compute it; none for what was kept."""
    is_twin: bool = False
    """Whether it was asked for to be computed anew."""

    @property
    def body(self) -> Body:
        return self.status, self.content if self.status == 200 else b""


async def get(app: Any, target: str, headers: list[tuple[bytes, bytes]]) -> Answer:
    """GET at the application's own door. Some hundred of these follow each write, and a client library takes
    longer for one than the application does."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"testserver"), *headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("testserver", 80),
    }
    start: dict[str, Any] = {}
    pieces: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            pieces.append(message.get("body", b""))

    with noted() as tables:
        await app(scope, receive, send)
    told = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], told, b"".join(pieces), tables)
