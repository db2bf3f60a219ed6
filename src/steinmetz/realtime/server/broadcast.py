"""An emission, encoded once, to many: who is meant (`BroadcastOperator`), in what order (`Delivery`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Flags, Selection, SocketDetails
from steinmetz.realtime.engineio.packet import Outgoing

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.remote import SocketElsewhere
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


class BroadcastOperator:
    """Who is meant by the next `emit`; immutable, so a half-made one can be kept and reused."""

    __slots__ = ("_flags", "_namespace", "_selection")

    def __init__(self, namespace: Namespace, selection: Selection = EVERYBODY, flags: Flags = RELIABLE) -> None:
        self._namespace = namespace
        self._selection = selection
        self._flags = flags

    def to(self, *rooms: str) -> BroadcastOperator:
        """Also those in any of ``rooms``; a socket in several of them hears it once."""
        chosen = self._selection
        return self._with(Selection(chosen.rooms | set(rooms), chosen.except_rooms, chosen.is_local))

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Not those in any of ``rooms``."""
        chosen = self._selection
        return self._with(Selection(chosen.rooms, chosen.except_rooms | set(rooms), chosen.is_local))

    @property
    def local(self) -> BroadcastOperator:
        """Only clients of this process."""
        chosen = self._selection
        return self._with(Selection(chosen.rooms, chosen.except_rooms, is_local=True))

    @property
    def volatile(self) -> BroadcastOperator:
        """May be dropped for a client that is not ready to receive."""
        return self._flagged(replace(self._flags, volatile=True))

    def _with(self, selection: Selection) -> BroadcastOperator:
        return BroadcastOperator(self._namespace, selection, self._flags)

    def _flagged(self, flags: Flags) -> BroadcastOperator:
        return BroadcastOperator(self._namespace, self._selection, flags)

    def emit(self, event: str, *args: Any) -> None:
        """Send ``event`` with ``args`` (JSON values and `bytes`); a plain call, from any thread.

        Raises `ValueError` for a reserved name, `TypeError` for data that cannot be sent.
        """
        self._namespace.broadcast(self._selection, event, args, self._flags)

    async def fetch_sockets(self) -> Sequence[Socket | SocketElsewhere]:
        """The sockets that are meant, those of other servers among them."""
        from steinmetz.realtime.server.remote import SocketElsewhere

        return [
            SocketElsewhere(self._namespace, found) if isinstance(found, SocketDetails) else found
            for found in await self._namespace.adapter.fetch(self._selection)
        ]

    def sockets_join(self, *rooms: str) -> None:
        """Put them into ``rooms``; from any thread."""
        self._namespace.server.run_on_loop(self._namespace.adapter.join_all, self._selection, rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Take them out of ``rooms``; from any thread."""
        self._namespace.server.run_on_loop(self._namespace.adapter.leave_all, self._selection, rooms)

    def disconnect_sockets(self, close: bool = False) -> None:
        """Tell them to stay away (DISCONNECT); with ``close`` end their whole connections too. From any thread."""
        self._namespace.server.run_on_loop(self._namespace.drop_selected, self._selection, close)
