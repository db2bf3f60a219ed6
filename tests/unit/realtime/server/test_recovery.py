"""Connection state recovery over a whole server in process: who comes back, and what he is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, DisconnectedError, Server, Socket
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.recovery.base import Reading
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.recovery import Outcome
from steinmetz.realtime.testing import InProcessClient, connect

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Any]


@pytest.fixture
async def io(clock: FakeClock) -> AsyncIterator[Server]:
    """Open to all; who says `user` in his auth is that, and in the rooms `grants` lets him into."""
    server = Server(
        Config(require_auth=False, connection_state_recovery=ConnectionStateRecovery(), client_queue_bytes=20_000),
        clock=clock,
    )

    @server.use
    async def authenticate(socket: Socket) -> None:
        if socket.handshake.auth.get("user") == "nobody":
            raise ConnectError("Authentication required")
        socket.subject = socket.handshake.auth.get("user")
        socket.data["passes"] = socket.data.get("passes", 0) + 1
        socket.join(*socket.handshake.auth.get("rooms", ()))

    server.on_room_join(lambda socket, room: room not in socket.handshake.auth.get("closed", ()))
    await server.start()
    yield server
    await server.shutdown()


@pytest.fixture
async def people(io: Server) -> AsyncIterator[Callable[..., Any]]:
    """Clients that are gone at the end."""
    async with AsyncExitStack() as stack:

        async def come(resume: InProcessClient | None = None, **auth: Any) -> InProcessClient:
            return await stack.enter_async_context(connect(io, auth=auth, resume=resume))

        yield come


def half_open(client: InProcessClient) -> None:
    """Its network is gone; the server has not noticed, and its answers go nowhere."""
    client._receive = lambda outgoing: None  # type: ignore[method-assign]


async def back(
    io: Server, clock: FakeClock, come: Callable[..., Any], client: InProcessClient, **auth: Any
) -> InProcessClient:
    """The return of ``client``, whose old connection does not answer within the second it has for that."""
    coming = asyncio.ensure_future(come(client, **auth))
    for _ in range(20):
        await asyncio.sleep(0)
    clock.advance(1.5)
    io.wheel.run_due()
    returned: InProcessClient = await coming
    return returned


async def drained() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def numbers(client: InProcessClient) -> list[Any]:
    return [args[0] for name, args in client.events if name == "n"]


class TestWhoWasAway:
    async def test_hears_what_was_said_meanwhile_and_then_what_is_new(self, io: Server, people: Any) -> None:
        anna = await people()
        io.emit("n", 1)
        await anna.heard("n")
        anna.drop()
        io.emit("n", 2)
        io.emit("n", 3)
        again = await people(anna)
        io.emit("n", 4)
        await drained()
        assert again.recovered
        assert again.id == anna.id
        assert numbers(again) == [2, 3, 4]
        assert io.statistics.recoveries == {Outcome.RECOVERED: 1}

    async def test_and_has_heard_nothing_yet(self, io: Server, people: Any) -> None:
        io.emit("n", 0)
        anna = await people()
        assert "offset" not in anna.state
        anna.drop()
        io.emit("n", 1)
        again = await people(anna)
        await drained()
        assert again.recovered
        assert numbers(again) == [1]

    async def test_hears_its_rooms_only_and_what_was_said_to_itself(self, io: Server, people: Any) -> None:
        anna, ben = await people(rooms=["red"]), await people(rooms=["blue"])
        [socket] = await io.in_(str(anna.id)).fetch_sockets()
        anna.drop()
        io.to("red").emit("n", 1)
        io.to("blue").emit("n", 2)
        io.to("red", "blue").emit("n", 3)
        io.except_("red").emit("n", 4)
        io.to("blue").except_(str(ben.id)).emit("n", 5)
        socket.emit("n", 6)
        io.to(str(anna.id)).emit("n", 7)
        again = await people(anna, rooms=["red"])
        await drained()
        assert numbers(again) == [1, 3, 6, 7]
        assert numbers(ben) == [2, 3, 4]

    async def test_is_where_it_was_with_what_it_had(self, io: Server, people: Any) -> None:
        anna = await people(user="anna")
        [socket] = await io.fetch_sockets()
        socket.data["cart"] = [1, 2]
        socket.join("red", "blue")
        assert await anna.call("room:join", {"room": "green"}) == {"ok": True}
        anna.drop()
        again = await people(anna, user="anna")
        [after] = await io.fetch_sockets()
        assert after is not socket
        assert after.recovered
        assert not socket.recovered
        assert after.rooms == {again.id, "red", "blue", "green"}
        assert after.data == {"cart": [1, 2], "passes": 1}
        assert after.requested_rooms == {"green"}

    async def test_several_times(self, io: Server, people: Any) -> None:
        client = await people()
        heard: list[int] = []
        for n in range(5):
            client.drop()
            io.emit("n", n)
            client = await people(client)
            await drained()
            heard += numbers(client)
        assert heard == [0, 1, 2, 3, 4]

    async def test_is_too_late_after_its_time(self, io: Server, people: Any, clock: FakeClock) -> None:
        anna = await people()
        anna.drop()
        clock.advance(121)
        again = await people(anna)
        assert not again.recovered
        assert again.id != anna.id
        assert io.statistics.recoveries == {Outcome.UNKNOWN_SESSION: 1}

    async def test_comes_to_an_emission_as_a_member_would(self, io: Server, people: Any) -> None:
        anna = await people(rooms=["red"])
        anna.drop()
        io.to("green").emit("n", 0)
        io.in_("red").sockets_join("green")
        io.to("green").emit("n", 1)
        io.in_(str(anna.id)).sockets_leave("red")
        io.to("red").emit("n", 2)
        again = await people(anna, rooms=["red"])
        await drained()
        assert again.recovered
        assert numbers(again) == [1]

    async def test_was_told_to_stay_away(self, io: Server, people: Any) -> None:
        anna = await people(rooms=["user:5"])
        anna.drop()
        io.in_("user:5").disconnect_sockets()
        again = await people(anna, rooms=["user:5"])
        assert not again.recovered
        assert io.statistics.recoveries == {Outcome.EXPELLED: 1}

    async def test_is_missed_in_its_rooms(self, io: Server, people: Any) -> None:
        anna = await people(rooms=["red"])
        anna.drop()
        assert io.has_members("red")
        assert io.has_members(str(anna.id))
        assert not io.has_members("blue")

    async def test_left_a_room_before(self, io: Server, people: Any) -> None:
        anna = await people()
        [socket] = await io.fetch_sockets()
        io.emit("n", 0)
        await anna.heard("n")
        half_open(anna)
        socket.join("red")
        io.to("red").emit("n", 1)
        socket.leave("red")
        io.to("red").emit("n", 2)
        anna.drop()
        again = await people(anna)
        await drained()
        assert again.recovered
        assert numbers(again) == [1]


class TestWhoeverIsHalfOpen:
    async def test_t30_gives_way_to_its_own_return(self, io: Server, people: Any, clock: FakeClock) -> None:
        reasons: list[str] = []
        io.on("disconnect", lambda _socket, reason: reasons.append(reason))
        anna = await people(user="anna")
        io.emit("n", 1)
        await anna.heard("n")
        half_open(anna)
        [socket] = await io.fetch_sockets()
        asking = asyncio.ensure_future(socket.emit_with_ack("question", timeout_s=60))
        io.emit("n", 2)
        again = await back(io, clock, people, anna, user="anna")
        await drained()
        assert again.recovered
        assert again.id == anna.id
        assert numbers(again) == [2]
        assert anna.disconnect_reason == "transport close"
        assert reasons == ["ping timeout"]
        with pytest.raises(DisconnectedError, match="ping timeout"):
            await asking
        assert [member.id for member in await io.fetch_sockets()] == [again.id]

    async def test_t30_does_not_give_way_to_another_subject(self, io: Server, people: Any) -> None:
        anna = await people(user="anna")
        thief = await people(anna, user="ben")
        assert not thief.recovered
        assert anna.disconnect_reason is None
        anna.drop()
        thief = await people(anna, user="ben")
        assert not thief.recovered
        again = await people(anna, user="anna")
        assert again.recovered
        assert io.statistics.recoveries == {Outcome.FOREIGN_SUBJECT: 2, Outcome.RECOVERED: 1}

    async def test_is_not_taken_over_while_its_client_answers(self, io: Server, people: Any) -> None:
        anna = await people()
        second = await people(anna)
        assert not second.recovered
        assert second.id != anna.id
        io.emit("n", 1)
        await drained()
        assert numbers(anna) == numbers(second) == [1]
        assert io.statistics.recoveries == {Outcome.IN_USE: 1}

    async def test_gives_way_to_one_of_two(self, io: Server, people: Any, clock: FakeClock) -> None:
        anna = await people()
        half_open(anna)
        io.emit("n", 1)
        first, second = await asyncio.gather(
            back(io, clock, people, anna), back(io, clock, people, anna), return_exceptions=False
        )
        await drained()
        assert sorted([first.recovered, second.recovered]) == [False, True]
        assert numbers(first) + numbers(second) == [1]


class TestWhatEndsIt:
    async def test_goodbye(self, io: Server, people: Any) -> None:
        anna = await people()
        await anna.disconnect()
        assert not (await people(anna)).recovered

    async def test_expulsion(self, io: Server, people: Any) -> None:
        anna = await people()
        io.disconnect_sockets()
        await anna.disconnected()
        assert not (await people(anna)).recovered

    async def test_another_server(self, io: Server, people: Any) -> None:
        anna = await people()
        anna.drop()
        other = Server(Config(require_auth=False, connection_state_recovery=ConnectionStateRecovery()))
        async with connect(other, resume=anna) as again:
            assert not again.recovered
        assert other.statistics.recoveries == {Outcome.UNKNOWN_PID: 1}
        await other.shutdown()

    async def test_a_refusal(self, io: Server, people: Any) -> None:
        anna = await people(user="anna")
        anna.drop()
        with pytest.raises(ConnectError, match="Authentication required"):
            await people(anna, user="nobody")
        assert (await people(anna, user="anna")).recovered

    async def test_a_room_that_is_closed_now(self, io: Server, people: Any) -> None:
        anna = await people()
        await anna.call("room:join", "red")
        anna.drop()
        assert not (await people(anna, closed=["red"])).recovered
        assert io.statistics.recoveries == {Outcome.FORBIDDEN_ROOM: 1}

    @pytest.mark.parametrize("trouble", [LookupError(), asyncio.CancelledError()])
    async def test_a_room_that_cannot_be_asked_about(
        self, io: Server, people: Any, trouble: BaseException
    ) -> None:
        anna = await people()
        await anna.call("room:join", "red")
        anna.drop()

        async def fail(_socket: Socket, _room: str) -> bool:
            raise trouble

        io.on_room_join(fail)
        assert not (await people(anna)).recovered
        assert io.statistics.recoveries == {Outcome.FORBIDDEN_ROOM: 1}

    async def test_an_answer_of_the_memory_that_nobody_understands(
        self, io: Server, people: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna = await people()
        anna.drop()
        recovery = io.of("/").recovery
        assert recovery is not None

        async def fail(_lanes: Any) -> None:
            raise ValueError

        monkeypatch.setattr(recovery.log, "read", fail)
        assert not (await people(anna)).recovered
        assert io.statistics.recoveries == {Outcome.UNREACHABLE: 1}

    async def test_a_log_that_counts_from_behind_what_was_delivered(
        self, io: Server, people: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Redis has lost its data, and its clock has been put back: what is known of rooms means nothing."""
        anna = await people()
        io.emit("n", 1)
        await anna.heard("n")
        anna.drop()
        recovery = io.of("/").recovery
        assert recovery is not None

        async def read(lanes: Any) -> Reading:
            return Reading(0, dict.fromkeys(lanes, ()))

        monkeypatch.setattr(recovery.log, "read", read)
        assert not (await people(anna)).recovered
        assert io.statistics.recoveries == {Outcome.UNSURE: 1}

    async def test_a_right_that_is_gone(self, io: Server, people: Any) -> None:
        anna = await people(rooms=["role:admin", "all"])
        anna.drop()
        io.to("role:admin").emit("n", 1)
        again = await people(anna, rooms=["all"])
        await drained()
        assert not again.recovered
        assert numbers(again) == []

    async def test_more_than_a_client_may_wait_for(self, io: Server, people: Any) -> None:
        anna = await people()
        anna.drop()
        for _ in range(3):
            io.emit("n", "x" * 9_000)
        assert not (await people(anna)).recovered
        assert io.statistics.recoveries == {Outcome.TOO_MUCH: 1}

    @pytest.mark.parametrize("pid", ["", ".", "x.y", 7, None, {"a": 1}, ["x"]])
    async def test_a_pid_that_is_none(self, io: Server, people: Any, pid: Any) -> None:
        anna = await people(pid=pid)
        assert not anna.recovered
        assert anna.id is not None

    async def test_the_pid_of_somebody_with_a_code_of_ones_own(self, io: Server, people: Any) -> None:
        anna = await people()
        ben = await people()
        anna.drop()
        _, _, code = ben.state["pid"].rpartition(".")
        thief = await people(pid=f"{anna.id}.{code}")
        assert thief.id != anna.id
        assert io.statistics.recoveries == {Outcome.UNKNOWN_PID: 1}


class TestOffsets:
    async def test_events_without_one_leave_none(self, io: Server, people: Any) -> None:
        anna = await people()
        io.emit("n", 1)
        await anna.heard("n")
        before = anna.state["offset"]
        io.volatile.emit("typing", "~forged.1.text")
        io.volatile.emit("nothing")
        await anna.heard("nothing")
        assert anna.state["offset"] == before

    @pytest.mark.parametrize("offset", ["some text", "~abcdefgh.1.abcdefgh", "~", "", 5, {"a": 1}])
    async def test_one_that_nobody_made_is_no_lie(self, io: Server, people: Any, offset: Any) -> None:
        quiet, anna = await people(), await people()
        quiet.drop()
        io.emit("n", 1)
        await anna.heard("n")
        anna.drop()
        io.emit("n", 2)
        unsure = await people(anna, offset=offset)
        sure = await people(quiet, offset=offset)
        await drained()
        assert not unsure.recovered
        assert sure.recovered
        assert numbers(sure) == [1, 2]

    async def test_one_of_an_earlier_session_means_that_nothing_was_heard_in_this(
        self, io: Server, people: Any, clock: FakeClock
    ) -> None:
        anna = await people()
        io.emit("n", 1)
        await anna.heard("n")
        anna.drop()
        clock.advance(200)
        io.emit("n", 2)
        second = await people(anna)
        assert not second.recovered
        second.drop()
        io.emit("n", 3)
        third = await people(second)
        await drained()
        assert third.recovered
        assert numbers(third) == [3]

    async def test_a_client_that_keeps_none_hears_none(self, io: Server) -> None:
        async with connect(io, query="transport=websocket&EIO=4&t=1764126000.123") as python, connect(io) as anna:
            io.emit("n", {"text": ',"~'})
            await anna.heard("n")
            await python.heard("n")
            assert python.state == {}
            assert python.events == anna.events == [("n", [{"text": ',"~'}])]
            python.drop()
        assert not io.has_members(str(python.id))

    async def test_they_are_not_for_handlers(self, io: Server, people: Any) -> None:
        seen: list[Any] = []
        io.on("connection", lambda socket: seen.append(socket.handshake.auth))
        anna = await people(user="anna")
        anna.drop()
        await people(anna, user="anna")
        assert seen == [{"user": "anna"}, {"user": "anna"}]


async def test_what_cannot_be_kept_of_a_socket_does_not_keep_it_from_leaving(io: Server, people: Any) -> None:
    class Odd:
        def __len__(self) -> int:
            raise RuntimeError

    anna = await people(user="anna")
    [socket] = await io.fetch_sockets()
    socket.data["odd"] = {"text": type("Text", (str,), {"__len__": Odd.__len__})()}
    told: list[str] = []
    io.on("disconnect", lambda _socket, reason: told.append(reason))
    anna.drop()
    assert told == ["transport close"]
    assert not io.of("/").sockets
    assert not (await people(anna, user="anna")).recovered
    assert io.statistics.recoveries == {Outcome.UNKNOWN_SESSION: 1}


@pytest.mark.parametrize("stays", [False, True])
async def test_who_is_not_let_in_after_all_leaves_nothing_behind(
    io: Server, people: Any, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    """Between processes it is noted for each newcomer what the log held before him."""
    recovery = io.of("/").recovery
    assert recovery is not None

    async def read(_lanes: Any) -> Reading:
        if not stays:
            for client in tuple(io.clients.values()):
                client.close(Reason.TRANSPORT_CLOSE)
        return Reading(0, {}, {"node": 7})

    monkeypatch.setattr(recovery.log, "read", read)
    if stays:
        anna = await people()
        assert list(recovery._numbers) == [anna.id]
        anna.drop()
    else:
        with pytest.raises(DisconnectedError):
            await people()
        await drained()
    assert recovery._numbers == {}
