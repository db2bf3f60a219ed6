"""The `/admin` namespace: a server tells whoever watches it what its sockets do.

The protocol is that of Socket.IO's Admin UI, which has no document but its source
(https://github.com/socketio/socket.io-admin-ui): ``config``, ``server_stats`` every two seconds, ``all_sockets``,
``socket_connected``, ``socket_updated``, ``socket_disconnected``, ``room_joined``, ``room_left``. What clients and
servers say to each other (``event_received``, ``event_sent``) is not shown: it is none of an operator's business,
and it would cost something at every event. Nothing is gathered while nobody watches.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import socket as machine
from collections.abc import Awaitable, Callable
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.admin.commands import FEATURES, Commands
from steinmetz.realtime.admin.feed import Feed, Happening
from steinmetz.realtime.admin.picture import Describe, is_shown, picture
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.errors import AckTimeoutError, ConnectError
from steinmetz.realtime.server.figures import delivered

if TYPE_CHECKING:
    from steinmetz.realtime.server.broadcast import BroadcastOperator
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.server import Server
    from steinmetz.realtime.server.socket import Socket

STATS_EVERY_S = 2.0
MAX_SHOWN = 1_000
"""Sockets in one picture; the counts are of all."""
MAX_NAMESPACES = 100
SLICE = 100
"""Pictures a turn of the loop."""
WATCHED_S = 10.0
"""So long after another server has said that somebody watches there, this one tells what happens here."""
ASK_TIMEOUT_S = 2.0
_WATCHED = "(watched)"
_PICTURE = "(picture)"
_SESSION = "admin session"

Authenticate = Callable[["Socket"], Awaitable[str | None] | str | None]
"""A middleware, plain or async: it finds ``{username, password}`` or ``{sessionId}`` in `socket.handshake.auth`.

What it returns the UI shows as ``sessionId`` next time. `ConnectError` refuses; with the message ``invalid
credentials`` the UI asks again."""


class Admin:
    """Made by `Server.instrument`. An entry of the timer wheel."""

    wheel_slot = 0

    def __init__(
        self, server: Server, authenticate: Authenticate, *, name: str, read_only: bool, describe: Describe
    ) -> None:
        self.namespace: Namespace = server.of(name)
        self.features = ["AGGREGATED_EVENTS", "ALL_EVENTS", *(() if read_only else FEATURES)]
        self._server = server
        self._authenticate = authenticate
        self._describe = describe
        self._feed = Feed(self._say, self._show_everybody, self._later)
        self._heard_s: float | None = None
        self._number = 0
        self._counts: dict[str, int] = {}
        host = machine.gethostname()
        node = "" if server.cluster is None else f"#{server.cluster.node.origin.hex()}"
        self._who = {"serverId": f"{host}#{os.getpid()}{node}", "hostname": host, "pid": os.getpid()}
        self.namespace.use(self._middleware)
        self.namespace.on("connection", self._welcome)
        if not read_only:
            Commands(server).attach(self.namespace)
        self.namespace.on_server_side_emit(_WATCHED, self._watched_elsewhere)
        self.namespace.on_server_side_emit(_PICTURE, self._pictures)

    # -- who watches --------------------------------------------------------------------------------------------

    async def _middleware(self, socket: Socket) -> None:
        answer = self._authenticate(socket)
        session: Any = await answer if inspect.isawaitable(answer) else answer
        if session is False:  # who answers "may he?" like that does not mean to let him in
            raise ConnectError("invalid credentials")
        if session is not None:
            socket.data[_SESSION] = session

    async def _welcome(self, socket: Socket) -> None:
        self._emit(self._to(socket), "config", {"supportedFeatures": self.features})
        if (session := socket.data.pop(_SESSION, None)) is not None:
            self._emit(self._to(socket), "session", session)
        self.namespace.server_side_emit(_WATCHED)
        self._emit(self._to(socket), "server_stats", self._stats([]))
        await self._show(self._to(socket))

    def _to(self, socket: Socket) -> BroadcastOperator:
        return self.namespace.in_(socket.id).local

    @property
    def is_watched(self) -> bool:
        """Whether anybody is there to hear it, here or at another server."""
        if self.namespace.sockets:
            return True
        return self._heard_s is not None and self._server.clock.monotonic_s() - self._heard_s < WATCHED_S

    def _watched_elsewhere(self) -> None:
        self._heard_s = self._server.clock.monotonic_s()

    # -- what happens (the server's observer) -------------------------------------------------------------------

    def connected(self, socket: Socket) -> None:
        if self.is_watched:
            self._feed.add("socket_connected", picture(socket, self._describe), self._now())

    def disconnected(self, socket: Socket, reason: str) -> None:
        if self.is_watched:
            self._feed.add("room_left", socket.namespace.name, socket.id, socket.id, self._now())
            self._feed.add("socket_disconnected", socket.namespace.name, socket.id, str(reason), self._now())

    def upgraded(self, client: Client) -> None:
        """A WebSocket carries ``client`` from now on."""
        if self.is_watched:
            for name, socket in client.sockets.items():
                told = {"id": socket.id, "nsp": name, "transport": str(client.transport.name)}
                self._feed.add("socket_updated", told)

    def joined(self, member: Socket, room: str) -> None:
        if self.is_watched and is_shown(member, room):
            self._feed.add("room_joined", member.namespace.name, room, member.id, self._now())

    def left(self, member: Socket, room: str) -> None:
        if self.is_watched and is_shown(member, room):
            self._feed.add("room_left", member.namespace.name, room, member.id, self._now())

    def _now(self) -> str:
        return self._server.clock.now().isoformat()

    # -- what is said of it -------------------------------------------------------------------------------------

    def _emit(self, to: Namespace | BroadcastOperator, event: str, *args: Any) -> None:
        """Under a key of its own: nothing takes its place, and no history is kept for those who are away."""
        self._number += 1
        to.newest(str(self._number)).emit(event, *args)

    def _say(self, batch: list[Happening]) -> None:
        for event, args in batch:
            self._emit(self.namespace, event, *args)

    def _later(self, seconds: float, function: Callable[[], None]) -> None:
        if self._server.loop is not None:
            self._server.loop.call_later(seconds, function)

    def _show_everybody(self) -> None:
        if not self._server.is_leaving:
            self._server.tasks.spawn("picture", self._show(self.namespace))

    async def _show(self, to: Namespace | BroadcastOperator) -> None:
        """At most `MAX_SHOWN` sockets, those of other servers included."""
        shown = await self._pictures()
        try:
            others = await self.namespace.server_side_emit_with_ack(_PICTURE, timeout_s=ASK_TIMEOUT_S)
        except AckTimeoutError as error:
            others = error.answers
        for told in others:
            shown += told if isinstance(told, list) else []
        self._emit(to, "all_sockets", shown[:MAX_SHOWN])

    async def _pictures(self) -> list[dict[str, Any]]:
        everybody = chain.from_iterable(each.sockets.values() for each in self._server.namespaces())
        sockets = list(islice(everybody, MAX_SHOWN))
        shown: list[dict[str, Any]] = []
        for start in range(0, len(sockets), SLICE):
            shown += [picture(each, self._describe) for each in sockets[start : start + SLICE] if each.connected]
            await asyncio.sleep(0)
        return shown

    # -- every two seconds --------------------------------------------------------------------------------------

    def on_due(self, now_s: float) -> float:
        """The wheel's call."""
        happened = self._happened()
        if self.is_watched:
            if self.namespace.sockets:
                self.namespace.server_side_emit(_WATCHED)
            self._emit(self.namespace, "server_stats", self._stats(happened))
        return now_s + STATS_EVERY_S

    def _stats(self, happened: list[dict[str, Any]]) -> dict[str, Any]:
        server = self._server
        polling = sum(client.transport.name is TransportName.POLLING for client in server.clients.values())
        namespaces = server.namespaces()[:MAX_NAMESPACES]
        return {
            **self._who,
            "uptime": round(server.clock.monotonic_s() - server.started_s, 1),
            "clientsCount": len(server.clients),
            "pollingClientsCount": polling,
            "aggregatedEvents": happened,
            "namespaces": [{"name": each.name, "socketsCount": len(each.sockets)} for each in namespaces],
        }

    def _happened(self) -> list[dict[str, Any]]:
        """What the counters of the server have grown by, as the UI draws it."""
        statistics = self._server.statistics
        packets_out, bytes_out = delivered(self._server)
        counts = {
            "rawConnection": statistics.sessions_opened,
            "rawDisconnection": statistics.sessions_closed,
            "packetsIn": sum(statistics.received.values()),
            "packetsOut": packets_out,
            "bytesIn": statistics.bytes_in,
            "bytesOut": bytes_out,
        }
        before, self._counts = self._counts or counts, counts
        at_ms = int(self._server.clock.now().timestamp()) * 1000
        grown = {kind: count - before[kind] for kind, count in counts.items()}
        return [{"timestamp": at_ms, "type": kind, "count": count} for kind, count in grown.items() if count > 0]
