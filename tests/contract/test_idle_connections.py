"""What an idle connection keeps, counted by the allocator: no luck of the machine is in these figures."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from steinmetz.realtime import Config, Server, Socket
from steinmetz.realtime.engineio.frames import Opcode, unmask
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.uvicorn import NativeWebSocket

pytestmark = pytest.mark.anyio

CLIENTS = 200
BUDGET_BYTES = 3_000
"""Of a client in two rooms with a token, a user and an expiry, without the socket of the event loop (1.5 kB)."""
TOKEN = "x" * 180
HEADERS = [
    (b"Host", b"erp.example"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"Accept-Language", b"de,en-US;q=0.7,en;q=0.3"),
    (b"Origin", b"https://erp.example"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"Connection", b"keep-alive, Upgrade"),
]


class Wire(asyncio.Transport):
    """Takes everything and keeps nothing; one for all."""

    def __init__(self) -> None:
        super().__init__()

    def write(self, data: Any) -> None:
        pass

    def get_extra_info(self, name: str) -> None:
        """There is no socket below."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


def text(data: str) -> bytes:
    payload = data.encode()
    head = bytes((0x80 | Opcode.TEXT, 0x80 | 126)) + len(payload).to_bytes(2, "big")
    if len(payload) < 126:
        head = head[:1] + bytes((0x80 | len(payload),))
    return head + b"\x37\xfa\x21\x3d" + unmask(b"\x37\xfa\x21\x3d", payload)


def make_server() -> Server:
    """Its middleware does what the ERP's does."""
    io, rooms = Server(Config()), iter(range(10_000))

    @io.use
    def authenticate(socket: Socket) -> None:
        assert socket.handshake.auth["token"]
        socket.data["user"] = "7"
        socket.expires_at = 4_102_444_800.0
        socket.join("everybody", f"user:{next(rooms)}")

    return io


def connect(io: Server, wire: Wire, connections: set[Any]) -> NativeWebSocket:
    # One buffer for all would be shared, which a real one is not.
    headers = [(name, bytes(bytearray(value))) for name, value in HEADERS]
    request = Request(headers, b"EIO=4&transport=websocket", "10.0.0.1", secure=True, time=io.clock.now())
    websocket = NativeWebSocket(io, wire, connections)
    connections.add(websocket)
    websocket.client, _opening = io.open(websocket, request)
    websocket.data_received(text(f'40{{"token":"{TOKEN}"}}'))
    return websocket


async def crowd(
    io: Server, until: Callable[[Callable[[], bool]], Any], clients: int, connections: set[Any]
) -> None:
    wire, before = Wire(), len(io.of("/").sockets)
    for _ in range(clients):
        connect(io, wire, connections)
    await until(lambda: len(io.of("/").sockets) == before + clients and not len(io.tasks))
    await asyncio.sleep(0)
    gc.collect(1)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Any]:
    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0)

    return wait


async def test_t24_an_idle_client_keeps_little(until: Callable[[Callable[[], bool]], Any]) -> None:
    io, connections = make_server(), set[Any]()
    await io.start()
    await crowd(io, until, 20, connections)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await crowd(io, until, CLIENTS, connections)
        each = (tracemalloc.get_traced_memory()[0] - before) / CLIENTS
    finally:
        tracemalloc.stop()
    assert each < BUDGET_BYTES
    await io.shutdown()


async def test_t24_an_idle_client_has_no_task_no_set_and_no_closure(
    until: Callable[[Callable[[], bool]], Any],
) -> None:
    io, connections = make_server(), set[Any]()
    await io.start()
    await crowd(io, until, 20, connections)
    before = Counter(type(each).__name__ for each in gc.get_objects())
    tasks = len(asyncio.all_tasks())
    await crowd(io, until, CLIENTS, connections)
    grown = Counter(type(each).__name__ for each in gc.get_objects()) - before
    each = {name: round(count / CLIENTS) for name, count in grown.items() if count > CLIENTS / 2}
    assert len(asyncio.all_tasks()) == tasks
    assert not each.keys() & {"set", "function", "method", "deque", "cell", "Task", "TimerHandle", "Future"}
    assert sum(each.values()) <= 14, each
    await io.shutdown()


def _clients() -> list[Any]:
    return [each for each in gc.get_objects() if isinstance(each, (Socket, NativeWebSocket))]


async def test_t23_a_client_that_is_gone_leaves_no_cycle(until: Callable[[Callable[[], bool]], Any]) -> None:
    io, connections = make_server(), set[Any]()
    others = _clients()  # of tests before this one; held, so that no identity is given twice
    await io.start()
    await crowd(io, until, 50, connections)
    gc.collect()
    gc.disable()
    try:
        for websocket in list(connections):
            websocket.connection_lost(None)
        await until(lambda: not io.clients)
        del websocket
        io.wheel.stop()  # what waited for a client's next ping lets go of it then
        known = {id(other) for other in others}
        assert [each for each in _clients() if id(each) not in known] == []
    finally:
        gc.enable()
    await io.shutdown()
