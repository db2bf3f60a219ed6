"""A WebSocket behind any ASGI server. The server owns the frames; this owns the queue in front of its `send`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing
from steinmetz.realtime.server.backlog import Backlog

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.server import Server

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CLOSING_TIMEOUT_S = 2.0
"""How long a peer that does not read may delay the end of its connection."""


class WebSocketTransport:
    """Writes in a task that lives only while something is queued."""

    name = TransportName.WEBSOCKET
    __slots__ = ("_close_code", "_is_closed", "_queue", "_reader", "_send", "_sending", "_server", "_writer")

    def __init__(self, server: Server, send: Send) -> None:
        self._server = server
        self._send = send
        self._queue: Backlog[Outgoing] = Backlog()
        self._sending = 0
        self._close_code: CloseCode | None = None
        self._is_closed = False
        self._writer: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[Any] | None = None

    @property
    def queued_bytes(self) -> int:
        return self._queue.bytes + self._sending

    @property
    def is_ready(self) -> bool:
        return not self.queued_bytes

    def send(self, outgoing: Outgoing, key: str | None = None) -> None:
        if self._is_closed:
            return
        if self._queue.put(outgoing, outgoing.size, key):
            self._server.statistics.replaced_newest += 1
        self._start_writer()

    def take_queued(self) -> list[Outgoing]:
        return []

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._close_code = code
            self._start_writer()
            if self._server.loop is not None:
                self._server.loop.call_later(CLOSING_TIMEOUT_S, self.abort)

    def abort(self) -> None:
        self._is_closed = True
        self._close_code = None
        self._sending = 0
        self._queue.clear()
        if self._writer is not None:
            self._writer.cancel()
        if self._reader is not None:
            self._reader.cancel()

    def _start_writer(self) -> None:
        if self._writer is None:
            self._writer = self._server.tasks.spawn("websocket writer", self._write())

    async def _write(self) -> None:
        try:
            while self._queue:
                outgoing = self._queue.take()
                # Nothing replaces what is on its way; until it has left it counts as waiting.
                self._sending = outgoing.size
                for data in outgoing.messages:
                    kind = "bytes" if isinstance(data, bytes) else "text"
                    await self._send({"type": "websocket.send", kind: data})
                self._sending = 0
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": int(self._close_code)})
        except (OSError, RuntimeError):
            # The peer has gone: servers say so with OSError (ASGI 2.4) or a complaint of their own.
            self._is_closed = True
            self._queue.clear()
        finally:
            self._writer = None

    async def read(self, client: Client, receive: Receive) -> None:
        """Feed the client until the peer, the network or the server ends the WebSocket."""
        self._reader = asyncio.current_task()
        try:
            while (message := await receive())["type"] == "websocket.receive":
                text = message.get("text")
                data = message.get("bytes") if text is None else text
                if data is None or self._is_closed:
                    continue
                self._server.statistics.bytes_in += len(data)
                if size_of(data) > client.max_message:
                    client.transport_failed(self, CloseCode.TOO_BIG)
                    continue
                client.receive(data, self)
        except asyncio.CancelledError:
            if not (self._is_closed and self._close_code is None):
                raise
            if self._reader is not None:
                self._reader.uncancel()
        finally:
            self._reader = None
            self.abort()
            client.transport_lost(self)


def size_of(data: str | bytes) -> int:
    """Bytes of a message on the wire."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode("utf-8", "replace"))
