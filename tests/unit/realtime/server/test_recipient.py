"""The policies for a client that listens too slowly, the same on every transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Protocol

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, RealtimeApp, Server
from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.server.native import NativeWebSocket
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import encode
from tests.unit.realtime.server.asgi_driver import WS, Exchange, WebSocket, opened
from tests.unit.realtime.server.frames_of import text
from tests.unit.realtime.server.stalling_stream import Stream
from tests.unit.realtime.server.test_native import opened as opened_natively

pytestmark = pytest.mark.anyio

BOUND = 200_000
FULL = "x" * 70_000
"""More than a socket of our own takes before it looks whether its peer still reads."""


class Peer(Protocol):
    """A client in the main namespace that can stop reading."""

    async def stall(self) -> None: ...

    async def read_on(self) -> list[str | bytes]:
        """All that it hears when it reads again."""


class Native:
    def __init__(self, io: Server) -> None:
        self._websocket, self._stream = opened_natively(io)

    async def stall(self) -> None:
        self._stream.stuck = True

    async def read_on(self) -> list[str | bytes]:
        self._stream.let_go()
        while self._websocket.queued_bytes:
            await asyncio.sleep(0)
        return self._stream.heard


class GatedWebSocket(WebSocket):
    def __init__(self, app: RealtimeApp) -> None:
        super().__init__(app, WS)
        self.gate = asyncio.Event()
        self.gate.set()

    async def _send(self, message: Any) -> None:
        await self.gate.wait()
        await super()._send(message)


class Asgi:
    def __init__(self, io: Server) -> None:
        self._io = io
        self._line = GatedWebSocket(RealtimeApp(io))
        self._running = asyncio.create_task(self._line.run())
        self._line.say("40")

    async def stall(self) -> None:
        while len(self._line.texts) < 2:
            await asyncio.sleep(0)
        self._line.sent.clear()
        self._line.gate.clear()

    async def read_on(self) -> list[str | bytes]:
        self._line.gate.set()
        while self._io.clients and next(iter(self._io.clients.values())).transport.queued_bytes:
            await asyncio.sleep(0)
        return self._line.texts


class Polling:
    def __init__(self, io: Server) -> None:
        self._app = RealtimeApp(io)

    async def stall(self) -> None:
        self._query = await opened(self._app)
        await Exchange(self._app, "POST", self._query, b"40").run()
        await Exchange(self._app, query=self._query).run()

    async def read_on(self) -> list[str | bytes]:
        return [*(await Exchange(self._app, query=self._query).run()).text.split("\x1e")]


class Told:
    """Numbers said to everybody, and "whole" ones to whom something waits for."""

    def __init__(self, io: Server) -> None:
        self._io = io
        self.made: list[int] = []

    def __call__(self, number: int) -> None:
        sockets = tuple(self._io.of("/").sockets.values())
        self._io.say_to(sockets, "n", number, newest="a", lagging=partial(self._whole, number))

    def _whole(self, number: int) -> str:
        self.made.append(number)
        return f"whole {number}"


@pytest.fixture
async def io(clock: FakeClock) -> AsyncIterator[Server]:
    server = Server(Config(require_auth=False, client_queue_bytes=BOUND), clock=clock)
    await server.start()
    yield server
    await server.shutdown()


@pytest.fixture(params=[Native, Asgi, Polling])
async def peer(io: Server, request: pytest.FixtureRequest) -> Peer:
    """It does not read any more, and the next thing said to it will have to wait."""
    made: Peer = request.param(io)
    await made.stall()
    io.emit("first", FULL)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return made


async def test_what_is_reliable_waits_in_order(io: Server, peer: Peer) -> None:
    for number in range(10):
        io.emit("n", number)
    heard = await peer.read_on()
    assert str(heard[0]).startswith('42["first"')
    assert heard[1:] == [f'42["n",{number}]' for number in range(10)]


async def test_what_is_volatile_is_dropped_and_counted(io: Server, peer: Peer) -> None:
    for _ in range(10):
        io.volatile.emit("typing")
    assert len(await peer.read_on()) == 1
    assert io.statistics.dropped_volatile == 10


async def test_under_a_key_only_the_newest_waits(io: Server, peer: Peer) -> None:
    for percent in range(10):
        io.newest("job:1").emit("progress", percent)
        io.newest("job:2").emit("other", percent)
    io.emit("last")
    io.newest("job:1").emit("progress", 100)
    assert (await peer.read_on())[1:] == ['42["other",9]', '42["last"]', '42["progress",100]']
    assert io.statistics.replaced_newest == 19


async def test_who_lags_behind_gets_what_is_made_for_him(io: Server, peer: Peer) -> None:
    say = Told(io)
    for number in range(4):
        say(number)
    assert (await peer.read_on())[1:] == ['42["n","whole 3"]']
    assert say.made[-1] == 3


async def test_it_is_made_once_for_all_of_them(io: Server, peer: Peer) -> None:
    others: list[Peer] = [type(peer)(io) for _ in range(2)]  # type: ignore[call-arg]  # as the fixture makes them
    for other in others:
        await other.stall()
    io.emit("second", FULL)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    say = Told(io)
    for number in range(4):
        say(number)
        await asyncio.sleep(0)
    assert len(io.of("/").sockets) == 3
    assert 3 in say.made
    assert len(say.made) == len(set(say.made))


async def test_who_reads_gets_the_thing_itself(io: Server) -> None:
    reader = Native(io)
    say = Told(io)
    say(1)
    say(2)
    await asyncio.sleep(0)
    assert (await reader.read_on())[-2:] == ['42["n",1]', '42["n",2]']
    assert say.made == []


async def test_a_socket_has_these_words_too(io: Server, peer: Peer) -> None:
    [socket] = io.of("/").sockets.values()
    socket.newest("a").emit("n", 1)
    socket.newest("a").compress(False).emit("n", 2)
    socket.volatile.emit("typing")
    socket.compress(False).emit("last")
    assert (await peer.read_on())[1:] == ['42["n",2]', '42["last"]']


async def test_a_flood_under_one_key_never_reaches_the_bound(io: Server, peer: Peer) -> None:
    for number in range(50):
        io.newest("a").emit("n", number, "x" * 50_000)
        await asyncio.sleep(0)
    assert io.statistics.slow_clients == 0
    assert len(await peer.read_on()) == 2


async def test_above_the_bound_its_transport_ends_without_a_disconnect(io: Server, peer: Peer) -> None:
    reasons: list[str] = []
    io.on("disconnect", lambda _socket, reason: reasons.append(reason))
    for _ in range(5):
        io.emit("load", "x" * 50_000)
    assert io.statistics.slow_clients == 1
    assert not any(client.transport.queued_bytes for client in io.clients.values())
    await _until(lambda: not io.clients)
    assert reasons == ["transport close"]


async def test_so_it_does_for_what_replaces_nothing(io: Server, peer: Peer) -> None:
    for number in range(5):
        io.newest(f"key {number}").emit("load", "x" * 50_000)
    assert io.statistics.slow_clients == 1
    await _until(lambda: not io.clients)


async def test_t25_a_broadcast_goes_to_whatever_carries_the_session_when_it_leaves(io: Server) -> None:
    polling = Polling(io)
    await polling.stall()
    [client] = io.clients.values()
    stream = Stream()
    websocket = NativeWebSocket(io, stream, set())  # type: ignore[arg-type]  # as much of a stream as is needed
    stream.protocol = websocket
    websocket.client = client
    assert client.open_probe(websocket)
    websocket.data_received(text("2probe"))
    opened_natively(io)
    io.emit("before")
    websocket.data_received(text("5"))
    io.emit("after")
    await asyncio.sleep(0)
    assert stream.heard == ["3probe", '42["before"]', '42["after"]']
    assert client.wire is websocket


async def test_a_single_message_above_the_bound_is_taken_when_nothing_waits(io: Server) -> None:
    opened_natively(io)
    [client] = io.clients.values()
    for flags in (Flags(), Flags(newest="a")):
        client.send_flagged(encode(Packet(PacketType.EVENT, "/", ["load", "x" * BOUND * 2])), flags)
        io.turn.end()
    assert io.statistics.slow_clients == 0


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
