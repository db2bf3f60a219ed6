"""The server that the public protocol suites of Engine.IO and Socket.IO expect.

    python -m tests.conformance.protocol_server [--port 3000] [--native | --asgi]

The suites are ``docs/engine.io-protocol/v4-test-suite`` and ``docs/socket.io-protocol/v5-test-suite`` of the
repository socketio/socket.io. In a checkout of it, in each of the two folders: ``npm ci && npm test``.

Engine.IO at ``/engine.io/`` sends back every message. Socket.IO at ``/socket.io/`` greets in ``/`` and ``/custom``
with the event ``auth``, sends back ``message`` as ``message-back`` and acknowledges ``message-with-ack``.
"""

from __future__ import annotations

import argparse
import asyncio

import uvicorn

from steinmetz.realtime import Config, RealtimeApp, Server, Socket
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors
from steinmetz.realtime.socketio.connection import Connection

GREETING_AFTER_S = 0.02
"""The suite listens for `auth` only once it has heard the answer to CONNECT: not in the same read."""


def config(path: str, ping_timeout_s: float = 0.2) -> Config:
    return Config(
        path=path,
        ping_interval_s=0.3,
        ping_timeout_s=ping_timeout_s,
        connect_timeout_s=1.0,
        max_payload=1_000_000,
        require_auth=False,
        cors_origins=("*",),
    )


def protocol_server(path: str = "/socket.io/", ping_timeout_s: float = 0.2) -> Server:
    io = Server(config(path, ping_timeout_s))
    for namespace in (io.of("/"), io.of("/custom"), io.of("/quiet")):

        def greet(socket: Socket) -> None:
            asyncio.get_running_loop().call_later(
                GREETING_AFTER_S, lambda: socket.emit("auth", socket.handshake.auth)
            )

        def message_back(socket: Socket, *args: object) -> None:
            socket.emit("message-back", *args)

        def answer(_socket: Socket, *args: object) -> tuple[object, ...]:
            return args

        if namespace.name != "/quiet":
            namespace.on("connection", greet)
        namespace.on("message", message_back)
        namespace.on("message-with-ack", answer)
    return io


class Echo(Connection):
    """In the place of Socket.IO: sends every Engine.IO message back."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        super().__init__(max_size=1, timeout_s=1, now_s=0)
        self._client = client
        self._connect_due_s = None

    def receive(self, message: str | bytes, now_s: float) -> None:
        self._client.send(Outgoing(Packet(PacketType.MESSAGE, message)))


class EngineServer(Server):
    """Engine.IO alone."""

    def open(self, *args: object, **options: object) -> tuple[Client, Outgoing]:
        client, opening = super().open(*args, **options)  # type: ignore[arg-type]  # whatever a door says
        client.connection = Echo(client)
        return client, opening


def engine_server(path: str = "/engine.io/", ping_timeout_s: float = 0.2) -> Server:
    return EngineServer(config(path, ping_timeout_s))


def main() -> None:
    parser = argparse.ArgumentParser(description="The server that the public protocol suites expect.")
    parser.add_argument("--port", type=int, default=3000)
    door = parser.add_mutually_exclusive_group()
    door.add_argument("--native", action="store_true", help="WebSockets below ASGI (the default)")
    door.add_argument("--asgi", action="store_true", help="WebSockets through ASGI")
    asked = parser.parse_args()
    socketio, engine = protocol_server(), engine_server()
    app = RealtimeApp(socketio, other=RealtimeApp(engine))
    native = with_doors(NativeDoor(socketio), NativeDoor(engine))
    uvicorn.run(
        app,
        port=asked.port,
        http="auto" if asked.asgi else native,
        ws_per_message_deflate=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
