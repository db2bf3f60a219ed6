"""What is said while the log is being read for somebody who comes back: told once, whichever way it takes.

The answer of a memory is on its way for a while. Meanwhile what was said goes into the log, returns from it, or is
told at once because it does not return: every order of that in a few steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import product
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import ConnectionStateRecovery, Server, Socket
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.line import STALL_S
from steinmetz.realtime.adapters.node import STRANGERS_S, Node
from steinmetz.realtime.recovery.base import Reading
from steinmetz.realtime.recovery.record import Record
from steinmetz.realtime.socketio.recovery import Lane, Session
from steinmetz.realtime.testing import InProcessClient, connect
from tests.contract.realtime_world import SECRET
from tests.contract.test_recovery_model import CONFIG, Memory

pytestmark = pytest.mark.anyio


class SlowMemory(Memory):
    """One who comes back waits until `act` is done: first for her session, then for what she has missed."""

    acts: Sequence[Callable[[], None]] = ()

    async def take(self, sid: str) -> Session | None:
        session = await super().take(sid)
        self._act()
        return session

    async def read(self, lanes: Mapping[Lane, int]) -> Reading:
        reading = await super().read(lanes)
        self._act()
        return reading

    def _act(self) -> None:
        if self.acts:
            act, *self.acts = self.acts
            act()


class SlowBus(MemoryBus):
    """What is to be recorded is under way until `step`; then it is in the log, and comes back with another."""

    def __init__(self, exchange: MemoryExchange) -> None:
        super().__init__(exchange)
        self.under_way: list[Record] = []

    def record(self, record: Record) -> None:
        if self.is_connected:
            self.under_way.append(record)

    def cut(self) -> None:
        self.under_way.clear()
        super().cut()

    def step(self) -> bool:
        if not self.under_way:
            return False
        super().record(self.under_way.pop(0))
        return True


class World:
    """Two servers; clients are at the first one, whose words are slow."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.exchange = MemoryExchange()
        self.sessions: dict[str, tuple[str, Session]] = {}
        self.buses: list[SlowBus | MemoryBus] = []
        self.memories: list[SlowMemory] = []
        self.servers = [self._server() for _ in range(2)]
        self.said = 0

    def _server(self) -> Server:
        bus = MemoryBus(self.exchange) if self.buses else SlowBus(self.exchange)
        self.buses.append(bus)

        def store(_config: ConnectionStateRecovery, _heartbeat_s: float) -> Any:
            self.memories.append(SlowMemory(self.exchange, bus, self.sessions))
            return self.memories[-1]

        io = Server(CONFIG, clock=self.clock, cluster=Cluster(Node(bus, SECRET, clock=self.clock), store))

        @io.use
        def admit(socket: Socket) -> None:
            socket.join("red")

        return io

    # -- what happens

    def do(self, acts: tuple[str, ...]) -> None:
        for act in acts:
            self._do(act)

    def _do(self, act: str) -> None:
        match act:
            case "say":
                self.say()
            case "other":
                self.say(1)
            case "outage":
                self.buses[0].cut()
                self.say(1)
                self.buses[0].connect()
                self.clock.advance(STRANGERS_S)
            case "record":
                self._record()
            case "return":
                self.exchange.run()
            case "stall":
                self.clock.advance(STALL_S)
                self.tick()

    def say(self, at: int = 0) -> None:
        self.said += 1
        self.servers[at].to("red").emit("n", self.said)

    def _record(self) -> bool:
        bus = self.buses[0]
        assert isinstance(bus, SlowBus)
        return bus.step()

    def tick(self) -> None:
        for io in self.servers:
            assert io.cluster is not None
            io.cluster.node.tick()

    async def settle(self) -> None:
        while self._record():
            pass
        self.exchange.run()
        for _ in range(5):
            await asyncio.sleep(0)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    it = World()
    for io in it.servers:
        await io.start()
    for _ in range(10):
        await it.settle()
    try:
        yield it
    finally:
        for io in it.servers:
            await io.shutdown()


def numbers(client: InProcessClient) -> list[int]:
    return [args[0] for _, args in client.events]


async def comes_back(it: World, anna: InProcessClient, *story: tuple[str, ...]) -> bool:
    """What happens while she is away, while her session is taken, while the log is read."""
    start = it.said
    anna.drop()
    it.do(story[0])
    it.memories[0].acts = [partial(it.do, story[1]), partial(it.do, story[2])]
    async with asyncio.timeout(10), connect(it.servers[0], resume=anna) as again:
        await it.settle()
        for at in (0, 1):
            it.say(at)
            await it.settle()
    if again.recovered:
        assert sorted(numbers(again)) == list(range(start + 1, it.said + 1)), story
    assert len(set(numbers(again))) == len(numbers(again)), story
    return again.recovered


@pytest.mark.parametrize(
    ("acts", "length"),
    [(("say", "record", "return", "stall"), 4), (("say", "record", "return", "other", "outage"), 3)],
    ids=["own", "others"],
)
async def test_what_is_said_while_the_log_is_read_is_told_once(acts: tuple[str, ...], length: int) -> None:
    stories = [
        (story[:at], story[at:until], story[until:])
        for story in product(acts, repeat=length)
        for at, until in ((0, 0), (1, 1), (0, length - 2))
    ]
    recovered = 0
    for start in range(0, len(stories), 40):
        async with world() as it:
            for story in stories[start : start + 40]:
                async with connect(it.servers[0]) as anna:
                    it.say()
                    await it.settle()
                    recovered += await comes_back(it, anna, *story)
    assert recovered > len(stories) / 3


async def test_who_comes_back_while_much_is_said_is_recovered() -> None:
    """Each time the log is read for her, something else has returned before its answer is here."""
    async with world() as it, connect(it.servers[0]) as anna:
        it.say()
        await it.settle()
        anna.drop()
        chatter = partial(it.do, ("say", "record", "return"))
        it.memories[0].acts = [chatter] * 200
        async with connect(it.servers[0], resume=anna) as again:
            it.memories[0].acts = ()
            it.say()
            await it.settle()
        assert again.recovered
        assert numbers(again) == list(range(2, it.said + 1))


async def test_what_was_told_ahead_to_a_connection_that_broke_is_told_to_the_next_one() -> None:
    async with world() as it, connect(it.servers[0]) as anna:
        it.say()
        await it.settle()
        anna._receive = lambda _outgoing: None  # type: ignore[method-assign]
        it.say()
        it.servers[0].of("/").adapter.catch_up(anna.id)
        anna.drop()
        async with connect(it.servers[0], resume=anna) as again:
            await it.settle()
        assert again.recovered
        assert numbers(again) == [2]


async def test_a_room_that_she_is_put_into_while_the_log_is_read_is_read_too() -> None:
    async with world() as it, connect(it.servers[0]) as anna:
        it.say()
        await it.settle()
        anna.drop()

        def put_into_blue() -> None:
            it.servers[1].in_("red").sockets_join("blue")
            it.exchange.run()
            it.servers[1].to("blue").emit("n", "blue")
            it.exchange.run()

        it.memories[0].acts = [lambda: None, put_into_blue]
        async with connect(it.servers[0], resume=anna) as again:
            assert it.servers[0].of("/").sockets[again.id].rooms == {again.id, "red", "blue"}
            it.say()
            await it.settle()
        assert again.recovered
        assert [args[0] for _, args in again.events] == ["blue", 2]
