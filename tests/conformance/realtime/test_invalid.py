"""What no protocol knows ends a connection at once, through both doors: long before the next PING is due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from steinmetz.realtime.engineio.frames import unmask
from tests.conformance.realtime.conftest import Doors
from tests.unit.realtime.server.test_uvicorn import KEY, MASK, frame, text

HOST = "127.0.0.1"
UPGRADE = (
    f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\n"
    f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()
PLACEHOLDER = '{"_placeholder":true,"num":0}'


@dataclass(frozen=True)
class Case:
    """``says`` one thing too much; ``code`` is that of RFC 6455 with which the native door closes."""

    says: bytes
    code: int
    is_admitted: bool = True


def long_text(data: str) -> bytes:
    return b"\x81\xff" + len(data).to_bytes(8, "big") + MASK + unmask(MASK, data.encode())


CASES = {
    "Engine.IO: no type": Case(text("x"), 1002),
    "Engine.IO: nothing": Case(text(""), 1002),
    "Engine.IO: OPEN": Case(text("0{}"), 1002),
    "Engine.IO: PING": Case(text("2"), 1002),
    "Engine.IO: UPGRADE": Case(text("5"), 1002),
    "Engine.IO: a type above 6": Case(text("7"), 1002),
    "Socket.IO: no type": Case(text("4abc"), 1002),
    "Socket.IO: a type above 6": Case(text("47"), 1002),
    "Socket.IO: no JSON": Case(text('42["x"'), 1002),
    "Socket.IO: no list": Case(text("42{}"), 1002),
    "Socket.IO: no name": Case(text("42[]"), 1002),
    "Socket.IO: a reserved name": Case(text('42["disconnect"]'), 1002),
    "Socket.IO: an acknowledgement of nothing": Case(text("43[]"), 1002),
    "Socket.IO: CONNECT_ERROR": Case(text("44{}"), 1002),
    "Socket.IO: a namespace that was not entered": Case(text('42/chat,["x"]'), 1002),
    "Socket.IO: an attachment of nothing": Case(frame(2, b"x"), 1002),
    "Socket.IO: text instead of an attachment": Case(text(f'451-["x",{PLACEHOLDER}]') + text("41"), 1002),
    "Socket.IO: eleven attachments": Case(text('4511-["x"]'), 1002),
    "Socket.IO: a placeholder of nothing": Case(text('451-["x"]'), 1002),
    "Socket.IO: very many values": Case(long_text("42[" + "1," * 110_000), 1002),
    "Socket.IO: an event of a stranger": Case(text('42["echo"]'), 1002, is_admitted=False),
    "Socket.IO: an acknowledgement of a stranger": Case(text("431[]"), 1002, is_admitted=False),
    "RFC 6455: a reserved bit": Case(b"\xc1\x80" + MASK, 1002),
    "RFC 6455: no mask": Case(b"\x81\x01x", 1002),
    "RFC 6455: an unknown opcode": Case(frame(3), 1002),
    "RFC 6455: a continuation of nothing": Case(frame(0, b"x"), 1002),
    "RFC 6455: text that is not UTF-8": Case(frame(1, b"\xff\xfe"), 1007),
    "RFC 6455: a Close of one byte": Case(frame(8, b"\x03"), 1002),
    "RFC 6455: a long PING": Case(b"\x89\xfe\x00\x7e" + MASK + b"x" * 126, 1002),
    "RFC 6455: a frame that is too large": Case(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + MASK, 1009),
    "RFC 6455: a stranger's frame that is too large": Case(frame(1, b"4" * 20_000), 1009, is_admitted=False),
}


async def close_of(port: int, case: Case) -> tuple[int, list[bytes]]:
    """The code with which the server closes, and what it said since it was spoken to."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    said: list[bytes] = []

    async def hear() -> tuple[int, bytes]:
        first, length = await reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        return first & 0x0F, await reader.readexactly(length)

    await hear()
    if case.is_admitted:
        writer.write(text('40{"token":"invalid"}'))
        for _ in range(2):
            await hear()
    writer.write(case.says)
    while True:
        opcode, data = await hear()
        if opcode == 8:
            writer.close()
            return int.from_bytes(data[:2], "big"), said
        said.append(data)


@pytest.fixture(scope="module")
def ends(doors: Doors) -> dict[tuple[str, str], object]:
    async def all_of_them() -> dict[tuple[str, str], object]:
        places = [(door, name) for door in ("asgi", "native") for name in CASES]
        async with asyncio.timeout(20):
            ends = await asyncio.gather(
                *(close_of(getattr(doors, door), CASES[name]) for door, name in places), return_exceptions=True
            )
        return dict(zip(places, ends, strict=True))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", CASES)
def test_it_ends_the_connection_at_once(ends: dict[tuple[str, str], object], name: str) -> None:
    assert ends["native", name] == (CASES[name].code, [])


@pytest.mark.parametrize("name", CASES)
def test_it_ends_the_connection_at_once_behind_asgi(ends: dict[tuple[str, str], object], name: str) -> None:
    """The ASGI server has its own way with frames: the connection ends, whatever it says."""
    end = ends["asgi", name]
    if isinstance(end, BaseException):
        assert isinstance(end, asyncio.IncompleteReadError | OSError)
    else:
        assert isinstance(end, tuple)
        assert end[0] in {1002, 1007, 1008, 1009}
        assert end[1] == []
