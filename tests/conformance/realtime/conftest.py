"""One loop, two uvicorn servers: the same realtime servers through the ASGI door and through the native one."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from steinmetz.realtime import Config, ConnectError, EventError, RealtimeApp, Server, Socket
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors

PROTOCOL = Config(
    path="/protocol/",
    ping_interval_s=0.3,
    ping_timeout_s=0.4,
    connect_timeout_s=1.0,
    max_payload=1_000_000,
    require_auth=False,
    cors_origins=("*",),
)


@dataclass(frozen=True)
class Doors:
    """The ports of the two servers."""

    asgi: int
    native: int


def protocol_server() -> Server:
    """What the public protocol suites expect of a server; `auth` comes a little later (see research: races)."""
    io = Server(PROTOCOL)
    for namespace in (io.of("/"), io.of("/custom"), io.of("/quiet")):

        def greet(socket: Socket) -> None:
            asyncio.get_running_loop().call_later(0.02, lambda: socket.emit("auth", socket.handshake.auth))

        def message_back(socket: Socket, *args: object) -> None:
            socket.emit("message-back", *args)

        def answer(_socket: Socket, *args: object) -> tuple[object, ...]:
            return args

        if namespace.name != "/quiet":
            namespace.on("connection", greet)
        namespace.on("message", message_back)
        namespace.on("message-with-ack", answer)
    return io


def application_server() -> Server:
    """A small application that the foreign clients talk to."""
    io = Server(Config())
    told: list[str] = []

    @io.use
    async def authenticate(socket: Socket) -> None:
        token = socket.handshake.auth.get("token")
        if token is None:
            raise ConnectError("Authentication required")
        if token == "expired":
            raise ConnectError("Token expired", {"renew": True})
        socket.data["user"] = token
        socket.join(f"user:{token}")

    io.of("/chat").use(authenticate)
    io.of("/unguarded")

    @io.on("connection")
    def welcome(socket: Socket) -> None:
        socket.emit("welcome", {"user": socket.data["user"], "address": socket.handshake.address})

    @io.on("disconnect")
    def note(socket: Socket, reason: str) -> None:
        told.append(f"{socket.data['user']}: {reason}")

    @io.on("echo")
    def echo(_socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    @io.on("back")
    def back(socket: Socket, *args: object) -> None:
        socket.emit("back", *args)

    @io.on("ask me")
    async def ask(socket: Socket, question: object) -> object:
        return {"you said": await socket.emit_with_ack("question", question, timeout_s=5)}

    @io.on("say")
    def say(socket: Socket, room: str, text: object) -> None:
        socket.to(room).emit("said", text)

    @io.on("say all")
    def say_all(_socket: Socket, room: str, text: object) -> None:
        io.to(room).emit("said", text)

    @io.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        await asyncio.sleep(0.02 if number % 2 else 0)
        socket.emit("done", number)

    @io.on("fail")
    def fail(_socket: Socket) -> None:
        raise KeyError("a secret that nobody may hear")

    @io.on("refuse")
    def refuse(_socket: Socket) -> None:
        raise EventError("too_late", "The invoice has been paid")

    @io.on("kick me")
    def kick(socket: Socket) -> None:
        socket.disconnect(close=True)

    @io.on("cut me off")
    def cut(socket: Socket) -> None:
        socket.expires_at = 1.0

    @io.on("told")
    def what_was_told(_socket: Socket, user: str) -> list[str]:
        return [line for line in told if line.startswith(f"{user}: ")]

    @io.of("/chat").on("echo")
    def chat_echo(_socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    io.on_room_join(lambda _socket, room: room.startswith("open:"))
    return io


@pytest.fixture(scope="session")
def doors() -> Iterator[Doors]:
    protocol, application = protocol_server(), application_server()
    app = RealtimeApp(protocol, other=RealtimeApp(application))
    native = with_doors(NativeDoor(protocol), NativeDoor(application))
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    # Without a configuration of the log: it would be that of all tests after these.
    options = {"log_config": None, "lifespan": "off", "timeout_graceful_shutdown": 2}
    servers = [
        uvicorn.Server(uvicorn.Config(app, ws_per_message_deflate=False, **options)),  # type: ignore[arg-type]
        uvicorn.Server(uvicorn.Config(app, http=native, **options)),  # type: ignore[arg-type]
    ]

    async def serve() -> None:
        await asyncio.gather(*(server.serve([sock]) for server, sock in zip(servers, sockets, strict=True)))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    yield Doors(*(sock.getsockname()[1] for sock in sockets))
    for server in servers:
        server.should_exit = True
    thread.join(10)
    assert not thread.is_alive(), "a server did not end"
