"""Acknowledgements of many over several servers: what the port of a namespace and its adapter has to carry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import (
    AckTimeoutError,
    Config,
    DisconnectedError,
    Namespace,
    Selection,
    Server,
    Socket,
)
from steinmetz.realtime.adapters.base import RELIABLE, Flags
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.server import questions
from steinmetz.realtime.socketio.gathering import Gathering
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import encode
from steinmetz.realtime.testing import connect, silent

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Linked(MemoryAdapter[Socket]):
    """One of two servers, each of which asks its own sockets and tells the other what they say."""

    def __init__(self, namespace: Namespace, name: str, servers: dict[str, Linked]) -> None:
        super().__init__(namespace)
        self.name = name
        self.namespace = namespace
        self.servers = servers
        self.is_mute = False
        servers[name] = self

    def broadcast_with_ack(
        self, selection: Selection, outgoing: Outgoing, flags: Flags, gathering: Gathering
    ) -> None:
        others = [server for name, server in self.servers.items() if name != self.name]
        gathering.await_nodes([server.name for server in others])
        super().broadcast_with_ack(selection, outgoing, flags, gathering)
        for server in others:
            asyncio.get_running_loop().call_soon(server.ask_for, selection, outgoing, flags, gathering)

    def ask_for(self, selection: Selection, outgoing: Outgoing, flags: Flags, asked: Gathering) -> None:
        """For another server: whom this one asks is said before any of them can have answered."""
        if self.is_mute:
            return
        mine = Relay(asked)
        members = self.select(selection)
        asked.expect([member.id for member in members], node=self.name)
        self.namespace.ask(members, outgoing, flags, mine)
        asked.check()


class Relay(Gathering):
    """The answers of one server on their way to the one that asked."""

    def __init__(self, asked: Gathering) -> None:
        super().__init__(asked.ack_id, lambda: None)
        self.asked = asked

    def answer(self, sid: str, answers: list[Any]) -> bool:
        return super().answer(sid, answers) and self.asked.answer(sid, answers)

    def lose(self, sid: str, reason: str) -> None:
        super().lose(sid, reason)
        self.asked.lose(sid, reason)


@pytest.fixture
async def two(clock: FakeClock) -> AsyncIterator[tuple[Server, Server]]:
    servers: dict[str, Linked] = {}
    pair = [
        Server(
            Config(require_auth=False),
            clock=clock,
            make_adapter=lambda namespace, name=name: Linked(namespace, name, servers),  # type: ignore[misc]
        )
        for name in ("a", "b")
    ]
    for server in pair:
        await server.start()
    yield pair[0], pair[1]
    for server in pair:
        await server.shutdown()


async def test_clients_of_both_servers_answer_the_same_packet(two: tuple[Server, Server]) -> None:
    a, b = two
    async with connect(a) as anna, connect(b) as ben, connect(b) as bea:
        for name, client in (("anna", anna), ("ben", ben), ("bea", bea)):
            client.on("who", lambda name=name: name)
        assert sorted(await a.emit_with_ack("who")) == ["anna", "bea", "ben"]
        assert sorted(await b.except_(anna.id or "").emit_with_ack("who")) == ["bea", "ben"]


async def test_who_does_not_answer_and_who_goes_away_is_named_wherever_he_is(
    two: tuple[Server, Server], clock: FakeClock, until: Until
) -> None:
    a, b = two
    async with connect(a) as anna, connect(b) as ben, connect(b) as bea:
        ben.on("who", silent)
        bea.on("who", silent)
        gone, mute = bea.id, ben.id
        asking = asyncio.create_task(a.timeout(5).emit_with_ack("who"))
        await until(lambda: all(client.events for client in (anna, ben, bea)))
        bea.drop()
        clock.advance(6)
        a.wheel.run_due()
        with pytest.raises(AckTimeoutError) as error:
            await asking
        assert (error.value.answers, error.value.missing) == ([None], {gone, mute})


async def test_a_server_that_says_nothing_is_waited_for_and_one_that_is_down_is_not(
    two: tuple[Server, Server], clock: FakeClock
) -> None:
    a, b = two
    adapter: Any = b.sockets.adapter
    adapter.is_mute = True
    async with connect(a) as anna:
        anna.on("who", lambda: "anna")
        asking = asyncio.create_task(a.timeout(5).emit_with_ack("who"))
        await anna.heard("who")
        clock.advance(6)
        a.wheel.run_due()
        with pytest.raises(AckTimeoutError, match="1 servers did not say whom they ask") as error:
            await asking
        assert error.value.answers == ["anna"]
        asking = asyncio.create_task(a.timeout(5).emit_with_ack("who"))
        await anna.heard("who")
        [gathering] = a.sockets._questions.open.values()
        gathering.lose_node("b")
        with pytest.raises(DisconnectedError, match="server down") as lost:
            await asking
        assert (lost.value.answers, lost.value.missing) == (["anna"], {"node b"})


async def test_who_asks_for_another_server_stops_when_told(two: tuple[Server, Server]) -> None:
    _, b = two
    async with connect(b) as ben:
        ben.on("who", silent)
        gathering = Gathering(7, lambda: None)
        b.sockets.ask(tuple(b.sockets.sockets.values()), Outgoing(), Flags(), gathering)
        assert list(b.sockets._questions.open) == [7]
        b.sockets.stop_asking(7)
        assert not b.sockets._questions.open


async def test_what_other_servers_ask_takes_no_place_of_our_own_questions(
    io: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MAX_OPEN", 1)
    async with connect(io) as anna:
        anna.on("who", lambda: "anna")
        for number in range(5):
            gathering = Gathering(number, lambda: None)
            io.of("/").ask((), encode(Packet(PacketType.EVENT, "/", ["x"], number)), RELIABLE, gathering)
        assert await io.emit_with_ack("who") == ["anna"]
