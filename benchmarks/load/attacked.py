"""The realtime server under attack, in a process of its own: ``python -m benchmarks.load.attacked PORT``.

Tells for each empty line on its input, as one JSON line, how long its loop was busy in one turn at worst since the
line before, in CPU time of the loop's thread: others on the machine do not count.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

import structlog
import uvicorn

from steinmetz.live.native import protocol_class
from steinmetz.realtime import Config, ConnectError, RealtimeApp, Server, Socket

CONNECT_TIMEOUT_S = 1.5
TICK_S = 0.001
TOKEN = "good"


def server() -> Server:
    io = Server(Config(connect_timeout_s=CONNECT_TIMEOUT_S, upgrade_timeout_s=1.0))

    @io.use
    async def authenticate(socket: Socket) -> None:
        await asyncio.sleep(0.005)  # as long as a look into a database takes
        if socket.handshake.auth.get("token") != TOKEN:
            raise ConnectError("Authentication required")

    def back(socket: Socket, *args: object) -> None:
        socket.emit("back", *args)

    io.on("echo", lambda _socket, *args: args)
    io.on("take", lambda *_args: None)
    io.on("back", back)
    io.on_room_join(lambda _socket, room: room.startswith("open:"))
    return io


class Probe:
    """Looks at the CPU time of the loop's thread once a turn of the loop."""

    def __init__(self, io: Server) -> None:
        self._io = io
        self._schedule = Path("/proc/thread-self/schedstat")
        self._last_ns = self._cpu_ns()
        self._worst_ns = 0
        asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _cpu_ns(self) -> int:
        return int(self._schedule.read_text().split()[0])

    def _tick(self) -> None:
        now_ns = self._cpu_ns()
        self._worst_ns = max(self._worst_ns, now_ns - self._last_ns)
        self._last_ns = now_ns
        asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def tell(self) -> dict[str, float]:
        if not gc.get_freeze_count():
            # What a server is made of lives as long as it does (trap T23): no collection need look at it.
            gc.collect()
            gc.freeze()
        worst_ns, self._worst_ns = self._worst_ns, 0
        return {"stall_ms": worst_ns / 1e6, "clients": len(self._io.clients), "tasks": len(asyncio.all_tasks())}


async def main(port: int) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    io = server()
    serving = uvicorn.Server(
        uvicorn.Config(
            RealtimeApp(io), port=port, http=protocol_class(io), log_level="critical", timeout_graceful_shutdown=2
        )
    )
    probe = Probe(io)

    def answer() -> None:
        if not sys.stdin.readline():
            serving.should_exit = True
            asyncio.get_running_loop().remove_reader(sys.stdin)
        else:
            print(json.dumps(probe.tell()), flush=True)

    asyncio.get_running_loop().add_reader(sys.stdin, answer)
    await serving.serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvicorn.Config(RealtimeApp, loop="auto").get_loop_factory()) as runner:
        runner.run(main(int(sys.argv[1])))
