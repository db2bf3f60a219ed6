"""Servers of a cluster over a real Redis: a client of one is recovered by another, or is told that it is not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex
from typing import Any

import pytest
from redis.asyncio import Redis

from steinmetz.realtime import Config, ConnectionStateRecovery, Server, Socket
from steinmetz.realtime.adapters import line
from steinmetz.realtime.adapters.redis import RedisBus, redis_cluster
from steinmetz.realtime.recovery.redis import RedisStore
from steinmetz.realtime.server.recovery import Outcome
from steinmetz.realtime.socketio.recovery import BLANK
from steinmetz.realtime.testing import InProcessClient, connect
from tests.servers import Server as RedisServer
from tests.servers import redis_server

pytestmark = pytest.mark.anyio
CONFIG = Config(
    require_auth=False,
    connection_state_recovery=ConnectionStateRecovery(takeover_timeout_s=0.1),
    ping_interval_s=5,
)
SECRET = "the secret of all servers here"


class Servers:
    """Those of one cluster: `a`, `b`, ..."""

    def __init__(self, servers: list[Server], url: str, prefix: str) -> None:
        self.all = servers
        self.a, self.b, *_ = servers
        self.url = url
        self.prefix = prefix

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)

    async def acquainted(self, *servers: Server) -> None:
        living = servers or tuple(self.all)
        nodes = [io.cluster.node for io in living if io.cluster is not None]
        await self.until(lambda: all(len(node.peers.up()) >= len(nodes) - 1 and node.is_sure for node in nodes))

    async def silence(self, *servers: Server) -> None:
        """Whatever has been said has come back from the log, and what was heard of it is everywhere."""
        for io in servers or self.all:
            speech = io.of("/").adapter._speech  # type: ignore[attr-defined]
            await self.until(lambda speech=speech: not speech._line.under_way())  # type: ignore[misc]
            await self.until(lambda speech=speech: not speech.settling._rooms)  # type: ignore[misc]
        for io in (servers or self.all) if len(self.all) > 1 else ():
            await io.server_side_emit_with_ack("who answers has heard all before")
        for _ in range(3):
            await asyncio.sleep(0)  # what is delivered leaves at the end of its turn

    async def kill(self, io: Server, *clients: InProcessClient) -> None:
        """``io`` dies without a word: nothing of it hears or says anything, and its clients' bytes go nowhere."""
        for client in clients:
            client._receive = lambda outgoing: None  # type: ignore[method-assign]
        recovery = io.of("/").recovery
        assert recovery is not None
        await recovery.sessions.saved()
        assert io.cluster is not None
        node = io.cluster.node
        assert node._tasks is not None
        await node._tasks.aclose()
        bus = node._bus
        assert isinstance(bus, RedisBus)
        assert bus._tasks is not None
        await bus._tasks.aclose()
        self.all.remove(io)


def server_of(url: str, prefix: str, config: Config = CONFIG) -> Server:
    io = Server(config, cluster=redis_cluster(url, secret=SECRET, prefix=prefix))

    @io.use
    async def admit(socket: Socket) -> None:
        await asyncio.sleep(0)
        socket.join(*socket.handshake.auth.get("rooms", ()))

    return io


@asynccontextmanager
async def running(url: str, count: int = 2) -> AsyncIterator[Servers]:
    prefix = token_hex(6)
    made = [server_of(url, prefix) for _ in range(count)]
    servers = Servers(list(made), url, prefix)
    for io in made:
        await io.start()
    await servers.acquainted()
    try:
        yield servers
    finally:
        for io in made:
            await io.shutdown()


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def servers(redis_url: str) -> AsyncIterator[Servers]:
    async with running(redis_url) as servers:
        yield servers


@pytest.fixture
async def people() -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def come(io: Server, *rooms: str, resume: InProcessClient | None = None) -> InProcessClient:
            return await stack.enter_async_context(connect(io, auth={"rooms": list(rooms)}, resume=resume))

        yield come


def numbers(client: InProcessClient) -> list[Any]:
    return [args[0] for _, args in client.events]


def only_socket(io: Server) -> Socket:
    [socket] = io.of("/").sockets.values()
    return socket


async def test_a_client_of_a_dead_server_is_recovered_by_another(servers: Servers, people: Any) -> None:
    anna = await people(servers.a, "red", "green")
    socket = only_socket(servers.a)
    servers.b.to("red").emit("n", 1)
    await servers.silence()
    assert numbers(anna) == [1]
    anna._receive = lambda outgoing: None  # its network is gone
    servers.b.to("green").emit("n", 1.5)
    await servers.silence()
    socket.leave("green")
    servers.b.to("green").emit("n", 1.7)
    await servers.silence()
    await servers.kill(servers.a, anna)
    servers.b.to("red").emit("n", 2)
    servers.b.to("blue").emit("n", 3)
    servers.b.emit("n", 4)
    servers.b.to(socket.id).emit("n", 4.5)
    await servers.silence()
    again = await people(servers.b, "red", "green", resume=anna)
    servers.b.to("red").emit("n", 5)
    servers.b.volatile.emit("n", 6)
    servers.b.to(socket.id).emit("n", 7)
    await servers.silence()
    assert again.recovered
    assert again.id == anna.id
    assert numbers(again) == [1.5, 2, 4, 4.5, 5, 6, 7]
    assert servers.b.of("/").sockets[socket.id].rooms == {socket.id, "red", "green"}


async def test_both_servers_deliver_one_order_with_the_same_offsets(servers: Servers, people: Any) -> None:
    anna, ben = await people(servers.a, "red"), await people(servers.b, "red")
    for number in range(50):
        servers.a.to("red").emit("n", f"a{number}")
        servers.b.to("red").emit("n", f"b{number}")
        if number % 10 == 0:
            await asyncio.sleep(0)
    await servers.silence()
    assert len(numbers(anna)) == 100
    assert numbers(anna) == numbers(ben)
    assert anna.state["offset"] == ben.state["offset"] != BLANK


async def test_a_half_open_client_is_taken_over_by_the_other_server(servers: Servers, people: Any) -> None:
    anna = await people(servers.a, "red")
    anna._receive = lambda outgoing: None
    servers.a.to("red").emit("n", 1)
    await servers.silence()
    again = await people(servers.b, "red", resume=anna)
    assert again.recovered
    assert numbers(again) == [1]
    assert not servers.a.of("/").sockets
    servers.a.to(again.id).emit("n", 2)
    servers.a.to("red").emit("n", 3)
    await servers.silence()
    assert numbers(again) == [1, 2, 3]


async def test_a_second_client_with_its_pid_is_not_let_in_elsewhere(servers: Servers, people: Any) -> None:
    anna = await people(servers.a)
    copy = await people(servers.b, resume=anna)
    assert not copy.recovered
    assert servers.b.statistics.recoveries == {Outcome.IN_USE: 1}
    assert list(servers.a.of("/").sockets) == [anna.id]


async def test_a_client_that_has_heard_nothing_is_recovered_once(servers: Servers, people: Any) -> None:
    servers.b.emit("n", 0)
    anna = await people(servers.a)
    anna.drop()
    servers.b.emit("n", 1)
    await servers.silence()
    again, second = await people(servers.b, resume=anna), await people(servers.b, resume=anna)
    assert [again.recovered, second.recovered] == [True, False]
    assert numbers(again) == [1]


async def test_what_is_said_to_somebody_comes_before_he_leaves(servers: Servers, people: Any) -> None:
    """What waits to come back from the log must not be overtaken by the end of a membership."""
    anna, ben = await people(servers.a, "red"), await people(servers.a, "red")
    servers.a.to("red").emit("n", 1)
    servers.a.of("/").sockets[ben.id].leave("red")
    servers.a.in_(anna.id).disconnect_sockets()
    servers.a.to("red").emit("n", 2)
    await servers.silence()
    assert numbers(anna) == numbers(ben) == [1]
    assert anna.disconnect_reason == "io server disconnect"
    assert ben.state["offset"] == BLANK, "who has heard something out of order is not recovered"
    assert not (await people(servers.b, "red", resume=ben)).recovered


async def test_volatile_events_do_not_overtake_the_others(servers: Servers, people: Any) -> None:
    anna = await people(servers.a)
    servers.a.emit("n", 1)
    servers.a.volatile.emit("n", 2)
    servers.a.newest("key").emit("n", 3)
    servers.a.local.emit("n", 4)
    servers.a.emit("n", 5)
    await servers.silence()
    assert numbers(anna) == [1, 2, 3, 4, 5]


async def test_a_member_that_joins_a_room_new_to_its_server_hears_it(servers: Servers, people: Any) -> None:
    anna = await people(servers.a)
    only_socket(servers.a).join("late")
    servers.a.to("late").emit("n", 1)
    await servers.silence()
    assert numbers(anna) == [1]
    assert anna.state["offset"] == BLANK, "something that another server said might not have come"
    servers.b.to("late").emit("n", 2)
    await servers.silence()
    assert numbers(anna) == [1, 2]
    anna.drop()
    servers.b.to("late").emit("n", 3)
    await servers.silence()
    again = await people(servers.b, resume=anna)
    assert again.recovered
    assert numbers(again) == [3]


async def test_who_is_removed_by_another_server_while_away_is_not_recovered(servers: Servers, people: Any) -> None:
    anna, ben = await people(servers.a, "red"), await people(servers.a, "red")
    for client in (anna, ben):
        client.drop()
    servers.b.in_(ben.id).sockets_leave("red")
    servers.b.in_(anna.id).disconnect_sockets()
    servers.b.to("red").emit("n", 1)
    await servers.silence()
    assert not (await people(servers.b, "red", resume=anna)).recovered
    again = await people(servers.a, resume=ben)
    assert servers.b.statistics.recoveries == {Outcome.EXPELLED: 1}
    assert not again.recovered, "the middlewares let him into a room less"


class TestTrouble:
    async def test_while_redis_is_away_its_own_clients_hear_a_server_at_once(
        self, own_redis: RedisServer, people: Any
    ) -> None:
        async with running(own_redis.url) as servers:
            anna, ben = await people(servers.a, "red"), await people(servers.b, "red")
            servers.a.to("red").emit("n", 1)
            await servers.silence()
            own_redis.kill()
            await servers.until(lambda: not any(io.cluster.node.is_reachable for io in servers.all))  # type: ignore[union-attr]
            servers.a.to("red").emit("n", 2)
            await asyncio.sleep(0)
            assert (numbers(anna), numbers(ben)) == ([1, 2], [1])
            assert anna.state["offset"] == BLANK
            away = await people(servers.b, "red", resume=ben)
            assert not away.recovered
            await asyncio.to_thread(own_redis.start)
            await servers.acquainted()
            servers.b.to("red").emit("n", 3)
            await servers.silence()
            assert numbers(anna) == [1, 2, 3]
            assert numbers(ben) == [1, 2, 3]
            assert BLANK not in (anna.state["offset"], ben.state["offset"])
            assert [io.statistics.recoveries for io in servers.all] == [{}, {Outcome.UNSURE: 1}]

    async def test_when_redis_has_lost_its_data_nobody_is_recovered(
        self, own_redis: RedisServer, people: Any
    ) -> None:
        async with running(own_redis.url) as servers:
            anna = await people(servers.a)
            servers.a.emit("n", 1)
            await servers.silence()
            anna.drop()
            own_redis.kill()
            await asyncio.to_thread(own_redis.start)
            await servers.acquainted()
            again = await people(servers.b, resume=anna)
            servers.b.emit("n", 2)
            await servers.silence()
            assert not again.recovered
            assert numbers(again) == [2]
            assert servers.b.statistics.recoveries == {Outcome.UNKNOWN_PID: 1}

    async def test_a_line_that_breaks_loses_and_doubles_nothing(self, servers: Servers, people: Any) -> None:
        anna, ben = await people(servers.a, "red"), await people(servers.b, "red")
        client = Redis.from_url(servers.url)
        for number in range(6):
            servers.a.to("red").emit("n", 2 * number)
            if number % 2:
                await client.client_kill_filter(_type="pubsub" if number % 4 == 1 else "normal", skipme=True)
            servers.b.to("red").emit("n", 2 * number + 1)
            await servers.until(lambda: all(io.cluster.node.is_reachable for io in servers.all))  # type: ignore[union-attr]
        await client.aclose()
        await servers.acquainted()
        await servers.silence()
        for who in (anna, ben):
            assert sorted(numbers(who)) == list(range(12))
            for parity in (0, 1):
                assert [n for n in numbers(who) if n % 2 == parity] == list(range(parity, 12, 2))

    async def test_a_slow_redis_keeps_nobody_waiting(
        self, servers: Servers, people: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna = await people(servers.a)
        client = Redis.from_url(servers.url)
        await client.client_pause(1_000, all=True)
        servers.a.emit("n", 1)
        await servers.until(lambda: numbers(anna) == [1])
        assert anna.state["offset"] == BLANK
        servers.a.emit("n", 2)
        await asyncio.sleep(0)
        assert numbers(anna) == [1, 2], "and from then on nobody waits"
        await servers.silence()
        servers.a.emit("n", 3)
        await servers.silence()
        assert numbers(anna) == [1, 2, 3]
        assert anna.state["offset"] != BLANK
        await client.aclose()

    async def test_a_redis_without_room_is_a_bus_and_no_memory(self, own_redis: RedisServer, people: Any) -> None:
        async with running(own_redis.url) as servers:
            anna, ben = await people(servers.a, "red"), await people(servers.b, "red")
            servers.a.to("red").emit("n", 0)
            await servers.silence()
            client = Redis.from_url(own_redis.url)
            await client.config_set("maxmemory", "1")
            for number in range(1, 4):
                servers.a.to("red").emit("n", number)
                await servers.until(lambda number=number: numbers(ben)[-1:] == [number])  # type: ignore[misc]
            assert numbers(anna) == numbers(ben) == [0, 1, 2, 3]
            assert ben.state["offset"] == BLANK
            await client.config_set("maxmemory", "0")
            await client.aclose()
            ben.drop()
            assert not (await people(servers.a, "red", resume=ben)).recovered

    async def test_more_than_is_kept_makes_the_log_begin_anew(
        self, own_redis: RedisServer, people: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(line, "MAX_BYTES", 5_000)
        async with running(own_redis.url) as servers:
            anna, ben = await people(servers.a, "red"), await people(servers.b, "red")
            dora = await people(servers.b, "red")
            servers.a.to("red").emit("n", 0)
            await servers.silence()
            dora.drop()
            own_redis.kill()
            await servers.until(lambda: not any(io.cluster.node.is_reachable for io in servers.all))  # type: ignore[union-attr]
            for number in range(1, 100):
                servers.a.to("red").emit("n", number)
            await asyncio.to_thread(own_redis.start)
            await servers.acquainted()
            await servers.silence()
            assert numbers(anna) == numbers(ben) == list(range(100))
            assert not (await people(servers.a, "red", resume=dora)).recovered


async def test_nobody_who_merely_reaches_redis_puts_words_into_a_replay(servers: Servers, people: Any) -> None:
    anna = await people(servers.a, "red")
    servers.a.to("red").emit("n", 1)
    await servers.silence()
    anna.drop()
    servers.a.to("red").emit("n", 2)
    await servers.silence()
    recovery = servers.b.of("/").recovery
    assert recovery is not None
    client = Redis.from_url(servers.url)
    stream = recovery.log._keys.lane("red")  # type: ignore[attr-defined]
    entries = await client.xrange(stream)
    await client.delete(stream)
    for position, entry in entries:
        entry[b"entry"] = entry[b"entry"].replace(b'["n",2', b'["n",3')
        await client.xadd(stream, entry, id=position)
    assert not (await people(servers.b, "red", resume=anna)).recovered
    await client.aclose()
    assert servers.b.statistics.recoveries == {Outcome.INCOMPLETE: 1}


async def test_an_adapter_that_keeps_no_log_recovers_nobody(redis_url: str, people: Any) -> None:
    assert CONFIG.connection_state_recovery is not None
    store = RedisStore(redis_url, CONFIG.connection_state_recovery, secret=b"s" * 16, prefix=token_hex(6))
    io = Server(CONFIG, recovery=store)
    anna = await people(io)
    anna.drop()
    io.emit("n", 1)
    assert not (await people(io, resume=anna)).recovered
    assert io.statistics.recoveries == {Outcome.INCOMPLETE: 1}
    await io.shutdown()


async def test_a_namespace_that_clients_called_into_being_leaves_no_subscription_behind(servers: Servers) -> None:
    @servers.a.of(re.compile("/document-.*")).use
    def admit(socket: Socket) -> None:
        socket.join("red")

    assert servers.a.cluster is not None
    node = servers.a.cluster.node
    for number in range(3):
        async with connect(servers.a, namespace=f"/document-{number}"):
            assert any("/document-" in channel for channel in node._channels)
        async with asyncio.timeout(5):
            while len(servers.a.namespaces()) > 1:
                await asyncio.sleep(0)
        assert not any("/document-" in channel for channel in node._channels)
