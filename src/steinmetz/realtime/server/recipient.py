"""The sending half of a client: what is said to it, and what happens when it does not listen fast enough.

Three policies, chosen by the event: volatile is dropped, the newest under a key takes the place of what waits
under it, and all else waits up to `Config.client_queue_bytes`. Above that the transport ends, without a DISCONNECT
packet, so that the stock client comes back by itself and recovers what it missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.engineio.frames import Opcode, server_frame
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.transport import Transport, Wire, wire_of
from steinmetz.realtime.socketio.namespaces import ByNamespace
from steinmetz.realtime.socketio.packet import Packet
from steinmetz.realtime.socketio.parser import encode, plain_ack

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server
    from steinmetz.realtime.server.socket import Socket

_TEXT = Opcode.TEXT


class Recipient:
    """As much of a client as those need who send to it."""

    __slots__ = ("is_given_up", "server", "sockets", "transport", "wire")

    def __init__(self, server: Server, transport: Transport) -> None:
        self.server = server
        self.transport = transport
        self.wire: Wire | None = wire_of(transport)
        """The transport, if a broadcast may write to it directly."""
        self.sockets: ByNamespace[Socket] = ByNamespace()
        self.is_given_up = False

    def carry_on(self, transport: Transport) -> None:
        """``transport`` carries the session from now on."""
        self.transport = transport
        self.wire = wire_of(transport)

    def send_packet(self, packet: Packet) -> None:
        """In line behind what its namespace has emitted to this client before."""
        socket = self.sockets.get(packet.namespace)
        if socket is not None and (delivery := socket.namespace.delivery).batches:
            delivery.catch_up(socket)
        self.send(encode(packet))

    def send(self, outgoing: Outgoing) -> None:
        transport, wire = self.transport, self.wire
        # A wire with credit has nothing that waits.
        queued = transport.queued_bytes if wire is None or wire.credit <= 0 else 0
        if queued and queued + outgoing.size > self.server.config.client_queue_bytes:
            self._give_up()
        else:
            transport.send(outgoing)

    def acknowledge(self, ack_id: int, answers: list[Any]) -> bool:
        """The short way, in the main namespace and to a wire for which nothing waits; if False, `send` it.

        Raises nothing: data that JSON cannot say go the long way, too.
        """
        wire = self.wire
        if wire is None or wire.credit <= 0 or wire.deflates:
            return False
        text = plain_ack(ack_id, answers)
        if text is None:
            return False
        wire.gather(server_frame(_TEXT, text))
        return True

    def send_flagged(self, outgoing: Outgoing, flags: Flags) -> None:
        if flags.volatile and not self.transport.is_ready:
            self.server.statistics.dropped_volatile += 1
        elif flags.newest is None:
            self.send(outgoing)
        elif flags.lagging is not None and self.transport.queued_bytes:
            self._send_newest(flags.lagging(), flags.newest)
        else:
            self._send_newest(outgoing, flags.newest)

    def _send_newest(self, outgoing: Outgoing, key: str) -> None:
        """The bound is looked at afterwards: the older one's bytes are free by then."""
        transport = self.transport
        transport.send(outgoing, key)
        if transport.queued_bytes > max(self.server.config.client_queue_bytes, outgoing.size):
            self._give_up()

    def _give_up(self) -> None:
        """End a slow client's transport at once.

        The rest is deferred to the next turn of the loop: this may be in the middle of a broadcast, and disconnect
        handlers may broadcast again.
        """
        if not self.is_given_up:
            self.is_given_up = True
            self.server.statistics.slow_clients += 1
            self.transport.abort()
            self.server.call_soon(self.close, Reason.TRANSPORT_CLOSE)

    def close(self, reason: Reason) -> None:
        """End the session without a DISCONNECT packet."""
        raise NotImplementedError
