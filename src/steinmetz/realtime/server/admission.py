"""From a CONNECT packet to an answer: who gets into which namespace, and what he is told if not."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.errors import ConnectError
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.server.limits import too_many_requests
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.socketio.packet import Packet, PacketType

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.server import Server

log = structlog.get_logger("steinmetz.realtime")

MAX_REASKED = 16
"""How often the middlewares are asked about one connection because somebody was removed while they thought."""
BUSY_RETRY_S = 1.0


class Admission:
    """Asks the middlewares of a namespace, one after the other, and answers the client."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def connect(self, client: Client, name: str, auth: dict[str, Any], now_s: float) -> None:
        """``client`` has said CONNECT to the namespace ``name``."""
        if client.refusal is not None:
            self._turn_away(client, name, client.refusal)
            return
        namespace = self._server.namespace(name)
        if namespace is None:
            self.refuse(client, name, ConnectError("Invalid namespace"))
            return
        socket = Socket(self._server.new_id(), namespace, client, Handshake(client.request, auth))
        if namespace.middlewares:
            if (refusal := self._server.budgets.may_ask(client.request.address, now_s)) is not None:
                # The session stays for the little time that a silent one has: the stock client, whose upgrade may
                # be under way, stops polling for good if its WebSocket is closed in the middle of that.
                self.refuse(client, name, refusal)
                return
            client.sockets[name] = socket
            self._server.tasks.spawn("admission", self._ask(socket))
        elif self._server.config.require_auth:
            namespace.warn_unguarded()
            self.refuse(client, name, ConnectError("Authentication required"))
        else:
            client.sockets[name] = socket
            self._accept(socket)

    def _turn_away(self, client: Client, name: str, refusal: ConnectError) -> None:
        """Refuse, and end the session: the client would only ask again."""
        self.refuse(client, name, refusal)
        client.close(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)

    async def _ask(self, socket: Socket) -> None:
        refusal = await self._verdict(socket)
        client, name = socket.client, socket.namespace.name
        if client.sockets.get(name) is not socket or client.session.is_closed:
            return
        if refusal is None:
            self._accept(socket)
            return
        del client.sockets[name]
        self.refuse(client, name, refusal)

    async def _verdict(self, socket: Socket) -> ConnectError | None:
        """What the middlewares say, none of whom has read anything older than the last removal.

        A user who is disabled while they think is in no room yet where his expulsion could find him, whichever
        node it came from. So if anybody is removed meanwhile they are asked once more.
        """
        namespace = socket.namespace
        for _ in range(MAX_REASKED):
            removals = namespace.removals
            refusal = await self._pass_middlewares(socket)
            if refusal is not None or removals == namespace.removals:
                return refusal
            socket.forget_admission()
        return too_many_requests(BUSY_RETRY_S)

    async def _pass_middlewares(self, socket: Socket) -> ConnectError | None:
        try:
            for middleware in socket.namespace.middlewares:
                answer = middleware(socket)
                if inspect.isawaitable(answer):
                    await answer
        except ConnectError as error:
            server = self._server
            server.budgets.credential_refused(socket.client.request.address, server.clock.monotonic_s())
            return error
        except Exception as error:
            log.error("Middleware failed", namespace=socket.namespace.name, error=type(error).__name__)
            return ConnectError("Internal error")
        return None

    def _accept(self, socket: Socket) -> None:
        client, budgets = socket.client, self._server.budgets
        if socket.subject is not None:
            refusal = budgets.enter(socket.namespace.name, socket.subject)
            if refusal is not None:
                del client.sockets[socket.namespace.name]
                self.refuse(client, socket.namespace.name, refusal)
                return
        budgets.authenticated(client.session.sid)
        client.connection.accept(socket.namespace.name)
        client.send_packet(Packet(PacketType.CONNECT, socket.namespace.name, {"sid": socket.id}))
        if not client.session.is_closed:
            socket.namespace.admit(socket)
            client.rearm()
        elif socket.subject is not None:
            budgets.leave(socket.namespace.name, socket.subject)

    def refuse(self, client: Client, name: str, refusal: ConnectError) -> None:
        """`connect_error` for the namespace ``name``, counted by its message."""
        self._server.statistics.refuse(refusal.message)
        client.connection.refuse(name, self._server.clock.monotonic_s())
        data = {"message": refusal.message}
        if refusal.data is not None:
            data["data"] = refusal.data
        client.send_packet(Packet(PacketType.CONNECT_ERROR, name, data))
