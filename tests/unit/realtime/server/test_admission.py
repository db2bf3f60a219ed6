"""Who gets in, who is not even asked, and that nobody slips in past a revocation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.gcra import Rate
from steinmetz.realtime import Config, ConnectError, HandshakeError, Limits, RealtimeApp, Server, Socket
from steinmetz.realtime.adapters.base import Selection
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.server.admission import MAX_ASKED, MAX_REASKED
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.limits import CONNECTS, SILENCE_S
from steinmetz.realtime.server.sessions import MAX_REFUSED
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import Exchange, opened
from tests.unit.realtime.server.test_client import Line

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]
ANNA, BEN = "203.0.113.1", "203.0.113.2"


def arrive(io: Server, *said: str, address: str = ANNA) -> tuple[Client, Line]:
    line = Line()
    client, opening = io.open(line, Request([], b"", address, secure=False, time=io.clock.now()))
    line.send(opening)
    for message in said:
        client.receive(message, line)
    return client, line


def limited(clock: FakeClock, *, require_auth: bool = False, **limits: Any) -> Server:
    return Server(Config(require_auth=require_auth, limits=Limits(**limits)), clock=clock)


class TestRevocation:
    """What a middleware read is never older than the last removal when the socket comes in."""

    @pytest.mark.parametrize("comes_from", ["this node", "another node", "another thread"])
    async def test_who_is_revoked_while_he_is_asked_about_is_asked_about_again(
        self, io: Server, comes_from: str
    ) -> None:
        active, reads = {"anna"}, list[bool]()
        reading, goes_on = asyncio.Event(), asyncio.Event()

        @io.use
        async def authenticate(socket: Socket) -> None:
            reads.append("anna" in active)
            is_active = "anna" in active
            reading.set()
            await goes_on.wait()
            if not is_active:
                raise ConnectError("Authentication required")
            socket.join("user:anna")

        attempt = asyncio.ensure_future(self._connect(io))
        await reading.wait()
        active.clear()
        if comes_from == "this node":
            io.revoke("user:anna")
        elif comes_from == "another node":
            io.of("/").adapter.disconnect_all(Selection(frozenset({"user:anna"})), close=False)
        else:
            await asyncio.to_thread(io.revoke, "user:anna")
        goes_on.set()
        with pytest.raises(ConnectError, match="Authentication required"):
            await attempt
        assert reads == [True, False]

    async def _connect(self, io: Server) -> None:
        async with connect(io):
            pass

    async def test_a_second_middleware_may_think_for_as_long_as_it_likes(self, io: Server) -> None:
        """The first has read long ago, and its rooms are not joined yet."""
        active, waiting, goes_on = {"anna"}, asyncio.Event(), asyncio.Event()

        @io.use
        async def authenticate(socket: Socket) -> None:
            if "anna" not in active:
                raise ConnectError("Authentication required")
            socket.join("user:anna")

        @io.use
        async def think(socket: Socket) -> None:
            waiting.set()
            await goes_on.wait()

        attempt = asyncio.ensure_future(self._connect(io))
        await waiting.wait()
        active.clear()
        io.revoke("user:anna")
        goes_on.set()
        with pytest.raises(ConnectError, match="Authentication required"):
            await attempt

    async def test_who_is_asked_about_again_starts_from_nothing(self, io: Server) -> None:
        seen: list[Any] = []

        @io.use
        async def authenticate(socket: Socket) -> None:
            seen.append((dict(socket.data), socket.subject, socket.expires_at, socket.early_rooms))
            socket.data["role"] = "admin" if len(seen) == 1 else "clerk"
            socket.subject = "user:5"
            socket.expires_at = 9e9
            socket.join(f"role:{socket.data['role']}")
            if len(seen) == 1:
                io.revoke("user:5")

        async with connect(io):
            [held] = await io.fetch_sockets()
            assert held.rooms == {held.id, "role:clerk"}
        assert seen == [({}, None, None, None)] * 2

    async def test_removals_without_end_do_not_ask_without_end(self, io: Server) -> None:
        asked: list[Socket] = []

        @io.use
        def authenticate(socket: Socket) -> None:
            asked.append(socket)
            io.revoke("somebody else")

        with pytest.raises(ConnectError, match="Too many requests") as refusal:
            async with connect(io):
                pass
        assert refusal.value.data == {"retryAfterMs": 1000}
        assert len(asked) == MAX_REASKED

    async def test_who_is_in_is_told_to_stay_away_in_every_namespace(self, io: Server) -> None:
        for namespace in (io.of("/"), io.of("/hr")):
            namespace.use(lambda socket: socket.join(f"user:{socket.handshake.auth['user']}"))
        async with (
            connect(io, auth={"user": 5}) as anna,
            connect(io, auth={"user": 5}, namespace="/hr") as hr,
            connect(io, auth={"user": 6}) as ben,
        ):
            io.revoke("user:5", "session:7")
            assert await anna.disconnected() == "io server disconnect"
            assert await hr.disconnected() == "io server disconnect"
            io.emit("still here")
            await ben.heard("still here")
        assert io.statistics.revocations == 1

    def test_everybody_is_not_revoked_by_mistake(self) -> None:
        with pytest.raises(ValueError, match="whose"):
            Server().revoke()


class TestSilence:
    async def test_a_session_that_shows_no_credential_is_ended_long_before_the_connect_timeout(
        self, io: Server, pass_time: Callable[[float], None]
    ) -> None:
        _, line = arrive(io)
        pass_time(9.5)
        assert line.closed is None
        pass_time(0.8)
        assert line.closed is CloseCode.POLICY_VIOLATION
        assert io.statistics.refused["overdue"] == 1

    async def test_a_middleware_has_more_time_than_a_silent_client(
        self, io: Server, pass_time: Callable[[float], None]
    ) -> None:
        @io.use
        async def think(socket: Socket) -> None:
            await asyncio.Event().wait()

        _, line = arrive(io, "40")
        pass_time(30)
        assert line.closed is None
        pass_time(15.3)
        assert line.closed is not None

    async def test_asking_for_what_does_not_exist_wins_no_time_twice(
        self, io: Server, pass_time: Callable[[float], None]
    ) -> None:
        client, line = arrive(io, "40/nowhere,")
        for _ in range(8):
            pass_time(5)
            client.receive("3", line)
            client.receive("40/nowhere,", line)
        assert line.closed is None
        pass_time(5.3)
        assert line.closed is not None

    async def test_the_one_that_has_been_silent_longest_makes_room(self, clock: FakeClock) -> None:
        io = limited(clock, unauthenticated=2)
        await io.start()
        _, first = arrive(io)
        clock.advance(SILENCE_S)
        _, second = arrive(io, address=BEN)
        _, third = arrive(io, address=BEN)
        assert (first.closed, second.closed, third.closed) == (CloseCode.POLICY_VIOLATION, None, None)
        assert io.statistics.refused["unauthenticated"] == 1
        with pytest.raises(HandshakeError, match="Too many connections") as refusal:
            arrive(io)
        assert (refusal.value.status, refusal.value.retry_after_s) == (503, 2.0)
        clock.advance(9)
        io.wheel.run_due()
        assert io.statistics.refused["overdue"] == 0, "who has gone is not overdue, too"
        await io.shutdown()

    async def test_who_is_in_is_not_silent(self, clock: FakeClock) -> None:
        io = limited(clock, unauthenticated=1)
        await io.start()
        lines = [arrive(io, "40")[1] for _ in range(5)]
        assert [line.closed for line in lines] == [None] * 5
        await io.shutdown()

    async def test_one_address_has_a_share_of_its_own(self, clock: FakeClock) -> None:
        io = limited(clock, unauthenticated_per_address=1)
        await io.start()
        client, _ = arrive(io)
        with pytest.raises(HandshakeError) as refusal:
            arrive(io)
        assert refusal.value.status == 503
        arrive(io, address=BEN)
        client.close(reason=client_gone())
        arrive(io)
        await io.shutdown()


def client_gone() -> Any:
    from steinmetz.realtime import Reason

    return Reason.TRANSPORT_CLOSE


class TestAddresses:
    async def test_too_many_handshakes_are_told_so_and_then_not_even_that(self, clock: FakeClock) -> None:
        io = limited(clock, handshakes_per_address=Rate(1, 4))
        await io.start()
        arrive(io, "40")
        _, line = arrive(io, "40")
        assert line.sent[-1] == '44{"message":"Too many requests","data":{"retryAfterMs":4000}}'
        assert line.closed is CloseCode.POLICY_VIOLATION
        for _ in range(MAX_REFUSED):
            arrive(io)
        with pytest.raises(HandshakeError, match="Too many requests") as refusal:
            arrive(io)
        assert (refusal.value.status, refusal.value.retry_after_s) == (429, 4.0)
        arrive(io, "40", address=BEN)
        assert io.statistics.refused["Too many requests"] == 2
        await io.shutdown()

    async def test_sessions_that_are_only_told_no_take_no_place(self, clock: FakeClock) -> None:
        io = Server(
            Config(require_auth=False, max_connections=2, limits=Limits(handshakes_per_address=Rate(1, 99))),
            clock=clock,
        )
        await io.start()
        arrive(io, "40")
        for _ in range(9):
            arrive(io)
        _, line = arrive(io, "40", address=BEN)
        assert str(line.sent[-1]).startswith('40{"sid"')
        await io.shutdown()

    async def test_connections_of_one_address(self, clock: FakeClock) -> None:
        io = limited(clock, connections_per_address=1)
        await io.start()
        client, _ = arrive(io, "40")
        _, line = arrive(io, "40")
        assert line.sent[-1] == '44{"message":"Too many connections","data":{"retryAfterMs":10000}}'
        client.close(client_gone())
        _, line = arrive(io, "40")
        assert str(line.sent[-1]).startswith('40{"sid"')
        await io.shutdown()

    async def test_who_shows_bad_credentials_too_often_is_not_asked_about(
        self, clock: FakeClock, until: Until
    ) -> None:
        io = limited(clock, refusals_per_address=Rate(2, 30))
        await io.start()
        asked: list[str] = []

        @io.use
        def authenticate(socket: Socket) -> None:
            asked.append(socket.handshake.address)
            raise ConnectError("Authentication required")

        for number in (1, 2):
            _, line = arrive(io, "40")
            await until(lambda number=number: len(asked) == number)  # type: ignore[misc]  # bound here
            assert line.sent[-1] == '44{"message":"Authentication required"}'
        _, line = arrive(io, "40")
        assert line.sent[-1] == '44{"message":"Too many requests","data":{"retryAfterMs":30000}}'
        arrive(io, "40", address=BEN)
        await until(lambda: asked == [ANNA, ANNA, BEN])
        await io.shutdown()

    async def test_what_fails_in_the_application_is_not_the_clients_fault(
        self, clock: FakeClock, until: Until
    ) -> None:
        io = limited(clock, refusals_per_address=Rate(1, 30))
        await io.start()
        io.use(lambda socket: 1 / 0)  # type: ignore[arg-type, return-value]
        for _ in range(3):
            _, line = arrive(io, "40")
            await until(lambda line=line: len(line.sent) == 2)  # type: ignore[misc]  # bound here
            assert line.sent[-1] == '44{"message":"Internal error"}'
        await io.shutdown()


class TestUsers:
    async def test_one_has_so_many_sockets(self, clock: FakeClock) -> None:
        io = limited(clock, connections_per_user=2)

        @io.use
        def authenticate(socket: Socket) -> None:
            socket.subject = f"user:{socket.handshake.auth['user']}"

        async with connect(io, auth={"user": 5}), connect(io, auth={"user": 5}) as second:
            with pytest.raises(ConnectError, match="Too many connections") as refusal:
                async with connect(io, auth={"user": 5}):
                    pass
            assert refusal.value.data == {"retryAfterMs": 10_000}
            async with connect(io, auth={"user": 6}):
                pass
            await second.disconnect()
            async with connect(io, auth={"user": 5}):
                pass
        assert io.statistics.refused["Too many connections"] == 1
        assert io.budgets.remembered() == 0
        await io.shutdown()

    async def test_the_subject_is_settled_before_the_socket_is_in(self, io: Server) -> None:
        async with connect(io):
            [held] = await io.fetch_sockets()
            with pytest.raises(ValueError, match="middleware"):
                held.subject = "user:5"


class TestEvents:
    async def test_what_comes_too_fast_is_told_in_the_ack(self, clock: FakeClock) -> None:
        io = limited(clock, events={"say": Rate(1, 0.25)})
        handled: list[int] = []
        io.on("say", lambda socket, number: handled.append(number))
        async with connect(io) as anna:
            assert await anna.call("say", 1) is None
            assert await anna.call("say", 2) == {
                "ok": False,
                "error": {
                    "code": "rate_limited",
                    "message": "Too many of these events. Try again in 250 ms",
                    "retryAfterMs": 250,
                },
            }
            anna.emit("say", 3)
            clock.advance(0.25)
            await anna.call("say", 4)
        assert handled == [1, 4]
        assert io.statistics.refused["rate_limited"] == 2
        await io.shutdown()

    async def test_all_sockets_of_a_user_share_a_rate(self, clock: FakeClock) -> None:
        io = limited(clock, events_per_user=Rate(2, 1))
        io.use(lambda socket: setattr(socket, "subject", "user:5"))
        io.on("say", lambda socket: "said")
        async with connect(io) as phone, connect(io) as laptop:
            assert [await phone.call("say"), await laptop.call("say")] == ["said", "said"]
            assert (await phone.call("say"))["error"]["code"] == "rate_limited"
        await io.shutdown()

    async def test_who_does_not_listen_to_refusals_is_cut_off(self, clock: FakeClock) -> None:
        io = limited(clock, events={"say": Rate(1, 60)}, bytes_per_connection=Rate(100_000, 1e-4))
        client, line = arrive(io, "40")
        for number in range(10):
            client.receive(f'42{number}["say"]', line)
        assert line.closed == "aborted"
        assert io.statistics.refused["flood"] == 1
        assert 0 < io.statistics.refused["rate_limited"] < 9
        assert not io.clients
        await io.shutdown()

    async def test_a_flood_of_anything_ends_the_transport(self, clock: FakeClock) -> None:
        for message in ("3", "6", '42["x"]', "431[]", "40"):
            io = limited(clock, bytes_per_connection=Rate(20_000, 1e-4))
            client, line = arrive(io, "40")
            for _ in range(60):
                client.receive(message, line)
            assert line.closed == "aborted", message
            assert io.statistics.refused["flood"] == 1
            await io.shutdown()

    async def test_who_enters_and_leaves_in_a_circle_is_cut_off(self, clock: FakeClock) -> None:
        io = limited(clock)
        entered: list[Socket] = []
        io.on("connection", entered.append)
        client, line = arrive(io)
        for _ in range(2 * CONNECTS):
            client.receive("40", line)
            client.receive("41", line)
        assert CONNECTS - 5 < len(entered) <= CONNECTS
        assert (line.closed, io.statistics.refused["flood"]) == ("aborted", 1)
        await io.shutdown()

    async def test_limits_can_be_turned_off(self, clock: FakeClock) -> None:
        io = limited(clock, bytes_per_connection=None, events_per_user=None, handshakes_per_address=None)
        client, line = arrive(io, "40")
        for _ in range(50_000):
            client.receive("6", line)
        assert line.closed is None
        await io.shutdown()


async def test_who_withdraws_and_asks_again_keeps_only_so_many_middlewares_busy(
    app: RealtimeApp, io: Server, until: Until
) -> None:
    asked: list[Socket] = []
    decided = asyncio.Event()

    @io.use
    async def think(socket: Socket) -> None:
        asked.append(socket)
        await decided.wait()

    query = await opened(app)
    await Exchange(app, "POST", query, b"\x1e".join([b"40", b"41"] * 1_000)).run()
    assert not io.clients
    await until(lambda: len(asked) == MAX_ASKED)
    assert io.statistics.refused["too many CONNECTs"] == 1
    decided.set()
    await until(lambda: not io.admission._asked)
    assert io.of("/").sockets == {}


async def test_who_asks_for_many_namespaces_at_once_gets_into_all_of_them(
    app: RealtimeApp, io: Server, until: Until
) -> None:
    for number in range(MAX_ASKED):
        io.of(f"/{number}").use(lambda _socket: asyncio.sleep(0))
    query = await opened(app)
    await Exchange(app, "POST", query, b"\x1e".join(b"40/%d," % number for number in range(MAX_ASKED))).run()
    await until(lambda: all(io.of(f"/{number}").sockets for number in range(MAX_ASKED)))
    assert len(io.clients) == 1


class TestWhatFails:
    async def test_a_middleware_whose_lookup_was_cancelled_refuses(self, io: Server, until: Until) -> None:
        @io.use
        async def authenticate(socket: Socket) -> None:
            lookup = asyncio.get_running_loop().create_future()
            lookup.cancel()
            await lookup

        _, line = arrive(io, "40")
        await until(lambda: len(line.sent) == 2)
        assert line.sent[-1] == '44{"message":"Internal error"}'

    async def test_whatever_fails_the_client_is_answered(
        self, io: Server, until: Until, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        io.use(lambda socket: None)

        async def fail(socket: Socket) -> None:
            raise RuntimeError

        monkeypatch.setattr(io.admission, "_pass_middlewares", fail)
        client, line = arrive(io, "40")
        await until(lambda: len(line.sent) == 2)
        assert line.sent[-1] == '44{"message":"Internal error"}'
        monkeypatch.undo()
        client.receive("40", line)
        await until(lambda: bool(io.sockets.sockets))
