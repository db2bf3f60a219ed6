"""An application with limits, expiring credentials and revocations, behind both doors; for foreign clients.

Whoever comes says in `auth` who he is and for how long: ``{token: "anna", lifeMs: 600}``. Clients come from the
address that they forward: this machine is a trusted proxy.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from steinmetz.gcra import Rate
from steinmetz.realtime import Config, ConnectError, Limits, RealtimeApp, Server, Socket
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors

CONFIG = Config(
    trusted_proxies=("127.0.0.1",),
    max_payload=100_000,
    limits=Limits(
        handshakes_per_address=Rate(40, 60),
        refusals_per_address=Rate(3, 60),
        connections_per_user=2,
        events={"rare": Rate(2, 60)},
        bytes_per_connection=Rate(1_000_000, 1e-5),
    ),
)


class Guarded:
    """The application. Its clocks are real: what is promised within a second is measured by the clients."""

    def __init__(self) -> None:
        self.io = io = Server(CONFIG)
        self._revoked: set[str] = set()
        self._expired: set[str] = set()
        self._demoted: set[str] = set()
        self._late_ms: dict[str, float] = {}
        self._news = asyncio.Condition()
        """Somebody has been revoked; who is asked about slowly has been read about before that."""
        io.of("/hr").use(self.authenticate)
        io.use(self.authenticate)
        io.on_room_join(self.authorise)
        io.on("connection", self.welcome)
        io.on("disconnect", self.note)
        for event, handler in {
            "refresh": self.refresh,
            "ticks": self.ticks,
            "revoke": self.revoke,
            "demote": self.demote,
            "say": self.say,
            "late": self.late,
            "rare": lambda socket, *args: "done",
        }.items():
            io.on(event, handler)

    async def authenticate(self, socket: Socket) -> None:
        auth = socket.handshake.auth
        user = auth.get("token")
        if not isinstance(user, str):
            raise ConnectError("Authentication required")
        is_revoked = user in self._revoked
        if auth.get("slowly"):
            self.io.to("witnesses").emit("asked about", user)
            async with self._news:
                await self._news.wait_for(lambda: user in self._revoked)
        if is_revoked:
            raise ConnectError("Authentication required")
        if user in self._expired:
            raise ConnectError("Token expired")
        socket.subject = f"user:{user}"
        socket.data["user"] = user
        socket.join(f"user:{user}", *(() if user in self._demoted else ("role:admin",)))
        if auth.get("isWitness"):
            socket.join("witnesses")
        if "lifeMs" in auth:
            self._live(socket, auth["lifeMs"])
            if not auth.get("canRenew"):
                self._expired.add(user)

    def _live(self, socket: Socket, life_ms: float) -> float:
        socket.expires_at = self.io.clock.now().timestamp() + life_ms / 1000
        return socket.expires_at * 1000

    def welcome(self, socket: Socket) -> None:
        expires_at_ms = None if socket.expires_at is None else socket.expires_at * 1000
        socket.emit("welcome", {"expiresAtMs": expires_at_ms, "address": socket.handshake.address})

    def note(self, socket: Socket, _reason: str) -> None:
        if socket.expires_at is not None:
            late_s = self.io.clock.now().timestamp() - socket.expires_at
            self._late_ms[socket.data["user"]] = late_s * 1000

    def late(self, _socket: Socket, user: str) -> float | None:
        """By how many milliseconds the credential of ``user`` had outlived itself when his connection ended."""
        return self._late_ms.get(user)

    def authorise(self, socket: Socket, room: str) -> bool:
        return room.startswith("open:") or (room.startswith("admin:") and socket.data["user"] not in self._demoted)

    def refresh(self, socket: Socket, life_ms: float) -> float:
        return self._live(socket, life_ms)

    async def ticks(self, socket: Socket, count: int) -> int:
        for number in range(count):
            socket.emit("tick", number)
            await asyncio.sleep(0.01)
        return count

    async def revoke(self, _socket: Socket, user: str) -> None:
        self._revoked.add(user)
        self.io.revoke(f"user:{user}")
        async with self._news:
            self._news.notify_all()

    def demote(self, _socket: Socket, user: str) -> None:
        self._demoted.add(user)
        self.io.in_(f"user:{user}").sockets_leave("role:admin", *(f"admin:{user}",))

    def say(self, _socket: Socket, room: str, *args: Any) -> None:
        self.io.to(room).emit("said", room, *args)


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """The application at one address a door."""
    guarded = Guarded()
    app = RealtimeApp(guarded.io)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    options: dict[str, Any] = {
        "log_config": None,
        "lifespan": "off",
        "timeout_graceful_shutdown": 2,
        "proxy_headers": False,
    }
    servers = [
        uvicorn.Server(uvicorn.Config(app, ws_per_message_deflate=False, **options)),
        uvicorn.Server(uvicorn.Config(app, http=with_doors(NativeDoor(guarded.io)), **options)),  # type: ignore[arg-type]
    ]

    async def serve() -> None:
        await asyncio.gather(*(one.serve([sock]) for one, sock in zip(servers, sockets, strict=True)))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ports = [sock.getsockname()[1] for sock in sockets]
    yield {door: f"http://127.0.0.1:{port}" for door, port in zip(("asgi", "native"), ports, strict=True)}
    for one in servers:
        one.should_exit = True
    thread.join(10)
    assert not thread.is_alive(), "a server did not end"
