"""Who asks to be let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from steinmetz.realtime import RealtimeApp, Server, Socket
from steinmetz.realtime.server.admission import MAX_ASKED
from tests.unit.realtime.server.asgi_driver import Exchange, opened

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_who_withdraws_and_asks_again_keeps_only_so_many_middlewares_busy(
    app: RealtimeApp, io: Server, until: Until
) -> None:
    asked: list[Socket] = []
    decided = asyncio.Event()

    @io.use
    async def think(socket: Socket) -> None:
        asked.append(socket)
        await decided.wait()

    query = await opened(app)
    await Exchange(app, "POST", query, b"\x1e".join([b"40", b"41"] * 1_000)).run()
    assert not io.clients
    await until(lambda: len(asked) == MAX_ASKED)
    assert io.statistics.refused["too many CONNECTs"] == 1
    decided.set()
    await until(lambda: not io.admission._asked)
    assert io.of("/").sockets == {}


async def test_who_asks_for_many_namespaces_at_once_gets_into_all_of_them(
    app: RealtimeApp, io: Server, until: Until
) -> None:
    for number in range(MAX_ASKED):
        io.of(f"/{number}").use(lambda _socket: asyncio.sleep(0))
    query = await opened(app)
    await Exchange(app, "POST", query, b"\x1e".join(b"40/%d," % number for number in range(MAX_ASKED))).run()
    await until(lambda: all(io.of(f"/{number}").sockets for number in range(MAX_ASKED)))
    assert len(io.clients) == 1
