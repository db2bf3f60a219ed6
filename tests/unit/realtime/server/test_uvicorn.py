"""The native door, with raw bytes on a real socket."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from steinmetz.gcra import Rate
from steinmetz.realtime import Config, Limits, RealtimeApp, Server
from steinmetz.realtime.engineio.frames import Opcode, unmask
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.limits import Budgets
from steinmetz.realtime.server.native import NativeWebSocket
from steinmetz.realtime.server.outflow import HIGH_WATER
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors

pytestmark = pytest.mark.anyio

MASK = b"\x01\x02\x03\x04"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
QUERY = "EIO=4&transport=websocket"
POLL = b"GET /socket.io/?EIO=4&transport=pollingSID HTTP/1.1\r\nHost: erp.example\r\n\r\n"
Until = Callable[[Callable[[], bool]], Awaitable[None]]


def frame(opcode: int, data: bytes = b"", *, final: bool = True) -> bytes:
    head = bytes(((0x80 if final else 0) | opcode, 0x80 | 126)) + len(data).to_bytes(2, "big")
    if len(data) < 126:
        head = head[:1] + bytes((0x80 | len(data),))
    return head + MASK + unmask(MASK, data)


def text(data: str) -> bytes:
    return frame(Opcode.TEXT, data.encode())


def upgrade(target: str = f"/socket.io/?{QUERY}", *, method: str = "GET", **headers: str) -> bytes:
    named = {
        "Host": "erp.example",
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode()


class Peer:
    """A client that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)

    async def hear(self) -> tuple[int, bytes]:
        """One frame: opcode and data."""
        first, second = await asyncio.wait_for(self.reader.readexactly(2), 5)
        assert not second & 0x80, "a server does not mask"
        length = second
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return first & 0x0F, await self.reader.readexactly(length)

    async def hear_close(self) -> int:
        """The close code; the frames before it are passed over."""
        while True:
            opcode, data = await self.hear()
            if opcode == Opcode.CLOSE:
                return int.from_bytes(data[:2], "big")

    async def connected(self) -> Peer:
        """Upgraded, and in the main namespace."""
        self.say(upgrade(), text("40"))
        await self.head()
        assert (await self.hear())[1].startswith(b"0{")
        assert (await self.hear())[1].startswith(b"40{")
        return self

    async def ended(self) -> bytes:
        """What is left until the server has closed."""
        return await asyncio.wait_for(self.reader.read(), 5)


@dataclass
class House:
    io: Server
    state: ServerState
    port: int

    async def peer(self) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.port))


async def other_application(scope: Any, receive: Any, send: Any) -> None:
    """A WebSocket echo that is none of our business."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"].upper()})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"other"})


@pytest.fixture
async def house() -> AsyncIterator[House]:
    io = Server(Config(require_auth=False, max_payload=100_000, client_queue_bytes=1_000_000))
    config = uvicorn.Config(
        RealtimeApp(io, other=other_application),
        log_config=None,
        http=with_doors(NativeDoor(io)),
    )
    config.load()
    state = ServerState()
    listener = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
        "127.0.0.1",
    )
    yield House(io, state, listener.sockets[0].getsockname()[1])
    listener.close()
    for connection in list(state.connections):
        connection.transport.abort() if hasattr(connection, "transport") else connection.abort()
    await asyncio.sleep(0)
    await io.shutdown()


class TestUpgrade:
    async def test_the_handshake_of_rfc_6455_and_the_open_packet(self, house: House) -> None:
        peer = await house.peer()
        peer.say(upgrade())
        head = await peer.head()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: " + ACCEPT in head
        assert b"Sec-WebSocket-Extensions" not in head
        opcode, data = await peer.hear()
        assert opcode == Opcode.TEXT
        assert data.startswith(b'0{"sid":')

    @pytest.mark.parametrize(
        ("threshold", "offer", "is_agreed"),
        [
            (None, "permessage-deflate", False),
            (100, "permessage-deflate; client_max_window_bits", True),
            (100, "x-other\r\nSec-WebSocket-Extensions: permessage-deflate", True),
            (100, "permessage-deflate; server_max_window_bits=9", False),
            (100, "", False),
        ],
    )
    async def test_compression_is_agreed_upon_or_not(
        self, house: House, threshold: int | None, offer: str, is_agreed: bool
    ) -> None:
        house.io.config = replace(house.io.config, deflate_threshold=threshold)
        peer = await house.peer()
        peer.say(upgrade(Sec_WebSocket_Extensions=offer), text("40"))
        answer = (
            b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        )
        assert (answer in await peer.head()) is is_agreed
        assert (await peer.hear())[1].startswith(b"0{")

    async def test_t22_what_is_sent_behind_the_request_is_not_lost(self, house: House) -> None:
        peer = await house.peer()
        peer.say(upgrade(), text("40"), text('421["unheard"]'))
        await peer.head()
        answers = [(await peer.hear())[1] for _ in range(3)]
        assert answers[1].startswith(b"40{")
        assert answers[2].startswith(b"431[")

    async def test_t22_other_websockets_go_to_uvicorns_own_class_with_what_was_sent_behind(
        self, house: House
    ) -> None:
        peer = await house.peer()
        peer.say(upgrade("/api/other"), text("hallo"))
        assert b" 101 " in (await peer.head()).partition(b"\r\n")[0]
        assert await peer.hear() == (Opcode.TEXT, b"HALLO")

    async def test_plain_requests_before_it_on_the_same_connection(self, house: House) -> None:
        peer = await house.peer()
        peer.say(b"GET /x HTTP/1.1\r\nHost: erp.example\r\n\r\n")
        await peer.head()
        assert await peer.reader.readexactly(5) == b"other"
        await peer.connected()

    async def test_the_client_is_who_uvicorn_says_it_is(self, house: House) -> None:
        """T21: the address that a trusted proxy forwards."""
        peer = await house.peer()
        peer.say(upgrade(X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https"), text("40"))
        await peer.head()
        for _ in range(2):
            await peer.hear()
        [socket] = await house.io.fetch_sockets()
        assert socket.handshake.address == "203.0.113.9"
        assert socket.handshake.secure
        assert socket.handshake.headers["host"] == "erp.example"

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (upgrade("/socket.io/?EIO=3&transport=websocket"), 400),
            (upgrade("/socket.io/?EIO=4&transport=polling"), 400),
            (upgrade(f"/socket.io/?{QUERY}&sid=unknown"), 400),
            (upgrade(Sec_WebSocket_Key=""), 400),
            (upgrade(Sec_WebSocket_Key="c2hvcnQ="), 400),
            (upgrade(Sec_WebSocket_Key="!!!"), 400),
            (upgrade(Sec_WebSocket_Version="8"), 426),
            (upgrade(method="POST", Content_Length="0"), 400),
            (upgrade(Cookie="x" * 20_000), 431),
            (upgrade(**{f"X_{number}": "1" for number in range(100)}), 431),
        ],
    )
    async def test_what_is_refused_gets_an_http_answer_and_the_end(
        self, house: House, request_: bytes, status: int
    ) -> None:
        peer = await house.peer()
        peer.say(request_)
        assert (await peer.head()).startswith(b"HTTP/1.1 %d " % status)
        assert (await peer.ended()).startswith(b'{"code":')
        assert not house.io.clients

    async def test_cve_2024_37890_a_head_without_end_is_refused_while_it_comes(self, house: House) -> None:
        peer = await house.peer()
        peer.say(b"GET /socket.io/ HTTP/1.1\r\n")
        for _ in range(33):
            peer.say(b"X-Flood: " + b"x" * 4_000 + b"\r\n")
            await asyncio.sleep(0)
        assert (await peer.head()).startswith(b"HTTP/1.1 431 ")
        assert (await peer.ended()).startswith(b'{"code":')

    async def test_a_foreign_page_is_told_why(self, house: House) -> None:
        peer = await house.peer()
        peer.say(upgrade(Origin="https://evil.example"), text("40"))
        await peer.head()
        await peer.hear()
        assert await peer.hear() == (Opcode.TEXT, b'44{"message":"Origin not allowed"}')
        assert await peer.hear_close() == 1008

    async def test_what_is_too_much_says_when_again(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        budgets = Budgets(Limits(handshakes_per_address=Rate(1, 90), unauthenticated_per_address=1))
        monkeypatch.setattr(house.io, "budgets", budgets)
        heads = []
        for address, target in (
            ("203.0.113.1", f"/socket.io/?{QUERY}"),
            ("203.0.113.1", f"/socket.io/?{QUERY}&sid=guess"),
            ("203.0.113.2", f"/socket.io/?{QUERY}&sid=guess"),
        ):
            peer = await house.peer()
            peer.say(upgrade(target, X_Forwarded_For=address))
            heads.append(await peer.head())
        assert [head.split()[1] for head in heads] == [b"101", b"429", b"400"]
        assert b"Retry-After: 90\r\n" in heads[1]

    async def test_a_head_that_would_be_kept_is_bounded(self, house: House) -> None:
        peer = await house.peer()
        peer.say(upgrade(X_Large="x" * 17_000))
        assert (await peer.head()).startswith(b"HTTP/1.1 431 ")

    async def test_t23_an_upgrade_leaves_nothing_of_the_http_connection(self, house: House) -> None:
        import weakref

        peer = await house.peer()
        peer.say(b"GET /x HTTP/1.1\r\nHost: erp.example\r\n\r\n")
        await peer.head()
        [http] = house.state.connections
        gone = weakref.ref(http)
        gc.collect()
        gc.disable()
        try:
            del http
            await peer.reader.readexactly(5)
            await peer.connected()
            assert gone() is None
        finally:
            gc.enable()


class TestFrames:
    async def test_a_ping_is_answered_with_its_data(self, house: House) -> None:
        peer = await (await house.peer()).connected()
        peer.say(frame(Opcode.PING, b"are you there"), frame(Opcode.PONG, b"unasked"))
        assert await peer.hear() == (Opcode.PONG, b"are you there")

    async def test_fragments_are_one_message(self, house: House) -> None:
        peer = await (await house.peer()).connected()
        peer.say(frame(Opcode.TEXT, b'421["un', final=False), frame(Opcode.PING), frame(Opcode.CONT, b'heard"]'))
        assert (await peer.hear())[0] == Opcode.PONG
        assert (await peer.hear())[1].startswith(b"431[")

    async def test_the_closing_handshake_of_the_client(self, house: House) -> None:
        reasons: list[str] = []
        house.io.on("disconnect", lambda socket, reason: reasons.append(reason))
        peer = await (await house.peer()).connected()
        peer.say(frame(Opcode.CLOSE, b"\x03\xe8bye"))
        assert await peer.hear_close() == 1000
        assert await peer.ended() == b""
        assert reasons == ["transport close"]
        assert not house.io.clients

    async def test_several_events_in_one_read_are_answered_in_one_write(self, house: House) -> None:
        class Wire(asyncio.Transport):
            def __init__(self) -> None:
                super().__init__()
                self.written: list[bytes] = []

            def write(self, data: Any) -> None:
                self.written.append(data)

            def get_extra_info(self, name: str) -> None:
                """There is no socket below."""

            def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
                pass

            def get_write_buffer_size(self) -> int:
                return 0

        wire = Wire()
        websocket = NativeWebSocket(house.io, wire, set())
        request = Request([], b"", "10.0.0.1", secure=False, time=house.io.clock.now())
        await house.io.start()
        websocket.client, _opening = house.io.open(websocket, request)
        websocket.data_received(text("40"))
        house.io.on("ask", lambda socket, number: number)
        wire.written.clear()
        websocket.data_received(text('421["ask",1]') + text('422["ask",2]') + text('423["ask",3]'))
        assert wire.written == [b"".join(b"\x81\x06" + b"43%d[%d]" % (n, n) for n in (1, 2, 3))]
        wire.written.clear()
        websocket.data_received(text('424["ask",4]') + text("41") + text('425["ask",5]'))
        # An event in a namespace that it has left: a parse error.
        assert wire.written == [b"\x81\x06434[4]\x88\x02\x03\xea"]

    async def test_a_peer_that_hangs_up_without_a_word_is_seen_off(self, house: House) -> None:
        reasons: list[str] = []
        house.io.on("disconnect", lambda socket, reason: reasons.append(reason))
        peer = await (await house.peer()).connected()
        peer.writer.write_eof()
        assert await peer.ended() == b""
        assert reasons == ["transport close"]
        assert not house.io.clients
        assert not house.state.connections

    async def test_the_closing_handshake_of_the_server(self, house: House) -> None:
        peer = await (await house.peer()).connected()
        house.io.disconnect_sockets(close=True)
        assert await peer.hear() == (Opcode.TEXT, b"41")
        assert await peer.hear_close() == 1008
        peer.say(frame(Opcode.CLOSE, b"\x03\xf0"))
        assert await peer.ended() == b""

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"\x81\x02hi", 1002),
            (frame(0x3, b"x"), 1002),
            (frame(Opcode.CONT, b"x"), 1002),
            (frame(Opcode.TEXT, b"\xff"), 1007),
            (bytes((0x82, 0xFF)) + (200_000).to_bytes(8, "big"), 1009),
            (frame(Opcode.TEXT, b"4abc"), 1002),
            (frame(Opcode.TEXT), 1002),
        ],
    )
    async def test_what_is_forbidden_ends_the_session_at_once(self, house: House, data: bytes, code: int) -> None:
        peer = await (await house.peer()).connected()
        peer.say(data)
        assert await peer.hear_close() == code
        assert not house.io.clients

    async def test_a_connection_that_just_breaks(self, house: House, until: Until) -> None:
        peer = await (await house.peer()).connected()
        peer.writer.transport.abort()
        await until(lambda: not house.io.clients)


class TestSlowReaders:
    async def test_t26_who_does_not_read_is_cut_off_at_the_bound(self, house: House, until: Until) -> None:
        slow, fine = await (await house.peer()).connected(), await (await house.peer()).connected()
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a stream can
        draining = asyncio.create_task(fine.ended())
        for _ in range(400):
            house.io.emit("load", "x" * 50_000)
            await asyncio.sleep(0)
            if house.io.statistics.slow_clients:
                break
        await until(lambda: len(house.io.clients) == 1)
        assert house.io.statistics.slow_clients == 1
        fine.writer.close()
        await draining

    async def test_volatile_messages_are_not_queued_behind_others(self, house: House) -> None:
        peer = await (await house.peer()).connected()
        [websocket] = house.state.connections
        assert isinstance(websocket, NativeWebSocket)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a stream can
        while websocket.is_ready:
            house.io.emit("load", "x" * 50_000)
            await asyncio.sleep(0)
        house.io.volatile.emit("typing")
        assert house.io.statistics.dropped_volatile == 1
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while not websocket.is_ready:
            assert (await peer.hear())[1].startswith(b'42["load"')
        house.io.volatile.emit("typing")
        house.io.emit("last")
        while (heard := (await peer.hear())[1]) != b'42["typing"]':
            assert heard.startswith(b'42["load"')
        assert (await peer.hear())[1] == b'42["last"]'
        assert house.io.statistics.slow_clients == 0


class TestShutdown:
    async def test_t28_uvicorns_shutdown_only_starts_the_drainer(self, house: House, until: Until) -> None:
        reasons: list[str] = []
        house.io.on("disconnect", lambda socket, reason: reasons.append(reason))
        peers = [await (await house.peer()).connected() for _ in range(3)]
        websockets = list(house.state.connections)
        for websocket in websockets:
            websocket.shutdown()
        assert set(websockets) == house.state.connections
        assert reasons == []
        for peer in peers:
            assert await peer.hear_close() == 1012
            peer.say(frame(Opcode.CLOSE, b"\x03\xf4"))
            assert await peer.ended() == b""
        assert reasons == ["server shutting down"] * 3
        await until(lambda: not house.state.connections)

    async def test_a_poll_that_waits_does_not_hold_uvicorn_up(self, house: House) -> None:
        peer = await house.peer()
        peer.say(POLL.replace(b"SID", b""))
        await peer.head()
        sid = (await peer.reader.readuntil(b"}")).partition(b'"sid":"')[2].partition(b'"')[0]
        peer.say(POLL.replace(b"SID", b"&sid=" + sid))
        await asyncio.sleep(0.02)
        for connection in list(house.state.connections):
            connection.shutdown()
        assert b" 200 " in (await peer.head()).partition(b"\r\n")[0]
        assert await peer.ended() == b"6"
        assert not house.state.connections

    async def test_a_peer_that_answers_no_close_is_cut_off(
        self, house: House, monkeypatch: pytest.MonkeyPatch, until: Until
    ) -> None:
        monkeypatch.setattr("steinmetz.realtime.server.native.CLOSING_TIMEOUT_S", 0.01)
        peer = await (await house.peer()).connected()
        house.io.disconnect_sockets(close=True)
        await until(lambda: not house.state.connections)
        assert peer.writer is not None


async def test_polling_and_native_websocket_are_one_session(house: House) -> None:
    polling = await house.peer()
    polling.say(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: erp.example\r\n\r\n")
    head = await polling.head()
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    opening = await polling.reader.readexactly(length)
    sid = opening.partition(b'"sid":"')[2].partition(b'"')[0].decode()
    peer = await house.peer()
    peer.say(upgrade(f"/socket.io/?{QUERY}&sid={sid}"), text("2probe"))
    await peer.head()
    assert await peer.hear() == (Opcode.TEXT, b"3probe")
    peer.say(text("5"), text("40"))
    assert (await peer.hear())[1].startswith(b"40{")
    assert len(house.io.clients) == 1


class TestFloods:
    async def test_a_thousand_events_in_one_write_come_in_their_order(self, house: House) -> None:
        heard: list[int] = []
        house.io.on("n", lambda _socket, number: heard.append(number))
        peer = await (await house.peer()).connected()
        peer.say(*(text(f'42["n",{number}]') for number in range(5_000)), text('421["unheard"]'))
        while not (await peer.hear())[1].startswith(b"431["):
            pass
        assert heard == list(range(5_000))

    async def test_everybody_else_is_served_meanwhile(self, house: House) -> None:
        order: list[str] = []
        house.io.on("n", lambda _socket, who: order.append(who))
        flood, other = await (await house.peer()).connected(), await (await house.peer()).connected()
        flood.say(*(text('42["n","flood"]') for _ in range(6_000)))
        while not order:
            await asyncio.sleep(0)
        other.say(text('42["n","other"]'))
        while len(order) < 6_001:
            await asyncio.sleep(0)
        assert order.index("other") < 5_000

    async def test_a_close_behind_a_flood_comes_last(self, house: House) -> None:
        heard: list[int] = []
        house.io.on("n", lambda _socket, number: heard.append(number))
        peer = await (await house.peer()).connected()
        peer.say(*(text(f'42["n",{number}]') for number in range(1_000)), frame(Opcode.CLOSE, b"\x03\xe8"))
        assert await peer.hear_close() == 1000
        assert len(heard) == 1_000

    async def test_nonsense_behind_a_flood_closes_with_its_code(self, house: House, until: Until) -> None:
        peer = await (await house.peer()).connected()
        peer.say(text("3") * 3_000, b"\xc1\x80\0\0\0\0", text("3") * 3_000)
        assert await peer.hear_close() == 1002
        peer.say(frame(Opcode.CLOSE, b"\x03\xea"))
        await until(lambda: not house.io.clients)
        assert await peer.ended() == b""

    async def test_whoever_reads_no_pongs_gets_no_more_of_them(self, house: House, until: Until) -> None:
        peer = await (await house.peer()).connected()
        [connection] = [c for c in house.state.connections if isinstance(c, NativeWebSocket)]
        peer.reader._transport.pause_reading()  # type: ignore[attr-defined]  # how a stream stops reading
        for _ in range(16):
            peer.say(frame(Opcode.PING, b"x" * 125) * 4_000)
            await peer.writer.drain()
        assert connection.stream.get_write_buffer_size() <= HIGH_WATER + 127


class TestStrangers:
    async def test_a_stranger_says_no_more_than_a_credential(self, house: House) -> None:
        peer = await house.peer()
        peer.say(upgrade(), text("4" * 20_000)[:1_000])
        assert await _close_code(peer) == 1009
        assert not house.io.clients

    async def test_who_is_in_a_namespace_may_say_more(self, house: House) -> None:
        peer = await (await house.peer()).connected()
        peer.say(text('421["unheard","' + "x" * 60_000 + '"]'))
        assert (await peer.hear())[1].startswith(b"431[")

    async def test_a_second_websocket_of_a_session_is_accepted_and_closed(self, house: House) -> None:
        poller, first, second = [await house.peer() for _ in range(3)]
        poller.say(POLL.replace(b"SID", b""))
        await poller.head()
        sid = (await poller.reader.readuntil(b"}")).partition(b'"sid":"')[2].partition(b'"')[0].decode()
        first.say(upgrade(f"/socket.io/?{QUERY}&sid={sid}"), text("2probe"), text("5"), text("40"))
        await first.head()
        assert [(await first.hear())[1][:2] for _ in range(2)] == [b"3p", b"40"]
        second.say(upgrade(f"/socket.io/?{QUERY}&sid={sid}"))
        assert await _close_code(second) == 1008
        first.say(text('421["unheard"]'))
        assert (await first.hear())[1].startswith(b"431[")


async def _close_code(peer: Peer) -> int:
    assert (await peer.head()).startswith(b"HTTP/1.1 101 ")
    return await peer.hear_close()
