"""What a parent says, all its children have heard; what it is told, it passes on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from steinmetz.realtime import AckTimeoutError, ConnectError, DisconnectedError, ParentNamespace, Server, Socket
from steinmetz.realtime.testing import connect, silent

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def teams(io: Server) -> ParentNamespace:
    return io.of(re.compile("/team-[a-z]"))


class TestInheritance:
    async def test_middlewares_of_the_parent_come_first(self, io: Server, teams: ParentNamespace) -> None:
        asked: list[str] = []
        io.of("/team-a").use(lambda socket: asked.append("child"))

        @teams.use
        async def parent(socket: Socket) -> None:
            asked.append("parent")
            if socket.handshake.auth.get("stranger"):
                raise ConnectError("No")

        async with connect(io, namespace="/team-a"):
            assert asked == ["parent", "child"]
        with pytest.raises(ConnectError, match="No"):
            async with connect(io, namespace="/team-b", auth={"stranger": True}):
                pass

    async def test_handlers_too_those_of_the_child_go_before(self, io: Server, teams: ParentNamespace) -> None:
        teams.on("who", lambda socket: "parent")
        io.of("/team-a").on("who", lambda socket: "child")
        async with connect(io, namespace="/team-a") as a, connect(io, namespace="/team-b") as b:
            assert (await a.call("who"), await b.call("who")) == ("child", "parent")
            teams.on("later", lambda socket: "later, too")
            assert await b.call("later") == "later, too"

    async def test_connection_disconnecting_disconnect_and_listeners(
        self, io: Server, teams: ParentNamespace
    ) -> None:
        heard: list[Any] = []
        child = io.of("/team-a")
        for name, place in (("child", child), ("parent", teams)):
            place.on("connection", lambda socket, name=name: heard.append((name, "connection")))
            place.on("disconnecting", lambda socket, reason, name=name: heard.append((name, "disconnecting")))
            place.on("disconnect", lambda socket, reason, name=name: heard.append((name, "disconnect")))
            place.on_any(lambda socket, event, name=name: heard.append((name, event)))
        async with connect(io, namespace="/team-a") as a:
            await a.call("x")
        assert heard == [
            (name, what)
            for what in ("connection", "x", "disconnecting", "disconnect")
            for name in ("parent", "child")
        ]

    async def test_a_child_that_ends_says_so_to_its_handlers(self, io: Server, teams: ParentNamespace) -> None:
        gone: list[str] = []
        teams.on("disconnect", lambda socket, reason: gone.append(socket.namespace.name))
        async with connect(io, namespace="/team-z"):
            pass
        assert gone == ["/team-z"]


class TestSpeakingToAll:
    async def test_an_emission_reaches_all_children(self, io: Server, teams: ParentNamespace) -> None:
        teams.on("connection", lambda socket: socket.join(socket.handshake.auth["room"]))
        async with (
            connect(io, namespace="/team-a", auth={"room": "x"}) as a,
            connect(io, namespace="/team-b", auth={"room": "y"}) as b,
            connect(io) as main,
        ):
            teams.emit("all", 1)
            teams.to("x").emit("x")
            teams.except_("x").volatile.emit("y")
            teams.emit("end")
            io.emit("end")
            for client in (a, b, main):
                await client.heard("end")
            assert [name for name, _ in a.events] == ["all", "x", "end"]
            assert [name for name, _ in b.events] == ["all", "y", "end"]
            assert [name for name, _ in main.events] == ["end"]

    async def test_sockets_of_all_children_are_fetched_moved_and_sent_away(
        self, io: Server, teams: ParentNamespace
    ) -> None:
        async with connect(io, namespace="/team-a") as a, connect(io, namespace="/team-b") as b:
            teams.sockets_join("room")
            assert {socket.id for socket in await teams.to("room").fetch_sockets()} == {a.id, b.id}
            teams.in_("room").sockets_leave("room")
            assert list(await teams.to("room").fetch_sockets()) == []
            teams.disconnect_sockets()
            assert await a.disconnected() == await b.disconnected() == "io server disconnect"

    async def test_answers_of_all_children_come_together(self, io: Server, teams: ParentNamespace) -> None:
        async with connect(io, namespace="/team-a") as a, connect(io, namespace="/team-b") as b:
            a.on("who", lambda: "a")
            b.on("who", lambda: "b")
            assert sorted(await teams.emit_with_ack("who")) == ["a", "b"]

    async def test_and_so_do_those_that_are_missing(
        self, io: Server, teams: ParentNamespace, until: Until, pass_time: Callable[[float], None]
    ) -> None:
        async with (
            connect(io, namespace="/team-a") as a,
            connect(io, namespace="/team-b") as b,
            connect(io, namespace="/team-c") as c,
        ):
            a.on("who", lambda: "a")
            b.on("who", silent)
            c.on("who", silent)
            gone, mute = c.id, b.id
            asking = asyncio.create_task(teams.timeout(1).emit_with_ack("who"))
            await until(lambda: all(client.events for client in (a, b, c)))
            c.drop()
            pass_time(1.5)
            with pytest.raises(AckTimeoutError) as error:
                await asking
            assert (error.value.answers, error.value.missing) == (["a"], {gone, mute})

    async def test_if_all_the_others_have_gone_it_says_that(
        self, io: Server, teams: ParentNamespace, until: Until
    ) -> None:
        async with connect(io, namespace="/team-a") as a, connect(io, namespace="/team-b") as b:
            b.on("who", silent)
            asking = asyncio.create_task(teams.emit_with_ack("who"))
            await until(lambda: bool(a.events) and bool(b.events))
            b.drop()
            with pytest.raises(DisconnectedError, match="transport close"):
                await asking

    async def test_what_cannot_be_sent_is_told_even_if_nobody_is_there(self, teams: ParentNamespace) -> None:
        with pytest.raises(TypeError, match="JSON"):
            teams.emit("x", object())
        with pytest.raises(ValueError, match="reserved"):
            teams.emit("disconnect")
        teams.emit("x")
        assert await teams.emit_with_ack("x") == []
