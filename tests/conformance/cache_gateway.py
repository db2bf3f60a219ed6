"""The cache as a reverse proxy before an HTTP origin, so that a test suite for caches can be pointed at it.

    python tests/conformance/cache_gateway.py PORT ORIGIN_URL

listens on 127.0.0.1:PORT and asks ORIGIN_URL (such as ``http://127.0.0.1:8000``) what it cannot answer itself. It
is `steinmetz.cache.Gateway` in front of a plain streaming proxy; uvicorn serves it with the product's HTTP class.

The client below takes what the origin says as it comes, byte for byte: a library would join lines, undo codings,
refuse an odd length or ask a second time.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from steinmetz.cache import CacheConfig, Gateway, OriginUnreachableError
from steinmetz.live.native import protocol_class

Lines = list[tuple[bytes, bytes]]

# "intermediaries MUST remove any fields that are for one connection only" (after RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
CHUNK_BYTES = 65_536
MAX_HEAD_BYTES = 262_144
CONNECT_S = 10.0
WITHOUT_BODY = frozenset({204, 304})


class BrokenOffError(Exception):
    """The origin closed the connection, or said what is no HTTP."""


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Lines:
    """``headers`` without the fields of one connection, and those that Connection names."""
    lines = [(name.lower(), value) for name, value in headers]
    named = {
        option.strip().lower() for name, value in lines if name == b"connection" for option in value.split(b",")
    }
    return [line for line in lines if line[0] not in HOP_BY_HOP and line[0] not in named]


@dataclass
class Answer:
    """The head of an answer, and where its body comes from."""

    status: int
    headers: Lines
    reader: asyncio.StreamReader
    method: str

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the body as they come. Raises `BrokenOffError` if it ends too early."""
        fields = {name.lower(): value for name, value in self.headers}
        if self.method == "HEAD" or self.status in WITHOUT_BODY:
            return
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            async for piece in self._chunks():
                yield piece
        elif (length := fields.get(b"content-length", b"").strip()).isdigit():
            async for piece in self._exactly(int(length)):
                yield piece
        else:
            while piece := await self.reader.read(CHUNK_BYTES):
                yield piece

    async def _exactly(self, left: int) -> AsyncIterator[bytes]:
        while left:
            piece = await self.reader.read(min(left, CHUNK_BYTES))
            if not piece:
                raise BrokenOffError("the body ended too early")
            left -= len(piece)
            yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            size = int((await self.reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            if not size:
                while await self.reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return
            async for piece in self._exactly(size):
                yield piece
            await self.reader.readexactly(2)


class Proxy:
    """An ASGI application that asks ``origin``, each time on a connection of its own."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"the origin is a URL such as http://127.0.0.1:8000; got {origin!r}")
        self._host, self._port = parts.hostname, parts.port or 80
        self._path = parts.path.rstrip("/").encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        writer: asyncio.StreamWriter | None = None
        is_started = False
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=MAX_HEAD_BYTES)
            await self._ask(scope, receive, writer)
            answer = await self._head(reader, scope["method"])
            await send(
                {"type": "http.response.start", "status": answer.status, "headers": end_to_end(answer.headers)}
            )
            is_started = True
            async for piece in answer.body():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (BrokenOffError, TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            if is_started:
                raise  # the server closes the connection: the client sees that the answer is not whole
            raise OriginUnreachableError(f"the origin gave no answer: {type(error).__name__}") from error
        finally:
            if writer is not None:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _ask(self, scope: Any, receive: Any, writer: asyncio.StreamWriter) -> None:
        query: bytes = scope["query_string"]
        target = self._path + scope["raw_path"] + (b"?" + query if query else b"")
        names = {name for name, _ in scope["headers"]}
        is_chunked = b"transfer-encoding" in names
        lines = [*end_to_end(scope["headers"]), (b"connection", b"close")]
        if is_chunked:
            lines.append((b"transfer-encoding", b"chunked"))
        head = [b"%b %b HTTP/1.1" % (scope["method"].encode(), target), *(b"%b: %b" % line for line in lines)]
        writer.write(b"\r\n".join([*head, b"", b""]))
        if not is_chunked and b"content-length" not in names:
            return
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BrokenOffError("the client went away")
            if body := message.get("body"):
                writer.write(b"%x\r\n%b\r\n" % (len(body), body) if is_chunked else body)
                await writer.drain()
            if not message.get("more_body", False):
                break
        if is_chunked:
            writer.write(b"0\r\n\r\n")

    @staticmethod
    async def _head(reader: asyncio.StreamReader, method: str) -> Answer:
        """The final head; those of 1xx before it are dropped, for ASGI has no word for them."""
        while True:
            first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
            said = first.split(None, 2)
            if len(said) < 2 or not said[0].startswith(b"HTTP/1.") or not said[1].isdigit():
                raise BrokenOffError("what came is no answer of HTTP/1.1")
            status = int(said[1])
            pairs = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
            if status > 599:
                raise BrokenOffError(f"{status} is no status of HTTP")
            if status >= 200:
                return Answer(status, pairs, reader, method)


def main() -> None:
    parser = argparse.ArgumentParser(description="The response cache as a reverse proxy before an HTTP origin.")
    parser.add_argument("port", type=int, help="where to listen, on 127.0.0.1")
    parser.add_argument("origin", help="the origin, such as http://127.0.0.1:8000")
    asked = parser.parse_args()
    gateway = Gateway(CacheConfig(budget_bytes=256 * 1024 * 1024, max_entry_bytes=16 * 1024 * 1024))
    uvicorn.run(
        gateway.wrap(Proxy(asked.origin)),
        host="127.0.0.1",
        port=asked.port,
        http=protocol_class(None),
        server_header=False,
        date_header=False,
        access_log=False,
        log_level="warning",
        lifespan="off",
    )


if __name__ == "__main__":
    main()
