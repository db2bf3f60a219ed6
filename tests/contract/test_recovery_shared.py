"""Two servers with one memory in Redis: a client of one that dies without a word is recovered by the other.

What a cluster's adapter does is done here in the smallest way: an emission gets its position in Redis, and then
every server that lives delivers it to its own members.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectionStateRecovery, Selection, Server, Socket
from steinmetz.realtime.adapters.base import RELIABLE, Flags, is_recoverable
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.recovery.redis import RedisLog, RedisStore
from steinmetz.realtime.server.recovery import Outcome
from steinmetz.realtime.socketio.recovery import Entry, Kind, shield, stamp
from steinmetz.realtime.testing import InProcessClient, connect
from tests.servers import Server as RedisServer
from tests.servers import redis_server

pytestmark = pytest.mark.anyio
CONFIG = Config(require_auth=False, connection_state_recovery=ConnectionStateRecovery())


class Bus:
    """Gives positions one after the other, and lets everybody who lives hear of them."""

    def __init__(self) -> None:
        self.adapters: list[SharedAdapter] = []
        self._line: asyncio.Queue[tuple[RedisLog, Entry]] = asyncio.Queue()

    def say(self, log: RedisLog, entry: Entry) -> None:
        self._line.put_nowait((log, entry))

    async def run(self) -> None:
        while True:
            log, entry = await self._line.get()
            position = await log.append(entry)
            for adapter in self.adapters:
                adapter.hear(entry._replace(position=position))
            self._line.task_done()

    async def silence(self) -> None:
        await self._line.join()
        for _ in range(5):
            await asyncio.sleep(0)


class SharedAdapter(MemoryAdapter[Socket]):
    is_recording = True
    position = 0

    def __init__(self, io: Server, bus: Bus) -> None:
        namespace = io.of("/")
        super().__init__(namespace)
        assert namespace.recovery is not None
        assert isinstance(namespace.recovery.log, RedisLog)
        self.log = namespace.recovery.log
        self.on_change = namespace.recovery.changed
        self._bus = bus
        bus.adapters.append(self)
        namespace.adapter = self

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        if is_recoverable(flags):
            rooms, except_rooms = tuple(selection.rooms), tuple(selection.except_rooms)
            self._bus.say(self.log, Entry(0, Kind.EMIT, rooms, except_rooms, outgoing.packets))
        else:
            super().broadcast(selection, shield(outgoing), flags)

    def hear(self, entry: Entry) -> None:
        self.position = entry.position
        members = self.select(Selection(frozenset(entry.rooms), frozenset(entry.except_rooms)))
        if members:
            outgoing = stamp(entry.packets, self.log.epoch.offset(entry.position))
            self._local.deliver(members, outgoing, RELIABLE, entry.position)


class Pair:
    """Two servers, `a` and `b`."""

    def __init__(self, url: str, prefix: str) -> None:
        assert CONFIG.connection_state_recovery is not None
        self.bus = Bus()
        stores = [RedisStore(url, CONFIG.connection_state_recovery, secret=b"s" * 16, prefix=prefix) for _ in "ab"]
        self.a, self.b = (Server(CONFIG, clock=FakeClock(), recovery=store) for store in stores)
        self.adapters = [SharedAdapter(io, self.bus) for io in (self.a, self.b)]

    async def kill_a(self, client: InProcessClient) -> None:
        """It dies without a word: nothing of it hears anything any more, and its clients' bytes go nowhere."""
        recovery = self.a.of("/").recovery
        assert recovery is not None
        await self.bus.silence()
        await recovery.sessions.saved()
        self.bus.adapters.remove(self.adapters[0])
        client._receive = lambda outgoing: None  # type: ignore[method-assign]


@pytest.fixture
async def people() -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def come(io: Server, resume: InProcessClient | None = None) -> InProcessClient:
            return await stack.enter_async_context(connect(io, resume=resume))

        yield come


@pytest.fixture
async def pair(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Pair]:
    pair = Pair(redis_url, f"shared-{id(request.node)}")
    running = asyncio.ensure_future(pair.bus.run())
    yield pair
    running.cancel()
    await pair.a.shutdown()
    await pair.b.shutdown()


def numbers(client: InProcessClient) -> list[Any]:
    return [args[0] for _, args in client.events]


async def test_a_client_of_a_dead_server_is_recovered_by_another(pair: Pair, people: Any) -> None:
    anna = await people(pair.a)
    await pair.b.start()
    [socket] = pair.a.of("/").sockets.values()
    socket.join("red", "green")
    pair.b.to("red").emit("n", 1)
    await pair.bus.silence()
    assert numbers(anna) == [1]
    anna._receive = lambda outgoing: None  # its network is gone
    pair.b.to("green").emit("n", 1.5)
    await pair.bus.silence()
    socket.leave("green")
    pair.b.to("green").emit("n", 1.7)
    await pair.kill_a(anna)
    pair.b.to("red").emit("n", 2)
    pair.b.to("blue").emit("n", 3)
    pair.b.emit("n", 4)
    await pair.bus.silence()
    again = await people(pair.b, anna)
    pair.b.to("red").emit("n", 5)
    pair.a.volatile.emit("n", 6)
    await pair.bus.silence()
    assert again.recovered
    assert again.id == anna.id
    assert numbers(again) == [1.5, 2, 4, 5]


async def test_and_so_is_one_that_has_heard_nothing_yet(pair: Pair, people: Any) -> None:
    await people(pair.b)
    pair.b.emit("n", 0)
    await pair.bus.silence()
    anna = await people(pair.a)
    await pair.kill_a(anna)
    pair.b.emit("n", 1)
    await pair.bus.silence()
    again = await people(pair.b, anna)
    await pair.bus.silence()
    assert again.recovered
    assert numbers(again) == [1]


async def test_a_client_that_was_torn_away_finds_its_session_at_the_other(pair: Pair, people: Any) -> None:
    await people(pair.b)
    anna = await people(pair.a)
    anna.drop()
    pair.b.emit("n", 1)
    await pair.bus.silence()
    await pair.a.of("/").recovery.sessions.saved()  # type: ignore[union-attr]
    again, second = await people(pair.b, anna), await people(pair.b, anna)
    await pair.bus.silence()
    assert [again.recovered, second.recovered] == [True, False]
    assert numbers(again) == [1]
    assert pair.b.statistics.recoveries == {Outcome.RECOVERED: 1, Outcome.IN_USE: 1}


async def test_what_arrives_late_of_what_was_replayed_is_not_told_twice(pair: Pair, people: Any) -> None:
    anna = await people(pair.a)
    await pair.kill_a(anna)
    recovery = pair.b.of("/").recovery
    assert recovery is not None
    assert isinstance(recovery.log, RedisLog)
    packets = (await _packets(pair, 1)), (await _packets(pair, 2))
    first, second = [await recovery.log.append(Entry(0, Kind.EMIT, packets=each)) for each in packets]
    again = await people(pair.b, anna)
    for position, each in zip((first, second), packets, strict=True):
        pair.adapters[1].hear(Entry(position, Kind.EMIT, packets=each))
    pair.b.emit("n", 3)
    await pair.bus.silence()
    assert again.recovered
    assert numbers(again) == [1, 2, 3]


async def _packets(pair: Pair, number: int) -> Any:
    return pair.b.of("/")._event("n", (number,), None).packets


async def test_when_redis_has_lost_its_data_nobody_is_recovered(people: Any) -> None:
    with redis_server() as redis:
        pair = Pair(redis.url, "lost")
        running = asyncio.ensure_future(pair.bus.run())
        try:
            await lose_everything(pair, redis, people)
        finally:
            running.cancel()
            await pair.a.shutdown()
            await pair.b.shutdown()


async def lose_everything(pair: Pair, redis: RedisServer, people: Any) -> None:
    anna = await people(pair.a)
    pair.a.emit("n", 1)
    await pair.bus.silence()
    anna.drop()
    redis.kill()
    down = await people(pair.b, anna)
    assert not down.recovered
    redis.start()
    again = await people(pair.b, anna)
    assert not again.recovered
    pair.b.emit("n", 2)
    await pair.bus.silence()
    assert numbers(again) == [2]
    assert pair.b.statistics.recoveries == {Outcome.UNREACHABLE: 1, Outcome.UNKNOWN_PID: 1}


async def test_an_adapter_that_keeps_no_log_recovers_nobody(redis_url: str, people: Any) -> None:
    assert CONFIG.connection_state_recovery is not None
    store = RedisStore(redis_url, CONFIG.connection_state_recovery, secret=b"s" * 16, prefix="no-log")
    io = Server(replace(CONFIG), recovery=store)
    anna = await people(io)
    anna.drop()
    io.emit("n", 1)
    assert not (await people(io, anna)).recovered
    assert io.statistics.recoveries == {Outcome.INCOMPLETE: 1}
    await io.shutdown()
