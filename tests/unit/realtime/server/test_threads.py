"""Handlers that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import pytest

from steinmetz.realtime import ConnectError, EventError, Server, Socket, run_in_thread
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_it_answers_from_another_thread(io: Server) -> None:
    @io.on("where")
    @run_in_thread
    def where(socket: Socket, number: int) -> list[object]:
        return [threading.get_ident() == loop_thread, number + 1]

    loop_thread = threading.get_ident()
    async with connect(io) as anna:
        assert await anna.call("where", 1) == [False, 2]


async def test_while_it_blocks_others_are_served_and_so_are_acks_and_pings_of_its_client(
    io: Server, until: Until, pass_time: Callable[[float], None]
) -> None:
    gate, heard = threading.Event(), []

    @io.on("block")
    @run_in_thread
    def block(socket: Socket) -> str:
        heard.append("block begins")
        assert gate.wait(10)
        heard.append("block ends")
        return "done"

    io.on("fast", lambda socket: heard.append("fast") or "fast")
    async with connect(io) as anna, connect(io) as ben:
        blocking = asyncio.create_task(anna.call("block"))
        await until(lambda: bool(heard))
        anna.emit("fast")
        assert await ben.call("fast") == "fast"
        assert await io.sockets.sockets[anna.id or ""].emit_with_ack("question", 7) == 7
        for _ in range(4):
            pass_time(20)
            await asyncio.sleep(0)
        assert anna.disconnect_reason is None
        assert heard == ["block begins", "fast"]
        gate.set()
        assert await blocking == "done"
        await until(lambda: heard == ["block begins", "fast", "block ends", "fast"])


async def test_it_may_emit_join_leave_and_disconnect(io: Server) -> None:
    @io.on("work")
    @run_in_thread
    def work(socket: Socket) -> None:
        socket.join("room", "other")
        socket.leave("other")
        io.to("room").emit("joined", 1)
        socket.emit("alone")
        socket.disconnect()

    async with connect(io) as anna:
        anna.emit("work")
        assert await anna.heard("joined") == [1]
        await anna.heard("alone")
        assert await anna.disconnected() == "io server disconnect"


async def test_what_it_raises_is_told_as_ever(io: Server) -> None:
    @io.on("pay")
    @run_in_thread
    def pay(socket: Socket) -> None:
        raise EventError("conflict", "Paid already")

    async with connect(io) as anna:
        assert (await anna.call("pay"))["error"]["code"] == "conflict"


async def test_a_middleware_may_block_too(io: Server) -> None:
    @io.use
    @run_in_thread
    def look_up(socket: Socket) -> None:
        if "token" not in socket.handshake.auth:
            raise ConnectError("No")

    async with connect(io, auth={"token": 1}):
        with pytest.raises(ConnectError, match="No"):
            async with connect(io):
                pass


async def test_it_sees_the_context_of_the_event(io: Server) -> None:
    tenant: ContextVar[str] = ContextVar("tenant")

    @io.on("whose")
    @run_in_thread
    def whose(socket: Socket) -> str:
        return tenant.get()

    tenant.set("acme")
    async with connect(io) as anna:
        assert await anna.call("whose") == "acme"


def test_a_coroutine_function_needs_no_thread() -> None:
    async def handler(socket: Socket) -> None:
        return None

    with pytest.raises(TypeError, match="no thread"):
        run_in_thread(handler)
