"""From a CONNECT packet to an answer: who gets into which namespace, and what he is told if not."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.errors import ConnectError
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.recovery import Claim, Restored
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.socketio.connection import MAX_NAMESPACES
from steinmetz.realtime.socketio.packet import Packet, PacketType

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.server import Server

MAX_ASKED = MAX_NAMESPACES
"""Connections of one client that middlewares think about at a time: it may withdraw one and ask again at once."""

log = structlog.get_logger("steinmetz.realtime")


class Admission:
    """Asks the middlewares of a namespace, one after the other, and answers the client."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asked: Counter[str] = Counter()
        """By session, while there are any."""

    def connect(self, client: Client, name: str, auth: dict[str, Any], now_s: float) -> None:
        """``client`` has said CONNECT to the namespace ``name``."""
        if client.refusal is not None:
            self.refuse(client, name, ConnectError(client.refusal))
            client.close(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)
            return
        namespace = self._server.namespace(name, auth)
        if namespace is None:
            self.refuse(client, name, ConnectError("Invalid namespace"))
            return
        recovery = namespace.recovery
        claim = None if recovery is None else recovery.claim(auth)
        socket = Socket(self._server.new_id(), namespace, client, Handshake(client.request, auth))
        must_wait = recovery is not None and (claim is not None or recovery.is_shared)
        if namespace.middlewares or (must_wait and not self._server.config.require_auth):
            if self._asked[client.session.sid] >= MAX_ASKED:
                self._server.statistics.refused["too many CONNECTs"] += 1
                client.close(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)
                return
            client.sockets[name] = socket
            namespace.hold()
            self._asked[client.session.sid] += 1
            self._server.tasks.spawn("admission", self._ask(socket, claim))
        elif self._server.config.require_auth:
            namespace.warn_unguarded()
            self.refuse(client, name, ConnectError("Authentication required"))
        else:
            client.sockets[name] = socket
            self._accept(socket)

    async def _ask(self, socket: Socket, claim: Claim | None) -> None:
        sid = socket.client.session.sid
        try:
            await self._decide(socket, claim)
        finally:
            socket.namespace.let_go()
            self._asked[sid] -= 1
            if not self._asked[sid]:
                del self._asked[sid]

    async def _decide(self, socket: Socket, claim: Claim | None) -> None:
        refusal: ConnectError | None = None
        try:
            for middleware in socket.namespace.middlewares:
                answer = middleware(socket)
                if inspect.isawaitable(answer):
                    await answer
        except ConnectError as error:
            refusal = error
        except Exception as error:
            log.error("Middleware failed", namespace=socket.namespace.name, error=type(error).__name__)
            refusal = ConnectError("Internal error")
        client, name = socket.client, socket.namespace.name
        restored: Restored | None = None
        recovery = socket.namespace.recovery
        if refusal is None and recovery is not None and _is_waiting(socket):
            restored = None if claim is None else await recovery.restore(socket, claim)
            if restored is None:
                await recovery.begin(socket)
        if not _is_waiting(socket):
            if restored is not None and recovery is not None:
                recovery.sessions.give_back(restored.session)
        elif refusal is None:
            self._accept(socket, restored)
        else:
            del client.sockets[name]
            self.refuse(client, name, refusal)

    def _accept(self, socket: Socket, restored: Restored | None = None) -> None:
        client, recovery = socket.client, socket.namespace.recovery
        answer = {"sid": socket.id}
        if recovery is not None and recovery.is_for(socket):
            if restored is not None:
                recovery.resume(socket, restored.session)
            answer = {"sid": socket.id, "pid": recovery.pid(socket.id)}
        client.connection.accept(socket.namespace.name)
        client.send_packet(Packet(PacketType.CONNECT, socket.namespace.name, answer))
        if not client.session.is_closed:
            socket.namespace.admit(socket, restored)
            client.rearm()
            socket.handshake.settle()

    def refuse(self, client: Client, name: str, refusal: ConnectError) -> None:
        """`connect_error` for the namespace ``name``, counted by its message."""
        self._server.statistics.refused[refusal.message] += 1
        client.connection.refuse(name, self._server.clock.monotonic_s())
        data = {"message": refusal.message}
        if refusal.data is not None:
            data["data"] = refusal.data
        client.send_packet(Packet(PacketType.CONNECT_ERROR, name, data))


def _is_waiting(socket: Socket) -> bool:
    """Whether its client is still there, and still wants in."""
    return socket.client.sockets.get(socket.namespace.name) is socket and not socket.client.session.is_closed
