"""Whole conversations of clients that keep to no protocol: each is served or ends, and nothing else happens.

With ``LONG_TESTS=1`` some fifty times as many.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, Server, Socket
from steinmetz.realtime.engineio.frames import CloseCode, FrameParser
from steinmetz.realtime.engineio.packet import PacketType, decode
from steinmetz.realtime.engineio.payload import decode_payload, encode_payload
from steinmetz.realtime.errors import EngineIOError, FrameError, SocketIOError
from steinmetz.realtime.socketio.connection import Connection, State, Step
from tests.conformance.realtime.recording import Recording, request

MANY = 50 if os.environ.get("LONG_TESTS") else 1
MAX_PAYLOAD = 2_000

NAMESPACES = ("", "/chat,", "/nowhere,", "/slow,")
JSON = ('["x"]', '["echo",1]', "[]", "{}", '{"token":1}', '["x",{"_placeholder":true,"num":0}]', '"x"', "[", "")
PACKETS = st.builds(
    lambda digit, count, namespace, ack, body: f"4{digit}{count}{namespace}{ack}{body}",
    st.sampled_from("00012223456789"),
    st.sampled_from(["", "", "1-", "2-", "11-", "-"]),
    st.sampled_from(NAMESPACES),
    st.sampled_from(["", "", "1", "77", "12345678901234567890"]),
    st.sampled_from(JSON),
)
POLITE = st.sampled_from(["40", "40/chat,", '42["echo",1]', '421["echo",1]', "41", "3", "6", "430[]", "40/slow,"])
MESSAGES = st.one_of(POLITE, POLITE, PACKETS, st.text(max_size=12), st.binary(max_size=12))
STEPS = st.lists(
    st.one_of(
        MESSAGES,
        MESSAGES,
        st.sampled_from(["(time)", "(much time)", "(turns)", "(emit)", "(ask)", "(kick)", "(close)", "(lost)"]),
    ),
    max_size=12,
)


def application(clock: FakeClock) -> tuple[Server, list[str]]:
    """An application that does a bit of everything, and what it has heard."""
    io = Server(Config(max_payload=MAX_PAYLOAD, ping_interval_s=10, ping_timeout_s=5), clock=clock)
    heard: list[str] = []

    @io.use
    def authenticate(socket: Socket) -> None:
        socket.join("room")

    @io.of("/chat").use
    def refuse(_socket: Socket) -> None:
        raise ConnectError("no", {"data": 1})

    @io.of("/slow").use
    async def think(_socket: Socket) -> None:
        await asyncio.sleep(0)

    for namespace in (io.of("/"), io.of("/slow")):
        namespace.on("connection", lambda _socket: heard.append("connection"))
        namespace.on("disconnect", lambda _socket, reason: heard.append(f"disconnect {reason}"))
        namespace.on("echo", lambda _socket, *args: args)
    return io, heard


async def converse(steps: list[str | bytes]) -> None:
    clock = FakeClock()
    io, heard = application(clock)
    await io.start()
    transport = Recording()
    client, opening = io.open(transport, request())
    transport.send(opening)
    asked: list[asyncio.Task[Any]] = []
    for step in steps:
        match step:
            case "(time)" | "(much time)":
                clock.advance(5 if step == "(time)" else 60)
                io.wheel.run_due()
            case "(turns)":
                for _ in range(5):
                    await asyncio.sleep(0)
            case "(emit)":
                io.to("room").emit("news", b"bytes", {"and": "text"})
            case "(ask)":
                asked += [
                    asyncio.create_task(socket.emit_with_ack("ask", timeout_s=7))
                    for socket in io.of("/").sockets.values()
                ]
                await asyncio.sleep(0)
            case "(kick)":
                io.disconnect_sockets()
            case "(close)":
                io.of("/slow").disconnect_sockets(close=True)
            case "(lost)":
                client.transport_lost(transport)
            case _:
                said = list(transport.said)
                client.receive(step, transport)
                if client.session.is_closed and transport.closed_with is CloseCode.PROTOCOL_ERROR:
                    assert transport.said == said, "what is refused is not answered"
        check(io, transport, client)
    client.transport_lost(transport)
    for _ in range(5):
        await asyncio.sleep(0)
    assert io.clients == {}
    assert transport.after_the_end == []
    assert all(
        not namespace.sockets and not list(namespace.adapter.rooms()) for namespace in io._namespaces.values()
    )
    assert heard.count("connection") == sum(line.startswith("disconnect ") for line in heard)
    await asyncio.gather(*asked, return_exceptions=True)
    assert all(task.done() for task in asked)
    await io.shutdown()


def check(io: Server, transport: Recording, client: Any) -> None:
    assert transport.after_the_end == []
    assert client.session.is_closed is transport.is_closed is (client.session.sid not in io.clients)
    assert len(client.sockets) <= len(NAMESPACES)
    if client.session.is_closed:
        assert client.sockets == {}
        assert not io.of("/").sockets
    for message in transport.said:
        decode(message)


@settings(max_examples=80 * MANY)
@given(STEPS)
def test_any_conversation_is_held_or_ends(steps: list[str | bytes]) -> None:
    asyncio.run(converse(steps))


@settings(max_examples=100 * MANY)
@given(st.lists(st.binary(max_size=30), max_size=6))
def test_any_bytes_are_frames_or_an_error(pieces: list[bytes]) -> None:
    """However they are cut: the same messages, or the same end."""

    def read(parts: list[bytes]) -> tuple[list[Any], int | None]:
        frames, found = FrameParser(20), []
        try:
            for part in parts:
                found += frames.feed(part)
        except FrameError as error:
            return found, error.close_code
        return found, None

    whole = b"".join(pieces)
    bytewise, end = read([bytes((byte,)) for byte in whole])
    assert read(pieces)[1] == read([whole])[1] == end
    if end is None:
        assert read(pieces)[0] == read([whole])[0] == bytewise


@settings(max_examples=100 * MANY)
@given(
    st.binary(max_size=40)
    | st.lists(MESSAGES, max_size=5).map(lambda parts: "\x1e".join(map(str, parts)).encode())
)
def test_any_body_is_a_payload_or_an_error(body: bytes) -> None:
    try:
        packets = decode_payload(body)
    except EngineIOError:
        return
    assert all(packet.type in PacketType for packet in packets)
    assert len(packets) == body.count(b"\x1e") + 1
    from steinmetz.realtime.engineio.packet import Outgoing

    assert decode_payload(encode_payload([Outgoing(packet) for packet in packets]).encode()) == packets


# ---- The namespace of a client, against a model of a few lines

MOVES: dict[str, dict[str, tuple[State, Step | None]]] = {
    "0": {
        "ABSENT": (State.CONNECTING, Step.CONNECT),
        "CONNECTING": (State.CONNECTING, Step.IGNORE),
        "CONNECTED": (State.CONNECTED, Step.IGNORE),
        "LEFT": (State.CONNECTING, Step.CONNECT),
    },
    "1": {
        "CONNECTING": (State.ABSENT, Step.DISCONNECT),
        "CONNECTED": (State.ABSENT, Step.DISCONNECT),
        "LEFT": (State.ABSENT, Step.IGNORE),
    },
    '2["x"]': {"CONNECTED": (State.CONNECTED, Step.EVENT), "LEFT": (State.LEFT, Step.IGNORE)},
    "31[]": {"CONNECTED": (State.CONNECTED, Step.ACK), "LEFT": (State.LEFT, Step.IGNORE)},
    "4{}": {},
    "accept": {"CONNECTING": (State.CONNECTED, None)},
    "refuse": {"CONNECTING": (State.ABSENT, None)},
    "leave": {"CONNECTED": (State.LEFT, None)},
}
SERVERS = ("accept", "refuse", "leave")


@pytest.mark.parametrize("length", range(1, 6 if MANY > 1 else 5))
def test_every_short_life_of_a_namespace_is_as_the_model_says(length: int) -> None:
    for moves in itertools.product(MOVES, repeat=length):
        client = Connection(max_size=MAX_PAYLOAD, timeout_s=45, now_s=100.0)
        state = State.ABSENT
        for move in moves:
            known = MOVES[move].get(state.name)
            if known is None and move in SERVERS:
                break  # not for a server to do
            if move in SERVERS:
                client.accept("/") if move == "accept" else getattr(client, move)("/", 100.0)
            elif known is None:
                with pytest.raises(SocketIOError):
                    client.receive(move, 100.0)
                break
            else:
                received = client.receive(move, 100.0)
                assert received is not None
                assert received[0] is known[1]
            assert known is not None
            state = known[0]
            assert client.state("/") is state
            assert client.is_overdue(145.0) is (state is not State.CONNECTED)
