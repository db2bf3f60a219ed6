"""Who is meant, link by link."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import AckError, AckTimeoutError, DisconnectedError, NotRunningError, Server
from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.testing import InProcessClient, connect, silent

pytestmark = pytest.mark.anyio

PassTime = Callable[[float], None]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


def sid(client: InProcessClient) -> str:
    assert client.id is not None
    return client.id


class TestChaining:
    def test_an_operator_can_be_kept_and_refined(self) -> None:
        finance = Server().to("finance")
        assert finance.to("hr")._selection.rooms == {"finance", "hr"}
        assert finance.except_("hr")._selection.except_rooms == {"hr"}
        assert finance.local._selection.is_local
        assert finance.volatile.to("hr")._flags.volatile
        assert finance.local.to("hr")._selection.is_local
        assert finance.timeout(3).to("hr").volatile._timeout_s == 3
        assert finance._selection.rooms == {"finance"}

    def test_flags_add_up(self) -> None:
        chosen = Server().compress(False).newest("progress:7").volatile
        assert chosen._flags == Flags(volatile=True, newest="progress:7", compress=False)

    async def test_no_rooms_are_not_everybody(self, io: Server) -> None:
        async with connect(io) as anna:
            for someone in (io, io.of("/"), io.sockets.sockets[sid(anna)], io.volatile):
                with pytest.raises(ValueError, match="which rooms"):
                    someone.to(*[])

    @pytest.mark.parametrize("seconds", [0, -1])
    def test_a_timeout_is_above_zero(self, seconds: float) -> None:
        with pytest.raises(ValueError, match="above 0"):
            Server().timeout(seconds)

    async def test_from_a_socket_others_are_meant(self, io: Server) -> None:
        io.on("connection", lambda socket: socket.join(*socket.handshake.auth["rooms"]))
        async with (
            connect(io, auth={"rooms": ["a"]}) as anna,
            connect(io, auth={"rooms": ["a", "b"]}) as ben,
            connect(io, auth={"rooms": ["b"]}) as carl,
        ):
            socket = io.sockets.sockets[sid(anna)]
            socket.to("a").emit("x", "to")
            socket.in_("a").except_("b").emit("x", "in, except")
            socket.except_("a").emit("x", "except")
            socket.broadcast.except_("a").emit("x", "broadcast, except")
            socket.local.emit("x", "local")
            socket.volatile.to("b").emit("x", "volatile, to")
            socket.compress(False).broadcast.emit("x", "compress, broadcast")
            socket.volatile.emit("x", "volatile")
            io.emit("end")
            for client in (anna, ben, carl):
                await client.heard("end")
            assert [args[0] for name, args in anna.events if name == "x"] == ["volatile"]
            assert [args[0] for name, args in ben.events if name == "x"] == [
                "to", "local", "volatile, to", "compress, broadcast",
            ]  # fmt: skip
            assert [args[0] for name, args in carl.events if name == "x"] == [
                "except", "broadcast, except", "local", "volatile, to", "compress, broadcast",
            ]  # fmt: skip

    async def test_volatile_is_dropped_for_who_is_not_ready(self, io: Server) -> None:
        async with connect(io) as anna, connect(io) as ben:
            anna.stall()
            io.volatile.emit("typing")
            io.emit("end")
            await ben.heard("end")
            anna.resume()
            await anna.heard("end")
            assert [name for name, _ in anna.events] == ["end"]
            assert [name for name, _ in ben.events] == ["typing", "end"]
        assert io.statistics.dropped_volatile == 1


class TestAcknowledgementsOfMany:
    async def test_one_answer_from_each(self, io: Server) -> None:
        async with connect(io) as anna, connect(io) as ben, connect(io) as carl:
            for name, client in (("anna", anna), ("ben", ben), ("carl", carl)):
                client.on("who", lambda greeting, name=name: f"{greeting} {name}")
            assert sorted(await io.emit_with_ack("who", "I am")) == ["I am anna", "I am ben", "I am carl"]
            io.in_(sid(ben)).sockets_join("room")
            assert await io.to("room").emit_with_ack("who", "I am") == ["I am ben"]
            socket = io.sockets.sockets[sid(anna)]
            assert len(await socket.broadcast.emit_with_ack("who", "-")) == 2

    async def test_nobody_to_ask_is_no_answer_and_no_error(self, io: Server) -> None:
        assert await io.to("nobody").timeout(3600).emit_with_ack("who") == []

    async def test_binary_both_ways(self, io: Server) -> None:
        async with connect(io) as anna:
            anna.on("sign", lambda document: document + b"!")
            assert await io.emit_with_ack("sign", b"\x00\x01") == [b"\x00\x01!"]

    async def test_on_timeout_the_error_has_the_answers_so_far_and_who_is_missing(
        self, io: Server, pass_time: PassTime, until: Until
    ) -> None:
        async with connect(io) as anna, connect(io) as ben:
            anna.on("who", lambda: "anna")
            ben.on("who", silent)
            asking = asyncio.create_task(io.timeout(5).emit_with_ack("who"))
            await until(lambda: bool(anna.events) and bool(ben.events))
            pass_time(4.9)
            assert not asking.done()
            pass_time(0.5)
            with pytest.raises(AckTimeoutError, match="1 of 2 did not acknowledge within 5 s") as error:
                await asking
            assert (error.value.answers, error.value.missing) == (["anna"], {ben.id})

    async def test_who_goes_away_is_not_waited_for(self, io: Server, until: Until) -> None:
        async with connect(io) as anna, connect(io) as ben:
            ben.on("who", silent)
            anna.on("who", lambda: "anna")
            asking = asyncio.create_task(io.timeout(3600).emit_with_ack("who"))
            await until(lambda: bool(anna.events) and bool(ben.events))
            gone = sid(ben)
            ben.drop()
            with pytest.raises(DisconnectedError, match="transport close") as error:
                await asking
            assert (error.value.answers, error.value.missing) == (["anna"], {gone})

    async def test_nothing_is_kept_afterwards_however_it_ended(
        self, io: Server, pass_time: PassTime, until: Until
    ) -> None:
        async with connect(io) as anna:
            anna.on("question", silent)
            await io.emit_with_ack("answered")
            timed_out = asyncio.create_task(io.timeout(1).emit_with_ack("question"))
            cancelled = asyncio.create_task(io.timeout(1).emit_with_ack("question"))
            await until(lambda: len(anna.events) == 3)
            cancelled.cancel()
            pass_time(1.5)
            await asyncio.gather(timed_out, cancelled, return_exceptions=True)
            assert io.sockets._questions.open == {}

    async def test_an_answer_counts_once_and_only_from_who_was_asked(self, io: Server, until: Until) -> None:
        async with connect(io) as anna, connect(io) as eve:
            anna.on("who", silent)
            io.in_(sid(anna)).sockets_join("room")
            asking = asyncio.create_task(io.to("room").emit_with_ack("who"))
            await until(lambda: bool(anna.events))
            [ack_id] = io.sockets._questions.open
            io.sockets.sockets[sid(eve)].acknowledge(ack_id, ["eve"])
            io.sockets.sockets[sid(anna)].acknowledge(ack_id, ["anna"])
            io.sockets.sockets[sid(anna)].acknowledge(ack_id, ["again"])
            assert await asking == ["anna"]

    async def test_what_cannot_be_sent_is_told_and_forgotten(self, io: Server) -> None:
        with pytest.raises(TypeError, match="JSON"):
            await io.emit_with_ack("x", object())
        with pytest.raises(ValueError, match="reserved"):
            await io.emit_with_ack("disconnect")
        assert io.sockets._questions.open == {}

    def test_it_is_awaited_on_the_loop_of_the_server(self) -> None:
        with pytest.raises(NotRunningError, match="loop"):
            asyncio.run(Server().emit_with_ack("x"))

    async def test_what_a_crowd_answers_is_bounded(self, io: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("steinmetz.realtime.server.questions.MAX_ANSWER_BYTES", 1_000)
        async with connect(io) as anna, connect(io) as ben:
            anna.on("who", lambda: {"text": "x" * 400, "bytes": b"y" * 400})
            ben.on("who", lambda: "z" * 400)
            with pytest.raises(AckError, match="too big") as error:
                await io.emit_with_ack("who")
            assert len(error.value.answers) == len(error.value.missing) == 1
            assert io.statistics.refused["the answers are too big"] == 1
            assert await io.to(sid(ben)).emit_with_ack("who") == ["z" * 400]
            assert (io.sockets._questions._size, len(io.sockets._questions._sizes)) == (0, 0)

    async def test_broadcasts_that_wait_are_bounded(
        self, io: Server, until: Until, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("steinmetz.realtime.server.questions.MAX_OPEN", 1)
        async with connect(io) as anna:
            anna.on("who", silent)
            asking = asyncio.create_task(io.emit_with_ack("who"))
            await until(lambda: bool(anna.events))
            with pytest.raises(AckError, match="already"):
                await io.emit_with_ack("who")
            asking.cancel()
        assert io.statistics.refused["too many broadcasts with acknowledgement"] == 1


class TestAcknowledgementOfOne:
    async def test_with_a_time_limit_of_its_own(self, io: Server, clock: FakeClock, pass_time: PassTime) -> None:
        async with connect(io) as anna:
            socket = io.sockets.sockets[sid(anna)]
            assert await socket.timeout(2).emit_with_ack("question", 42) == 42
            anna.on("question", silent)
            asking = asyncio.create_task(socket.timeout(2).emit_with_ack("question"))
            await anna.heard("question")
            await anna.heard("question")
            pass_time(2.3)
            with pytest.raises(AckTimeoutError, match="2 s"):
                await asking

    async def test_a_socket_that_is_gone_says_so(self, io: Server) -> None:
        async with connect(io) as anna:
            socket = io.sockets.sockets[sid(anna)]
            await anna.disconnect()
            with pytest.raises(DisconnectedError):
                await socket.timeout(2).emit_with_ack("question")


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
async def test_a_timeout_that_is_none(io: Server, seconds: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        io.timeout(seconds)
