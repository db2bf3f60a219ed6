"""The realtime server before the load client; ``python -m benchmarks.harness.sockets_server PORT [recovery]``.

A client shows a JWT, is put into two rooms, one for all and one of its own, and hears "hello"; "say" is
acknowledged by a plain handler, "ask" by a coroutine function. `sockets_peers.py` and `sockets_peer.js` do the
same with other servers, and all three answer the same questions over HTTP.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from importlib import import_module
from itertools import count
from typing import Any

import jwt
import orjson
import uvicorn

from benchmarks.harness.sockets_jwt import SECRET
from steinmetz.clock import SystemClock
from steinmetz.live.native import protocol_class
from steinmetz.realtime import Collector, Config, ConnectError, RealtimeApp, Server, Socket

LOOK_EVERY_S = 0.005
"""How often the loop is asked whether it still turns."""


class Figures:
    """What the load wants to know of this process."""

    def __init__(self, io: Server, collector: Collector) -> None:
        self._io = io
        self._collector = collector
        self._clock = SystemClock()
        self._worst_s = self._worst_cpu_s = 0.0
        self._looked_s = self._looked_cpu_s = 0.0
        self._emptied_s = 0.0

    async def watch(self) -> None:
        """The longest time that the loop kept somebody waiting, and when the last client was gone."""
        self._looked_s = self._clock.monotonic_s()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_s = self._clock.monotonic_s()
            self._worst_s = max(self._worst_s, now_s - self._looked_s - LOOK_EVERY_S)
            self._looked_s = now_s
            cpu_s = time.thread_time()
            self._worst_cpu_s = max(self._worst_cpu_s, cpu_s - self._looked_cpu_s)
            self._looked_cpu_s = cpu_s
            if self._io.clients:
                self._emptied_s = 0.0
            elif not self._emptied_s:
                self._emptied_s = now_s

    def begin(self) -> dict[str, Any]:
        self._worst_s = self._worst_cpu_s = 0.0
        return {"connections": len(self._io.clients)}

    def read(self) -> dict[str, Any]:
        return {
            "connections": len(self._io.clients),
            "emptiedAtS": self._emptied_s,
            "worstStallMs": self._worst_s * 1000,
            "worstTurnCpuMs": self._worst_cpu_s * 1000,
        }

    def idle(self) -> dict[str, Any]:
        """What the collector does when nobody waits: once about all that is new, and once when little is."""
        pauses_ms = []
        for _ in range(2):
            started_s = time.thread_time()
            self._collector.collect()
            pauses_ms.append((time.thread_time() - started_s) * 1000)
        return {"firstMs": pauses_ms[0], "thenMs": pauses_ms[1]}

    def collect(self) -> dict[str, Any]:
        """A full collection, so that memory is what is in use, and what it took; nothing is set aside."""
        gc.unfreeze()
        started_s = time.thread_time()
        gc.collect()
        return {"cpuMs": (time.thread_time() - started_s) * 1000}


class Application:
    """``/begin``, ``/figures``, ``/collect``, ``/idle``; the endpoint of the sockets is before it."""

    def __init__(self, io: Server) -> None:
        self._io = io
        self._collector = Collector(io.statistics)
        self._figures = Figures(io, self._collector)
        self._watching: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await self._io.start()
            self._watching = asyncio.get_running_loop().create_task(self._figures.watch())
            self._collector.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._watching.cancel()
            await self._collector.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
        figures = self._figures
        asked = {
            "/begin": figures.begin,
            "/figures": figures.read,
            "/collect": figures.collect,
            "/idle": figures.idle,
        }
        answer = asked.get(scope["path"])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps(answer() if answer else None)})


def make_server(*, recovery: bool = False) -> Server:
    settings: dict[str, Any] = {}
    if recovery:
        settings["connection_state_recovery"] = import_module(
            "steinmetz.realtime.config"
        ).ConnectionStateRecovery()
    io = Server(Config(**settings))
    numbers = count()

    @io.use
    async def authenticate(socket: Socket) -> None:
        try:
            claims = jwt.decode(socket.handshake.auth.get("token", ""), SECRET, algorithms=["HS256"])
        except jwt.InvalidTokenError as error:
            raise ConnectError("Authentication required") from error
        socket.data["user"] = claims["sub"]
        socket.expires_at = claims["exp"]
        socket.join("everybody", f"user:{next(numbers)}")

    def connected(socket: Socket) -> None:
        socket.emit("hello", {"id": socket.id})

    def say(socket: Socket, message: Any) -> dict[str, bool]:
        return {"ok": True}

    async def ask(socket: Socket, message: Any) -> dict[str, bool]:
        return {"ok": True}

    io.on("connection", connected)
    io.on("say", say)
    io.on("ask", ask)

    return io


def main(port: int, *, recovery: bool) -> None:
    io = make_server(recovery=recovery)
    uvicorn.run(
        RealtimeApp(io, Application(io)),
        host="127.0.0.1",
        port=port,
        http=protocol_class(io),
        loop="uvloop",
        backlog=4096,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), recovery="recovery" in sys.argv[2:])
