"""Middlewares of events: what they see, change and refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from steinmetz.realtime import EventError, Server, Socket
from steinmetz.realtime.testing import InProcessClient, connect

pytestmark = pytest.mark.anyio


def socket_of(io: Server, client: InProcessClient) -> Socket:
    return io.sockets.sockets[client.id or ""]


async def test_they_are_asked_in_order_before_the_handler(io: Server) -> None:
    seen: list[Any] = []

    @io.on("x")
    def handler(socket: Socket, *args: int) -> int:
        seen.append(("handler", *args))
        return sum(args)

    async with connect(io) as anna:
        socket = socket_of(io, anna)

        @socket.use
        def double(event: str, args: list[int]) -> None:
            seen.append((event, *args))
            args[:] = [2 * number for number in args]

        @socket.use
        async def add_one(event: str, args: list[int]) -> None:
            await asyncio.sleep(0)
            seen.append((event, *args))
            args.append(1)

        assert await anna.call("x", 1, 2) == 7
    assert seen == [("x", 1, 2), ("x", 2, 4), ("handler", 2, 4, 1)]


@pytest.mark.parametrize("is_async", [False, True])
async def test_what_one_raises_keeps_the_event_from_its_handler_and_is_told(io: Server, is_async: bool) -> None:
    handled: list[str] = []
    io.on("delete", lambda socket: handled.append("delete"))
    io.on("read", lambda socket: "read")

    def refuse(event: str, args: list[Any]) -> None:
        if event == "delete":
            raise EventError("forbidden", "You may only read")

    async def refuse_later(event: str, args: list[Any]) -> None:
        refuse(event, args)

    async with connect(io) as anna, connect(io) as ben:
        socket_of(io, anna).use(refuse_later if is_async else refuse)
        assert (await anna.call("delete"))["error"] == {"code": "forbidden", "message": "You may only read"}
        assert handled == []
        assert await anna.call("read") == "read"
        await ben.call("delete")
        assert handled == ["delete"]


async def test_any_other_exception_is_internal(io: Server) -> None:
    io.on("x", lambda socket: "never")

    def fail(event: str, args: list[Any]) -> None:
        raise KeyError("a secret")

    async with connect(io) as anna:
        socket_of(io, anna).use(fail)
        assert (await anna.call("x"))["error"]["code"] == "internal"


async def test_a_slow_one_keeps_the_order_of_the_client(io: Server) -> None:
    heard: list[int] = []
    io.on("x", lambda socket, number: heard.append(number))

    async def slow_for_odd_numbers(event: str, args: list[int]) -> None:
        for _ in range(3 * (args[0] % 2)):
            await asyncio.sleep(0)

    async with connect(io) as anna:
        socket_of(io, anna).use(slow_for_odd_numbers)
        for number in range(5):
            anna.emit("x", number)
        await anna.call("x", 6)
    assert heard == [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize("is_async", [False, True])
async def test_they_run_inside_the_scope_of_the_event(io: Server, is_async: bool) -> None:
    steps: list[str] = []

    @contextmanager
    def scope(event: str) -> Iterator[None]:
        steps.append("+")
        yield
        steps.append("-")

    io.around_events(scope)
    io.on("x", lambda socket: steps.append("handler"))

    def plain(event: str, args: list[Any]) -> None:
        steps.append("middleware")

    async def awaited(event: str, args: list[Any]) -> None:
        await asyncio.sleep(0)
        steps.append("middleware")

    async with connect(io) as anna:
        socket_of(io, anna).use(awaited if is_async else plain)
        await anna.call("x")
    assert steps == ["+", "middleware", "handler", "-"]


async def test_a_handler_of_the_socket_goes_before_that_of_the_namespace(io: Server) -> None:
    io.on("x", lambda socket: "namespace")
    async with connect(io) as anna, connect(io) as ben:
        socket_of(io, anna).on("x", lambda: "socket")
        assert (await anna.call("x"), await ben.call("x")) == ("socket", "namespace")
        socket_of(io, anna).off("x")
        assert await anna.call("x") == "namespace"
