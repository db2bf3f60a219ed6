"""An emission, encoded once, to many: in what order, and how many at a time. Who is meant says `broadcast.py`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from steinmetz.realtime.adapters.base import RELIABLE, Flags
from steinmetz.realtime.engineio.packet import Outgoing

if TYPE_CHECKING:
    from steinmetz.realtime.server.socket import Socket

SLICE = 1_000
"""Recipients a turn of the loop: 1,000 sends take about 5 ms, and everybody else wants to be served, too (T25)."""
MAX_WAITING = 10_000
"""Emissions in line. One more is delivered on the spot, which slows down whoever emits too much."""


class Delivery:
    """The emissions of one namespace, in the order they were made, at most `SLICE` sends a turn of the loop."""

    __slots__ = ("_is_scheduled", "_loop", "_waiting")

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop | None]) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Sequence[Socket], int, Outgoing, Flags]] = deque()
        self._is_scheduled = False

    def send(self, sockets: Sequence[Socket], outgoing: Outgoing, flags: Flags) -> None:
        if not self._waiting and len(sockets) <= SLICE:
            _write(sockets, outgoing, flags)
            return
        self._waiting.append((sockets, 0, outgoing, flags))
        if len(self._waiting) > MAX_WAITING:
            self._drain(turns=2)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled and self._waiting and (loop := self._loop()) is not None:
            self._is_scheduled = True
            loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        self._drain(turns=1)
        self._schedule()

    def _drain(self, turns: int) -> None:
        budget = SLICE * turns
        while self._waiting and budget > 0:
            sockets, start, outgoing, flags = self._waiting.popleft()
            end = start + budget
            _write(sockets[start:end], outgoing, flags)
            budget -= len(sockets) - start
            if end < len(sockets):
                self._waiting.appendleft((sockets, end, outgoing, flags))


def _write(sockets: Sequence[Socket], outgoing: Outgoing, flags: Flags) -> None:
    if flags is RELIABLE:
        for socket in sockets:
            if socket.connected:
                socket.client.send(outgoing)
    else:
        for socket in sockets:
            if socket.connected:
                socket.client.send_flagged(outgoing, flags)
