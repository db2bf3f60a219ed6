"""uvloop's transports are no `asyncio.Transport` by name; the wire must work on both loops."""

from __future__ import annotations

import asyncio

import uvloop

from steinmetz.erp.traffic.wire import Connection


async def ask_once() -> tuple[int, bytes]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = Connection("127.0.0.1", server.sockets[0].getsockname()[1])
    answer = await connection.request("GET", "/")
    connection.close()
    server.close()
    return answer.status, answer.body


def test_an_answer_comes_over_uvloop() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ask_once()) == (200, b"ok")
