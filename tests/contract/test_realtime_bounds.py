"""Each bound of the realtime server: reached, told, counted, and described as it is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from steinmetz.clock import FakeClock
from steinmetz.gcra import Rate
from steinmetz.realtime import Config, ConnectError, Limits, RealtimeApp, Server, Socket
from steinmetz.realtime.engineio import frames, payload
from steinmetz.realtime.engineio import handshake as engine_handshake
from steinmetz.realtime.engineio.frames import FrameParser, Opcode
from steinmetz.realtime.errors import FrameError
from steinmetz.realtime.server import asgi, room_requests, statistics
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.sessions import MAX_REFUSED
from steinmetz.realtime.socketio import connection, parser
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import OPEN, WS, Exchange, WebSocket, opened
from tests.unit.realtime.server.test_client import Line

pytestmark = pytest.mark.anyio

DOCUMENT = Path(__file__).parents[2] / "docs" / "explanation" / "realtime-security.md"
ANNA = "203.0.113.1"
BINARY = '451-["a",{"_placeholder":true,"num":0}]'


class Row(NamedTuple):
    bound: str
    setting: str
    default: str
    hears: str
    counter: str


ROWS = {
    row[0]: row
    for row in (
        Row(*(cell.strip().strip("`") for cell in line.strip("|").split("|")))
        for line in re.findall(
            r"^\|.*\|$", DOCUMENT.read_text().partition("## Bounds")[2].partition("\n\n`Too")[0], re.MULTILINE
        )[2:]
    )
}


class Rig:
    """A server on a clock, and what clients of it hear."""

    def __init__(self, clock: FakeClock, **config: Any) -> None:
        limits = Limits(**{name: config.pop(name) for name in {f.name for f in fields(Limits)} & config.keys()})
        self.clock = clock
        self.io = Server(Config(**{"require_auth": False, "limits": limits, **config}), clock=clock)
        self.app = RealtimeApp(self.io)

    def arrive(self, *said: str | bytes, address: str = ANNA) -> tuple[Client, Line]:
        line = Line()
        client, _ = self.io.open(line, Request([], b"", address, secure=False, time=self.clock.now()))
        for message in said:
            client.receive(message, line)
        return client, line

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.io.wheel.run_due()


Attack = Callable[[FakeClock], Awaitable[tuple[Server, str]]]
"""Reaches a bound; the server, and what the client has heard."""
ATTACKS: dict[str, Attack] = {}


def reaches(bound: str) -> Callable[[Attack], Attack]:
    def register(attack: Attack) -> Attack:
        assert ATTACKS.setdefault(bound, attack) is attack, "two tests of one row"
        return attack

    return register


def closed(line: Line) -> str:
    if line.closed == "aborted":
        return "the connection is cut"
    return f"close code {int(line.closed)}" if isinstance(line.closed, int) else str(line.closed)


async def refused(rig: Rig, **options: Any) -> str:
    with pytest.raises(ConnectError) as refusal:
        async with connect(rig.io, address=ANNA, **options):
            pass
    data = refusal.value.data
    return f"{refusal.value.message}, with retryAfterMs" if "Ms" in str(data) else refusal.value.message


def http(exchange: Exchange) -> str:
    later = ", with Retry-After" if "retry-after" in exchange.headers else ""
    return f"HTTP {exchange.status}{later}"


def code(answer: Any) -> str:
    assert answer["ok"] is False
    assert answer["error"]["message"]
    return str(answer["error"]["code"])


# -- bytes ------------------------------------------------------------------------------------------------------


@reaches("one message")
async def one_message(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, max_payload=1_000)
    line = WebSocket(rig.app, WS)
    line.say("4" * 1_001)
    await line.run()
    return rig.io, f"close code {line.sent[-1]['code']}"


@reaches("a polling request")
async def a_polling_request(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, max_payload=1_000)
    return rig.io, http(await Exchange(rig.app, "POST", await opened(rig.app), b"4" * 1_001).run())


@reaches("a packet with its attachments")
async def a_packet_with_its_attachments(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, max_payload=1_000)
    return rig.io, closed(rig.arrive("40", BINARY, b"x" * 990)[1])


@reaches("attachments of a packet")
async def attachments_of_a_packet(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    holders = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(11))
    return rig.io, closed(rig.arrive("40", f'4511-["a",{holders}]')[1])


@reaches("packets of a polling request")
async def packets_of_a_polling_request(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    body = "\x1e".join(["6"] * (payload.MAX_PACKETS + 1)).encode()
    query = await opened(rig.app)
    await Exchange(rig.app, "POST", query, b"40").run()
    return rig.io, http(await Exchange(rig.app, "POST", query, body).run())


@reaches("tiny fragments of a message")
async def fragments_of_a_message(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    client, line = rig.arrive("40")
    reader = FrameParser(1_000_000)
    first, rest = (bytes((opcode, 0x81, 0, 0, 0, 0)) + b"x" for opcode in (Opcode.TEXT, Opcode.CONT))
    with pytest.raises(FrameError) as error:
        reader.feed(first + rest * (frames.MAX_TINY_FRAGMENTS + 1))
    client.transport_failed(line, frames.CloseCode(error.value.close_code))  # as `NativeWebSocket` does
    return rig.io, closed(line)


@reaches("depth of JSON")
async def depth_of_json(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    return rig.io, closed(rig.arrive("40", '42["a",' + "[" * 100_000 + "]" * 100_000 + "]")[1])


@reaches("what a stranger says at once")
async def what_a_stranger_says_at_once(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    return rig.io, closed(rig.arrive('42["a","' + "x" * 16_384 + '"]')[1])


@reaches("a credential")
async def a_credential(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    rig.io.of("/hr")
    return rig.io, closed(rig.arrive("40", '40/hr,{"token":"' + "x" * 16_384 + '"}')[1])


@reaches("name of a namespace")
async def name_of_a_namespace(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    return rig.io, closed(rig.arrive(f"40/{'x' * 256},")[1])


@reaches("namespaces of a client")
async def namespaces_of_a_client(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    names = [f"/{number}" for number in range(65)]
    for name in names:
        rig.io.of(name)
    return rig.io, closed(rig.arrive(*(f"40{name}," for name in names))[1])


@reaches("a query")
async def a_query(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    return rig.io, http(await Exchange(rig.app, query=OPEN + b"&x=" + b"y" * 8_192).run())


@reaches("header fields")
async def header_fields(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    return rig.io, http(await Exchange(rig.app, **{f"x-{number}": "" for number in range(101)}).run())


@reaches("bytes of a header")
async def bytes_of_a_header(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    return rig.io, http(await Exchange(rig.app, cookie="x" * 16_384).run())


# -- time -------------------------------------------------------------------------------------------------------


@reaches("silence before a credential")
async def silence(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    await rig.io.start()
    _, line = rig.arrive()
    rig.pass_time(10.3)
    return rig.io, closed(line)


@reaches("time until the first namespace")
async def time_until_the_first_namespace(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    await rig.io.start()
    rig.io.use(lambda socket: asyncio.Event().wait())  # type: ignore[arg-type, return-value]
    client, line = rig.arrive("40")
    rig.pass_time(26)
    client.receive("3", line)
    rig.pass_time(19.3)
    return rig.io, closed(line)


@reaches("time for attachments")
async def time_for_attachments(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    await rig.io.start()
    client, line = rig.arrive("40", BINARY)
    rig.pass_time(26)
    client.receive("3", line)
    rig.pass_time(19.3)
    return rig.io, closed(line)


# -- how many ---------------------------------------------------------------------------------------------------


@reaches("sessions")
async def sessions(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, max_connections=1)
    rig.arrive("40")
    return rig.io, (await refused(rig)).partition(",")[0]


@reaches("sessions that are told why not")
async def sessions_that_are_told_why_not(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, max_connections=1)
    for _ in range(1 + MAX_REFUSED):
        rig.arrive()
    exchange = await Exchange(rig.app).run()
    return rig.io, http(exchange).replace("503", "503 or 429")


@reaches("sessions of an address")
async def sessions_of_an_address(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, connections_per_address=1)
    rig.arrive("40")
    return rig.io, (await refused(rig)).partition(",")[0]


@reaches("sockets of a user")
async def sockets_of_a_user(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, connections_per_user=1)
    rig.io.use(lambda socket: setattr(socket, "subject", "user:5"))
    async with connect(rig.io):
        return rig.io, (await refused(rig)).partition(",")[0]


@reaches("sessions without a namespace")
async def sessions_without_a_namespace(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, unauthenticated=1)
    await rig.io.start()
    _, oldest = rig.arrive()
    clock.advance(3)
    rig.arrive()
    return rig.io, f"the oldest: {closed(oldest)}"


@reaches("the same, of an address")
async def the_same_of_an_address(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, unauthenticated_per_address=1)
    await opened(rig.app)
    return rig.io, http(await Exchange(rig.app).run())


@reaches("handshakes of an address")
async def handshakes_of_an_address(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, handshakes_per_address=Rate(1, 60))
    rig.arrive("40")
    return rig.io, await refused(rig)


@reaches("upgrades of an address")
async def upgrades_of_an_address(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, handshakes_per_address=Rate(1, 60))
    line = WebSocket(rig.app, WS + (await opened(rig.app)).partition(b"polling")[2])
    await line.run()
    has_header = b"retry-after" in dict(line.sent[0]["headers"])
    return rig.io, f"HTTP {line.sent[0]['status']}{', with Retry-After' if has_header else ''}"


@reaches("refused credentials of an address")
async def refused_credentials_of_an_address(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, refusals_per_address=Rate(1, 60))

    @rig.io.use
    def authenticate(socket: Socket) -> None:
        raise ConnectError("Authentication required")

    assert await refused(rig) == "Authentication required"
    return rig.io, await refused(rig)


# -- how fast ---------------------------------------------------------------------------------------------------


@reaches("events of a user")
async def events_of_a_user(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, events_per_user=Rate(1, 60))
    rig.io.use(lambda socket: setattr(socket, "subject", "user:5"))
    rig.io.on("a", lambda socket: 1)
    async with connect(rig.io) as phone, connect(rig.io) as laptop:
        assert await phone.call("a") == 1
        return rig.io, code(await laptop.call("a"))


@reaches("one event")
async def one_event(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, events={"a": Rate(1, 60)})
    rig.io.on("a", lambda socket: 1)
    async with connect(rig.io) as anna:
        assert await anna.call("a") == 1
        return rig.io, code(await anna.call("a"))


@reaches("what one connection sends")
async def what_one_connection_sends(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    client, line = rig.arrive("40")
    for _ in range(25):
        client.receive('42["a","' + "x" * 900_000 + '"]', line)
    return rig.io, closed(line)


@reaches("events that wait for a handler")
async def events_that_wait_for_a_handler(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock, client_inbox_bytes=1_000)
    await rig.io.start()

    @rig.io.on("slow")
    async def slow(socket: Socket, *args: Any) -> None:
        await asyncio.Event().wait()

    return rig.io, closed(rig.arrive("40", '42["slow"]', *['42["slow","' + "x" * 600 + '"]'] * 3)[1])


# -- rooms ------------------------------------------------------------------------------------------------------


@reaches("rooms by request")
async def rooms_by_request(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    rig.io.on_room_join(lambda socket, room: True)
    async with connect(rig.io) as anna:
        answers = [await anna.call("room:join", {"room": f"room {number}"}) for number in range(101)]
    assert [answer["ok"] for answer in answers].count(True) == 100
    return rig.io, code(answers[-1])


@reaches("name of a room")
async def name_of_a_room(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    async with connect(rig.io) as anna:
        return rig.io, code(await anna.call("room:join", {"room": "x" * 201}))


@reaches("a room that is not open")
async def a_room_that_is_not_open(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    async with connect(rig.io) as anna:
        return rig.io, code(await anna.call("room:join", {"room": "user:5"}))


@reaches("reasons that are counted")
async def reasons_that_are_counted(clock: FakeClock) -> tuple[Server, str]:
    rig = Rig(clock)
    for number in range(statistics.MAX_COUNTED_REASONS + 10):
        rig.io.statistics.refuse(f"You are number {number}")
    assert len(rig.io.statistics.refused) == statistics.MAX_COUNTED_REASONS + 1
    return rig.io, "nothing"


# -- the table --------------------------------------------------------------------------------------------------


def test_each_row_has_its_attack_and_each_attack_its_row() -> None:
    assert list(ROWS) == list(ATTACKS)
    assert len(ROWS) > 30


@pytest.mark.parametrize("bound", ATTACKS)
async def test_a_bound_is_reached_told_and_counted(bound: str, clock: FakeClock) -> None:
    row = ROWS[bound]
    io, heard = await ATTACKS[bound](clock)
    assert heard == row.hears.replace("`", "")
    assert io.statistics.refused[row.counter] > 0, dict(io.statistics.refused)
    await io.shutdown()
    assert not io.clients
    assert io.budgets.remembered() <= 3, "only rates are remembered of who has gone"


CONSTANTS = {
    "MAX_ATTACHMENTS": parser.MAX_ATTACHMENTS,
    "MAX_NAMESPACE": parser.MAX_NAMESPACE,
    "MAX_NAMESPACES": connection.MAX_NAMESPACES,
    "MAX_PACKETS": payload.MAX_PACKETS,
    "MAX_TINY_FRAGMENTS": frames.MAX_TINY_FRAGMENTS,
    "MAX_QUERY": engine_handshake._MAX_QUERY,
    "MAX_HEADER_FIELDS": asgi.MAX_HEADER_FIELDS,
    "MAX_HEADER_BYTES": asgi.MAX_HEADER_BYTES,
    "MAX_REFUSED": MAX_REFUSED,
    "MAX_ROOM_NAME": room_requests.MAX_ROOM_NAME,
    "MAX_COUNTED_REASONS": statistics.MAX_COUNTED_REASONS,
}


def written(value: Any) -> str:
    if isinstance(value, Rate):
        return f"{value.burst}, then {round(1 / value.period_s)} a second"
    return "none" if value == {} else str(value)


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.setting], ids=lambda row: row.bound)
def test_a_default_is_described_as_it_is(row: Row) -> None:
    part, _, name = row.setting.rpartition(".")
    holder: Any = Config().limits if part == "limits" else Config()
    value = CONSTANTS[name] if name in CONSTANTS else getattr(holder, name)
    assert row.default == written(value)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
