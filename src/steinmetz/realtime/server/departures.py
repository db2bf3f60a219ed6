"""Clients whose network went away: a few at once, thousands in slices, so that a router's fall is no stall.

A kernel reports thousands of ends in one turn of the loop. Each costs what the client's rooms and the
application's disconnect handlers cost; the others, who are still here, would wait for all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.transport import Transport

SLICE = 250
"""Clients a turn of the loop."""


class Departures:
    """In the order they went. Bound: the clients of the server."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], None]) -> None:
        self._call_soon = call_soon
        self._waiting: deque[tuple[Client, Transport, bool]] = deque()
        self._left = SLICE
        """Of this turn's slice."""
        self._is_scheduled = False

    def lost(self, client: Client, transport: Transport, *, error: bool) -> None:
        """``transport`` of ``client`` has ended, by the network's or the peer's doing."""
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self._turn)
        if self._left and not self._waiting:
            self._left -= 1
            client.transport_lost(transport, error=error)
        else:
            self._waiting.append((client, transport, error))

    def finish(self) -> None:
        """All that wait, now."""
        while self._waiting:
            self._next()

    def _turn(self) -> None:
        for _ in range(min(SLICE, len(self._waiting))):
            self._next()
        self._left = SLICE
        self._is_scheduled = bool(self._waiting)
        if self._waiting:
            self._call_soon(self._turn)

    def _next(self) -> None:
        client, transport, error = self._waiting.popleft()
        client.transport_lost(transport, error=error)
