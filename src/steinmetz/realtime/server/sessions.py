"""The sessions of one server: who may open one, who has to make room, and who is told why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.realtime.engineio import handshake as engine_handshake
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.engineio.session import Heartbeat, Session
from steinmetz.realtime.errors import ConnectError
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.limits import as_handshake_error, too_many_connections, too_many_requests
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.transport import Transport
from steinmetz.realtime.socketio.connection import Connection

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

MAX_REFUSED = 256
"""Sessions beyond `Config.max_connections` that live just long enough to be told so."""
REFUSED_TIMEOUT_S = 5.0
SILENCE_RETRY_S = 2.0


class Sessions:
    """Bound: `Config.max_connections`, and `MAX_REFUSED` more that are told why they are refused."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._refused = 0
        config = server.config
        self._heartbeat = Heartbeat(config.ping_interval_s, config.ping_timeout_s, config.upgrade_timeout_s)

    def open(
        self, transport: Transport, request: Request, refusal: ConnectError | None = None
    ) -> tuple[Client, Outgoing]:
        """A new session and its OPEN packet, which the transport sends first. Raises `HandshakeError`.

        A session that is refused lives just long enough to hear why; there is room for `MAX_REFUSED` of these.
        """
        server = self._server
        now_s = server.clock.monotonic_s()
        refusal = refusal or self._refusal(request.address, now_s)
        if refusal is not None and self._refused >= MAX_REFUSED:
            server.statistics.refuse(refusal.message)
            raise as_handshake_error(refusal)
        over_websocket = transport.name is TransportName.WEBSOCKET
        session = Session(server.new_id(), self._heartbeat, over_websocket=over_websocket, now_s=now_s)
        connection = Connection(
            max_size=server.config.max_payload,
            timeout_s=server.config.connect_timeout_s if refusal is None else REFUSED_TIMEOUT_S,
            now_s=now_s,
            silence_s=server.config.auth_timeout_s,
            max_connect_payload=server.config.max_connect_payload,
        )
        client = Client(server, session, connection, request, transport, refusal)
        server.clients[session.sid] = client
        server.statistics.sessions_opened += 1
        if refusal is None:
            server.budgets.opened(session.sid, request.address, now_s)
        else:
            self._refused += 1
        client.rearm()
        opening = engine_handshake.open_packet(
            session.sid,
            transport.name,
            ping_interval_s=server.config.ping_interval_s,
            ping_timeout_s=server.config.ping_timeout_s,
            max_payload=server.config.max_payload,
        )
        return client, Outgoing(opening)

    def _refusal(self, address: str, now_s: float) -> ConnectError | None:
        """Why a new session of ``address`` is refused, if it is. Raises `HandshakeError` where waiting helps."""
        server = self._server
        refusal = server.budgets.handshake(address, now_s)
        if refusal is None and len(server.clients) - self._refused >= server.config.max_connections:
            refusal = too_many_connections()
        if refusal is not None:
            return refusal
        if not server.budgets.has_room_for_silence(address) or not self._has_room_for_silence(now_s):
            server.statistics.refused["unauthenticated"] += 1
            raise as_handshake_error(too_many_connections(SILENCE_RETRY_S))
        return None

    def _has_room_for_silence(self, now_s: float) -> bool:
        """Whether one more session may be in no namespace yet; the one that has been silent longest makes room."""
        server = self._server
        while server.budgets.is_crowded:
            sid = server.budgets.most_silent(now_s)
            if sid is None:
                return False
            server.statistics.refused["unauthenticated"] += 1
            server.clients[sid].send_away(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)
        return True

    def charge_upgrade(self, address: str) -> None:
        """Count a try to upgrade. Raises `HandshakeError`: the client stays with polling."""
        server = self._server
        wait_s = server.budgets.upgrade(address, server.clock.monotonic_s())
        if wait_s:
            refusal = too_many_requests(wait_s)
            server.statistics.refused[refusal.message] += 1
            raise as_handshake_error(refusal)

    def client(self, sid: str) -> Client:
        """The session of a request. Raises `HandshakeError` for one that is unknown, or has just timed out."""
        server = self._server
        client = server.clients.get(sid)
        if client is not None:
            now_s = server.clock.monotonic_s()
            if client.session.deadline_s <= now_s:
                client.on_due(now_s)
            if not client.session.is_closed:
                return client
        raise engine_handshake.session_unknown()

    def forget(self, client: Client) -> None:
        server = self._server
        if server.clients.pop(client.session.sid, None) is None:
            return
        server.engine.closed(client)
        server.statistics.sessions_closed += 1
        if client.refusal is None:
            server.budgets.closed(client.session.sid, client.request.address)
        else:
            self._refused -= 1
