"""python-socketio before the load client; ``python sockets_peers.py PORT SECRET`` in the peer's own environment.

As its documentation shows it: AsyncServer behind uvicorn (httptools, uvloop). Does what `sockets_server.py` does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from importlib import import_module
from itertools import count
from typing import Any

LOOK_EVERY_S = 0.005


class Watch:
    def __init__(self) -> None:
        self.connections = 0
        self.worst_s = self.worst_cpu_s = 0.0
        self.emptied_s = 0.0
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        looked_s, looked_cpu_s = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_s = time.monotonic()
            self.worst_s = max(self.worst_s, now_s - looked_s - LOOK_EVERY_S)
            looked_s = now_s
            cpu_s = time.thread_time()
            self.worst_cpu_s = max(self.worst_cpu_s, cpu_s - looked_cpu_s)
            looked_cpu_s = cpu_s
            if self.connections:
                self.emptied_s = 0.0
            elif not self.emptied_s:
                self.emptied_s = now_s

    def begin(self) -> dict[str, Any]:
        self.worst_s = self.worst_cpu_s = 0.0
        return {"connections": self.connections}

    def read(self) -> dict[str, Any]:
        return {
            "connections": self.connections,
            "emptiedAtS": self.emptied_s,
            "worstStallMs": self.worst_s * 1000,
            "worstTurnCpuMs": self.worst_cpu_s * 1000,
        }

    def collect(self) -> dict[str, Any]:
        started_s = time.thread_time()
        gc.collect()
        return {"cpuMs": (time.thread_time() - started_s) * 1000}


def make_app(secret: str) -> Any:
    socketio, jwt = import_module("socketio"), import_module("jwt")
    io = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
    watch, numbers = Watch(), count()

    @io.on("connect")  # type: ignore[untyped-decorator]  # the peer has no types here
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        try:
            claims = jwt.decode((auth or {}).get("token", ""), secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            raise import_module("socketio.exceptions").ConnectionRefusedError("Authentication required") from None
        await io.save_session(sid, {"user": claims["sub"]})
        await io.enter_room(sid, "everybody")
        await io.enter_room(sid, f"user:{next(numbers)}")
        watch.connections += 1
        await io.emit("hello", {"id": sid}, to=sid)

    @io.on("disconnect")  # type: ignore[untyped-decorator]  # the peer has no types here
    async def disconnect(sid: str, reason: str) -> None:
        watch.connections -= 1

    async def acknowledge(sid: str, message: Any) -> dict[str, bool]:
        return {"ok": True}

    io.on("say", acknowledge)
    io.on("ask", acknowledge)
    asked = {"/begin": watch.begin, "/figures": watch.read, "/collect": watch.collect}

    async def others(scope: Any, receive: Any, send: Any) -> None:
        if watch.task is None:
            watch.task = asyncio.create_task(watch.run())
        answer = asked.get(scope.get("path", ""))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer() if answer else None).encode()})

    return socketio.ASGIApp(io, others)


def main(port: int, secret: str) -> None:
    import_module("uvicorn").run(
        make_app(secret),
        host="127.0.0.1",
        port=port,
        http="httptools",
        loop="uvloop",
        ws_per_message_deflate=False,
        backlog=4096,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
