"""Members of one namespace at two places: in one process, or at two nodes of a cluster over one bus or another."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from steinmetz.clock import FakeClock
from steinmetz.realtime.adapters.base import (
    EVERYBODY,
    RELIABLE,
    Adapter,
    Flags,
    Selection,
    SocketDetails,
    Unstamped,
)
from steinmetz.realtime.adapters.bus import Bus, MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.redis import RedisBus
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import encode

SECRET = "a secret of all nodes of the tests"


def said(text: str) -> Outgoing:
    return encode(Packet(PacketType.EVENT, "/", [text]))


class Place:
    """One process's namespace: its members are their ids; it notes what becomes of them."""

    def __init__(self, name: str = "/") -> None:
        self.name = name
        self.heard: list[tuple[str, str]] = []
        """(member, text), in order."""
        self.dropped: list[tuple[str, bool]] = []
        self.losses = 0
        self.removals = 0
        self.server_side: list[tuple[str, list[Any]]] = []
        self.asking: dict[int, Any] = {}
        self.adapter: Adapter[str]

    def deliver(
        self,
        members: Sequence[str],
        outgoing: Outgoing,
        flags: Flags,
        position: int | Unstamped | None = None,
    ) -> None:
        data = outgoing.packets[0].data
        assert isinstance(data, str)
        text = data.partition('["')[2].partition('"')[0]
        self.heard += [(member, text) for member in members]

    def note_removal(self) -> None:
        self.removals += 1

    def ask(self, members: Sequence[str], outgoing: Outgoing, flags: Flags, gathering: Any) -> None:
        gathering.expect(members)
        self.asking[gathering.ack_id] = gathering
        self.deliver(members, outgoing, flags)

    def stop_asking(self, ack_id: int) -> None:
        self.asking.pop(ack_id, None)

    def drop(self, members: Sequence[str], *, close: bool) -> None:
        for member in tuple(members):
            self.adapter.remove(member)
            self.dropped.append((member, close))

    def details(self, member: str) -> SocketDetails:
        rooms = frozenset((member, *self.adapter.rooms_of(member)))
        return SocketDetails(member, {"address": "127.0.0.1"}, rooms, {"name": member[-4:]})

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        self.server_side.append((event, list(args)))
        return f"heard {event}"

    async def release(self, sid: str) -> bool:
        return True

    def lost(self) -> None:
        self.losses += 1


class World:
    """``places`` are one and the same in a world of one process."""

    def __init__(self, places: list[Place], nodes: list[Node], clock: FakeClock | None) -> None:
        self.places = places
        self.nodes = nodes
        self.clock = clock
        self.exchange: MemoryExchange | None = None
        self._tags = [node.tag for node in nodes] or ["process1", "process2"]
        self._markers = 0

    def sid(self, name: str, at: int) -> str:
        return f"{self._tags[at]}-{name}"

    def add(self, name: str, at: int, *rooms: str) -> str:
        """A member; returns its id."""
        sid, place = self.sid(name, at), self.places[at]
        place.adapter.add(sid, sid)
        for room in rooms:
            place.adapter.join(sid, room)
        return sid

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                if self.exchange is not None:
                    self.exchange.run()
                await asyncio.sleep(0 if self.exchange is not None else 0.002)

    async def heard(self, sid: str) -> list[str]:
        """What ``sid`` has heard, once all that was said before has arrived everywhere."""
        await self.settle()
        places = dict.fromkeys(self.places)
        return [text for place in places for who, text in place.heard if who == sid and not text.startswith("~")]

    async def settle(self) -> None:
        """Wait until what each node has said has arrived at all others: by a last word from each."""
        self._markers += 1
        members = [f"{tag}-settled" for tag in self._tags[: len(self.places)]]
        for place, member in zip(self.places, members, strict=True):
            place.adapter.add(member, member)
        if self.exchange is None and self.nodes:
            await self._listens()
        texts = {f"~{self._markers}-{number}" for number, _ in enumerate(self.places)}
        for place, text in zip(self.places, sorted(texts), strict=True):
            place.adapter.broadcast(EVERYBODY, said(text), RELIABLE)

        def all_heard() -> bool:
            return all(
                texts <= {text for who, text in place.heard if who == member}
                for place, member in zip(self.places, members, strict=True)
            )

        await self.until(all_heard)
        for place, member in zip(self.places, members, strict=True):
            place.adapter.remove(member)

    async def _listens(self) -> None:
        """Over Redis: wait until all subscriptions stand, by a round trip behind them on the same line."""
        for node in self.nodes:
            bus = node._bus
            assert isinstance(bus, RedisBus)
            await self.until(lambda bus=bus: bus.is_settled)  # type: ignore[misc]

    async def acquainted(self) -> None:
        await self.until(lambda: all(len(node.peers.up()) == len(self.nodes) - 1 for node in self.nodes))


@asynccontextmanager
async def one_process() -> AsyncIterator[World]:
    place = Place()
    place.adapter = MemoryAdapter(place)
    yield World([place, place], [], None)


@asynccontextmanager
async def cluster(
    nodes: int = 2, *, exchange: MemoryExchange | None = None, redis_url: str | None = None, **options: Any
) -> AsyncIterator[World]:
    """Nodes on an exchange, whose ticks and whose clock the test moves; or over Redis, by themselves."""
    clock = None if redis_url else FakeClock()
    exchange = None if redis_url else exchange or MemoryExchange()
    prefix = secrets.token_hex(6)
    places: list[Place] = []
    made: list[Node] = []
    for _ in range(nodes):
        bus: Bus = RedisBus(redis_url, prefix=prefix) if exchange is None else MemoryBus(exchange)  # type: ignore[arg-type]
        node = Node(bus, SECRET, prefix=prefix, clock=clock, **options)
        place = Place()
        place.adapter = Cluster(node).adapter(place, MemoryAdapter(place))
        places.append(place)
        made.append(node)
    world = World(places, made, clock)
    world.exchange = exchange
    for node in made:
        node.start()
    try:
        await world.acquainted()
        yield world
    finally:
        for node in made:
            await node.aclose()


def to(*rooms: str, without: tuple[str, ...] = ()) -> Selection:
    return Selection(frozenset(rooms), frozenset(without))
