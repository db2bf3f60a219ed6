"""A transport that a test holds in its hands: what was sent, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing
from steinmetz.realtime.server.handshake import Request


class Recording:
    """Takes everything at once; says so if anything comes after the end."""

    name = TransportName.WEBSOCKET
    queued_bytes = 0
    is_ready = True

    def __init__(self) -> None:
        self.said: list[str | bytes] = []
        self.after_the_end: list[str | bytes] = []
        self.closed_with: CloseCode | None = None
        self.is_closed = False

    def send(self, outgoing: Outgoing) -> None:
        said = self.after_the_end if self.is_closed else self.said
        said.extend(packet.encoded for packet in outgoing.packets)

    def take_queued(self) -> list[Outgoing]:
        return []

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if not self.is_closed:
            self.is_closed, self.closed_with = True, code

    def abort(self) -> None:
        self.is_closed = True


def request() -> Request:
    return Request([], b"", "203.0.113.5", secure=True, time=datetime(2026, 3, 2, tzinfo=UTC))
