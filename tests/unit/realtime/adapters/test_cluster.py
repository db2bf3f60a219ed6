"""Whole servers as nodes of a cluster: what their API says of sockets, servers and losses elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import AckTimeoutError, Config, Server, Socket
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.server.remote import SocketElsewhere
from steinmetz.realtime.server.statistics import Statistics
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Pair:
    def __init__(self, servers: list[Server], nodes: list[Node], exchange: MemoryExchange) -> None:
        self.one, self.two = servers
        self.nodes = nodes
        self.exchange = exchange

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.exchange.run()
                await asyncio.sleep(0)

    async def answered(self, coroutine: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(coroutine)
        await self.until(task.done)
        return task.result()


def server_of(exchange: MemoryExchange, clock: FakeClock, **options: Any) -> tuple[Server, Node]:
    node = Node(MemoryBus(exchange), "a secret of all servers", clock=clock, **options)
    config = Config(require_auth=False, connection_state_recovery=ConnectionStateRecovery())
    io = Server(config, clock=clock, cluster=Cluster(node))

    @io.on("enter")
    def enter(socket: Socket, room: str) -> None:
        socket.join(room)

    @io.on("connection")
    def connected(socket: Socket) -> None:
        socket.data.update(name=socket.handshake.auth.get("name"), unsayable=object())

    return io, node


@pytest.fixture
async def pair(clock: FakeClock) -> AsyncIterator[Pair]:
    exchange = MemoryExchange()
    made = [server_of(exchange, clock, journal_bytes=5_000) for _ in range(2)]
    pair = Pair([io for io, _ in made], [node for _, node in made], exchange)
    for io, _ in made:
        await io.start()
    exchange.run()
    yield pair
    for io, _ in made:
        await io.shutdown()


async def test_a_socket_elsewhere_is_found_and_spoken_to(pair: Pair) -> None:
    async with connect(pair.two, auth={"name": "Carl", "token": "secret"}) as carl:
        await carl.call("enter", "finance")
        [found] = await pair.answered(pair.one.to("finance").fetch_sockets())
        assert isinstance(found, SocketElsewhere)
        assert (found.id, found.rooms, found.data) == (carl.id, {carl.id, "finance"}, {"name": "Carl"})
        assert found.handshake.auth == {}, "no credential leaves its server"
        assert found.handshake.query == {}
        assert repr(found) == f"<SocketElsewhere {carl.id}>"
        found.emit("hello", 1)
        found.join("hr")
        found.leave("finance")
        await pair.until(lambda: pair.two.of("/").sockets[found.id].rooms == {found.id, "hr"})
        pair.exchange.run()
        assert await carl.heard("hello") == [1]
        found.disconnect()
        await pair.until(lambda: carl.disconnect_reason == "io server disconnect")


async def test_servers_speak_to_each_other(pair: Pair) -> None:
    told: list[str] = []
    pair.two.on_server_side_emit("note", told.append)
    with pytest.raises(ValueError, match="a handler already"):
        pair.two.on_server_side_emit("note", told.append)

    @pair.two.on_server_side_emit("count")
    async def count(text: str) -> int:
        await asyncio.sleep(0)
        return len(text)

    pair.one.server_side_emit("note", "hello")
    assert await pair.answered(pair.one.server_side_emit_with_ack("count", "four")) == [4]
    assert await pair.answered(pair.one.server_side_emit_with_ack("nobody listens")) == [None]
    assert told == ["hello"]
    bus = pair.nodes[1]._bus
    assert isinstance(bus, MemoryBus)
    bus.cut()
    with pytest.raises(AckTimeoutError, match="1 other servers did not answer"):
        await pair.one.server_side_emit_with_ack("count", "five", timeout_s=0.01)


async def test_what_cannot_be_asked_leaves_no_open_question(pair: Pair) -> None:
    with pytest.raises(TypeError):
        await pair.one.server_side_emit_with_ack("count", object())
    assert len(pair.nodes[0].requests) == 0


async def test_clients_of_both_servers_acknowledge(pair: Pair) -> None:
    async with connect(pair.one) as anna, connect(pair.two) as carl:
        anna.on("ready?", lambda *_: "anna")
        carl.on("ready?", lambda *_: "carl")
        answers = await pair.answered(pair.one.timeout(5).emit_with_ack("ready?"))
        assert sorted(answers) == ["anna", "carl"]


async def test_a_server_alone_speaks_to_nobody() -> None:
    io = Server(Config(require_auth=False))
    await io.start()
    io.server_side_emit("note", "hello")
    assert await io.server_side_emit_with_ack("note") == []
    assert not io.has_members("anywhere")
    await io.shutdown()


async def test_t30_who_has_missed_something_reconnects_and_is_not_told_that_he_has_not(pair: Pair) -> None:
    async with connect(pair.two, auth={"name": "Carl"}) as carl:
        await carl.call("enter", "finance")
        pair.one.to("finance").emit("heard", 1)
        pair.exchange.run()
        await carl.heard("heard")
        bus = pair.nodes[1]._bus
        assert isinstance(bus, MemoryBus)
        bus.cut()
        for number in range(100):
            pair.one.to("finance").emit("missed", number)
        bus.connect()
        await pair.until(lambda: carl.disconnect_reason == "transport close")
        async with connect(pair.two, auth={"name": "Carl"}, resume=carl) as again:
            assert again.recovered is False
            assert _outcomes(pair.two.statistics) == {"incomplete": 1}


async def test_an_outage_that_the_journal_outlives_tears_nobody_away(pair: Pair) -> None:
    async with connect(pair.two, auth={"name": "Carl"}) as carl:
        await carl.call("enter", "finance")
        bus = pair.nodes[1]._bus
        assert isinstance(bus, MemoryBus)
        bus.cut()
        pair.one.to("finance").emit("later", 1)
        bus.connect()
        pair.exchange.run()
        assert await carl.heard("later") == [1]
        assert carl.disconnect_reason is None


async def test_who_is_away_misses_nothing_that_is_said_at_another_server(pair: Pair) -> None:
    """Also as the only one of his room at his server."""
    async with connect(pair.two, auth={"name": "Carl"}) as carl:
        await carl.call("enter", "finance")
        pair.one.to("finance").emit("before", 1)
        pair.exchange.run()
        await carl.heard("before")
        carl.drop()
        pair.one.to("finance").emit("while away", 2)
        pair.one.emit("to all", 3)
        pair.exchange.run()
        async with connect(pair.two, auth={"name": "Carl"}, resume=carl) as again:
            assert again.recovered
            assert await again.heard("while away") == [2]
            assert await again.heard("to all") == [3]


async def test_what_nobody_will_come_back_for_is_not_listened_to(pair: Pair, clock: FakeClock) -> None:
    node = pair.nodes[1]
    room = node.channel_of_room("/", "finance")
    async with connect(pair.two) as carl:
        await carl.call("enter", "finance")
        assert node.listens(room)
        carl.drop()
    node.tick()
    assert node.listens(room)
    assert node.listens(node.channel_of_namespace("/"))
    clock.advance(1_000)
    node.tick()
    assert not node.listens(room)
    assert not node.listens(node.channel_of_namespace("/"))


def _outcomes(statistics: Statistics) -> dict[str, int]:
    return {str(outcome): count for outcome, count in statistics.recoveries.items()}
