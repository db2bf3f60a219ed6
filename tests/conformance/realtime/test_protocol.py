"""The conversations of `vectors.py`, held with both doors. Many run side by side; each is its own test."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
import orjson
import pytest

from tests.conformance.protocol_server import config
from tests.conformance.realtime.conftest import PING_TIMEOUT_S, Doors
from tests.conformance.realtime.vectors import ECHO, ENGINE_IO, SOCKET_IO

PROTOCOL = config("/protocol/", PING_TIMEOUT_S)

PATIENCE_S = 5.0
CONVERSATIONS = {
    **{f"Engine.IO {name}": lines for name, lines in ENGINE_IO.items()},
    **{f"Engine.IO alone {name}": ("at /engine/", *lines) for name, lines in ECHO.items()},
    **{f"Socket.IO {name}": lines for name, lines in SOCKET_IO.items()},
}
TYPES = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR)


def open_data(transport: str) -> dict[str, Any]:
    return {
        "sid": "*",
        "upgrades": ["websocket"] if transport == "polling" else [],
        "pingInterval": round(PROTOCOL.ping_interval_s * 1000),
        "pingTimeout": round(PROTOCOL.ping_timeout_s * 1000),
        "maxPayload": PROTOCOL.max_payload,
    }


class Conversation:
    """A client that speaks the lines of one conversation."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._host = f"http://127.0.0.1:{port}"
        self._url = self._host + PROTOCOL.path
        self._sid = ""
        self._answer: tuple[int, str] = (0, "")
        self._poll: asyncio.Task[tuple[int, str]] | None = None
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._refusal: int | None = None
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def hold(self, lines: tuple[str, ...]) -> None:
        try:
            for number, line in enumerate(lines):
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await self._speak(line)
                except (AssertionError, TimeoutError) as error:
                    raise AssertionError(f"line {number + 1}, {line!r}: {error!r}") from None
        finally:
            for websocket in self._sockets:
                await websocket.close()

    async def _speak(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        match verb:
            case "at":
                self._url = self._host + rest
            case "open":
                status, body = await self._http("GET", "EIO=4&transport=polling")
                assert status == 200
                self._sid = orjson.loads(body[1:])["sid"]
            case "GET" | "POST" | "PUT":
                is_raw = ("=" in rest and "transport" in rest) or rest.startswith("EIO")
                query = rest if is_raw else self._own
                self._answer = await self._http(verb, query, "" if is_raw else rest)
            case "=":
                self._expect(self._answer, rest)
            case "begin":
                self._poll = asyncio.create_task(self._http("GET", self._own))
                await asyncio.sleep(0.05)
            case "poll":
                assert self._poll is not None
                self._expect(await self._poll, rest[2:])
            case "hang":
                assert self._poll is not None
                self._poll.cancel()
                await asyncio.sleep(0.05)
            case "ws" | "2":
                rest = rest.removeprefix("ws ")
                await self._connect(f"EIO=4&transport=websocket&sid={self._sid}" if rest == "sid" else rest)
            case "refused":
                assert self._refusal == 400
            case "wait":
                await asyncio.sleep(float(rest))
            case ">":
                await self._ws.send_str(rest)
            case ">>":
                await self._ws.send_bytes(bytes.fromhex(rest))
            case "<":
                assert same(await self._hear(), rest)
            case "<<":
                assert await self._hear() == bytes.fromhex(rest)
            case "<ping":
                assert await self._hear(pings=True) == "2"
            case "<open":
                said = await self._hear()
                assert isinstance(said, str)
                assert said[0] == "0"
                assert {**orjson.loads(said[1:]), "sid": "*"} == open_data(rest)
            case "pong":
                assert await self._hear(pings=True) == "2"
                await self._ws.send_str("3")
            case "x":
                assert await self._hear() is None
            case _:
                raise ValueError(line)

    @property
    def _own(self) -> str:
        return f"EIO=4&transport=polling&sid={self._sid}"

    @property
    def _ws(self) -> aiohttp.ClientWebSocketResponse:
        assert self._websocket is not None
        return self._websocket

    async def _http(self, method: str, query: str, body: str = "") -> tuple[int, str]:
        async with self._session.request(method, f"{self._url}?{query}", data=body.encode() or None) as response:
            return response.status, await response.text()

    async def _connect(self, query: str) -> None:
        try:
            self._websocket = await self._session.ws_connect(f"{self._url}?{query}")
            self._sockets.append(self._websocket)
        except aiohttp.WSServerHandshakeError as error:
            self._refusal = error.status

    async def _hear(self, *, pings: bool = False) -> str | bytes | None:
        """The next message; None once the server has closed."""
        while True:
            message = await self._ws.receive()
            if message.type in TYPES:
                return None
            if pings or message.data != "2":
                assert isinstance(message.data, (str, bytes))
                return message.data

    def _expect(self, answer: tuple[int, str], expected: str) -> None:
        status, _, body = expected.partition(" ")
        assert answer[0] == int(status)
        if body.startswith("open "):
            assert answer[1][0] == "0"
            assert {**orjson.loads(answer[1][1:]), "sid": "*"} == open_data(body[5:])
        elif body:
            # On a busy machine a PING may have become due meanwhile.
            said = answer[1].split("\x1e")
            assert same("\x1e".join(packet for packet in said if packet != "2" or body == "2"), body)


def same(said: str | bytes | None, expected: str) -> bool:
    assert isinstance(said, str), said
    masked = re.sub(r'"sid":"[\w-]{20}"', '"sid":"*"', said)
    assert masked == expected
    return True


@pytest.fixture(scope="module")
def outcomes(doors: Doors) -> dict[tuple[str, str], BaseException | None]:
    """Many conversations at once: the heartbeats among them take their time."""

    async def hold_all() -> dict[tuple[str, str], BaseException | None]:
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=jar) as session:
            turns = asyncio.Semaphore(24)

            async def hold(port: int, lines: tuple[str, ...]) -> None:
                async with turns:
                    await Conversation(session, port).hold(lines)

            held = [
                (door, name, hold(port, lines))
                for door, port in (("asgi", doors.asgi), ("native", doors.native))
                for name, lines in CONVERSATIONS.items()
            ]
            results = await asyncio.gather(*(hold for _, _, hold in held), return_exceptions=True)
            return {(door, name): result for (door, name, _), result in zip(held, results, strict=True)}

    return asyncio.run(hold_all())


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("door", ["asgi", "native"])
def test_conversation(outcomes: dict[tuple[str, str], BaseException | None], door: str, name: str) -> None:
    outcome = outcomes[door, name]
    if outcome is not None:
        raise outcome


def test_the_vectors_cover_at_least_what_the_public_suites_cover() -> None:
    assert len(ENGINE_IO) >= 24
    assert len(ENGINE_IO) + len(SOCKET_IO) >= 24 + 32
