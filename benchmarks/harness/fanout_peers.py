"""Other servers for the same fan-out; ``python fanout_peers.py NAME PORT`` in the peer's own environment.

``python-socketio`` as its documentation shows it behind uvicorn, without compression. ``raw`` is the floor:
sockets that were upgraded by hand, one frame built once, and a loop of `os.write`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from importlib import import_module
from typing import Any, ClassVar

EVENT = "dashboard:update"
TEXT = {
    "widget": "revenue",
    "value": 125000,
    "series": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    "ts": "2025-12-06T10:30:15Z",
    "note": "x" * 39,
}
BINARY = {"widget": "revenue", "image": bytes(range(100))}
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
OPEN = b'0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


def python_socketio(port: int) -> None:
    socketio = import_module("socketio")
    io = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")

    async def connect(_sid: str, _environ: Any, _auth: Any = None) -> None:
        return None

    async def go(_sid: str, messages: int, a_turn: int, kind: str) -> None:
        for number in range(messages):
            await io.emit(EVENT, BINARY if kind == "binary" else TEXT)
            if number % a_turn == a_turn - 1:
                await asyncio.sleep(0)

    async def flood(_sid: str, size: int, a_second: int, seconds: float) -> None:
        loop, body = asyncio.get_running_loop(), "x" * size
        began_s = loop.time()
        for number in range(1, int(a_second * seconds) + 1):
            await io.emit("load", (time.perf_counter_ns(), body))
            await asyncio.sleep(max(0.0, began_s + number / a_second - loop.time()))

    io.on("connect", connect)
    io.on("flood", flood)
    io.on("go", go)
    import_module("uvicorn").run(
        socketio.ASGIApp(io),
        host="127.0.0.1",
        port=port,
        http="httptools",
        loop="uvloop",
        log_level="warning",
        ws_per_message_deflate=False,
    )


def frame(data: bytes) -> bytes:
    head = bytes((0x81, len(data))) if len(data) < 126 else bytes((0x81, 126)) + len(data).to_bytes(2, "big")
    return head + data


class Raw(asyncio.Protocol):
    """Knows the load client's constant key, and nothing else. Ended by the benchmark."""

    files: ClassVar[dict[int, asyncio.Transport]] = {}
    running: ClassVar[set[asyncio.Task[None]]] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        for file in [file for file, kept in self.files.items() if kept is self.transport]:
            del self.files[file]

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /socket.io/"):
            self.transport.write(ANSWER + frame(OPEN))
            return
        for said in import_module("steinmetz.realtime.engineio.texts").plain_texts(data, 1_000_000)[0]:
            self._take(said)

    def _take(self, said: str) -> None:
        if said.startswith("40"):
            self.files[self.transport.get_extra_info("socket").fileno()] = self.transport
            self.transport.write(frame(b'40{"sid":"x"}'))
        elif (wish := re.search(r'\["go",(\d+),(\d+)', said)) is not None:
            self.running.add(asyncio.create_task(self.go(int(wish[1]))))
        elif (wish := re.search(r'\["tell",(\d+)', said)) is not None:
            self.tell(int(wish[1]))

    async def go(self, messages: int) -> None:
        for _ in range(messages):
            said = frame(b"42" + json.dumps([EVENT, TEXT], separators=(",", ":")).encode())
            for file in self.files:
                os.write(file, said)
            await asyncio.sleep(0)

    def tell(self, size: int) -> None:
        """One event of some ``size`` bytes to each, with the time at which the first of them was sent."""
        told = [EVENT, time.perf_counter_ns(), "x" * size]
        said = frame(b"42" + json.dumps(told, separators=(",", ":")).encode())
        for file in self.files:
            os.write(file, said)


async def raw(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Raw, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    name, at = sys.argv[1], int(sys.argv[2])
    if name == "raw":
        import_module("uvloop").run(raw(at))
    else:
        python_socketio(at)
