"""A WebSocket on a socket of our own: how many writes, in what order, and what waits for a slow peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, Server, Socket
from steinmetz.realtime.engineio.frames import CloseCode, Opcode
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.native import NativeWebSocket
from steinmetz.realtime.server.outflow import HIGH_WATER
from tests.unit.realtime.server.frames_of import frame, frames_in, text
from tests.unit.realtime.server.stalling_stream import Stream

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Any]


def message(number: int, size: int = 0) -> Outgoing:
    return Outgoing(Packet(PacketType.MESSAGE, f"{number}" + "." * size))


def numbers(stream: Stream) -> list[int]:
    return [int(str(heard)[1:].rstrip(".")) for heard in stream.heard]


def opened(io: Server) -> tuple[NativeWebSocket, Stream]:
    """With a client in the main namespace, and what it has been told so far forgotten."""
    stream = Stream()
    websocket = NativeWebSocket(io, stream, set())  # type: ignore[arg-type]  # as much of a stream as is needed
    stream.protocol = websocket
    request = Request([], b"", "10.0.0.1", secure=False, time=io.clock.now())
    websocket.client, _ = io.open(websocket, request)
    websocket.data_received(text("40"))
    stream.writes.clear()
    return websocket, stream


@pytest.fixture
async def io(clock: FakeClock) -> AsyncIterator[Server]:
    server = Server(Config(require_auth=False, client_queue_bytes=300_000), clock=clock)
    await server.start()
    yield server
    await server.shutdown()


class TestOneWrite:
    async def test_what_a_turn_says_to_a_client_leaves_in_one_write_at_its_end(self, io: Server) -> None:
        websocket, stream = opened(io)
        [socket] = io.of("/").sockets.values()
        socket.emit("a")
        io.emit("b")
        websocket.send(message(1))
        assert stream.writes == []
        await asyncio.sleep(0)
        assert stream.heard == ['42["a"]', '42["b"]', "41"]
        assert len(stream.writes) == 1

    @pytest.mark.parametrize("before", [[], ["first"]])
    async def test_acknowledgements_of_one_read_leave_in_one_write_in_their_order(
        self, io: Server, before: list[str]
    ) -> None:
        def say(socket: Socket, number: int) -> int:
            for event in before:
                socket.emit(event)
            return number

        io.on("say", say)
        websocket, stream = opened(io)
        websocket.data_received(text('421["say",1]') + text('422["say",2]'))
        told = [f'42["{event}"]' for event in before]
        assert stream.heard == [*told, "431[1]", *told, "432[2]"]
        assert len(stream.writes) == 1

    @pytest.mark.parametrize("answer", [1, b"x"])
    async def test_an_acknowledgement_waits_behind_what_waits(self, io: Server, answer: object) -> None:
        io.on("say", lambda _socket: answer)
        websocket, stream = opened(io)
        stream.stuck = True
        for number in range(3):
            io.emit("load", number, "x" * HIGH_WATER)
            await asyncio.sleep(0)
        websocket.data_received(text('421["say"]'))
        io.emit("after")
        await asyncio.sleep(0)
        assert stream.writes == []
        stream.let_go()
        while websocket.queued_bytes:
            await asyncio.sleep(0)
        heard = [one if isinstance(one, bytes) else one[:12] for one in stream.heard]
        assert heard[:3] == ['42["load",0,', '42["load",1,', '42["load",2,']
        assert heard[3:] == (["431[1]", '42["after"]'] if answer == 1 else ['461-1[{"_pla', b"x", '42["after"]'])

    async def test_broadcasts_of_a_turn_join_it(self, io: Server) -> None:
        crowd = [opened(io) for _ in range(3)]
        sockets = list(io.of("/").sockets.values())
        io.emit("a")
        sockets[1].emit("b")
        io.emit("c")
        await asyncio.sleep(0)
        assert [len(stream.writes) for _, stream in crowd] == [1, 1, 1]
        assert crowd[1][1].heard == ['42["a"]', '42["b"]', '42["c"]']
        assert crowd[0][1].heard == crowd[2][1].heard == ['42["a"]', '42["c"]']
        assert crowd[0][1].writes[0] is crowd[2][1].writes[0]

    async def test_a_long_run_of_broadcasts_is_joined_too_as_long_as_the_peer_reads(self, io: Server) -> None:
        crowd = [opened(io) for _ in range(2)]
        for number in range(300):
            io.emit("n", number, "x" * 1_000)
        await asyncio.sleep(0)
        for _, stream in crowd:
            assert len(stream.heard) == 300
            assert len(stream.writes) == 5
        assert all(mine is yours for mine, yours in zip(crowd[0][1].writes, crowd[1][1].writes, strict=True))

    async def test_an_answer_leaves_as_soon_as_the_question_has_been_read(self, io: Server) -> None:
        crowd = [opened(io) for _ in range(2)]

        @io.on("ask")  # type: ignore[untyped-decorator]
        def ask(socket: Socket) -> str:
            io.emit("asked")
            socket.emit("hello")
            return "answer"

        websocket, stream = crowd[0]
        websocket.data_received(text('421["ask"]') + text('422["ask"]'))
        assert stream.heard == [
            '42["asked"]',
            '42["hello"]',
            '431["answer"]',
            '42["asked"]',
            '42["hello"]',
            '432["answer"]',
        ]
        assert len(stream.writes) == 1
        assert crowd[1][1].writes == []
        await asyncio.sleep(0)
        assert crowd[1][1].heard == ['42["asked"]', '42["asked"]']
        assert len(stream.writes) == 1

    async def test_the_end_takes_along_what_was_said_before_it(self, io: Server) -> None:
        (websocket, stream), _ = opened(io), opened(io)
        io.emit("a")
        io.in_(next(iter(io.of("/").sockets))).emit("b")
        io.of("/").sockets[next(iter(io.of("/").sockets))].disconnect(close=True)
        said = frames_in(b"".join(stream.writes))
        assert [payload for _, payload in said] == [b'42["a"]', b'42["b"]', b"41", b"\x03\xf0"]
        assert len(stream.writes) == 1
        assert websocket.queued_bytes == 0

    async def test_so_does_the_end_by_the_client_itself(self, io: Server) -> None:
        websocket, stream = opened(io)
        websocket.send(message(1))
        websocket.data_received(frame(Opcode.CLOSE, b"\x03\xe8"))
        assert stream.opcodes == [Opcode.TEXT, Opcode.CLOSE]
        assert stream.is_closed

    async def test_so_does_the_end_of_the_server(self, io: Server) -> None:
        _, stream = opened(io)
        opened(io)
        io.emit("last words")
        await io.shutdown()
        said = frames_in(b"".join(stream.writes))
        assert [payload for _, payload in said] == [b'42["last words"]', b"\x03\xf4"]

    async def test_and_after_it_the_server_speaks_again(self, io: Server) -> None:
        opened(io)
        opened(io)
        io.emit("last words")
        await io.shutdown()
        await io.start()
        (_, stream), _ = opened(io), opened(io)
        io.emit("first words")
        await asyncio.sleep(0)
        assert stream.heard == ['42["first words"]']


class TestPeerThatDoesNotRead:
    async def test_what_it_was_sent_waits_here_and_follows_in_order(self, io: Server, until: Until) -> None:
        websocket, stream = opened(io)
        stream.stuck = True
        for number in range(20):
            websocket.send(message(number, 10_000))
            await asyncio.sleep(0)
        assert 130_000 < websocket.queued_bytes < 180_000
        assert stream.get_write_buffer_size() <= HIGH_WATER + 20_000
        stream.let_go()
        await until(lambda: websocket.queued_bytes == 0)
        assert numbers(stream) == list(range(20))
        assert max(map(len, stream.writes)) <= HIGH_WATER + 20_000

    async def test_what_it_is_sent_then_does_not_overtake(self, io: Server, until: Until) -> None:
        websocket, stream = opened(io)
        opened(io)
        stream.stuck = True
        for _ in range(10):
            io.emit("before", "x" * 10_000)
            await asyncio.sleep(0)
        stream.let_go()
        io.emit("after")
        await until(lambda: websocket.queued_bytes == 0 and stream.heard[-1] == '42["after"]')
        assert len(stream.heard) == 11

    async def test_a_turn_that_says_more_than_the_stream_takes_is_bounded_too(self, io: Server) -> None:
        websocket, stream = opened(io)
        stream.stuck = True
        for number in range(25):
            websocket.send(message(number, 10_000))
        io.turn.end()
        assert stream.get_write_buffer_size() <= HIGH_WATER + 10_100
        assert websocket.queued_bytes >= 170_000

    async def test_t26_at_the_bound_it_is_aborted_and_nothing_of_it_stays(self, io: Server, until: Until) -> None:
        websocket, stream = opened(io)
        opened(io)
        stream.stuck = True
        for _ in range(40):
            io.emit("load", "x" * 10_000)
            io.turn.end()
        assert stream.is_aborted
        assert (websocket.queued_bytes, websocket._backlog, websocket._gathered) == (0, None, None)
        await until(lambda: len(io.clients) == 1)
        assert io.statistics.slow_clients == 1

    async def test_volatile_is_dropped_and_the_newest_takes_its_place(self, io: Server, until: Until) -> None:
        websocket, stream = opened(io)
        opened(io)
        stream.stuck = True
        io.emit("load", "x" * 70_000)
        io.turn.end()
        for percent in range(50):
            io.newest("job:1").emit("progress", percent)
            io.volatile.emit("typing")
        io.emit("last")
        io.turn.end()
        assert io.statistics.dropped_volatile == 50
        assert io.statistics.replaced_newest == 49
        stream.let_go()
        await until(lambda: websocket.queued_bytes == 0)
        assert stream.heard[1:] == ['42["progress",49]', '42["last"]']

    async def test_the_same_key_in_another_namespace_is_another_key(self, io: Server, until: Until) -> None:
        websocket, stream = opened(io)
        io.of("/other")
        websocket.data_received(text("40/other,"))
        stream.writes.clear()
        stream.stuck = True
        io.emit("load", "x" * 70_000)
        io.newest("a").emit("one")
        io.of("/other").newest("a").emit("two")
        io.turn.end()
        stream.let_go()
        await until(lambda: websocket.queued_bytes == 0)
        assert stream.heard[1:] == ['42["one"]', '42/other,["two"]']

    async def test_what_waits_is_still_said_before_the_end(self, io: Server) -> None:
        websocket, stream = opened(io)
        stream.stuck = True
        for number in range(12):
            websocket.send(message(number, 10_000))
        io.turn.end()
        websocket.close(CloseCode.NORMAL)
        stream.let_go()
        assert stream.opcodes == [Opcode.TEXT] * 12 + [Opcode.CLOSE]

    async def test_t26_one_that_says_goodbye_and_does_not_read_is_cut_off(
        self, io: Server, monkeypatch: pytest.MonkeyPatch, until: Until
    ) -> None:
        monkeypatch.setattr("steinmetz.realtime.server.native.CLOSING_TIMEOUT_S", 0.01)
        websocket, stream = opened(io)
        stream.stuck = True
        websocket.send(message(1, 10_000))
        websocket.data_received(frame(Opcode.CLOSE, b"\x03\xe8"))
        assert not stream.is_aborted
        await until(lambda: stream.is_aborted)

    async def test_pings_are_not_answered_behind_a_queue(self, io: Server) -> None:
        """A peer that sends pings and reads no pongs cannot fill our memory."""
        websocket, stream = opened(io)
        stream.stuck = True
        for _ in range(5_000):
            websocket.data_received(frame(Opcode.PING, b"x" * 125))
        assert stream.get_write_buffer_size() <= HIGH_WATER
        assert websocket.queued_bytes == 0

    async def test_a_healthy_peer_is_never_taken_for_a_slow_one(self, clock: FakeClock) -> None:
        """Even if the bound is smaller than what is written between two looks."""
        io = Server(Config(require_auth=False, client_queue_bytes=1_000), clock=clock)
        await io.start()
        _, stream = opened(io)
        opened(io)
        for number in range(3_000):
            io.emit("tick", number, "x" * 500)
            if not number % 50:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert io.statistics.slow_clients == 0
        assert len(stream.heard) == 3_000
        await io.shutdown()


said = st.one_of(
    st.tuples(st.just("send"), st.sampled_from([1, 5_000, 40_000])),
    st.tuples(st.just("newest"), st.sampled_from([1, 5_000])),
    st.tuples(st.sampled_from(["turn", "stuck", "let go", "ping"]), st.just(0)),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(said, max_size=40))
def test_whatever_happens_frames_leave_whole_and_in_order(story: list[tuple[str, int]]) -> None:
    async def play() -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=10_000_000))
        await io.start()
        websocket, stream = opened(io)
        reliable: list[int] = []
        for number, (what, size) in enumerate(story):
            if what == "send":
                reliable.append(number)
                websocket.send(message(number, size))
            elif what == "newest":
                websocket.send(message(number, size), "key")
            elif what == "turn":
                await asyncio.sleep(0)
            elif what == "ping":
                websocket.data_received(frame(Opcode.PING))
            elif what == "stuck":
                stream.stuck = True
            else:
                stream.let_go()
        stream.let_go()
        async with asyncio.timeout(5):
            while websocket.queued_bytes or websocket._gathered is not None:
                await asyncio.sleep(0)
        heard = [int(str(each)[1:].rstrip(".")) for each in stream.heard if each]
        assert heard == sorted(heard)
        assert [number for number in heard if number in set(reliable)] == reliable
        newest = [number for number, (what, _) in enumerate(story) if what == "newest"]
        assert not newest or newest[-1] in heard
        await io.shutdown()

    asyncio.run(play())
