"""One client from its first packet to its end, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, Server, Socket
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing, PacketType
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

PassTime = Callable[[float], None]


class Line:
    """A transport that keeps what it was told; ``stuck`` makes it one that nobody reads."""

    name = TransportName.WEBSOCKET

    def __init__(self, *, stuck: bool = False) -> None:
        self.stuck = stuck
        self.sent: list[str | bytes] = []
        self.closed: CloseCode | str | None = None
        self._queued = 0

    @property
    def queued_bytes(self) -> int:
        return self._queued

    @property
    def is_ready(self) -> bool:
        return not self._queued

    def send(self, outgoing: Outgoing, key: str | None = None) -> None:
        self.sent += [packet.encoded for packet in outgoing.packets]
        self._queued += outgoing.size if self.stuck else 0

    def take_queued(self) -> list[Outgoing]:
        return []

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        self.closed = self.closed or code

    def abort(self) -> None:
        self.closed = "aborted"


def arrive(io: Server, line: Line, *said: str | bytes) -> Client:
    client, opening = io.open(line, Request([], b"", "10.0.0.1", secure=False, time=io.clock.now()))
    line.send(opening)
    for message in said:
        client.receive(message, line)
    return client


def reasons(io: Server) -> list[str]:
    told: list[str] = []
    io.on("disconnect", lambda socket, reason: told.append(reason))
    return told


class TestHeartbeat:
    async def test_pings_go_out_and_silence_ends_the_session(self, io: Server, pass_time: PassTime) -> None:
        told, line = reasons(io), Line()
        client = arrive(io, line, "40")
        pass_time(25.3)
        assert line.sent[-1] == "2"
        client.receive("3", line)
        pass_time(25.3)
        assert line.sent[-2:] == ["2", "2"] or line.sent[-1] == "2"
        pass_time(20.3)
        assert line.closed is CloseCode.NORMAL
        assert told == ["ping timeout"]
        assert not io.clients

    async def test_a_client_that_never_connects_to_a_namespace_is_closed(
        self, io: Server, pass_time: PassTime
    ) -> None:
        line = Line()
        client = arrive(io, line)
        pass_time(25.3)
        client.receive("3", line)
        pass_time(20)
        assert line.closed is not None

    async def test_t24_an_idle_client_has_no_task_and_one_place_in_the_wheel(self, io: Server) -> None:
        clients = [arrive(io, Line(), "40") for _ in range(50)]
        assert len(io.tasks) == 0
        assert all(client.wheel_slot for client in clients)


class TestWhatBreaksTheProtocol:
    @pytest.mark.parametrize(
        "message",
        ["", "abc", "2", "5", "0{}", "4abc", '42["connect"]', "42{}", b"\x01", '42/other,["x"]', "4511-[]"],
    )
    async def test_it_ends_the_session_at_once(self, io: Server, message: str | bytes) -> None:
        told, line = reasons(io), Line()
        arrive(io, line, "40", message)
        assert line.closed is CloseCode.PROTOCOL_ERROR
        assert told == ["parse error"]
        assert io.statistics.refused["parse error"] == 1

    async def test_no_event_is_dispatched_before_the_middlewares_have_passed(self, io: Server) -> None:
        heard: list[str] = []
        io.on("x", lambda socket: heard.append("x"))

        @io.use
        async def never(socket: Socket) -> None:
            raise ConnectError("no")

        line = Line()
        arrive(io, line, "40", '42["x"]')
        assert line.closed is CloseCode.PROTOCOL_ERROR
        assert heard == []


class TestSlowClients:
    """CVE-free, but Node and python-socketio queue without bound."""

    async def test_t26_above_its_bound_a_slow_client_is_cut_off_and_others_are_not(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=10_000), clock=clock)
        await io.start()
        told, stuck, fine = reasons(io), Line(stuck=True), Line()
        arrive(io, stuck, "40")
        arrive(io, fine, "40")
        for number in range(20):
            io.emit("tick", number, "x" * 1_000)
        io.turn.end()
        assert stuck.closed == "aborted"
        assert stuck.queued_bytes <= 10_000
        assert fine.closed is None
        assert len(fine.sent) == 2 + 20
        await asyncio.sleep(0)
        await io.shutdown()
        assert told == ["transport close", "server shutting down"]
        assert io.statistics.slow_clients == 1

    async def test_one_big_message_is_always_taken_when_nothing_waits(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=10), clock=clock)
        await io.start()
        line = Line()
        arrive(io, line, "40")
        io.emit("big", "x" * 1_000)
        assert line.closed is None
        await io.shutdown()

    async def test_volatile_messages_are_dropped_and_counted(self, io: Server) -> None:
        stuck, fine = Line(stuck=True), Line()
        arrive(io, stuck, "40")
        arrive(io, fine, "40")
        before = len(stuck.sent)
        io.volatile.emit("chat:typing")
        io.turn.end()
        assert len(stuck.sent) == before
        assert fine.sent[-1] == '42["chat:typing"]'
        assert io.statistics.dropped_volatile == 1

    async def test_a_client_that_floods_a_busy_handler_is_cut_off(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, client_inbox_bytes=1_000), clock=clock)
        await io.start()

        @io.on("work")
        async def work(socket: Socket, _data: str) -> None:
            await socket.emit_with_ack("never answered")

        line = Line()
        client = arrive(io, line, "40")
        for _ in range(20):
            client.receive(f'42["work","{"x" * 100}"]', line)
        assert line.closed is CloseCode.POLICY_VIOLATION
        assert io.statistics.refused["event backlog"] == 1
        await io.shutdown()


class TestExpiry:
    async def test_an_expired_credential_ends_the_connection_within_a_second(
        self, io: Server, clock: FakeClock, pass_time: PassTime
    ) -> None:
        expiry_s = clock.now().timestamp() + 10

        @io.use
        async def authenticate(socket: Socket) -> None:
            socket.expires_at = expiry_s

        async with connect(io) as anna:
            pass_time(9.9)
            assert len(io.clients) == 1
            pass_time(1.0)
            assert not io.clients
            assert await anna.disconnected() == "transport close"

    async def test_a_renewed_one_does_not(self, io: Server, clock: FakeClock, pass_time: PassTime) -> None:
        async with connect(io) as anna:
            [socket] = await io.fetch_sockets()
            socket.expires_at = clock.now().timestamp() + 10
            socket.expires_at = clock.now().timestamp() + 20
            pass_time(11)
            assert anna.disconnect_reason is None
            pass_time(10)
            assert await anna.disconnected() == "transport close"


class TestRefusal:
    async def test_a_refused_client_hears_message_and_data(self, io: Server) -> None:
        @io.use
        def refuse(socket: Socket) -> None:
            raise ConnectError("Token expired", {"renew": True})

        with pytest.raises(ConnectError, match="Token expired") as refusal:
            async with connect(io):
                pass
        assert refusal.value.data == {"renew": True}
        assert io.statistics.refused["Token expired"] == 1

    async def test_a_middleware_that_fails_refuses_without_saying_why(self, io: Server) -> None:
        @io.use
        async def broken(socket: Socket) -> None:
            raise KeyError("secret")

        with pytest.raises(ConnectError, match="Internal error") as refusal:
            async with connect(io):
                pass
        assert refusal.value.data is None

    async def test_whoever_leaves_while_the_middlewares_think_is_never_connected(self, io: Server) -> None:
        gate, met = asyncio.Event(), []
        io.on("connection", met.append)

        @io.use
        async def slow(socket: Socket) -> None:
            await gate.wait()

        line = Line()
        client = arrive(io, line, "40")
        await asyncio.sleep(0)
        client.close(Reason.TRANSPORT_CLOSE)
        gate.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert met == []
        assert not io.has_members("anything")
        assert io.stats()["activeConnections"] == 0


async def test_the_open_packet_comes_first(io: Server) -> None:
    line = Line()
    arrive(io, line)
    assert isinstance(line.sent[0], str)
    assert line.sent[0].startswith(str(int(PacketType.OPEN)))


class TestASocketOfBefore:
    """A handler may hold a socket longer than its client stays in the namespace."""

    async def test_to_disconnect_it_leaves_the_new_one_of_the_same_connection_alone(self, io: Server) -> None:
        seen: list[Socket] = []
        io.on("connection", seen.append)
        io.on("ask", lambda socket: socket.id)
        line = Line()
        client = arrive(io, line, "40", "41", "40")
        before, now = seen
        for close in (False, True):
            before.disconnect(close=close)
            io.in_(before.id).disconnect_sockets(close=close)
        client.receive('421["ask"]', line)
        assert line.sent[-1] == f'431["{now.id}"]'
        assert line.closed is None
        assert list(io.sockets.sockets) == [now.id]
        client.receive("41", line)
        assert not io.sockets.sockets


class TestWhatIsDueFails:
    async def test_a_client_whose_end_fails_is_asked_again_and_the_others_are_served(
        self, io: Server, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad, fine = Line(), Line()
        broken, _ = arrive(io, bad, "40"), arrive(io, fine, "40")

        original = Client.on_due

        def on_due(self: Client, now_s: float) -> float | None:
            if self is broken:
                raise RuntimeError
            return original(self, now_s)

        monkeypatch.setattr(Client, "on_due", on_due)
        pass_time(25.3)
        assert fine.sent[-1] == "2"
        monkeypatch.undo()
        pass_time(1.3)
        assert bad.sent[-1] == "2"
