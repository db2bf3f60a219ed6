"""Bytes go to the kernel directly as long as it takes them; whatever it does, they arrive whole and in order."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime import Config, Server
from steinmetz.realtime.engineio.frames import CloseCode, Opcode
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.native import NativeWebSocket
from steinmetz.realtime.server.outflow import NO_DESCRIPTOR, descriptor_of
from tests.unit.realtime.server.frames_of import frame, messages_in, text

pytestmark = pytest.mark.anyio


class Stream:
    """A stream above a real socket, like uvloop's: what is written leaves at the end of the turn, and until then
    nobody is told of it (trap T26); what the kernel does not take then stays here."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        self.writes = 0
        self.read = b""
        self._untold: list[bytes] = []
        self._held = b""
        self._limit = 1 << 30
        self._is_paused = False

    def get_extra_info(self, name: str) -> socket.socket:
        assert name == "socket"
        return self.ours

    def set_write_buffer_limits(self, high: int) -> None:
        self._limit = high

    def get_write_buffer_size(self) -> int:
        return len(self._held)

    @property
    def has_more(self) -> bool:
        return bool(self._untold or self._held)

    def write(self, data: bytes) -> None:
        self.writes += 1
        self._untold.append(data)
        asyncio.get_running_loop().call_soon(self._try)

    def _try(self) -> None:
        self._held += b"".join(self._untold)
        self._untold.clear()
        if self.ours.fileno() < 0:
            return
        with suppress(BlockingIOError):
            self._held = self._held[os.write(self.ours.fileno(), self._held) :] if self._held else b""
        if len(self._held) > self._limit and not self._is_paused:
            self._is_paused = True
            self.protocol.pause_writing()
        elif not self._held and self._is_paused:
            self._is_paused = False
            self.protocol.resume_writing()

    def peer_reads(self) -> None:
        """All that there is, as often as the kernel has room for more."""
        while True:
            try:
                self.read += self.theirs.recv(1 << 20)
            except BlockingIOError:
                if not self._held:
                    return
                self._try()

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self._held = b""

    @property
    def heard(self) -> list[str | bytes]:
        return messages_in(self.read)


@contextmanager
def opened(io: Server) -> Iterator[tuple[NativeWebSocket, Stream]]:
    """With a client in the main namespace, and what it has been told so far forgotten."""
    stream = Stream()
    websocket = NativeWebSocket(io, stream, set())  # type: ignore[arg-type]  # as much of a stream as is needed
    stream.protocol = websocket
    request = Request([], b"", "10.0.0.1", secure=False, time=io.clock.now())
    websocket.client, _ = io.open(websocket, request)
    websocket.data_received(text("40"))
    stream.peer_reads()
    stream.read, stream.writes = b"", 0
    try:
        yield websocket, stream
    finally:
        websocket._forget()
        stream.ours.close()
        stream.theirs.close()


def message(number: int, size: int = 0) -> Outgoing:
    return Outgoing(Packet(PacketType.MESSAGE, f"{number}" + "." * size))


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_nothing_goes_through_the_stream_while_the_peer_reads(io: Server) -> None:
    with opened(io) as (websocket, stream), opened(io) as (_, other):
        websocket.send(message(1))
        io.emit("a")
        await turns(2)
        io.emit("b")
        websocket.data_received(frame(Opcode.PING, b"?"))
        await turns(2)
        stream.peer_reads()
        other.peer_reads()
        assert stream.heard[:2] == ["41", '42["a"]']
        assert '42["b"]' in stream.heard
        assert other.heard == ['42["a"]', '42["b"]']
        assert (stream.writes, other.writes) == (0, 0)


async def test_what_the_kernel_does_not_take_follows_and_then_it_is_direct_again(io: Server) -> None:
    with opened(io) as (websocket, stream), opened(io):
        for number in range(4):
            io.emit("n", number, "x" * 5_000)
            await turns(1)
        assert stream.writes >= 1
        assert websocket.fd == NO_DESCRIPTOR
        stream.peer_reads()
        io.emit("n", 4)
        await turns(6)
        async with asyncio.timeout(5):
            while websocket.fd == NO_DESCRIPTOR:
                stream.peer_reads()
                await asyncio.sleep(0.005)
        written = stream.writes
        io.emit("n", 5)
        await turns(2)
        stream.peer_reads()
        assert [str(heard)[:7] for heard in stream.heard] == [f'42["n",{number}'[:7] for number in range(6)]
        assert stream.writes == written


async def test_t26_it_is_not_clear_before_the_stream_has_tried(io: Server) -> None:
    """What was written in this turn is not in the size that the stream tells."""
    with opened(io) as (websocket, stream):
        websocket.put_rest(b"", 0)
        stream.write(b"")
        for _ in range(2):
            websocket._look()
            assert websocket.fd == NO_DESCRIPTOR
        websocket._look()
        assert websocket.fd == websocket._descriptor


async def test_a_broken_socket_is_found_out_by_the_stream(io: Server) -> None:
    with opened(io) as (websocket, stream), opened(io) as (_, other):
        stream.theirs.close()
        io.emit("a")
        await asyncio.sleep(0)
        other.peer_reads()
        assert other.heard == ['42["a"]'], "one broken stream costs nobody else his message"
        assert stream.writes == 1
        stream._untold.clear()
        assert websocket.fd == NO_DESCRIPTOR


async def test_the_descriptor_is_forgotten_with_the_connection(io: Server) -> None:
    """It may be somebody else's socket next."""
    with opened(io) as (websocket, _):
        websocket.close(CloseCode.NORMAL)
        assert (websocket.fd, websocket._descriptor) == (NO_DESCRIPTOR, NO_DESCRIPTOR)
    with opened(io) as (websocket, _):
        websocket.connection_lost(None)
        assert (websocket.fd, websocket._descriptor) == (NO_DESCRIPTOR, NO_DESCRIPTOR)


async def test_tls_and_other_systems_have_none(io: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    stream: Any = Stream()
    assert NativeWebSocket(io, stream, set(), over_tls=True).fd == NO_DESCRIPTOR
    assert descriptor_of(stream) == stream.ours.fileno()
    monkeypatch.setattr("os.name", "nt")
    assert descriptor_of(stream) == NO_DESCRIPTOR
    monkeypatch.undo()
    stream.ours.close()
    stream.theirs.close()


said = st.one_of(
    st.tuples(st.sampled_from(["send", "emit"]), st.sampled_from([1, 2_000, 9_000, 70_000])),
    st.tuples(st.sampled_from(["turn", "read", "ping"]), st.just(0)),
)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(said, max_size=30))
def test_whatever_happens_frames_leave_whole_and_in_order(story: list[tuple[str, int]]) -> None:
    async def play() -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=100_000_000))
        await io.start()
        with opened(io) as (websocket, stream), opened(io):
            expected: list[int] = []
            for number, (what, size) in enumerate(story):
                if what == "send":
                    [socket] = websocket.client.sockets.values()  # type: ignore[union-attr]
                    socket.emit("n", number, "." * size)
                elif what == "emit":
                    io.emit("n", number, "." * size)
                elif what == "turn":
                    await asyncio.sleep(0)
                elif what == "read":
                    stream.peer_reads()
                else:
                    websocket.data_received(frame(Opcode.PING))
                if what in ("send", "emit"):
                    expected.append(number)

            async with asyncio.timeout(10):
                while stream.read.count(b'"n"') < len(expected) or stream.has_more or websocket.queued_bytes:
                    stream.peer_reads()
                    await asyncio.sleep(0)
            stream.peer_reads()
            heard = [str(each) for each in stream.heard if each]
            assert [int(each.partition(",")[2].partition(",")[0]) for each in heard] == expected
        await io.shutdown()

    asyncio.run(play())
