"""From a CONNECT packet to an answer: who gets into which namespace, and what he is told if not."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.errors import ConnectError
from steinmetz.realtime.server.call import is_own_end
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.server.limits import too_many_requests
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

MAX_REASKED = 16
"""How often the middlewares are asked about one connection because somebody was removed while they thought."""
BUSY_RETRY_S = 1.0


class Admission:
    """Asks the middlewares of a namespace, one after the other, and answers the client."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asked: Counter[str] = Counter()
        """By session, while there are any."""

    def connect(self, client: Client, name: str, auth: dict[str, Any], now_s: float) -> None:
        """``client`` has said CONNECT to the namespace ``name``."""
        if client.refusal is not None:
            self._turn_away(client, name, client.refusal)
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
            if (refusal := self._server.budgets.may_ask(client.request.address, now_s)) is not None:
                # The session stays for the little time that a silent one has: the stock client, whose upgrade may
                # be under way, stops polling for good if its WebSocket is closed in the middle of that.
                self.refuse(client, name, refusal)
                return
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

    def _turn_away(self, client: Client, name: str, refusal: ConnectError) -> None:
        """Refuse, and end the session: the client would only ask again."""
        self.refuse(client, name, refusal)
        client.close(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)

    async def _ask(self, socket: Socket, claim: Claim | None) -> None:
        sid = socket.client.session.sid
        try:
            await self._decide(socket, claim)
        except (Exception, asyncio.CancelledError) as error:
            if is_own_end(error):
                raise
            log.error("Admission failed", namespace=socket.namespace.name, error=type(error).__name__)
            if not socket.connected and _is_waiting(socket):
                self._turn_back(socket, ConnectError("Internal error"))
        finally:
            socket.namespace.let_go()
            self._asked[sid] -= 1
            if not self._asked[sid]:
                del self._asked[sid]

    async def _decide(self, socket: Socket, claim: Claim | None) -> None:
        """None of the middlewares has read anything older than the last removal.

        A user who is disabled while they think is in no room yet where his expulsion could find him, whichever
        node it came from. So if anybody is removed meanwhile, while what he missed is looked up too, they are
        asked once more.
        """
        namespace, recovery = socket.namespace, socket.namespace.recovery
        restored: Restored | None = None
        refusal: ConnectError | None = too_many_requests(BUSY_RETRY_S)
        for _ in range(MAX_REASKED):
            removals = namespace.removals
            refusal = await self._pass_middlewares(socket)
            if refusal is None and recovery is not None and _is_waiting(socket):
                restored = None if claim is None else await recovery.restore(socket, claim)
                if restored is None:
                    await recovery.begin(socket)
            if refusal is not None or removals == namespace.removals or not _is_waiting(socket):
                break
            if restored is not None and recovery is not None:
                recovery.sessions.give_back(restored.session)
                restored = None
            socket.forget_admission()
        else:
            refusal = too_many_requests(BUSY_RETRY_S)
        if not _is_waiting(socket):
            if recovery is not None:
                recovery.abandon(socket, restored)
        elif refusal is None:
            self._accept(socket, restored)
        else:
            self._turn_back(socket, refusal, restored)

    def _turn_back(self, socket: Socket, refusal: ConnectError, restored: Restored | None = None) -> None:
        """Refuse ``socket``, which waits to be let in, and forget what was looked up for it."""
        namespace, client = socket.namespace, socket.client
        if namespace.recovery is not None:
            namespace.recovery.abandon(socket, restored)
        del client.sockets[namespace.name]
        self.refuse(client, namespace.name, refusal)

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
        except (Exception, asyncio.CancelledError) as error:
            if is_own_end(error):
                raise
            log.error("Middleware failed", namespace=socket.namespace.name, error=type(error).__name__)
            return ConnectError("Internal error")
        return None

    def _accept(self, socket: Socket, restored: Restored | None = None) -> None:
        client, budgets, recovery = socket.client, self._server.budgets, socket.namespace.recovery
        if socket.subject is not None:
            refusal = budgets.enter(socket.namespace.name, socket.subject)
            if refusal is not None:
                self._turn_back(socket, refusal, restored)
                return
        budgets.authenticated(client.session.sid)
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
        else:
            if socket.subject is not None:
                budgets.leave(socket.namespace.name, socket.subject)
            if recovery is not None:
                recovery.abandon(socket, restored)

    def refuse(self, client: Client, name: str, refusal: ConnectError) -> None:
        """`connect_error` for the namespace ``name``, counted by its message."""
        self._server.statistics.refuse(refusal.message)
        client.connection.refuse(name, self._server.clock.monotonic_s())
        data = {"message": refusal.message}
        if refusal.data is not None:
            data["data"] = refusal.data
        client.send_packet(Packet(PacketType.CONNECT_ERROR, name, data))


def _is_waiting(socket: Socket) -> bool:
    """Whether its client is still there, and still wants in."""
    return socket.client.sockets.get(socket.namespace.name) is socket and not socket.client.session.is_closed
