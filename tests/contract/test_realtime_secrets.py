"""Nothing secret is written down: no session id, no credential, nothing that a client has said, at any level.

Each case makes the server say something, if it has anything to say, and looks through all of it.
"""

from __future__ import annotations

import asyncio
import io as text_io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from steinmetz.clock import FakeClock
from steinmetz.erp.logging import trace_of
from steinmetz.gcra import Rate
from steinmetz.realtime import (
    Config,
    ConnectError,
    EventError,
    HandshakeError,
    Limits,
    RealtimeApp,
    Server,
    Socket,
)
from steinmetz.realtime.errors import AckError, RealtimeError
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import OPEN, WS, Exchange, WebSocket, opened
from tests.unit.realtime.server.test_client import Line

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-J4kobs-Konto-0815"

MESSAGES = [
    "{s}",
    "4{s}",
    "42{s}",
    "42[{s}]",
    '42["{s}"',
    '42["a","{s}"]',
    '42["{s}"]',
    '427["{s}"]',
    '427["fails","{s}"]',
    '427["fails later","{s}"]',
    '427["refuses","{s}"]',
    '427["answers oddly","{s}"]',
    '427["room:join",{"room":"{s}"}]',
    '427["room:join","user:{s}"]',
    '427["room:leave","{s}"]',
    '42["disconnect","{s}"]',
    '42["connect_error","{s}"]',
    '42{"{s}":1}',
    '42[null,"{s}"]',
    '42/{s},["a"]',
    '40{"token":"{s}"}',
    '40/hr,{"token":"{s}"}',
    '40/{s},{"token":"{s}"}',
    '40{"token":"{s}"',
    '40["{s}"]',
    '40"{s}"',
    "41{s}",
    "41/{s},",
    '43["{s}"]',
    '4399["{s}"]',
    '44{"message":"{s}"}',
    '451-["a","{s}",{"_placeholder":true,"num":0}]',
    '451-["a","{s}",{"_placeholder":true,"num":7}]',
    '451-["a","{s}"]',
    '4599-["{s}"]',
    '46["{s}"]',
    "0{s}",
    "1{s}",
    "2{s}",
    "2probe{s}",
    "3{s}",
    "5{s}",
    "6{s}",
    "7{s}",
    "b{s}",
    '42["\\ud83d","{s}"]',
    '42["{s}\u0000\u202e\n"]',
]


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that has been written so far: by structlog with its tracebacks, by logging, to both streams."""
    kept = structlog.get_config()
    page = text_io.StringIO()
    structlog.configure(
        processors=[
            structlog.processors.ExceptionRenderer(trace_of),
            structlog.processors.KeyValueRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        logger_factory=structlog.WriteLoggerFactory(page),
        cache_logger_on_first_use=False,
    )
    caplog.set_level(logging.DEBUG)
    yield lambda: page.getvalue() + caplog.text + "".join(capfd.readouterr())
    structlog.configure(**kept)


def make() -> Server:
    """An application that fails in every way it can."""
    io = Server(Config(limits=Limits(events={"a": Rate(1, 60)})), clock=FakeClock())
    io.use(lambda socket: socket.data.update(token=socket.handshake.auth.get("token")))
    io.of("/hr").use(lambda socket: raise_(ConnectError(str(socket.handshake.auth))))

    @io.on("fails")
    def fails(socket: Socket, *args: Any) -> None:
        raise KeyError(args)

    @io.on("fails later")
    async def fails_later(socket: Socket, *args: Any) -> None:
        await asyncio.sleep(0)
        raise ValueError(args, socket.client.session.sid)

    io.on("refuses", lambda socket, *args: raise_(EventError("no", str(args))))
    io.on("answers oddly", lambda socket, *args: {object(): args})
    io.on("connection", lambda socket: raise_(RuntimeError(socket.handshake.auth)))
    io.on("disconnect", lambda socket, reason: raise_(RuntimeError(socket.client.session.sid)))
    io.on_room_join(lambda socket, room: raise_(LookupError(room)))
    return io


def raise_(error: Exception) -> Any:
    raise error


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def assert_nothing_in(text: str, what: str, *secrets: str) -> None:
    found = [secret for secret in (SECRET, *secrets) if secret in text]
    assert found == [], f"{what}: {text}"


async def over_a_line(io: Server, *said: str) -> str:
    line = Line()
    client, _ = io.open(
        line, Request([(b"cookie", SECRET.encode())], b"", "192.0.2.1", secure=False, time=io.clock.now())
    )
    for message in said:
        client.receive(message, line)
        await settle()
    return client.session.sid


async def over_polling(io: Server, *said: str) -> str:
    app = RealtimeApp(io)
    query = await opened(app)
    for message in said:
        await Exchange(app, "POST", query, message.encode("utf-8", "replace"), cookie=SECRET).run()
        await settle()
    return query.rpartition(b"=")[2].decode()


async def over_a_websocket(io: Server, *said: str) -> str:
    line = WebSocket(RealtimeApp(io), WS, cookie=SECRET)
    running = asyncio.create_task(line.run())
    for message in said:
        line.say(message)
    while not line.sent or len(line.texts) < 1:
        await asyncio.sleep(0)
    await settle()
    line.hang_up()
    await running
    return str(line.texts[0]).partition('"sid":"')[2].partition('"')[0]


DOORS = {"line": over_a_line, "polling": over_polling, "websocket": over_a_websocket}
WAYS = [("line", "stranger"), *((door, "connected") for door in DOORS)]


@pytest.mark.parametrize(("door", "state"), WAYS)
async def test_what_clients_say(door: str, state: str, written: Callable[[], str]) -> None:
    before = [f'40{{"token":"{SECRET}"}}'] if state == "connected" else []
    for message in MESSAGES:
        io = make()
        sid = await DOORS[door](io, *before, message.replace("{s}", SECRET))
        await io.shutdown()
        assert len(sid) == 20
        assert_nothing_in(written(), message, sid)


FAILURES: list[Callable[[str], Exception]] = [
    lambda said: ConnectError(said, {"hint": said}),
    lambda said: EventError("no", said),
    lambda said: RealtimeError(said),
    lambda said: AckError(said),
    lambda said: HandshakeError(3, said),
    lambda said: ValueError(said),
    lambda said: KeyError(said),
    lambda said: UnicodeDecodeError("utf-8", said.encode(), 0, 1, said),
    lambda said: OSError(5, said, said),
    lambda said: TypeError(said),
    lambda said: AssertionError(said),
    lambda said: TimeoutError(said),
    lambda said: ExceptionGroup(said, [ValueError(said)]),
]
PLACES = ["middleware", "event", "connection", "disconnect", "room", "describe", "review"]


@pytest.mark.parametrize("place", PLACES)
async def test_what_an_application_raises(place: str, written: Callable[[], str]) -> None:
    for number, failure in enumerate(FAILURES):
        client = await fail_in(place, failure, is_async=(PLACES.index(place) + number) % 2 == 1)
        assert_nothing_in(written(), type(failure("")).__name__, client)


async def fail_in(place: str, failure: Callable[[str], Exception], *, is_async: bool) -> str:
    """The id of the session in which it has failed."""

    def fail(*_: Any) -> Any:
        raise failure(SECRET)

    async def fail_later(*_: Any) -> Any:
        await asyncio.sleep(0)
        raise failure(SECRET)

    fails = fail_later if is_async else fail
    io = Server(Config(), clock=FakeClock(), describe_error=fail if place == "describe" else None)
    io.use(fails if place == "middleware" else lambda socket: None)
    io.on("connection", fails if place == "connection" else lambda socket: None)
    io.on("disconnect", fails if place == "disconnect" else lambda socket, reason: None)
    io.on("say", fails if place in ("event", "describe") else lambda socket, said: None)
    io.on_room_join(fails if place == "room" else lambda socket, room: True)
    io.on_review(fail_later)
    client = SECRET
    try:
        async with connect(io, auth={"token": SECRET}) as anna:
            [client] = io.clients
            await anna.call("say", SECRET)
            await anna.call("room:join", {"room": SECRET})
            if place == "review":
                await io.review()
    except ConnectError:
        assert place == "middleware"
    await settle()
    await io.shutdown()
    return client


REQUESTS: list[tuple[str, bytes, dict[str, str]]] = [
    ("GET", OPEN + b"&sid=" + SECRET.encode(), {}),
    ("POST", OPEN + b"&sid=" + SECRET.encode(), {}),
    ("GET", OPEN + b"&token=" + SECRET.encode(), {}),
    ("GET", b"EIO=3&transport=polling&token=" + SECRET.encode(), {}),
    ("GET", OPEN + b"&x=" + SECRET.encode() * 400, {}),
    ("PUT", OPEN + b"&sid=" + SECRET.encode(), {}),
    ("GET", OPEN, {"origin": f"https://{SECRET}.example"}),
    ("GET", OPEN, {"authorization": f"Bearer {SECRET}"}),
    ("GET", OPEN, {"cookie": f"session={SECRET}" * 900}),
    ("GET", OPEN, {"x-forwarded-for": SECRET}),
    ("OPTIONS", OPEN, {"origin": SECRET}),
]


@pytest.mark.parametrize("kind", [Exchange, WebSocket])
@pytest.mark.parametrize("request_", REQUESTS, ids=[str(number) for number in range(len(REQUESTS))])
async def test_what_requests_carry(
    kind: Any, request_: tuple[str, bytes, dict[str, str]], written: Callable[[], str]
) -> None:
    io = Server(Config(require_auth=False, trusted_proxies=("10.0.0.1",)), clock=FakeClock())
    method, query, headers = request_
    if kind is Exchange:
        await Exchange(RealtimeApp(io), method, query, **headers).run()
    else:
        line = WebSocket(RealtimeApp(io), query.replace(b"polling", b"websocket"), **headers)
        line.hang_up()
        await line.run()
    await io.shutdown()
    assert_nothing_in(written(), str(request_), *io.clients)


async def test_what_others_may_see_names_no_session(written: Callable[[], str]) -> None:
    io = Server(Config(require_auth=False), clock=FakeClock())
    async with connect(io, auth={"token": SECRET}):
        [(sid, client)] = io.clients.items()
        [socket] = await io.fetch_sockets()
        assert socket.id != sid
        shown = f"{io.stats()} {socket!r} {client!r} {socket.namespace!r} {socket.handshake!r} {client.request!r}"
        assert_nothing_in(shown + written(), "what is shown", sid)


async def test_what_is_written_is_seen_here(written: Callable[[], str]) -> None:
    """Else all cases before would prove nothing."""
    io = Server(Config(), clock=FakeClock())
    io.use(lambda socket: raise_(ValueError(SECRET)))
    with pytest.raises(ConnectError):
        async with connect(io):
            pass
    structlog.get_logger("steinmetz.realtime").debug("one", sid="by structlog")
    logging.getLogger("steinmetz.realtime").debug("by logging")
    print("by hand")
    text = written()
    for word in ("Middleware failed", "by structlog", "by logging", "by hand"):
        assert word in text
    await io.shutdown()


def test_there_are_enough_cases() -> None:
    assert len(MESSAGES) * len(WAYS) + len(FAILURES) * len(PLACES) + len(REQUESTS) * 2 > 290
