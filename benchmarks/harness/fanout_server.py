"""The product's realtime server for the fan-out; ``python -m benchmarks.harness.fanout_server DOOR PORT``.

DOOR is ``native``, ``asgi`` or ``deflate`` (native, and events are compressed). A client that says
``go MESSAGES A_TURN KIND`` makes it emit that many events to everybody, so many in each turn of the loop; ``flood
SIZE A_SECOND SECONDS`` makes it emit `load` events of that many bytes that begin with the time they were sent.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn

from steinmetz.clock import perf_ns
from steinmetz.realtime import Config, RealtimeApp, Server, Socket
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors

EVENT = "dashboard:update"
TEXT = {
    "widget": "revenue",
    "value": 125000,
    "series": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    "ts": "2025-12-06T10:30:15Z",
    "note": "x" * 39,
}
"""With the event's name around it, 167 bytes on the wire without their frame."""
BINARY = {"widget": "revenue", "image": bytes(range(100))}


def main(door: str, port: int) -> None:
    io = Server(Config(require_auth=False, deflate_threshold=150 if door == "deflate" else None))

    async def go(_socket: Socket, messages: int, a_turn: int, kind: str) -> None:
        data = BINARY if kind == "binary" else TEXT
        for number in range(messages):
            io.emit(EVENT, data)
            if number % a_turn == a_turn - 1:
                await asyncio.sleep(0)

    async def flood(_socket: Socket, size: int, a_second: int, seconds: float) -> None:
        loop, body = asyncio.get_running_loop(), "x" * size
        began_s = loop.time()
        for number in range(1, int(a_second * seconds) + 1):
            io.emit("load", perf_ns(), body)
            await asyncio.sleep(max(0.0, began_s + number / a_second - loop.time()))

    async def slow_clients(scope: Any, _receive: Any, send: Any) -> None:
        """How many have been cut off so far, at any path."""
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"%d" % io.statistics.slow_clients})

    io.on("go", go)
    io.on("flood", flood)
    http: Any = "httptools" if door == "asgi" else with_doors(NativeDoor(io))
    uvicorn.run(
        RealtimeApp(io, other=slow_clients),
        host="127.0.0.1",
        port=port,
        http=http,
        loop="uvloop",
        log_level="warning",
        ws_per_message_deflate=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
