"""`cache_gateway.py` as a process before an origin of raw bytes: what a suite for caches would be pointed at."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ports import free_port

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).parents[1] / "cache_gateway.py"
READY_WITHIN_S = 40.0
PATIENCE_S = 10.0


class RawOrigin:
    """Answers every request with ``answer``, byte for byte, and closes; remembers what it was sent."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length")]
            body = await reader.readexactly(int(length[0])) if length else b""
            self.asked.append(head + body)
            writer.write(self.answer)
            await writer.drain()
        writer.close()


class Gateway:
    def __init__(self, origin: RawOrigin, port: int) -> None:
        self.origin = origin
        self.port = port

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request.replace(b"\n", b"\r\n"))
        try:
            async with asyncio.timeout(PATIENCE_S):
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        return head, body


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway(anyio_backend: str) -> AsyncIterator[Gateway]:
    origin = RawOrigin()
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    origin.port, port = server.sockets[0].getsockname()[1], free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(port), f"http://127.0.0.1:{origin.port}"
    )
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield Gateway(origin, port)
    finally:
        process.terminate()
        await process.wait()
        server.close()
        await server.wait_closed()


async def test_a_fresh_answer_comes_from_the_store_and_fields_of_one_connection_stay_where_they_were(
    gateway: Gateway,
) -> None:
    origin = gateway.origin
    origin.answer = (
        b"HTTP/1.1 200 Fine\r\nCache-Control: max-age=60\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n"
        b"Set-Cookie2: a\r\nContent-Length: 3\r\n\r\none"
    )
    request = b"GET /fresh?x=1 HTTP/1.1\nHost: a.test\nConnection: close, X-Mine\nX-Mine: 1\nX-Yours: 2\n\n"
    for expected in (b"x-cache: MISS", b"x-cache: HIT"):
        head, body = await gateway.ask(request)
        assert body == b"one"
        assert expected in head
        assert b"x-end: 2" in head
        assert b"x-hop" not in head.lower()
    (asked,) = origin.asked[-1:]
    assert asked.startswith(b"GET /fresh?x=1 HTTP/1.1\r\n")
    assert b"x-yours: 2" in asked
    assert b"x-mine" not in asked
    assert len([one for one in origin.asked if b"/fresh" in one]) == 1


async def test_bytes_pass_as_they_are(gateway: Gateway) -> None:
    """Neither codings nor odd lengths are the proxy's business."""
    gateway.origin.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX-Text: \xfc\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\n\x1f\x8b\x00\r\n2;x=y\r\n\xff\xfe\r\n0\r\n\r\n"
    )
    head, body = await gateway.ask(b"GET /bytes HTTP/1.1\nHost: a.test\nConnection: close\n\n")
    assert b"content-encoding: gzip" in head
    assert b"x-text: \xfc" in head
    assert body.count(b"\x1f\x8b\x00") == body.count(b"\xff\xfe") == 1


async def test_a_body_reaches_the_origin(gateway: Gateway) -> None:
    gateway.origin.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    head, _ = await gateway.ask(b"PUT /put HTTP/1.1\nHost: a.test\nConnection: close\nContent-Length: 5\n\nhello")
    assert head.startswith(b"HTTP/1.1 204 ")
    assert gateway.origin.asked[-1].endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 999 What\r\n\r\n"]
)
async def test_an_origin_that_gives_no_answer_is_a_502(gateway: Gateway, answer: bytes) -> None:
    gateway.origin.answer = answer
    head, body = await gateway.ask(b"GET /broken HTTP/1.1\nHost: a.test\nConnection: close\n\n")
    assert head.startswith(b"HTTP/1.1 502 ")
    assert body == b""


async def test_an_answer_that_breaks_off_reaches_the_client_as_one_that_is_not_whole(gateway: Gateway) -> None:
    gateway.origin.answer = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nhalf"
    request = b"GET /half HTTP/1.1\nHost: a.test\nConnection: close\n\n"
    for _ in range(2):
        head, body = await gateway.ask(request)
        assert b"content-length: 9" in head
        assert b"x-cache: MISS" in head
        assert body == b"half"
