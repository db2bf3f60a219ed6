"""The port between a client and what carries its bytes: polling, an ASGI WebSocket, a socket of our own."""

from __future__ import annotations

import asyncio
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
        """What waits in this process because the peer is slower; what the operating system holds is not in it."""

    @property
    def is_ready(self) -> bool:
        """Whether a volatile message would leave at once."""

    def send(self, outgoing: Outgoing, key: str | None = None) -> None:
        """Queue or write ``outgoing``; never blocks. Of what waits under ``key`` only the newest stays."""

    def take_queued(self) -> list[Outgoing]:
        """What was sent but not written, for the transport that takes over."""

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        """End after what is queued; ``farewell`` is what a waiting poll hears last.

        ``linger``: a client that polls only later shall still hear what is queued (that it was disconnected, say).
        """

    def abort(self) -> None:
        """End now and drop what is queued: a stalled peer must not keep its bytes in our memory (trap T26)."""


class Wire(Protocol):
    """A transport that is a stream under frames of our own: a broadcast writes to it without more words.

    ``fd`` is the descriptor of its socket while bytes may go there directly, else -1; what the kernel does not
    take of them is given to `put_rest`. Without it, ``credit`` is how many bytes may be `put` before somebody has
    to look whether the peer still reads; 0 whenever anything stands in the way: the end, a backlog, bytes that
    were gathered and have to leave first.
    """

    fd: int
    credit: int
    stream: asyncio.Transport
    deflates: bool
    """Frames are those of `Outgoing.deflated`."""

    def has_room(self, size: int) -> bool:
        """Whether, on a closer look, there is ``credit`` for ``size`` bytes after all."""

    def gather(self, frames: bytes) -> None:
        """With credit, however little: write at the end of this turn, together with what else it says."""

    def put(self, frames: bytes) -> None:
        """Write what there is credit for."""

    def put_rest(self, frames: bytes, written: int) -> None:
        """Write what the kernel has not taken of ``frames``."""


def wire_of(transport: Transport) -> Wire | None:
    """``transport`` itself if it is a wire."""
    wire: Wire | None = getattr(transport, "wire", None)
    return wire
