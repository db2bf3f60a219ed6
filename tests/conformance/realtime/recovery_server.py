"""A server that numbers what it says, for clients that are torn away: `recovery_chaos` starts and kills it.

usage: python -m tests.conformance.realtime.recovery_server PORT [NAME REDIS_URL CLIENTS]
commands on stdin, answers on stdout. With a Redis it is one server of a cluster, and its lines bear its name.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter

import structlog
import uvicorn

from steinmetz.realtime import Config, ConnectionStateRecovery, RealtimeApp, Server, Socket
from steinmetz.realtime.adapters.redis import redis_cluster
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors

CONFIG = Config(
    require_auth=False,
    ping_interval_s=1.0,
    ping_timeout_s=1.0,
    connection_state_recovery=ConnectionStateRecovery(max_disconnection_duration_s=30, takeover_timeout_s=0.15),
)
TEAMS = 3
PAUSE_S, QUIET_PAUSE_S = 0.015, 0.15


class Numbers:
    """Says the next number of a line to whom the line is for; the order of all lines is numbered, too."""

    def __init__(self, io: Server, name: str = "", clients: int = 0) -> None:
        """``name`` is what its lines begin with; ``clients``: so many there are, here and elsewhere."""
        self._prefix = name and f"{name}/"
        self._everyone = [f"user:c{number}" for number in range(clients)]
        self._namespaces = {name: io.of(name) for name in ("/", "/quiet")}
        self.said: dict[str, Counter[str]] = {name: Counter() for name in self._namespaces}
        self._dice = random.Random(7)
        self.is_over = False

    def say(self, namespace: str, line: str) -> None:
        said = self.said[namespace]
        said[line] += 1
        said["order"] += 1
        spoken = self._namespaces[namespace]
        data = (self._prefix + line, said[line], said["order"])
        if line == "all":
            spoken.emit("n", *data)
        else:
            spoken.to(line).emit("n", *data)
        if said["order"] % 5 == 0:
            spoken.volatile.emit("gossip", "~a.text.of-a-user")

    async def talk(self) -> None:
        while not self.is_over:
            rooms = self._namespaces["/"].adapter.rooms()
            people = self._everyone or [room for room in rooms if room.startswith("user:")]
            for line in (
                "all",
                f"team:{self._dice.randrange(TEAMS)}",
                *self._dice.sample(people, min(2, len(people))),
            ):
                self.say("/", line)
            await asyncio.sleep(PAUSE_S)

    async def murmur(self) -> None:
        while not self.is_over:
            self.say("/quiet", "all")
            self.say("/quiet", f"team:{self._dice.randrange(TEAMS)}")
            await asyncio.sleep(QUIET_PAUSE_S)

    def begin(self, socket: Socket) -> None:
        """Where each line stands for a client that is here from now on."""
        said = self.said[socket.namespace.name]
        lines = ("all", *(room for room in socket.rooms if room != socket.id))
        stand = {line: said[line] for line in lines}
        print(json.dumps(["begin", socket.namespace.name, socket.id, socket.recovered, stand]), flush=True)


async def admit(socket: Socket) -> None:
    """The rooms of a client come from its name, after a moment."""
    await asyncio.sleep(0)
    name = str(socket.handshake.auth["name"])
    socket.subject = name
    socket.join(f"user:{name}", f"team:{sum(map(ord, name)) % TEAMS}")


async def serve(port: int, name: str = "", redis_url: str = "", clients: str = "0") -> None:
    cluster = redis_cluster(redis_url, secret="the secret of this chaos") if redis_url else None
    io = Server(CONFIG, cluster=cluster)
    io.use(admit)
    io.of("/quiet").use(admit)
    numbers = Numbers(io, name, int(clients))
    for namespace in (io.of("/"), io.of("/quiet")):
        namespace.on("connection", numbers.begin)
    app = RealtimeApp(io)
    config = uvicorn.Config(
        app,
        port=port,
        http=with_doors(NativeDoor(io)),
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    if cluster is not None:
        await io.start()
        while not cluster.node.is_reachable:
            await asyncio.sleep(0.01)
    talking = [asyncio.ensure_future(numbers.talk()), asyncio.ensure_future(numbers.murmur())]
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin.buffer
    )
    print(json.dumps(["ready"]), flush=True)
    while line := (await commands.readline()).decode().strip():
        if line == "last":
            for namespace in numbers.said:
                for room in ("all", *(f"team:{team}" for team in range(TEAMS)), *numbers._everyone):
                    numbers.say(namespace, room)
        if line == "hush":
            numbers.is_over = True
            await asyncio.gather(*talking)
            said = {
                namespace: {numbers._prefix + line: number for line, number in lines.items()}
                for namespace, lines in numbers.said.items()
            }
            print(json.dumps(["said", said, io.statistics.recoveries]), flush=True)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
