"""What a server says of itself, and what several say together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, Server
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.server import figures
from steinmetz.realtime.server.figures import ANOTHER_RELEASE
from steinmetz.realtime.server.memory_transport import MemoryTransport
from steinmetz.realtime.server.statistics import OTHER_EVENTS
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


class TestOfOneServer:
    async def test_received_events_by_the_names_that_have_handlers(self, io: Server) -> None:
        io.on("known", lambda socket: None)
        async with connect(io) as anna:
            await anna.call("known")
            await anna.call("known")
            anna.emit("x" * 50)
            anna.emit("y" * 50)
            [socket] = io.sockets.sockets.values()
            socket.on("own", lambda: None)
            await anna.call("own")
            await anna.call("known")
        assert io.stats()["received"] == {"known": 3, OTHER_EVENTS: 2, "own": 1}

    async def test_connections_are_clients_that_are_in_any_namespace_each_once(self, io: Server) -> None:
        io.of("/other")

        def active() -> int:
            return int(io.stats()["activeConnections"])

        assert active() == 0
        async with connect(io) as anna, connect(io):
            assert active() == 2
            other = await anna.of("/other")
            assert active() == 2
            async with connect(io, namespace="/other"):
                assert active() == 3
            await other.disconnect()
            io.open(MemoryTransport(lambda _: None, lambda: None), anna._request)  # type: ignore[arg-type]
            assert active() == 2, "a stranger is none"

    async def test_what_waits_for_slow_clients(self, io: Server) -> None:
        async with connect(io) as anna, connect(io) as ben:
            ben.stall()
            io.emit("x", "y" * 100)
            io.volatile.emit("x")
            io.newest("k").emit("x")
            io.newest("k").emit("x")
            await anna.heard("x")
            stats = io.stats()
            queues = stats["queues"]
            assert (queues["sessions"], queues["polling"], queues["waiting"]) == (2, 0, 1)
            assert queues["bytes"] == queues["largestBytes"] > 100
            assert stats["dropped"]["volatile"] == 1

    async def test_round_trips_are_those_of_pings(
        self, io: Server, clock: FakeClock, pass_time: Callable[[float], None]
    ) -> None:
        async with connect(io):
            assert io.stats()["roundTrip"]["count"] == 0
            pass_time(25.5)
            clock.advance(0.04)
            await asyncio.sleep(0)
            told = io.stats()["roundTrip"]
        assert (told["count"], told["worstMs"]) == (1, 40.0)

    async def test_writes_and_stalls(self, io: Server) -> None:
        async with connect(io) as anna, connect(io):
            io.emit("x")
            await anna.heard("x")
            assert io.stats()["writes"]["count"] == 1
        io.statistics.wrote(0.2)
        assert io.stats()["writes"]["stalls"] == 1

    async def test_refusals_and_the_rest(self, clock: FakeClock) -> None:
        io = Server(clock=clock)
        with pytest.raises(ConnectError):
            async with connect(io):
                pass
        io.revoke("user:5")
        io.statistics.collected(0.012)
        stats = io.stats()
        assert stats["refused"] == {"Authentication required": 1}
        assert stats["revocations"] == 1
        assert stats["collector"] == {"collections": 1, "pauseMs": 12.0, "worstPauseMs": 12.0}
        assert (stats["draining"], stats["nodes"]) == (False, None)
        await io.shutdown()

    async def test_alone_it_is_the_whole_cluster(self, io: Server) -> None:
        async with connect(io):
            io.emit("a")
            told = await io.cluster_stats()
        assert (told["activeConnections"], told["events"], told["missing"]) == (1, {"a": 1}, [])
        assert [server["activeConnections"] for server in told["servers"]] == [1]


@pytest.fixture
async def pair(clock: FakeClock) -> AsyncIterator[tuple[Server, Server]]:
    exchange, loop = MemoryExchange(), asyncio.get_running_loop()

    def arrive_soon() -> None:
        loop.call_soon(exchange.run)

    exchange.on_publish = arrive_soon
    servers = [
        Server(
            Config(require_auth=False),
            clock=clock,
            cluster=Cluster(Node(MemoryBus(exchange), "a secret of both of them", clock=clock)),
        )
        for _ in range(2)
    ]
    for server in servers:
        await server.start()
    one, two = servers
    async with asyncio.timeout(5):
        while not all(server.stats()["nodes"]["others"] for server in servers):
            await asyncio.sleep(0)
    yield one, two
    for server in servers:
        await server.shutdown()


class TestOfACluster:
    async def test_all_are_added_up_and_each_is_named(self, pair: tuple[Server, Server]) -> None:
        one, two = pair
        async with connect(one) as anna, connect(two) as ben, connect(two):
            one.sockets_join("a")
            one.emit("said")
            await anna.heard("said")
            await ben.heard("said")
            told = await one.cluster_stats()
            assert told["activeConnections"] == 3
            assert (told["rooms"], told["events"], told["missing"]) == (["a"], {"said": 1}, [])
            assert [server["activeConnections"] for server in told["servers"]] == [1, 2]
            ids = {server["nodes"]["id"] for server in told["servers"]}
            assert ids == {each.stats()["nodes"]["id"] for each in pair}
            assert "rooms" not in told["servers"][0]

    async def test_a_server_of_another_release_is_missing_and_does_no_harm(
        self, pair: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, two = pair

        async def old(*_: object) -> dict[str, int]:
            return {"activeConnections": 5}

        monkeypatch.setattr(two.of("/"), "hear", old)
        stats = await one.cluster_stats()
        assert (len(stats["servers"]), stats["missing"]) == (1, [ANOTHER_RELEASE])

    async def test_they_are_asked_once_a_second_however_many_want_to_know(
        self, pair: tuple[Server, Server], clock: FakeClock
    ) -> None:
        one, _ = pair
        said = one.stats()["nodes"]["said"]
        await asyncio.gather(*(one.cluster_stats() for _ in range(50)))
        assert one.stats()["nodes"]["said"] == said + 1
        clock.advance(1)
        await one.cluster_stats()
        assert one.stats()["nodes"]["said"] == said + 2

    async def test_who_does_not_answer_is_named(
        self, pair: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, two = pair
        monkeypatch.setattr(figures, "ASK_TIMEOUT_S", 0.01)

        async def silent(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(two.sockets, "hear", silent)
        told = await one.cluster_stats()
        assert told["missing"] == [two.stats()["nodes"]["id"]]
        assert len(told["servers"]) == 1
