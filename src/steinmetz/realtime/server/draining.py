"""Clients that are to come back: closed in slices, or by rate when this server ends (trap T28)."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from steinmetz.clock import Clock
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.server.pace import Pace
from steinmetz.realtime.server.reasons import Reason

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client

log = structlog.get_logger("steinmetz.realtime")

SLICE = 500
"""Clients a turn of the loop."""


class Draining:
    """Clients that are to be closed, without DISCONNECT: the stock client comes back by itself.

    ``loop``: None while the server does not run.
    """

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop | None], clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._waiting: deque[tuple[Client, Reason]] = deque()
        self._leaving: deque[Client] = deque()
        self._pace: Pace | None = None
        self._sent = 0
        """Of those who leave by rate."""
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def __len__(self) -> int:
        """Who has not been closed yet."""
        return len(self._waiting) + len(self._leaving)

    # -- as soon as possible --------------------------------------------------------------------------------------

    def add(self, clients: Iterable[Client], reason: Reason = Reason.SERVER_SHUTTING_DOWN) -> None:
        """Close each of ``clients`` soon; thousands of these calls in one turn of the loop do not stall it."""
        is_idle = not self._waiting
        self._waiting.extend([(client, reason) for client in clients])
        if is_idle and self._waiting:
            self._is_empty.clear()
            self._call_soon(self._turn)

    def send_back(self, clients: Iterable[Client]) -> None:
        """The same for clients of a server that goes on: they come back, and are admitted anew."""
        self.add(clients, Reason.TRANSPORT_CLOSE)

    def _call_soon(self, function: Callable[[], None]) -> None:
        if (loop := self._loop()) is not None:
            loop.call_soon(function)

    def _turn(self) -> None:
        self._slice()
        if self._waiting:
            self._call_soon(self._turn)
        self._tell_if_empty()

    def _slice(self) -> None:
        for _ in range(min(SLICE, len(self._waiting))):
            client, reason = self._waiting.popleft()
            _send_away(client, reason)

    # -- by rate --------------------------------------------------------------------------------------------------

    def begin(self, clients: Iterable[Client], *, per_s: float, within_s: float) -> None:
        """Close ``clients`` at ``per_s`` a second, all within ``within_s`` seconds; to be called once.

        In no order, so that no office comes back as one man; who polls goes first, since a server that ends may
        take no further request from him.
        """
        leaving = list(clients)
        random.shuffle(leaving)
        leaving.sort(key=lambda client: client.transport.name is not TransportName.POLLING)
        self._leaving.extend(leaving)
        if leaving:
            self._is_empty.clear()
            self._pace = Pace(len(leaving), per_s=per_s, within_s=within_s, began_s=self._clock.monotonic_s())
            self._call_soon(self._step)

    def _step(self) -> None:
        loop, pace = self._loop(), self._pace
        if loop is None or pace is None:
            return
        due = pace.due(self._clock.monotonic_s()) - self._sent
        self._leave(min(due, SLICE))
        if not self._leaving:
            self._tell_if_empty()
        elif due > SLICE:
            loop.call_soon(self._step)
        else:
            loop.call_later(pace.pause_s(random.random()), self._step)

    def _leave(self, count: int) -> None:
        for _ in range(min(count, len(self._leaving))):
            self._sent += 1
            _send_away(self._leaving.popleft(), Reason.SERVER_SHUTTING_DOWN)

    # -- the end --------------------------------------------------------------------------------------------------

    async def ended(self) -> None:
        """Wait until everybody has been closed."""
        await self._is_empty.wait()

    def finish(self) -> None:
        """Close all that wait, now."""
        while self._waiting:
            self._slice()
        self._leave(len(self._leaving))
        self._pace, self._sent = None, 0
        self._tell_if_empty()

    def _tell_if_empty(self) -> None:
        if not len(self):
            self._is_empty.set()


def _send_away(client: Client, reason: Reason) -> None:
    """Whatever goes wrong with one, the others are sent away."""
    try:
        client.send_away(reason, CloseCode.SERVICE_RESTART)
    except Exception as error:
        log.error("A client could not be sent away", error=type(error).__name__, exc_info=error)
