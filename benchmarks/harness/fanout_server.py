"""The product's realtime server for the fan-out; ``python -m benchmarks.harness.fanout_server DOOR PORT``.

DOOR is ``native``, ``asgi`` or ``deflate`` (native, and events are compressed). A client that says
``go MESSAGES A_TURN KIND`` makes it emit that many events to everybody, so many in each turn of the loop.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn

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

    @io.on("go")
    async def go(_socket: Socket, messages: int, a_turn: int, kind: str) -> None:
        data = BINARY if kind == "binary" else TEXT
        for number in range(messages):
            io.emit(EVENT, data)
            if number % a_turn == a_turn - 1:
                await asyncio.sleep(0)

    http: Any = "httptools" if door == "asgi" else with_doors(NativeDoor(io))
    uvicorn.run(
        RealtimeApp(io),
        host="127.0.0.1",
        port=port,
        http=http,
        loop="uvloop",
        log_level="warning",
        ws_per_message_deflate=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
