"""One client: an Engine.IO session, the Socket.IO namespaces in it, and the transport that carries both.

Does what the cores decide. Neither the session nor the connection knows this class; it knows both.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from steinmetz.realtime.engineio import packet as engineio
from steinmetz.realtime.engineio import session as engine
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.packet import CLOSE, NOOP, PING, Outgoing
from steinmetz.realtime.errors import ConnectError, ProtocolError
from steinmetz.realtime.server.call import Call, Inbox
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.limits import RATE_LIMITED
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.server.transport import Transport
from steinmetz.realtime.server.upgrading import Upgrading
from steinmetz.realtime.socketio.connection import Connection, State, Step
from steinmetz.realtime.socketio.namespaces import ByNamespace
from steinmetz.realtime.socketio.packet import Packet, PacketType

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

log = structlog.get_logger("steinmetz.realtime")

_TOLD = (Reason.FORCED_SERVER_CLOSE, Reason.SERVER_NAMESPACE_DISCONNECT)
"""Ends that the server has announced to the client in a packet."""


class Client(Upgrading):
    """Lives from the OPEN packet to the end of its session; an entry of the timer wheel as long."""

    __slots__ = (
        "arrival_s",
        "challenged",
        "connection",
        "inbox",
        "is_posting",
        "request",
        "wheel_slot",
    )

    def __init__(
        self,
        server: Server,
        session: engine.Session,
        connection: Connection,
        request: Request,
        transport: Transport,
        refusal: ConnectError | None = None,
    ) -> None:
        super().__init__(server, transport, session)
        self.connection = connection
        self.request = request
        self.refusal = refusal
        """Why this client will be refused whatever namespace it asks for."""
        self.inbox: Inbox | None = None
        self.challenged: asyncio.Future[bool] | None = None
        self.is_posting = False
        self.wheel_slot = 0
        self.arrival_s = 0.0
        """Of its flow of bytes, as `limits.Flow` has it."""

    # -- what comes in ------------------------------------------------------------------------------------------

    def receive(self, message: str | bytes, source: Transport) -> None:
        """One WebSocket message from ``source``."""
        now_s = self.server.clock.monotonic_s()
        if source is self.transport:
            if not self._may_arrive(len(message), now_s):
                return
            if type(message) is str and not self.session.is_closed:
                event = self.connection.plain_event(message)
                if event is not None:
                    self._event(event, len(message), now_s)
                    return
        try:
            packet = engineio.decode(message)
        except ProtocolError as error:
            if source is self.transport:
                self._break(error)
            else:
                self.drop_probe(source)
            return
        if source is self.transport:
            self._take(packet, now_s)
        else:
            self._take_probe(packet, source)

    def take(self, packet: engineio.Packet) -> None:
        """One packet on the transport that carries the session."""
        now_s = self.server.clock.monotonic_s()
        if self._may_arrive(len(packet.data), now_s):
            self._take(packet, now_s)

    def _may_arrive(self, size: int, now_s: float) -> bool:
        """Whether the connection keeps to its bytes and packets a second; else it ends."""
        flow = self.server.budgets.flow
        if flow is None:
            return True
        arrival_s = flow.arrival_s(self.arrival_s, now_s, size)
        if arrival_s is None:
            self._flooded()
            return False
        self.arrival_s = arrival_s
        return True

    def _take(self, packet: engineio.Packet, now_s: float) -> None:
        if packet.type is engineio.PacketType.PONG:
            self._time_pong(now_s)
        match self.session.receive(packet.type, now_s):
            case engine.Step.DELIVER:
                try:
                    self._message(packet.data, now_s)
                except ProtocolError as error:
                    self._break(error)
            case engine.Step.NOTHING:
                if packet.type is engineio.PacketType.PONG:
                    self._answered(is_there=True)
                    self.rearm()
            case engine.Step.CLOSE:
                self.close(Reason.TRANSPORT_CLOSE, farewell=NOOP)
            case _:
                self._break(ProtocolError(f"{packet.type.name} is not for a client to send"))

    def _time_pong(self, now_s: float) -> None:
        round_trip_s = self.session.round_trip_s(now_s)
        if round_trip_s is not None:
            self.server.statistics.round_trips.add(round_trip_s)

    def upgraded(self) -> None:
        self.server.engine.upgraded(self)
        if self.server.admin is not None:
            self.server.admin.upgraded(self)

    def _message(self, message: str | bytes, now_s: float) -> None:
        received = self.connection.receive(message, now_s)
        if received is None:
            self.rearm()
            return
        step, packet = received
        if step is Step.EVENT:
            self._event(packet, len(message), now_s)
        elif step is Step.ACK and packet.id is not None:
            self.sockets[packet.namespace].acknowledge(packet.id, packet.data)
        elif step is Step.CONNECT:
            if (flow := self.server.budgets.flow) is not None:
                self.arrival_s += flow.connect_s
            self.server.admission.connect(self, packet.namespace, packet.data or {}, now_s)
        elif step is Step.DISCONNECT:
            self._leave(packet.namespace)

    def _event(self, packet: Packet, size: int, now_s: float) -> None:
        """An EVENT packet, by whichever way it was read."""
        socket = self.sockets[packet.namespace]
        wait_s = self.server.budgets.event(socket.subject, socket.id, packet.data[0], now_s)
        if wait_s:
            self._refuse_event(packet, wait_s)
        else:
            socket.namespace.dispatch(socket, packet, size)

    def _leave(self, name: str) -> None:
        socket = self.sockets.pop(name, None)
        if socket is not None:
            socket.namespace.forget(socket, Reason.CLIENT_NAMESPACE_DISCONNECT)
        self.rearm()

    def _refuse_event(self, packet: Packet, wait_s: float) -> None:
        """It came too fast: said in the ack, if one is wanted. Who goes on regardless is a flood in the end."""
        self.server.statistics.refused[RATE_LIMITED] += 1
        if (flow := self.server.budgets.flow) is not None:
            self.arrival_s += flow.refusal_s
        if packet.id is not None:
            wait_ms = max(1, round(wait_s * 1000))
            message = f"Too many of these events. Try again in {wait_ms} ms"
            error = {"code": RATE_LIMITED, "message": message, "retryAfterMs": wait_ms}
            self.send_packet(Packet(PacketType.ACK, packet.namespace, [{"ok": False, "error": error}], packet.id))

    def _flooded(self) -> None:
        """More than one connection may send: it is cut, with no closing handshake for which more would be read."""
        if not self.session.is_closed:
            self.server.statistics.refused["flood"] += 1
            self.transport.abort()
            self.close(Reason.TRANSPORT_CLOSE)

    def _break(self, error: ProtocolError) -> None:
        log.debug("Client broke the protocol", error=str(error))
        self.server.statistics.refused[Reason.PARSE_ERROR] += 1
        self.close(Reason.PARSE_ERROR.because(str(error)), CloseCode.PROTOCOL_ERROR)

    # -- out of a namespace, and into its handlers ---------------------------------------------------------------

    def expel(self, socket: Socket) -> bool:
        """DISCONNECT from one namespace: "stay away". False for one of before: the client may have another."""
        name = socket.namespace.name
        if self.sockets.get(name) is not socket:
            return False
        socket.namespace.adapter.catch_up(socket.id)
        socket.namespace.delivery.catch_up(socket)
        del self.sockets[name]
        if self.connection.state(name) is not State.CONNECTED:
            self.server.admission.refuse(self, name, ConnectError("Disconnected by the server"))
            return True
        self.connection.leave(name, self.server.clock.monotonic_s())
        self.send_packet(Packet(PacketType.DISCONNECT, name))
        socket.namespace.forget(socket, Reason.SERVER_NAMESPACE_DISCONNECT)
        self.rearm()
        return True

    def handle(self, call: Call) -> None:
        """Run ``call``, or let it wait in line behind the handler that runs."""
        if self.inbox is not None:
            if not self.inbox.put(call, self.server.config.client_inbox_bytes):
                self.server.statistics.refused["event backlog"] += 1
                self.close(Reason.TRANSPORT_CLOSE, CloseCode.POLICY_VIOLATION)
            return
        running = call.begin()
        if running is not None:
            self.inbox = Inbox(self)
            self.server.tasks.spawn("events", self.inbox.drain(running))

    # -- time and the end ---------------------------------------------------------------------------------------

    def rearm(self) -> None:
        """Something may have become due earlier than the wheel knows."""
        if not self.session.is_closed:
            self.server.wheel.schedule(self, self._deadline_s())

    def _deadline_s(self) -> float:
        deadline_s = self.session.deadline_s
        if (due_s := self.connection.deadline_s) is not None and due_s < deadline_s:
            deadline_s = due_s
        for socket in self.sockets.values():
            if socket.acks is not None and (due_s := socket.acks.deadline_s) is not None:
                deadline_s = min(deadline_s, due_s)
            if (due_s := self._expiry_s(socket)) is not None:
                deadline_s = min(deadline_s, due_s)
        return deadline_s

    def _expiry_s(self, socket: Socket) -> float | None:
        if socket.expires_at is None:
            return None
        clock = self.server.clock
        return clock.monotonic_s() + socket.expires_at - clock.now().timestamp()

    def on_due(self, now_s: float) -> float | None:
        """The wheel's call: do what is due. `is_overdue` before `tick`, expiry before both."""
        if self.session.is_closed:
            return None
        for socket in tuple(self.sockets.values()):
            expiry_s = self._expiry_s(socket)
            if expiry_s is not None and expiry_s <= now_s:
                self.send_away(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)
                return None
            socket.expire_acks(now_s)
        if self.connection.is_overdue(now_s):
            self.server.statistics.refused["overdue"] += 1
            self.close(Reason.FORCED_SERVER_CLOSE, CloseCode.POLICY_VIOLATION)
        while (step := self.session.tick(now_s)) is not engine.Step.NOTHING:
            if step is engine.Step.SEND_PING:
                self.send(PING)
            elif step is engine.Step.DROP_PROBE and self.probe is not None:
                self.drop_probe(self.probe)
            elif step is engine.Step.TIME_OUT:
                self.close(Reason.PING_TIMEOUT)
        return None if self.session.is_closed else self._deadline_s()

    async def answers(self, within_s: float) -> bool:
        """Ask the peer whether it is there (PING). If not, the session has timed out when this returns."""
        if self.challenged is None:
            if self.session.is_closed:
                return False
            self.challenged = asyncio.get_running_loop().create_future()
            if self.session.challenge(within_s, self.server.clock.monotonic_s()) is engine.Step.SEND_PING:
                self.send(PING)
            self.rearm()
        return await asyncio.shield(self.challenged)

    def _answered(self, *, is_there: bool) -> None:
        challenged, self.challenged = self.challenged, None
        if challenged is not None:
            challenged.set_result(is_there)

    def transport_lost(self, transport: Transport, error: bool = False) -> None:
        """The peer or the network ended ``transport``."""
        if transport is self.transport:
            self.close(Reason.TRANSPORT_ERROR if error else Reason.TRANSPORT_CLOSE)
        elif transport is self.probe:
            self.session.lose_probe()
            self.probe = None

    def transport_failed(self, transport: Transport, code: CloseCode) -> None:
        """The peer broke the rules of ``transport`` itself."""
        if transport is self.transport:
            self.server.statistics.refused[Reason.TRANSPORT_ERROR] += 1
            self.close(Reason.TRANSPORT_ERROR.because(f"closed with {int(code)}"), code)
        else:
            self.drop_probe(transport, code)

    def close(self, reason: str, code: CloseCode = CloseCode.NORMAL, farewell: Outgoing = CLOSE) -> None:
        """End the session without a DISCONNECT packet: the stock client comes back unless it said goodbye."""
        if self.session.is_closed:
            return
        for socket in self.sockets.values():
            socket.namespace.delivery.catch_up(socket)
        is_upgrading = self.session.state is engine.State.PROBED
        self.session.close()
        self.server.sessions.forget(self)
        self.transport.close(code, farewell, linger=reason in _TOLD)
        if self.probe is not None:
            self._end_probe(self.probe, code, is_upgrading=is_upgrading)
        sockets, self.sockets = self.sockets, ByNamespace()
        for socket in sockets.values():
            socket.namespace.forget(socket, reason)
        self._answered(is_there=False)

    def send_away(self, reason: Reason, code: CloseCode) -> None:
        """End the session so that any client comes back: python-socketio's stays away after a CLOSE packet."""
        self.close(reason, code, NOOP)

    @property
    def max_message(self) -> int:
        """Bytes of one message of it: who is in no namespace has nothing to say but CONNECT."""
        config = self.server.config
        return config.max_payload if self.admitted() else min(config.max_connect_payload, config.max_payload)

    def admitted(self) -> bool:
        """Whether it is in any namespace."""
        return any(socket.connected for socket in self.sockets.values())
