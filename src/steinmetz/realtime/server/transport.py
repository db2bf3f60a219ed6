"""The port between a client and what carries its bytes: polling, an ASGI WebSocket, a socket of our own."""

from __future__ import annotations

from typing import Protocol

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing


class Transport(Protocol):
    """Plain calls, never awaited. A transport that has been closed ignores them."""

    @property
    def name(self) -> TransportName: ...

    @property
    def queued_bytes(self) -> int:
        """An upper bound of what has been sent but has not left this process."""

    @property
    def is_ready(self) -> bool:
        """Whether a volatile message would leave at once."""

    def send(self, outgoing: Outgoing) -> None:
        """Queue or write ``outgoing``; never blocks."""

    def take_queued(self) -> list[Outgoing]:
        """What was sent but not written, for the transport that takes over."""

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        """End after what is queued; ``farewell`` is what a waiting poll hears last.

        ``linger``: a client that polls only later shall still hear what is queued (that it was disconnected, say).
        """

    def abort(self) -> None:
        """End now and drop what is queued: a stalled peer must not keep its bytes in our memory (trap T26)."""
