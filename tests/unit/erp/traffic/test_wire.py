from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from steinmetz.erp.traffic import wire
from steinmetz.erp.traffic.wire import Connection, WireError

pytestmark = pytest.mark.anyio

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[tuple[Connection, list[bytes]]]:
    """A connection to a server of raw bytes, and the heads of the requests it got."""
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        original = reader.readuntil

        async def readuntil(separator: bytes = b"\n") -> bytes:
            head = await original(separator)
            heads.append(head)
            return head

        reader.readuntil = readuntil  # type: ignore[method-assign]  # listens in
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    connection = Connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield connection, heads
    finally:
        connection.close()
        server.close()
        await server.wait_closed()


async def test_requests_share_one_connection_and_answers_may_come_in_pieces() -> None:
    accepted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nX-Cache: HIT\r\nContent-Le")
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(b"ngth: 5\r\n\r\nhe")
            await writer.drain()
            writer.write(b"llo")

    async with served(serve) as (connection, heads):
        for _ in range(3):
            answer = await connection.request("GET", "/a?b=c", {"Authorization": "Bearer x"})
            assert (answer.status, answer.body, answer.headers["x-cache"]) == (200, b"hello", "HIT")
            assert 0 < answer.duration_ms < 10_000
    assert accepted == 1
    assert heads[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Bearer x\r\n" in heads[0]


async def test_a_body_is_sent_with_its_length_and_a_chunked_answer_is_put_together() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length: 7\r\n" in head
        assert await reader.readexactly(7) == b'{"a":1}'
        writer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        await writer.drain()

    async with served(serve) as (connection, _):
        answer = await connection.request("POST", "/", body=b'{"a":1}')
        assert (answer.status, answer.body) == (201, b"abcde")


async def test_after_connection_close_the_next_request_connects_again() -> None:
    accepted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with served(serve) as (connection, _):
        await connection.request("GET", "/")
        await connection.request("GET", "/")
    assert accepted == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "closed the connection"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP answer"),
    ],
)
async def test_what_is_no_answer_is_told(answer: bytes, message: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with served(serve) as (connection, _):
        with pytest.raises(WireError, match=message):
            await connection.request("GET", "/")


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_WITHIN_S", 0.05)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(serve) as (connection, _):
        with pytest.raises(WireError, match="no answer to GET /slow"):
            await connection.request("GET", "/slow")


async def test_an_answer_above_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BODY_BYTES", 10)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20)
        await writer.drain()

    async with served(serve) as (connection, _):
        with pytest.raises(WireError, match="above 10 bytes"):
            await connection.request("GET", "/")


async def test_nobody_listening_is_told() -> None:
    with pytest.raises(WireError, match=r"127\.0\.0\.1:1"):
        await Connection("127.0.0.1", 1).request("GET", "/")
