"""One kept-alive HTTP/1.1 connection that knows when its bytes came.

A measuring instrument: it stamps the time beside the socket, before anything is parsed, so that what is measured
is the server and not the client. A general client library adds several times the cost of a cached answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httptools

from steinmetz.clock import perf_ns

MAX_BODY_BYTES = 64 << 20
ANSWER_WITHIN_S = 30.0


class WireError(Exception):
    """No answer: the connection could not be made, was lost, or the server took longer than 30 s."""


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; of a repeated header the last."""
    body: bytes = b""
    sent_ns: int = 0
    ended_ns: int = 0

    @property
    def duration_ms(self) -> float:
        return (self.ended_ns - self.sent_ns) / 1e6


class Connection:
    """Requests one after the other to one server; connects again when the server has closed."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._protocol: _Exchange | None = None

    async def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send one request and wait for the whole answer. Raises `WireError`."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        elif method != "GET":
            lines.append("Content-Length: 0")
        data = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                if self._protocol is None or self._protocol.is_closed:
                    self._protocol = await self._connect()
                return await self._protocol.exchange(data)
        except TimeoutError as error:
            self.close()
            raise WireError(f"no answer to {method} {target} within {ANSWER_WITHIN_S:g} s") from error
        except OSError as error:
            raise WireError(f"{self.host}:{self.port}: {error.strerror or error}") from error

    async def _connect(self) -> _Exchange:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(_Exchange, self.host, self.port)
        return protocol

    def close(self) -> None:
        if self._protocol is not None:
            self._protocol.close()
            self._protocol = None


class _Exchange(asyncio.Protocol):
    """The connection's bytes; holds the one answer that is awaited."""

    def __init__(self) -> None:
        self.is_closed = False
        self._transport: asyncio.Transport | None = None
        self._awaited: asyncio.Future[Answer] | None = None
        self._answer = Answer()
        self._chunks: list[bytes] = []
        self._received = 0
        self._came_ns = 0

    async def exchange(self, data: bytes) -> Answer:
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self._chunks = []
        self._received = 0
        self._awaited = asyncio.get_running_loop().create_future()
        self._answer.sent_ns = perf_ns()
        self._transport.write(data)
        return await self._awaited

    def close(self) -> None:
        self.is_closed = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport and not its name.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._came_ns = perf_ns()
        if self._awaited is None or self._awaited.done():
            self.close()  # bytes that nobody asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(WireError(f"this is no HTTP answer: {error}"))

    def connection_lost(self, exception: Exception | None) -> None:
        self._fail(WireError("the server closed the connection before its answer"))

    def _fail(self, error: WireError) -> None:
        self.close()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(error)

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        if self._received > MAX_BODY_BYTES:
            self._fail(WireError(f"an answer above {MAX_BODY_BYTES} bytes"))
            return
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        answer = self._answer
        answer.status = self._parser.get_status_code()
        answer.body = b"".join(self._chunks)
        answer.ended_ns = self._came_ns
        if not self._parser.should_keep_alive():
            self.close()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(answer)
