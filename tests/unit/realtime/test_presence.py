"""Who is in a room: users, everywhere, without those who are back in a moment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, Server, Socket, presence
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.peers import DOWN_S
from steinmetz.realtime.presence import Presence
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

Change = tuple[str, str, bool]


def user_of(socket: Socket) -> str | None:
    name = socket.handshake.auth.get("name")
    return name if isinstance(name, str) else None


class Servers:
    def __init__(self, servers: list[Server], exchange: MemoryExchange, clock: FakeClock) -> None:
        self.servers = servers
        self.exchange = exchange
        self.clock = clock
        self.changes: list[list[Change]] = [[] for _ in servers]
        self.presences: list[Presence] = []
        for server, changes in zip(servers, self.changes, strict=True):
            tracked = server.track_presence(user_of, lambda room: room != "unwatched")
            tracked.on_change(lambda *change, changes=changes: changes.append(change))
            self.presences.append(tracked)

            @server.on("enter")
            def enter(socket: Socket, *rooms: str) -> None:
                socket.join(*rooms)

            @server.on("leave")
            def leave(socket: Socket, *rooms: str) -> None:
                socket.leave(*rooms)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.exchange.run()
                await asyncio.sleep(0.001)

    async def everywhere(self, room: str, users: dict[str, int]) -> None:
        await self.until(lambda: all(server.presence(room) == users for server in self.servers))


@pytest.fixture
async def servers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Servers]:
    monkeypatch.setattr(presence, "LINGER_S", 0.02)
    exchange, clock = MemoryExchange(), FakeClock()
    made = []
    for _ in range(2):
        node = Node(MemoryBus(exchange), "a secret of all servers", clock=clock)
        made.append(Server(Config(require_auth=False), clock=clock, cluster=Cluster(node)))
    servers = Servers(made, exchange, clock)
    for server in made:
        await server.start()
    exchange.run()
    yield servers
    for server in made:
        await server.shutdown()


async def test_users_are_counted_over_all_servers(servers: Servers) -> None:
    one, two = servers.servers
    async with connect(one, auth={"name": "anna"}) as first, connect(two, auth={"name": "anna"}) as second:
        async with connect(two, auth={"name": "ben"}) as ben, connect(two) as nobody:
            for client in (first, second, ben, nobody):
                await client.call("enter", "general", "unwatched")
            await servers.everywhere("general", {"anna": 2, "ben": 1})
            assert one.presence("unwatched") == one.presence("elsewhere") == {}
            await ben.call("leave", "general")
            await servers.until(lambda: all(("general", "ben", False) in changes for changes in servers.changes))
        await first.call("leave", "general")
        await servers.everywhere("general", {"anna": 1})
    await servers.until(lambda: all(("general", "anna", False) in changes for changes in servers.changes))
    for changes in servers.changes:
        assert sorted(changes) == [
            ("general", "anna", False),
            ("general", "anna", True),
            ("general", "ben", False),
            ("general", "ben", True),
        ]


async def test_who_is_back_in_a_moment_has_not_left(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LINGER_S", 60.0)
    one, two = servers.servers
    async with connect(one, auth={"name": "anna"}) as anna:
        await anna.call("enter", "general")
        await servers.everywhere("general", {"anna": 1})
        anna.drop()
        await servers.everywhere("general", {"anna": 0})
    async with connect(two, auth={"name": "anna"}) as anna:
        await anna.call("enter", "general")
        await servers.everywhere("general", {"anna": 1})
    assert servers.changes == [[("general", "anna", True)]] * 2
    for tracked in servers.presences:
        tracked.close()


async def test_a_server_that_goes_takes_its_users_with_it(servers: Servers) -> None:
    one, two = servers.servers
    async with connect(one, auth={"name": "anna"}) as anna, connect(two, auth={"name": "ben"}) as ben:
        for client in (anna, ben):
            await client.call("enter", "general")
        await servers.everywhere("general", {"anna": 1, "ben": 1})
        assert two.cluster is not None
        bus = two.cluster.node._bus
        assert isinstance(bus, MemoryBus)
        bus.cut()
        servers.clock.advance(DOWN_S + 1)
        assert one.cluster is not None
        one.cluster.node.tick()
        await servers.until(lambda: ("general", "ben", False) in servers.changes[0])
        assert one.presence("general") == {"anna": 1}
        bus.connect()
        await servers.everywhere("general", {"anna": 1, "ben": 1})


async def test_a_server_that_comes_later_learns_who_is_there(servers: Servers) -> None:
    one = servers.servers[0]
    async with connect(one, auth={"name": "anna"}) as anna:
        await anna.call("enter", "general")
        node = Node(MemoryBus(servers.exchange), "a secret of all servers", clock=servers.clock)
        late = Server(Config(require_auth=False), clock=servers.clock, cluster=Cluster(node))
        late.track_presence(user_of)
        await late.start()
        await servers.until(lambda: late.presence("general") == {"anna": 1})
        await late.shutdown()


async def test_a_server_alone_needs_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LINGER_S", 0.01)
    io = Server(Config(require_auth=False))
    assert io.presence("general") == {}
    tracked = io.track_presence(user_of)
    with pytest.raises(ValueError, match="tracked already"):
        io.track_presence(user_of)
    io.on("enter", lambda socket, room: socket.join(room))
    monkeypatch.setattr(presence, "MAX_ENTRIES", 2)
    async with connect(io, auth={"name": "anna"}) as anna:
        for room in ("one", "two", "three"):
            await anna.call("enter", room)
        assert [io.presence(room) for room in ("one", "two", "three")] == [{"anna": 1}, {"anna": 1}, {}]
        assert tracked.dropped == 1
    await io.shutdown()


async def test_one_listener_that_fails_keeps_nothing_from_the_others(servers: Servers) -> None:
    told: list[Change] = []

    def fail(room: str, user: str, is_there: bool) -> None:
        raise RuntimeError

    servers.presences[0]._changed.insert(0, fail)
    servers.presences[0].on_change(lambda *change: told.append(change))
    async with connect(servers.servers[0], auth={"name": "Anna"}) as anna:
        await anna.call("enter", "red", "blue")
        assert told == [("red", "Anna", True), ("blue", "Anna", True)]


async def test_of_a_namespace_that_has_ended_nothing_is_left_at_the_node(servers: Servers) -> None:
    server = servers.servers[0]
    assert server.cluster is not None
    node = server.cluster.node
    watching = [len(node.on_up), len(node.on_down), len(node.on_lost)]
    server.of(re.compile("/document-.*"))
    server.on("new_namespace", lambda namespace: namespace.track_presence(user_of))
    async with connect(server, namespace="/document-1", auth={"name": "Anna"}):
        assert "/document-1" in server.cluster.presences
    await servers.until(lambda: len(server.namespaces()) == 1)
    assert [len(node.on_up), len(node.on_down), len(node.on_lost)] == watching
    assert "/document-1" not in server.cluster.presences


async def test_a_server_that_has_stopped_tells_nobody_that_somebody_has_left(io: Server) -> None:
    told: list[Change] = []
    tracked = io.track_presence(user_of)
    tracked.on_change(lambda *change: told.append(change))
    io.on("enter", lambda socket, room: socket.join(room))
    async with connect(io, auth={"name": "Anna"}) as anna:
        await anna.call("enter", "red")
        await io.shutdown()
    assert told == [("red", "Anna", True)]
    assert not tracked._leaving
