"""Requests and WebSockets as an ASGI server shows them, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from steinmetz.realtime import RealtimeApp

OPEN = b"EIO=4&transport=polling"
WS = b"EIO=4&transport=websocket"


async def turns() -> None:
    """Whatever needs no time has gone as far as it can: there is nothing below that takes any."""
    for _ in range(50):
        await asyncio.sleep(0)


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


async def opened(app: RealtimeApp) -> bytes:
    exchange = await Exchange(app).run()
    return OPEN + b"&sid=" + orjson.loads(exchange.text[1:])["sid"].encode()


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

    @property
    def closed_with(self) -> int | None:
        """The code with which the server has closed it; None if it has not."""
        codes = [message["code"] for message in self.sent if message["type"] == "websocket.close"]
        return codes[0] if codes else None
