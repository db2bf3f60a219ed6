"""A WebSocket behind an ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, RealtimeApp, Reason, Server
from steinmetz.realtime.engineio.frames import CloseCode
from tests.unit.realtime.server.asgi_driver import WS, WebSocket, opened

pytestmark = pytest.mark.anyio


async def test_events_come_in_and_go_out_in_order(
    app: RealtimeApp, io: Server, until: Callable[[Callable[[], bool]], Any]
) -> None:
    io.on("back", lambda socket, *args: socket.emit("back", *args))
    line = WebSocket(app, WS)
    running = asyncio.create_task(line.run())
    line.say("40")
    line.say('42["back",1]')
    line.say('451-["back",{"_placeholder":true,"num":0}]')
    line.say(b"\x01")
    await until(lambda: len(line.texts) == 5)
    assert line.texts[2:] == ['42["back",1]', '451-["back",{"_placeholder":true,"num":0}]', b"\x01"]
    line.hang_up()
    await running
    assert not io.clients
    await until(lambda: len(io.tasks) == 0)


async def test_a_refusal_is_an_http_answer(app: RealtimeApp) -> None:
    line = WebSocket(app, b"EIO=3&transport=websocket")
    await line.run()
    assert line.sent[0]["status"] == 400
    assert orjson.loads(line.sent[1]["body"])["code"] == 5


async def test_or_a_bare_close_where_the_server_knows_no_better(app: RealtimeApp) -> None:
    line = WebSocket(app, b"EIO=3&transport=websocket")
    del line.scope["extensions"]
    await line.run()
    assert [message["type"] for message in line.sent] == ["websocket.close"]


async def test_a_foreign_page_is_told_why(app: RealtimeApp, io: Server) -> None:
    line = WebSocket(app, WS, origin="https://evil.example")
    line.say("40")
    await line.run()
    assert line.texts[1] == '44{"message":"Origin not allowed"}'
    assert line.sent[-1]["type"] == "websocket.close"
    assert not io.clients


async def test_a_foreign_page_cannot_take_a_session_over(app: RealtimeApp) -> None:
    sid = (await opened(app)).partition(b"&sid=")[2]
    line = WebSocket(app, WS + b"&sid=" + sid, origin="https://evil.example")
    await line.run()
    assert line.sent[0]["status"] == 403


async def test_a_message_that_is_too_big_ends_it(app: RealtimeApp, io: Server) -> None:
    line = WebSocket(app, WS)
    line.say("4" * 1_000_001)
    await line.run()
    assert line.sent[-1] == {"type": "websocket.close", "code": 1009}
    assert not io.clients


async def test_a_stuck_reader_is_cut_off(clock: FakeClock, until: Callable[[Callable[[], bool]], Any]) -> None:
    io = Server(Config(require_auth=False, client_queue_bytes=10_000), clock=clock)
    line = WebSocket(RealtimeApp(io), WS)
    line.say("40")
    running = asyncio.create_task(line.run())
    await until(lambda: len(line.texts) == 2)
    line.is_stuck = True
    for _ in range(20):
        io.emit("x", "y" * 1_000)
    await running
    assert not io.clients
    await until(lambda: len(io.tasks) == 0)
    await io.shutdown()


@pytest.mark.parametrize("goes_on", [True, False])
async def test_an_upgrade_that_has_begun_ends_before_its_websocket_does(
    app: RealtimeApp,
    io: Server,
    until: Callable[[Callable[[], bool]], Any],
    monkeypatch: pytest.MonkeyPatch,
    goes_on: bool,
) -> None:
    """The stock client polls no more once it has read our PONG: it would not notice the end of its session."""
    monkeypatch.setattr("steinmetz.realtime.server.upgrading.UPGRADE_GRACE_S", 60 if goes_on else 0.01)
    line = WebSocket(app, WS + (await opened(app)).partition(b"polling")[2])
    running = asyncio.create_task(line.run())
    line.say("2probe")
    await until(lambda: line.texts == ["3probe"])
    [client] = io.clients.values()
    client.send_away(Reason.SERVER_SHUTTING_DOWN, CloseCode.SERVICE_RESTART)
    await asyncio.sleep(0)
    if goes_on:
        assert line.sent[-1]["type"] == "websocket.send"
        line.say("5")
    await running
    assert line.sent[-1]["type"] == "websocket.close"
    assert not io.clients
