"""A client of the realtime server that says what it likes: raw bytes, good and bad."""

from __future__ import annotations

import asyncio
from types import TracebackType

MASK = b"\x00\x00\x00\x00"
"""Masked by nothing, so that the attacker's own work is small."""
GOOD = '40{"token":"good"}'
POLLING = "EIO=4&transport=polling"


def frame(opcode: int, data: bytes, *, final: bool = True, length: int | None = None) -> bytes:
    """A client's frame; ``length`` is what its head says, if not the truth."""
    said = len(data) if length is None else length
    first = bytes(((0x80 if final else 0) | opcode,))
    if said < 126:
        return first + bytes((0x80 | said,)) + MASK + data
    if said < 1 << 16:
        return first + b"\xfe" + said.to_bytes(2, "big") + MASK + data
    return first + b"\xff" + said.to_bytes(8, "big") + MASK + data


def text(data: str) -> bytes:
    return frame(0x1, data.encode())


def request(method: str, query: str, *, body: bytes = b"", headers: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} /socket.io/?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}{headers}\r\n"
    return head.encode() + body


def upgrade(sid: str = "") -> bytes:
    query = "EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
    return request(
        "GET",
        query,
        headers="Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    )


class Peer:
    """One connection. What the server does to it is no error: `say` and `ended` go on without a word."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Peer:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    async def say(self, data: bytes) -> bool:
        """False if nobody listens any more."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.writer.transport.is_closing() and not self.reader.at_eof()

    async def push(self, data: bytes, within_s: float = 0.7) -> None:
        """`say` to a server that may not want to read all of it."""
        try:
            await asyncio.wait_for(self.say(data), within_s)
        except TimeoutError:
            return

    async def hear(self) -> tuple[int, bytes]:
        """One frame of the server: opcode and data."""
        first, length = await self.reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return first & 0x0F, await self.reader.readexactly(length)

    async def answer(self) -> tuple[int, bytes]:
        """A whole response of HTTP: status and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        return int(head.split()[1]), await self.reader.readexactly(int(length or 0))

    async def websocket(self, *, admitted: bool = False) -> Peer:
        """Upgraded; ``admitted`` into the main namespace, too."""
        await self.say(upgrade() + (text(GOOD) if admitted else b""))
        await self.reader.readuntil(b"\r\n\r\n")
        await self.hear()
        if admitted:
            await self.hear()
        return self

    async def polling(self) -> str:
        """The query string of a new session."""
        await self.say(request("GET", POLLING))
        _, body = await self.answer()
        return POLLING + "&sid=" + body.decode().partition('"sid":"')[2].partition('"')[0]

    async def ended(self, within_s: float = 3.0) -> None:
        """Read what comes until the server ends it, or the time is over."""
        try:
            async with asyncio.timeout(within_s):
                while await self.reader.read(1 << 16):
                    pass
        except (TimeoutError, OSError):
            return
