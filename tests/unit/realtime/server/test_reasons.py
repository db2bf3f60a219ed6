"""Why a socket was disconnected, and what exactly happened."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from steinmetz.realtime import DisconnectReason, RealtimeApp, Reason, Server
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import WS, WebSocket

pytestmark = pytest.mark.anyio


def test_it_is_a_text_like_any_other() -> None:
    reason = Reason.PARSE_ERROR.because("an event has a name")
    assert reason == "parse error" == Reason.PARSE_ERROR
    assert (reason.details, orjson.dumps({"reason": reason})) == (
        "an event has a name",
        b'{"reason":"parse error"}',
    )
    assert reason in (Reason.PARSE_ERROR, Reason.PING_TIMEOUT)


@pytest.mark.parametrize(
    ("said", "reason", "details"),
    [
        ("42{}", "parse error", "a packet of this type has other data"),
        ("9", "parse error", "a packet begins with its type, a digit from 0 to 6"),
        ("2", "parse error", "PING is not for a client to send"),
        ("4" * 1_000_001, "transport error", "closed with 1009"),
        ("41", "client namespace disconnect", None),
        ("1", "transport close", None),
    ],
)
async def test_a_disconnect_handler_hears_what_exactly_happened(
    app: RealtimeApp, io: Server, said: str, reason: str, details: str | None
) -> None:
    heard: list[DisconnectReason] = []
    io.on("disconnect", lambda socket, reason: heard.append(reason))
    line = WebSocket(app, WS)
    line.say("40")
    running = asyncio.create_task(line.run())
    line.say(said)
    line.hang_up()
    await running
    assert heard == [reason]
    assert (heard[0].details is None) == (details is None)
    if details is not None and reason == "transport error":
        assert heard[0].details == details


async def test_details_quote_nothing_that_a_client_said(app: RealtimeApp, io: Server) -> None:
    heard: list[DisconnectReason] = []
    io.on("disconnect", lambda socket, reason: heard.append(reason))
    line = WebSocket(app, WS)
    line.say("40")
    line.say('42["connect","hunter2"]')
    await line.run()
    assert "hunter2" not in (heard[0].details or "")


async def test_disconnecting_and_handlers_of_the_socket_hear_the_same(io: Server) -> None:
    heard: list[DisconnectReason] = []
    io.on("disconnecting", lambda socket, reason: heard.append(reason))
    async with connect(io) as anna:
        io.sockets.sockets[anna.id or ""].on("disconnect", heard.append)
        anna.drop()
    assert heard == ["transport close", "transport close"]
    assert all(isinstance(reason, DisconnectReason) and reason.details is None for reason in heard)
