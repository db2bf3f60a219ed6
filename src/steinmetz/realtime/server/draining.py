"""The orderly end: nobody is admitted any more, and everybody is sent elsewhere in slices (trap T28)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.server.reasons import Reason

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client

SLICE = 500
"""Clients a turn of the loop."""


class Draining:
    """Clients that are to be closed, without DISCONNECT: they come back, to another server or to the next one."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], None]) -> None:
        self._call_soon = call_soon
        self._waiting: deque[tuple[Client, Reason]] = deque()

    def add(self, clients: Iterable[Client], reason: Reason = Reason.SERVER_SHUTTING_DOWN) -> None:
        """Close each of ``clients`` soon; thousands of these calls in one turn of the loop do not stall it."""
        is_idle = not self._waiting
        self._waiting.extend([(client, reason) for client in clients])
        if is_idle and self._waiting:
            self._call_soon(self._turn)

    def send_back(self, clients: Iterable[Client]) -> None:
        """The same for clients of a server that goes on: they come back, and are admitted anew."""
        self.add(clients, Reason.TRANSPORT_CLOSE)

    def finish(self) -> None:
        """Close all that wait, now."""
        while self._waiting:
            self._slice()

    def _turn(self) -> None:
        self._slice()
        if self._waiting:
            self._call_soon(self._turn)

    def _slice(self) -> None:
        for _ in range(min(SLICE, len(self._waiting))):
            client, reason = self._waiting.popleft()
            client.send_away(reason, CloseCode.SERVICE_RESTART)
