"""One server of a cluster that says a number every few milliseconds, and drains when it is asked to end.

usage: python -m benchmarks.harness.rolling_node PORT NAME REDIS_URL ROOMS DRAIN_PER_S
Prints ``ready``, and at the end the last number of each room as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter

import uvicorn
import uvloop

from steinmetz.realtime import Config, ConnectionStateRecovery, RealtimeApp, Server, Socket
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.redis import redis_cluster
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors

PAUSE_S = 0.005


def cluster_of(url: str) -> Cluster:
    return redis_cluster(url, secret="the secret of this benchmark")


async def serve(port: int, name: str, redis_url: str, rooms: int, drain_per_s: float) -> None:
    config = Config(
        require_auth=False,
        max_connections=20_000,
        connection_state_recovery=ConnectionStateRecovery(),
        drain_per_s=drain_per_s,
    )
    io = Server(config, cluster=cluster_of(redis_url))

    @io.use
    def admit(socket: Socket) -> None:
        socket.join(f"room:{socket.handshake.auth['room']}")

    door = with_doors(NativeDoor(io))
    served = uvicorn.Config(RealtimeApp(io), port=port, http=door, log_config=None, lifespan="off", backlog=8_192)
    server = uvicorn.Server(served)
    said: Counter[int] = Counter()
    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def talk() -> None:
        at = 0
        while not is_over.is_set():
            at = (at + 1) % rooms
            said[at] += 1
            io.to(f"room:{at}").emit("n", name, said[at])
            await asyncio.sleep(PAUSE_S)

    async def leave() -> None:
        await io.drain()
        is_over.set()
        await talking
        server.should_exit = True

    await io.start()
    serving = asyncio.ensure_future(server._serve())
    cluster = io.cluster
    while not (server.started and cluster and cluster.node.is_reachable):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    talking = asyncio.ensure_future(talk())
    loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(leave()))
    print("ready", flush=True)
    await serving
    await io.shutdown()
    print(json.dumps({"said": said, "outcomes": io.statistics.recoveries}), flush=True)


if __name__ == "__main__":
    port, name, url, rooms, per_s = sys.argv[1:]
    uvloop.run(serve(int(port), name, url, int(rooms), float(per_s)))
