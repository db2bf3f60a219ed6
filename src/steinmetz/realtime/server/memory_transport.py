"""A transport without a network, for clients in the same process (`steinmetz.realtime.testing`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing


class MemoryTransport:
    """Hands what the server sends to the client in the next turn of the loop, or keeps it while that stalls."""

    name = TransportName.WEBSOCKET

    def __init__(self, receive: Callable[[Outgoing], None], end: Callable[[], None]) -> None:
        self._receive, self._end = receive, end
        self._is_closed = False
        self._kept: deque[tuple[Outgoing, str | None]] | None = None
        self._kept_bytes = 0

    @property
    def queued_bytes(self) -> int:
        return self._kept_bytes

    @property
    def is_ready(self) -> bool:
        return self._kept is None

    def send(self, outgoing: Outgoing, key: str | None = None) -> None:
        if self._is_closed:
            return
        if self._kept is None:
            asyncio.get_running_loop().call_soon(self._receive, outgoing)
            return
        if key is not None:
            self._kept = deque((kept, known) for kept, known in self._kept if known != key)
        self._kept.append((outgoing, key))
        self._kept_bytes = sum(kept.size for kept, _ in self._kept)

    def stall(self) -> None:
        """Take nothing off the line any more."""
        self._kept = deque() if self._kept is None else self._kept

    def resume(self) -> None:
        """Take what has waited, and all that comes."""
        kept, self._kept, self._kept_bytes = self._kept, None, 0
        for outgoing, _ in kept or ():
            self.send(outgoing)

    def take_queued(self) -> list[Outgoing]:
        return []

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if not self._is_closed:
            self._is_closed = True
            asyncio.get_running_loop().call_soon(self._end)

    def abort(self) -> None:
        self.close(CloseCode.GOING_AWAY)
