"""What the scenarios of the server's API need of the application."""

from __future__ import annotations

import re
import threading
from typing import Any

from steinmetz.realtime import AckError, ConnectError, EventError, Namespace, Server, Socket, run_in_thread


def prepare(io: Server) -> None:
    _namespaces_by_rule(io)
    _questions(io)
    _listeners(io)
    _others(io)

    @io.on("api:handshake")
    def handshake(socket: Socket) -> dict[str, Any]:
        shown = socket.handshake
        return {
            "url": shown.url,
            "query": shown.query,
            "issued": shown.issued,
            "time": shown.time.isoformat(),
            "xdomain": shown.xdomain,
            "secure": shown.secure,
            "auth": shown.auth,
            "agent": shown.headers.get("user-agent", ""),
        }

    @io.on("api:transport")
    def transport(socket: Socket) -> str:
        return socket.conn.transport.name

    @io.on("api:upgrade")
    def await_upgrade(socket: Socket) -> None:
        def tell() -> None:
            socket.emit("api:upgraded", socket.conn.transport.name)

        if socket.conn.transport.name == "websocket":
            tell()
        else:
            socket.conn.once("upgrade", tell)

    gates: dict[str, threading.Event] = {}

    @io.on("api:block")
    @run_in_thread
    def block(socket: Socket, key: str) -> str:
        gate = gates[key] = threading.Event()
        socket.emit("api:blocks")
        assert gate.wait(10)
        socket.emit("api:from a thread", key)
        return "done"

    io.on("api:release", lambda _socket, key: gates.pop(key).set())


def _namespaces_by_rule(io: Server) -> None:
    documents = io.of(re.compile(r"/document-[\w-]+"))
    made: list[str] = []

    @io.on("new_namespace")
    def note(namespace: Namespace) -> None:
        made.append(namespace.name)

    @documents.use
    async def guard(socket: Socket) -> None:
        if socket.handshake.auth.get("token") == "stranger":
            raise ConnectError("Not yours", {"owner": "anna"})

    documents.on("where", lambda socket: socket.namespace.name)
    documents.on("alone", lambda socket: len(socket.namespace.sockets))
    documents.on("connection", lambda socket: socket.emit("welcome", socket.namespace.name))
    io.on("api:documents", lambda _socket, news: documents.emit("news", news))
    io.on("api:exists", lambda _socket, name: name in documents.children)
    io.on("api:made", lambda _socket, name: made.count(name))

    offices = io.of(lambda name, auth: name == f"/office-of-{auth.get('token')}")
    offices.use(lambda _socket: None)
    offices.on("echo", lambda _socket, *args: args)


def _questions(io: Server) -> None:
    @io.on("api:ask room")
    async def ask_room(_socket: Socket, room: str, seconds: float, *question: Any) -> dict[str, Any]:
        try:
            return {"answers": await io.to(room).timeout(seconds).emit_with_ack("question", *question)}
        except AckError as error:
            missing = sorted(error.missing)
            return {"error": type(error).__name__, "answers": error.answers, "missing": missing}

    @io.on("api:ask others")
    async def ask_others(socket: Socket, room: str) -> list[Any]:
        answers: list[Any] = await socket.to(room).timeout(5).emit_with_ack("question", "others")
        return answers

    @io.on("api:ask me")
    async def ask_me(socket: Socket, seconds: float) -> str:
        try:
            return f"answered {await socket.timeout(seconds).emit_with_ack('question', 'you')}"
        except AckError as error:
            return type(error).__name__

    @io.on("api:join")
    def join(socket: Socket, room: str) -> None:
        socket.join(room)


def _listeners(io: Server) -> None:
    seen: dict[str, list[Any]] = {}
    io.on("api:seen", lambda _socket, key: seen.pop(key, []))

    @io.on("api:intercept")
    def intercept(socket: Socket) -> None:
        @socket.use
        async def middleware(event: str, args: list[Any]) -> None:
            if event == "api:forbidden":
                raise EventError("forbidden", "You may not")
            if event == "echo":
                args.append("seen by a middleware")

    io.on("api:forbidden", lambda _socket: "never")

    @io.on("api:watch")
    def watch(socket: Socket, key: str) -> None:
        socket.on_any(lambda event, *args: seen.setdefault(key, []).append(["in", event, *args]))
        socket.on_any_outgoing(lambda event, *args: seen.setdefault(key, []).append(["out", event, *args]))

    io.on("api:say to me", lambda socket, *args: io.to(socket.id).emit("api:said", *args))

    @io.on("api:once")
    def once(socket: Socket) -> None:
        socket.once("api:only once", lambda: "once")

    @io.on("api:catch all")
    def catch_all(socket: Socket) -> None:
        socket.on("*", lambda event, *args: {"caught": event, "args": args})

    @io.on("api:say goodbye")
    def say_goodbye(socket: Socket, room: str) -> None:
        socket.join(room)
        socket.on(
            "disconnecting", lambda reason: socket.to(room).emit("api:goodbye", str(reason), len(socket.rooms))
        )


def _others(io: Server) -> None:
    @io.on("api:except")
    def all_but(socket: Socket, room: str, without: str) -> None:
        socket.to(room).except_(without).emit("api:said", "to some")
        socket.broadcast.except_(without).to(room).emit("api:said", "again")

    @io.on("api:who")
    async def who(_socket: Socket, room: str) -> list[dict[str, Any]]:
        return [
            {"id": socket.id, "user": socket.data["user"], "in": room in socket.rooms}
            for socket in await io.in_(room).fetch_sockets()
        ]

    @io.on("api:move")
    async def move(_socket: Socket, room: str, other: str) -> None:
        io.in_(room).sockets_join(other)
        io.in_(other).sockets_leave(room)

    @io.on("api:send away")
    async def send_away(_socket: Socket, room: str) -> None:
        for socket in await io.in_(room).fetch_sockets():
            socket.disconnect()
