"""What handlers hold in their hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import AckTimeoutError, DisconnectedError, Server, Socket
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


async def only(io: Server) -> Socket:
    [socket] = await io.fetch_sockets()
    return socket


class TestHandshake:
    async def test_how_the_client_came(self, io: Server, clock: FakeClock) -> None:
        async with connect(
            io,
            auth={"token": "t"},
            headers={"User-Agent": "Test", "X-A": "1"},
            query="EIO=4&a=b%20c",
            address="10.0.0.9",
        ):
            handshake = (await only(io)).handshake
            assert handshake.auth == {"token": "t"}
            assert handshake.headers == {"user-agent": "Test", "x-a": "1"}
            assert handshake.query["a"] == "b c"
            assert handshake.address == "10.0.0.9"
            assert handshake.time == clock.now()
            assert not handshake.secure

    async def test_without_auth_it_is_empty(self, io: Server) -> None:
        async with connect(io):
            assert (await only(io)).handshake.auth == {}

    async def test_its_id_is_not_the_secret_of_the_session(self, io: Server) -> None:
        async with connect(io) as anna:
            assert anna.id not in io.clients


class TestAcknowledgements:
    async def test_the_first_answer_of_the_client(self, io: Server) -> None:
        async with connect(io):
            assert await (await only(io)).emit_with_ack("question", 42, 43) == 42

    async def test_no_answer_in_time(self, io: Server, clock: FakeClock) -> None:
        async with connect(io) as anna:
            socket = await only(io)
            anna._receive = lambda outgoing: None  # type: ignore[method-assign]  # a client that is deaf
            asking = asyncio.create_task(socket.emit_with_ack("question", timeout_s=3))
            await asyncio.sleep(0)
            clock.advance(3.3)
            io.wheel.run_due()
            with pytest.raises(AckTimeoutError):
                await asking
            assert socket.acks is not None
            assert len(socket.acks) == 0

    async def test_t30_they_fail_at_once_when_the_socket_goes(self, io: Server) -> None:
        async with connect(io) as anna:
            socket = await only(io)
            anna._receive = lambda outgoing: None  # type: ignore[method-assign]  # a client that is deaf
            asking = asyncio.create_task(socket.emit_with_ack("question", timeout_s=60))
            await asyncio.sleep(0)
            anna.drop()
            with pytest.raises(DisconnectedError, match="transport close"):
                await asking
            with pytest.raises(DisconnectedError):
                await socket.emit_with_ack("question")

    async def test_a_cancelled_question_is_forgotten(self, io: Server) -> None:
        async with connect(io) as anna:
            socket = await only(io)
            anna._receive = lambda outgoing: None  # type: ignore[method-assign]  # a client that is deaf
            asking = asyncio.create_task(socket.emit_with_ack("question"))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert socket.acks is not None
            assert len(socket.acks) == 0


class TestRooms:
    async def test_to_a_room_is_to_the_others_in_it(self, io: Server) -> None:
        io.on("connection", lambda socket: socket.join("room"))
        io.on("say", lambda socket: socket.to("room").emit("said"))
        io.on("shout", lambda socket: socket.broadcast.emit("shouted"))
        async with connect(io) as anna, connect(io) as ben:
            await anna.call("say")
            await anna.call("shout")
            await ben.heard("said")
            await ben.heard("shouted")
            assert anna.events == []

    async def test_a_disconnected_socket_is_in_no_room(self, io: Server) -> None:
        async with connect(io) as anna:
            socket = await only(io)
            socket.join("room")
            assert socket.rooms == {socket.id, "room"}
            await anna.disconnect()
            assert socket.rooms == frozenset()
            socket.join("room")
            assert not io.has_members("room")


class TestDisconnecting:
    async def test_it_tells_the_client_to_stay_away(self, io: Server) -> None:
        reasons: list[str] = []
        io.on("disconnect", lambda socket, reason: reasons.append(reason))
        async with connect(io) as anna:
            (await only(io)).disconnect()
            assert await anna.disconnected() == "io server disconnect"
        assert reasons == ["server namespace disconnect"]

    async def test_what_it_emits_afterwards_goes_nowhere(self, io: Server) -> None:
        async with connect(io) as anna:
            socket = await only(io)
            socket.disconnect(close=True)
            socket.emit("x")
            await anna.disconnected()
            assert anna.events == []
            assert not io.clients


class TestOwnHandlers:
    async def test_a_socket_may_have_handlers_of_its_own(self, io: Server) -> None:
        reasons: list[str] = []

        @io.on("connection")
        def connected(socket: Socket) -> None:
            socket.on("who", lambda: socket.data["name"])
            socket.data["name"] = socket.handshake.auth["name"]

            @socket.on("disconnect")
            def gone(reason: str) -> None:
                reasons.append(f"{socket.data['name']}: {reason}")

        async with connect(io, auth={"name": "Anna"}) as anna, connect(io, auth={"name": "Ben"}) as ben:
            assert (await anna.call("who"), await ben.call("who")) == ("Anna", "Ben")
        assert sorted(reasons) == ["Anna: client namespace disconnect", "Ben: client namespace disconnect"]


async def test_emissions_of_a_socket_stay_behind_the_broadcasts_before_them(
    io: Server, monkeypatch: pytest.MonkeyPatch, until: Callable[[Callable[[], bool]], object]
) -> None:
    monkeypatch.setattr("steinmetz.realtime.server.delivery.SLICE", 1)
    async with connect(io) as anna, connect(io), connect(io):
        io.emit("first")
        io.in_(anna.id or "").emit("second")
        io.of("/").sockets[anna.id or ""].emit("third")
        await anna.heard("third")
        assert [name for name, _ in anna.events] == ["first", "second", "third"]
