"""Thousands of clients that speak Socket.IO as the stock one does, come back as it does, and judge what they hear.

A connection that ends is opened again after 0.5 to 1.5 s, at whichever server takes it, with pid and offset. What
each one has heard of each server's numbers must go on where it was if it is told that it is recovered.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from steinmetz.clock import SystemClock

_REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
DELAY_S = (0.5, 1.5)


def _masked(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE, size >> 8, size & 255))
    return head + b"\0\0\0\0" + data  # a mask of zeros leaves it as it is


class Fleet:
    """``ports()``: the servers that take connections now."""

    def __init__(self, ports: Callable[[], list[int]], rooms: int) -> None:
        self.ports = ports
        self.rooms = rooms
        self.clock = SystemClock()
        self.clients: list[Client] = []
        self.problems: list[str] = []
        self.recovered = self.anew = self.heard = self.refused = 0
        self.returns: Counter[int] = Counter()
        """By second."""

    @property
    def here(self) -> int:
        return sum(client.is_here for client in self.clients)

    async def come(self, count: int) -> None:
        """``count`` clients, a few hundred at a time."""
        for number in range(count):
            client = Client(self, number)
            self.clients.append(client)
            client.connect()
            if number % 200 == 199:
                await self.all_here()
        await self.all_here()

    async def all_here(self, within_s: float = 120.0) -> None:
        async with asyncio.timeout(within_s):
            while self.here < len(self.clients):  # noqa: ASYNC110  thousands say so
                await asyncio.sleep(0.05)

    def lacks(self, said: dict[str, dict[int, int]]) -> list[str]:
        """Who has not heard the last number of a server, if it has been here from the first to the last."""
        lacking = []
        for client in self.clients:
            for name, numbers in said.items():
                newest = client.newest.get(name)
                if newest is not None and newest < numbers.get(client.room, 0):
                    lacking.append(f"{client.number} lacks {newest + 1} to {numbers[client.room]} of {name}")
        return lacking


class Client(asyncio.Protocol):
    def __init__(self, fleet: Fleet, number: int) -> None:
        self.fleet = fleet
        self.number = number
        self.room = number % fleet.rooms
        self.pid: str | None = None
        self.offset: str | None = None
        self.newest: dict[str, int] = {}
        self.is_here = False
        self.is_sent_away = False
        self._buffer = b""
        self._is_open = False
        self._transport: Any = None

    def connect(self) -> None:
        asyncio.ensure_future(self._connect())  # noqa: RUF006  the loop of a benchmark ends with it

    async def _connect(self) -> None:
        try:
            port = random.choice(self.fleet.ports())
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        except (OSError, IndexError):
            self.fleet.refused += 1
            self._again()

    def _again(self) -> None:
        asyncio.get_running_loop().call_later(random.uniform(*DELAY_S), self.connect)

    def connection_made(self, transport: Any) -> None:
        self._buffer, self._is_open, self._transport = b"", False, transport
        transport.write(_REQUEST)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_here = False
        if not self.is_sent_away:
            self._again()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        if not self._is_open:
            head, end, rest = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = buffer
                return
            if b" 101 " not in head:
                self.fleet.refused += 1
                self._close()
                return
            self._is_open, buffer = True, rest
        at = 0
        while len(buffer) - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            if size == 127 or len(buffer) < start + size:
                break
            if buffer[at] & 15 == 8:
                self._close()
                return
            self._hear(buffer[start : start + size].decode())
            at = start + size
        self._buffer = buffer[at:]

    def _close(self) -> None:
        self._transport.abort()

    def _say(self, text: str) -> None:
        self._transport.write(_masked(text))

    def _hear(self, packet: str) -> None:
        if packet.startswith("42["):
            self._event(json.loads(packet[2:]))
        elif packet.startswith("42"):
            self._say(f"43{packet[2 : packet.index('[')]}[true]")
        elif packet == "41":
            self.is_sent_away = True
        elif packet == "2":
            self._say("3")
        elif packet.startswith("40"):
            self._admitted(json.loads(packet[2:]))
        elif packet.startswith("0"):
            shown = {"pid": self.pid, "offset": self.offset}
            auth = {"room": self.room, **{name: value for name, value in shown.items() if value is not None}}
            self._say("40" + json.dumps(auth))

    def _admitted(self, answer: dict[str, str]) -> None:
        fleet = self.fleet
        self.is_here = True
        if self.pid is not None:
            fleet.returns[int(fleet.clock.monotonic_s())] += 1
            if answer["pid"] == self.pid:
                fleet.recovered += 1
                return
            fleet.anew += 1
        self.pid, self.offset, self.newest = answer["pid"], None, {}

    def _event(self, event: list[Any]) -> None:
        _, name, number, self.offset = event
        self.fleet.heard += 1
        known = self.newest.get(name)
        if known is not None and number != known + 1:
            self.fleet.problems.append(f"{self.number} hears {number} of {name} behind {known}")
        self.newest[name] = number
