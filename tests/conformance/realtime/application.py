"""The small application that the foreign clients talk to.

A file of Python beside a scenario file (`scenarios/NAME.py` beside `scenarios/NAME.mjs`) may add to it: its
``prepare(io)`` is called with the server.
"""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

from steinmetz.realtime import AckTimeoutError, Config, ConnectError, DisconnectedError, EventError, Server, Socket

SCENARIOS = Path(__file__).parent / "scenarios"


def application_server() -> Server:
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

    @io.on("connection")
    def welcome(socket: Socket) -> None:
        socket.emit("welcome", {"user": socket.data["user"], "address": socket.handshake.address})

    @io.on("disconnect")
    def note(socket: Socket, reason: str) -> None:
        told.append(f"{socket.data['user']}: {reason}")

    @io.on("told")
    def what_was_told(_socket: Socket, user: str) -> list[str]:
        return [line for line in told if line.startswith(f"{user}: ")]

    _namespaces(io, authenticate)
    _messages(io, told)
    _rooms(io)
    _ends(io)
    for file in sorted(SCENARIOS.glob("*.py")):
        importlib.import_module(f"tests.conformance.realtime.scenarios.{file.stem}").prepare(io)
    return io


def _namespaces(io: Server, authenticate: Any) -> None:
    io.of("/unguarded")
    io.of("/chat").use(authenticate)
    for namespace in ("/chat", "/slow"):
        io.of(namespace).on("echo", lambda _socket, *args: args)

    @io.of("/chat").on("leave us")
    def leave_us(socket: Socket) -> None:
        socket.disconnect()

    @io.of("/slow").use
    async def think(_socket: Socket) -> None:
        await asyncio.sleep(0.05)

    @io.of("/broken").use
    def stumble(_socket: Socket) -> None:
        raise KeyError("a secret that nobody may hear")

    @io.of("/strict").use
    def first(socket: Socket) -> None:
        socket.data["asked"] = ["first"]

    @io.of("/strict").use
    async def second(socket: Socket) -> None:
        socket.data["asked"].append("second")
        raise ConnectError(" then ".join(socket.data["asked"]))

    @io.of("/strict").use
    def third(socket: Socket) -> None:
        raise ConnectError("third, although second has refused")


def _messages(io: Server, told: list[str]) -> None:
    @io.on("echo")
    def echo(_socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    @io.on("length")
    def length(_socket: Socket, text: str) -> int:
        return len(text)

    @io.on("back")
    def back(socket: Socket, *args: object) -> None:
        socket.emit("back", *args)

    @io.on("back as")
    def back_as(socket: Socket, event: str, *args: object) -> None:
        socket.emit(event, *args)

    @io.on("message")
    def message(socket: Socket, *args: object) -> None:
        socket.emit("message", *args)

    @io.on("handshake")
    def handshake(socket: Socket) -> dict[str, Any]:
        shown = socket.handshake
        return {
            "query": shown.query,
            "mark": shown.headers.get("x-mark"),
            "secure": shown.secure,
            "time": shown.time,
        }

    @io.on("ask me")
    async def ask(socket: Socket, question: object) -> object:
        return {"you said": await socket.emit_with_ack("question", question, timeout_s=5)}

    @io.on("ask me briefly")
    async def ask_briefly(socket: Socket) -> str:
        try:
            return f"answered {await socket.emit_with_ack('question', timeout_s=0.05)}"
        except AckTimeoutError:
            return "not answered in time"

    @io.on("ask me and tell")
    async def ask_and_tell(socket: Socket) -> None:
        try:
            await socket.emit_with_ack("question", timeout_s=30)
        except DisconnectedError as error:
            told.append(f"{socket.data['user']}: asked until {error.reason}")

    @io.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        await asyncio.sleep(0.02 if number % 2 else 0)
        socket.emit("done", number)

    @io.on("think")
    async def think(_socket: Socket, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "thought"

    @io.on("maybe")
    def maybe(socket: Socket, *args: object) -> None:
        socket.volatile.emit("maybe", *args)

    @io.on("many")
    def many(socket: Socket, count: int) -> None:
        for number in range(count):
            socket.emit("one of many", number, b"binary" if number % 3 == 0 else "text")

    @io.on("fail")
    def fail(_socket: Socket) -> None:
        raise KeyError("a secret that nobody may hear")

    @io.on("refuse")
    def refuse(_socket: Socket) -> None:
        raise EventError("too_late", "The invoice has been paid")


def _rooms(io: Server) -> None:
    io.on_room_join(lambda _socket, room: room.startswith("open:"))

    @io.on("say")
    def say(socket: Socket, room: str, *args: object) -> None:
        socket.to(room).emit("said", *args)

    @io.on("say all")
    def say_all(_socket: Socket, room: str, *args: object) -> None:
        io.to(room).emit("said", *args)

    @io.on("say in both")
    def say_in_both(_socket: Socket, first: str, second: str, *args: object) -> None:
        io.to(first).to(second).emit("said", *args)

    @io.on("say except")
    def say_except(_socket: Socket, room: str, without: str, *args: object) -> None:
        io.to(room).except_(without).emit("said", *args)

    @io.on("say to everybody else")
    def say_to_everybody_else(socket: Socket, *args: object) -> None:
        socket.broadcast.emit("said to everybody else", *args)

    @io.on("whisper")
    def whisper(_socket: Socket, room: str, *args: object) -> None:
        io.to(room).volatile.emit("said", *args)

    @io.on("rooms")
    def rooms(socket: Socket) -> list[str]:
        return sorted(socket.rooms - {socket.id})

    @io.on("count")
    async def count(_socket: Socket, room: str) -> int:
        return len(await io.in_(room).fetch_sockets())

    @io.on("gather")
    def gather(_socket: Socket, room: str, into: str) -> None:
        io.in_(room).sockets_join(into)

    @io.on("scatter")
    def scatter(_socket: Socket, room: str, out_of: str) -> None:
        io.in_(room).sockets_leave(out_of)


def _ends(io: Server) -> None:
    @io.on("kick me")
    def kick(socket: Socket) -> None:
        socket.disconnect(close=True)

    @io.on("leave us")
    def leave_us(socket: Socket) -> None:
        socket.disconnect()

    @io.on("revoke")
    def revoke(_socket: Socket, user: str) -> None:
        io.in_(f"user:{user}").disconnect_sockets(close=True)

    @io.on("cut me off")
    def cut(socket: Socket) -> None:
        socket.expires_at = 1.0

    @io.on("expire soon, and not at all")
    def renew(socket: Socket) -> None:
        socket.expires_at = io.clock.now().timestamp() + 0.1
        socket.expires_at = None
