"""From polling to WebSocket: a second transport probes whether it gets through, and takes the session over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.realtime.engineio import packet as engineio
from steinmetz.realtime.engineio import session as engine
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.packet import NOOP, PROBE_REPLY
from steinmetz.realtime.errors import ConnectError
from steinmetz.realtime.server.recipient import Recipient
from steinmetz.realtime.server.transport import Transport

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

UPGRADE_GRACE_S = 2.0
"""How long an upgrade that has begun may take to end once its session has been closed."""


class Upgrading(Recipient):
    """As much of a client as changes its transport."""

    __slots__ = ("probe", "refusal", "session")

    refusal: ConnectError | None

    def __init__(self, server: Server, transport: Transport, session: engine.Session) -> None:
        super().__init__(server, transport)
        self.session = session
        self.probe: Transport | None = None

    def upgraded(self) -> None:
        """A WebSocket carries the session from now on: tell whoever wants to know."""
        raise NotImplementedError

    def rearm(self) -> None:
        """Something may have become due earlier than the wheel knows."""
        raise NotImplementedError

    def open_probe(self, websocket: Transport) -> bool:
        """A WebSocket asks to take the session over; False if it may not."""
        if self.refusal is not None or not self.session.open_probe(self.server.clock.monotonic_s()):
            return False
        self.probe = websocket
        self.rearm()
        return True

    def _take_probe(self, packet: engineio.Packet, source: Transport) -> None:
        if source is not self.probe:
            source.close(CloseCode.POLICY_VIOLATION)
            return
        match self.session.receive_probe(packet):
            case engine.Step.ANSWER_PROBE:
                source.send(PROBE_REPLY)
                self.transport.send(NOOP)
            case engine.Step.SWITCH:
                self._switch(source)
            case _:
                self.drop_probe(source)

    def _switch(self, websocket: Transport) -> None:
        polling, self.probe = self.transport, None
        self.carry_on(websocket)
        for outgoing in polling.take_queued():
            websocket.send(outgoing)
        polling.close(CloseCode.NORMAL, NOOP)
        self.upgraded()

    def drop_probe(self, websocket: Transport, code: CloseCode = CloseCode.POLICY_VIOLATION) -> None:
        """Polling goes on without ``websocket``."""
        if websocket is self.probe:
            self.session.lose_probe()
            self.probe = None
        websocket.close(code)

    def _end_probe(self, probe: Transport, code: CloseCode, *, is_upgrading: bool) -> None:
        """The stock client that has read our PONG "probe" polls no more: it would wait for a ping that never comes
        if its WebSocket ended now. So that ends once the client sends over it: then it notices, and comes back."""
        if is_upgrading and self.server.loop is not None:
            self.server.loop.call_later(UPGRADE_GRACE_S, self.drop_probe, probe, code)
        else:
            self.drop_probe(probe, code)
