"""The HTTP class that uvicorn is given, with raw bytes on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from steinmetz.erp.errors import refusal
from steinmetz.live import native
from steinmetz.live.native import MAX_HEAD_BYTES, MAX_HEAD_FIELDS, protocol_class
from steinmetz.realtime import Config, RealtimeApp, Server

pytestmark = pytest.mark.anyio

GET = b"GET /x HTTP/1.1\r\nHost: erp.example\r\n"
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: erp.example\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PATIENCE_S = 0.05


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with how much it was sent; /half begins an answer and waits for more of the request."""
    headers = [(b"content-length", b"100")] if scope["path"] == "/half" else []
    if headers:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, *data: bytes) -> None:
        self._writer.write(b"".join(data))

    async def head(self) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)

    async def body(self, size: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(size), 5)

    async def rest(self) -> bytes:
        """Everything until the server has closed."""
        try:
            return await asyncio.wait_for(self._reader.read(), 5)
        except ConnectionResetError:  # it closed while we were still speaking
            return b""

    def leave(self) -> None:
        self._writer.transport.abort()

    @property
    def is_open(self) -> bool:
        return not self._reader.at_eof()


class House:
    def __init__(self) -> None:
        self.port = 0
        self.protocols: list[Any] = []
        """One for each connection, in the order in which they came."""
        self.application: Any = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)

    async def peer(self) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.port))


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(native, "PATIENCE_S", PATIENCE_S)
    io, built = Server(Config(require_auth=False)), House()
    config = uvicorn.Config(RealtimeApp(io, other=built), log_config=None, http=protocol_class(io, refusal))
    config.load()
    state = ServerState()

    def answer_the_door() -> Any:
        protocol = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        built.protocols.append(protocol)
        return protocol

    listener = await asyncio.get_running_loop().create_server(answer_the_door, "127.0.0.1")
    built.port = listener.sockets[0].getsockname()[1]
    yield built
    listener.close()
    for connection in list(state.connections):
        connection.transport.abort() if hasattr(connection, "transport") else connection.abort()
    await asyncio.sleep(0)
    await io.shutdown()


def problem_in(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    assert b"Connection: close" in head
    document: dict[str, Any] = json.loads(body)
    assert f"HTTP/1.1 {document['status']} ".encode() in head
    assert document["success"] is False
    return document


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"FOO /x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (GET + b"X: a\x00b\r\n\r\n", 400),
        (b"POST" + GET[3:] + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\n\r\n", 400),
        (GET + b"Host: other.example\r\n\r\n", 400),
        (b"GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /" + b"x" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (GET + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (GET + b"X: 1\r\n" * MAX_HEAD_FIELDS + b"\r\n", 431),
    ],
)
async def test_what_is_no_good_request_is_refused_by_a_problem_document_and_the_connection_ends(
    house: House, request_bytes: bytes, status: int
) -> None:
    peer = await house.peer()
    peer.say(request_bytes)
    answer = await peer.rest()
    assert problem_in(answer)["status"] == status


async def test_a_head_without_end_is_cut_off(house: House) -> None:
    peer = await house.peer()
    peer.say(GET + b"X: ")
    for _ in range(100):
        peer.say(b"x" * MAX_HEAD_BYTES)
    answer = await peer.rest()  # the reset may overtake the answer
    assert not answer or problem_in(answer)["status"] == 431


async def test_requests_up_to_the_bounds_are_served_on_one_connection(house: House) -> None:
    peer = await house.peer()
    for one in (
        GET + b"X: " + b"x" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n",
        GET + b"X: 1\r\n" * (MAX_HEAD_FIELDS - 1) + b"\r\n",
        b"POST" + GET[3:] + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000,
    ):
        peer.say(one)
        assert b" 200 " in await peer.head()
        assert await peer.body(6 if b"POST" in one else 1) == (b"200000" if b"POST" in one else b"0")


async def test_many_requests_in_one_read_do_not_add_up_to_one_large_head(house: House) -> None:
    peer = await house.peer()
    peer.say((GET + b"X: " + b"x" * 8_000 + b"\r\n\r\n") * 20)
    for _ in range(20):
        assert b" 200 " in await peer.head()
        assert await peer.body(1) == b"0"


async def test_http_1_0_needs_no_host(house: House) -> None:
    peer = await house.peer()
    peer.say(b"GET /x HTTP/1.0\r\n\r\n")
    assert b" 200 " in await peer.rest()


@pytest.mark.parametrize(
    "beginning",
    [b"", b"\r\n", b"GET /x HTT", GET, b"POST" + GET[3:] + b"Content-Length: 9\r\n\r\n1234"],
    ids=["nothing", "blank line", "half a line", "half a head", "half a body"],
)
async def test_a_request_that_does_not_arrive_is_given_up(house: House, beginning: bytes) -> None:
    peer = await house.peer()
    peer.say(beginning)
    assert problem_in(await peer.rest())["status"] == 408


async def test_a_stalled_request_whose_answer_has_begun_ends_without_a_second_answer(house: House) -> None:
    peer = await house.peer()
    peer.say(b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1234")
    assert (await peer.rest()).partition(b"\r\n\r\n")[2] == b"half"


async def test_a_slow_request_that_goes_on_arriving_is_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "SLOWEST_BYTES_A_SECOND", 1)
    peer = await house.peer()
    peer.say(b"POST" + GET[3:] + b"Content-Length: 30\r\n\r\n")
    for _ in range(30):
        await asyncio.sleep(PATIENCE_S / 5)  # time itself is what is tested
        peer.say(b"x")
    assert b" 200 " in await peer.head()
    assert await peer.body(2) == b"30"


async def test_an_upgraded_connection_is_no_longer_looked_at(house: House) -> None:
    peer = await house.peer()
    peer.say(UPGRADE)
    assert b" 101 " in await peer.head()
    assert (await peer.body(4))[2:] == b"0{"
    assert house.protocols[0]._patience.cancelled()
    assert peer.is_open


async def test_who_leaves_in_the_midst_of_pipelined_requests_is_known_to_have_left(house: House) -> None:
    began, ended = asyncio.Event(), asyncio.Event()
    heard: list[str] = []

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        while not heard or heard[-1] != "http.disconnect":
            heard.append((await receive())["type"])
        ended.set()

    house.application = waiting
    peer = await house.peer()
    peer.say((GET + b"\r\n") * 3)
    await asyncio.wait_for(began.wait(), 5)
    peer.leave()
    await asyncio.wait_for(ended.wait(), 5)
    assert heard[-1] == "http.disconnect"
