"""The connection below a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from steinmetz.realtime import RealtimeApp, Server, Socket
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import WS, Exchange, WebSocket, opened

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def only(io: Server, until: Until) -> Socket:
    await until(lambda: len(io.sockets.sockets) == 1)
    [socket] = io.sockets.sockets.values()
    return socket


async def test_it_says_what_carries_it(io: Server, app: RealtimeApp, until: Until) -> None:
    session = await opened(app)
    await Exchange(app, "POST", session, b"40").run()
    socket = await only(io, until)
    assert socket.conn.transport.name == "polling"
    assert repr(socket.conn) == "<Conn over polling>"
    async with connect(io) as client:
        assert io.sockets.sockets[client.id or ""].conn.transport.name == "websocket"


async def test_it_tells_of_its_upgrade(io: Server, app: RealtimeApp, until: Until) -> None:
    session = await opened(app)
    await Exchange(app, "POST", session, b"40").run()
    socket = await only(io, until)
    told: list[str] = []
    socket.conn.once("upgrade", lambda: told.append(socket.conn.transport.name))

    line = WebSocket(app, WS + session[session.index(b"&sid=") :])
    line.say("2probe")
    running = asyncio.create_task(line.run())
    await until(lambda: line.texts == ["3probe"])
    assert told == []
    line.say("5")
    await until(lambda: bool(told))
    assert told == ["websocket"]
    line.hang_up()
    await running
    assert not io.engine._upgrades


async def test_what_needs_no_upgrade_or_never_gets_one_keeps_nothing(
    io: Server, app: RealtimeApp, until: Until
) -> None:
    async with connect(io):
        (await only(io, until)).conn.on("upgrade", lambda: None)
        assert not io.engine._upgrades
    session = await opened(app)
    await Exchange(app, "POST", session, b"40").run()
    socket = await only(io, until)
    socket.conn.on("upgrade", lambda: None)
    assert len(io.engine._upgrades) == 1
    socket.disconnect(close=True)
    assert not io.engine._upgrades


async def test_other_events_it_does_not_tell(io: Server, until: Until) -> None:
    async with connect(io):
        with pytest.raises(ValueError, match="upgrade"):
            (await only(io, until)).conn.on("packet", lambda: None)


async def test_the_secret_of_the_session_is_in_nothing_that_is_printed(io: Server, until: Until) -> None:
    async with connect(io):
        [secret] = io.clients
        socket = await only(io, until)
        printed = [repr(each) for each in (socket, socket.conn, socket.client, socket.namespace, socket.broadcast)]
        assert not any(secret in text for text in printed)
        assert socket.id != secret
