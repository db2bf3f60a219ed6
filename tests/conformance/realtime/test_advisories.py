"""One regression test for each advisory against servers of this protocol: its id, what went wrong, our rule."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

import steinmetz.realtime
from steinmetz.clock import FakeClock
from steinmetz.live.native import MAX_HEAD_FIELDS, protocol_class
from steinmetz.realtime import Config, ConnectError, RealtimeApp, Server, Socket
from steinmetz.realtime.engineio.frames import MAX_TINY_FRAGMENTS, FrameParser
from steinmetz.realtime.engineio.handshake import read_wish
from steinmetz.realtime.errors import FrameError, HandshakeError
from steinmetz.realtime.socketio import parser
from tests.unit.realtime.server.asgi_driver import OPEN, WS, Exchange, WebSocket, opened
from tests.unit.realtime.server.test_uvicorn import MASK, frame, upgrade

pytestmark = pytest.mark.anyio

SOURCES = sorted(Path(steinmetz.realtime.__file__).parent.rglob("*.py"))
ADVISORIES: dict[str, tuple[str, str]] = {}
"""Id -> (what, our rule)."""


def advisory(ids: str, what: str, rule: str) -> Callable[[Any], Any]:
    def note(test: Any) -> Any:
        for one in ids.split(", "):
            ADVISORIES[one] = (what, rule)
        return test

    return note


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def io(clock: FakeClock) -> AsyncIterator[Server]:
    server = Server(Config(), clock=clock)
    server.use(lambda _socket: None)
    await server.start()
    yield server
    await server.shutdown()


@pytest.fixture
def app(io: Server) -> RealtimeApp:
    return RealtimeApp(io)


async def said(app: RealtimeApp, *messages: str | bytes, query: bytes = WS, **headers: str) -> WebSocket:
    """A WebSocket that says ``messages``, each after it has heard the answers to the one before."""
    line = WebSocket(app, query, **headers)
    running = asyncio.create_task(line.run())
    for message in messages:
        line.say(message)
        for _ in range(10):
            await asyncio.sleep(0)
    if line.closed_with is None:
        line.hang_up()
    await running
    return line


@advisory("CVE-2025-61765", "pickled messages between servers run code", "nothing is ever unpickled or evaluated")
def test_nothing_unpickles_or_evaluates() -> None:
    forbidden = {"pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "yaml"}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & forbidden, source
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, source


@advisory(
    "CVE-2026-48804, CVE-2026-33151, CVE-2020-36049",
    "attachments without bound fill the memory",
    "at most 10 attachments, maxPayload bytes in all, and a deadline",
)
async def test_attachments_are_counted_weighed_and_timed(app: RealtimeApp, io: Server, clock: FakeClock) -> None:
    for messages in (
        ("40", '4511-["x"]'),
        ("40", '45999-["x"]'),
        (
            "40",
            '452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
            b"x" * 600_000,
            b"x" * 600_000,
        ),
    ):
        assert (await said(app, *messages)).closed_with == 1002
    waiting = WebSocket(app, WS)
    running = asyncio.create_task(waiting.run())
    waiting.say("40")
    waiting.say('451-["x",{"_placeholder":true,"num":0}]')
    while not io.of("/").sockets:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(20)
    io.wheel.run_due()
    waiting.say("3")
    clock.advance(25.1)
    io.wheel.run_due()
    await running
    assert waiting.closed_with == 1008


@advisory(
    "CVE-2026-48802",
    "each PONG of a stranger starts another heartbeat task",
    "a PONG counts only if a PING is open; heartbeats are entries of one wheel",
)
async def test_pongs_that_nobody_asked_for_cost_nothing(app: RealtimeApp, io: Server) -> None:
    query = await opened(app)
    [client] = io.clients.values()
    before = len(asyncio.all_tasks()), client.session.deadline_s, sum(map(len, io.wheel._slots.values()))
    assert (await Exchange(app, "POST", query, b"\x1e".join([b"3"] * 5_000)).run()).status == 200
    assert (len(asyncio.all_tasks()), client.session.deadline_s, sum(map(len, io.wheel._slots.values()))) == before


@advisory(
    "engineio 4.14",
    "requests of a session before its handshake is over",
    "a session is joined by its secret id only, and closes at anything but CONNECT first",
)
async def test_nothing_is_dispatched_before_the_middlewares_have_decided(clock: FakeClock) -> None:
    io = Server(Config(), clock=clock)
    app, heard, decided = RealtimeApp(io), [], asyncio.Event()

    @io.use
    async def think(_socket: Socket) -> None:
        await decided.wait()

    io.on("x", lambda _socket: heard.append("x"))
    for early in ('42["x"]', "430[]", '42/other,["x"]'):
        query = await opened(app)
        assert (await Exchange(app, "POST", query, f"40\x1e{early}".encode()).run()).status == 200
        assert (await Exchange(app, query=query).run()).status == 400
    decided.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == []
    for method in ("GET", "POST"):
        assert (await Exchange(app, method, OPEN + b"&sid=guessed", b"40").run()).status == 400
    await io.shutdown()


@advisory(
    "engineio 4.15",
    "entering and closing the room of another's id",
    "the rooms of sockets and users are nobody's to join or leave",
)
async def test_the_room_of_another_socket_is_closed(app: RealtimeApp, io: Server) -> None:
    io.on_room_join(lambda _socket, _room: True)
    await Exchange(app, "POST", await opened(app), b"40").run()
    await asyncio.sleep(0)
    [victim] = io.of("/").sockets.values()
    for event in ("room:join", "room:leave"):
        for room in (victim.id, "user:anna"):
            line = await said(app, "40", f'421["{event}",{{"room":"{room}"}}]')
            assert '"code":"forbidden"' in line.texts[-1]
    assert victim.rooms == {victim.id}


@advisory(
    "socketio 5.17, CVE-2020-36048",
    "a body is read to its end and then found too large",
    "what comes is counted while it comes",
)
async def test_a_body_is_not_read_past_the_limit(app: RealtimeApp, io: Server) -> None:
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    await asyncio.sleep(0)
    exchange = Exchange(app, "POST", query, b"")
    exchange._incoming.get_nowait()
    for _ in range(1_000):
        exchange._incoming.put_nowait({"type": "http.request", "body": b"4" * 65_536, "more_body": True})
    await exchange.run()
    assert exchange.status == 413
    assert exchange._incoming.qsize() >= 1_000 - 1_000_000 // 65_536 - 1


@advisory("socketio 5.18", "../ leaves the folder of static files", "no file is ever served")
async def test_no_path_leads_to_a_file(app: RealtimeApp) -> None:
    for path in ("/socket.io/../../etc/passwd", "/socket.io/%2e%2e/etc/passwd", "/socket.io/socket.io.js"):
        assert (await Exchange(app, query=b"", path=path).run()).status == 400
    assert (await Exchange(app, query=b"", path="/etc/passwd").run()).status == 404
    opens = {"open", "read_text", "read_bytes", "sendfile"}
    for source in SOURCES:
        calls = [node.func for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
        assert not {call.id for call in calls if isinstance(call, ast.Name)} & opens, source


@advisory(
    "CVE-2022-2421, CVE-2023-32695, CVE-2024-38355",
    "packets with odd placeholders or names end the process",
    "a placeholder is a number in range, used once; reserved names are refused; each ends one connection",
)
@pytest.mark.parametrize(
    "packet",
    [
        '451-["x",{"_placeholder":true,"num":"splice"}]',
        '451-["x",{"_placeholder":true,"num":-1}]',
        '451-["x",{"_placeholder":true,"num":1}]',
        '451-["x",{"_placeholder":true,"num":0.5}]',
        '451-["x",{"_placeholder":true,"num":true}]',
        '451-["x",{"_placeholder":true}]',
        '451-["x",{"_placeholder":{"toString":1},"num":0}]',
        '451-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
        '451-{"_placeholder":true,"num":0}',
        '451-[{"_placeholder":true,"num":0}]',
        '42["connect"]',
        '42["connect_error"]',
        '42["disconnect"]',
        '42["disconnecting"]',
        '42["newListener"]',
        '42["removeListener"]',
        '42[{"toString":"x"}]',
        "42[null]",
        "42[[]]",
        "42[]",
        '42"x"',
        "44{}",
        '44/,"x"',
        "40[]",
        '40"x"',
        "41{}",
        "43[]",
        "431{}",
    ],
)
async def test_a_crafted_packet_ends_one_connection(app: RealtimeApp, io: Server, packet: str) -> None:
    assert (await said(app, "40", packet)).closed_with == 1002
    assert io.clients == {}
    assert (await said(app, "40", '421["error"]')).texts[-1].startswith("431[")


@advisory(
    "CVE-2022-41940, CVE-2023-31125, CVE-2022-21676",
    "odd requests raise what nobody catches",
    "every query is read or refused with a code of the protocol",
)
@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"EIO=4",
        b"EIO[]=4&transport[]=polling",
        b"EIO=4&EIO=3&transport=polling",
        b"EIO=4&transport=__proto__",
        b"EIO=4&transport=constructor",
        b"EIO=4&transport=webtransport",
        b"EIO=4&transport=websocket",
        b"EIO=4&transport=polling&sid=",
        b"EIO=4&transport=polling&sid=__proto__",
        b"EIO=4&transport=polling&sid=a&sid=b",
        b"EIO=4&transport=polling&sid=%00%ff",
        b"\xff\xfe",
        b"%",
        b"&" * 9_000,
        b"&".join(b"a%d=" % number for number in range(100)),
    ],
)
async def test_a_crafted_request_is_refused_with_a_code(app: RealtimeApp, io: Server, query: bytes) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        exchange = await Exchange(app, method, query).run()
        assert exchange.status == 400
        assert re.fullmatch(r'\{"code":[0-5],"message":"[\w ]+"\}', exchange.text)
    line = WebSocket(app, query.replace(b"transport=websocket", b"transport=polling"))
    await line.run()
    assert line.sent[0]["status"] == 400
    assert io.clients == {}


@advisory("CVE-2022-21676 (frames)", "frames that no extension explains", "RFC 6455, 5.2: fail the connection")
@pytest.mark.parametrize("first", [0xC1, 0xA1, 0x91, 0xF1, 0x83, 0x8B, 0x09, 0x08])
def test_a_frame_that_no_extension_explains_is_refused(first: int) -> None:
    with pytest.raises(FrameError):
        FrameParser(1_000).feed(bytes((first, 0x80)) + MASK)


@advisory("CVE-2026-48779", "a message in very many fragments", "at most 1,024 fragments of a message")
def test_fragments_are_counted() -> None:
    frames = FrameParser(1_000_000)
    frames.feed(frame(0x1, b"x", final=False) + frame(0x0, b"", final=False) * (MAX_TINY_FRAGMENTS - 2))
    with pytest.raises(FrameError, match="fragments"):
        frames.feed(frame(0x0, b"", final=False) * 2)


@advisory(
    "CVE-2024-37890",
    "very many header fields end the process",
    "at most 100 fields and 64 KiB, counted while they come",
)
async def test_header_fields_are_counted_while_they_come(io: Server) -> None:
    config = uvicorn.Config(RealtimeApp(io), log_config=None, http=protocol_class(io))
    config.load()
    protocol: Any = config.http_protocol_class(config=config, server_state=ServerState(), app_state={})  # type: ignore[call-arg]
    transport = SilentTransport()
    protocol.connection_made(transport)
    protocol.data_received(upgrade()[:-2] + b"A: b\r\n" * 10_000)
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert transport.is_closing()
    assert len(protocol.headers) <= MAX_HEAD_FIELDS + 1
    protocol.connection_lost(None)


class SilentTransport(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self._is_closing = True

    def is_closing(self) -> bool:
        return self._is_closing


@advisory(
    "CVE-2021-32640",
    "a header field takes time that grows with its square",
    "expressions repeat nothing that repeats, except without going back",
)
def test_no_expression_can_go_back_for_ever() -> None:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            is_compile = isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
            if is_compile and isinstance(pattern := node.args[0], ast.Constant):
                assert not re.search(r"[*+}]\)?[*{]|[*+]\)[*+]", re.sub(r"\+\+|\*\+", "", str(pattern.value))), (
                    source
                )
    assert parser._HEAD.match("2" + "1" * 100_000) is not None


@advisory(
    "CVE-2021-33880",
    "secrets that are compared byte by byte tell how far they agree",
    "ids are looked up by hash; whoever signs compares in constant time",
)
def test_whoever_signs_compares_in_constant_time() -> None:
    for source in SOURCES:
        text = source.read_text()
        if "import hmac" in text or "from hmac" in text:
            assert "compare_digest" in text, source


@advisory(
    "CVE-2020-28481",
    "every origin may read by default",
    "no origin but the server's own, unless it is listed; credentials only for those listed by name",
)
async def test_no_foreign_origin_reads_by_default(app: RealtimeApp) -> None:
    foreign = await Exchange(app, origin="https://evil.example").run()
    assert foreign.status == 403
    assert "access-control-allow-origin" not in foreign.headers
    own = await Exchange(app, origin="http://erp.example").run()
    assert own.status == 200
    assert "access-control-allow-origin" not in own.headers


@advisory(
    "CSWSH", "a foreign page's WebSocket brings the user's cookies", "the same rule, for WebSocket and upgrade"
)
async def test_a_foreign_page_hears_nothing(app: RealtimeApp, io: Server) -> None:
    sid = (await opened(app)).partition(b"&sid=")[2]
    line = await said(app, "40", '42["x"]', origin="https://evil.example")
    assert line.texts[1:] == ['44{"message":"Origin not allowed"}']
    assert line.closed_with == 1008
    joining = WebSocket(app, WS + b"&sid=" + sid, origin="https://evil.example")
    await joining.run()
    assert joining.sent[0]["status"] == 403
    assert io.of("/").sockets == {}


@advisory(
    "socketio-jwt #38",
    "a refused client's events are heard all the same",
    "a client that is in no namespace has said its last word with its second one",
)
async def test_a_refused_client_is_not_heard(clock: FakeClock) -> None:
    io = Server(Config(), clock=clock)
    heard: list[str] = []

    @io.use
    def refuse(_socket: Socket) -> None:
        raise ConnectError("no")

    io.on("x", lambda _socket: heard.append("x"))
    line = await said(RealtimeApp(io), "40", '42["x"]')
    assert line.closed_with == 1002
    assert heard == []
    await io.shutdown()


def test_each_advisory_that_we_know_of_has_its_test() -> None:
    known = {
        "CVE-2025-61765", "CVE-2026-48804", "CVE-2026-33151", "CVE-2020-36049", "CVE-2026-48802", "CVE-2022-2421",
        "CVE-2023-32695", "CVE-2024-38355", "CVE-2022-41940", "CVE-2023-31125", "CVE-2022-21676", "CVE-2026-48779",
        "CVE-2024-37890", "CVE-2021-32640", "CVE-2021-33880", "CVE-2020-28481", "CSWSH", "CVE-2020-36048",
    }  # fmt: skip
    assert known <= set(ADVISORIES)
    assert all(what and rule for what, rule in ADVISORIES.values())
    for query in (b"EIO=4", b"transport=polling"):
        with pytest.raises(HandshakeError):
            read_wish(query, "GET", is_upgrade=False)
