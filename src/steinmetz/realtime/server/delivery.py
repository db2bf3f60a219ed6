"""The emissions of one namespace on their way to its clients: in order, a turn of the loop at a time.

What is emitted within one turn to the same members is joined once and written once to each of them, at the end
of that turn. Whatever is said to a single client meanwhile (an event, an acknowledgement, the end) first takes
along what waits for that client here: each client hears the namespace in the order in which it spoke, and nobody
waits for a broadcast to others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.server.batch import Batch
from steinmetz.realtime.server.turn import Turn

if TYPE_CHECKING:
    from steinmetz.realtime.server.socket import Socket

SLICE = 500
"""Recipients a turn of the loop: 500 writes take 3 ms, and everybody else wants to be served, too (T25)."""
MAX_WAITING = 10_000
"""Emissions in line. One more, and all are delivered on the spot, which slows down whoever emits too much."""
MAX_WAITING_BYTES = 4_194_304


class Delivery:
    """Bound: `MAX_WAITING` emissions of `MAX_WAITING_BYTES` together, which their recipients share."""

    __slots__ = ("_bytes", "_emissions", "_is_scheduled", "_threshold", "_turn", "batches", "delivered_bytes",
                 "deliveries")  # fmt: skip

    def __init__(self, turn: Turn, threshold: int | None = None) -> None:
        """``threshold`` is `Config.deflate_threshold`."""
        self._turn = turn
        self._threshold = threshold
        self.batches: deque[Batch] = deque()
        """What waits for the end of this turn, or for its slice of a later one."""
        self._emissions = 0
        self._bytes = 0
        self._is_scheduled = False
        self.deliveries = 0
        """Emissions, once for each recipient; and their bytes, framed once and not deflated."""
        self.delivered_bytes = 0

    def send(self, sockets: Sequence[Socket], outgoing: Outgoing, flags: Flags) -> None:
        """``sockets`` does not change any more; the same object again means the same members."""
        outgoing.is_compressible = flags.compress
        if len(sockets) == 1:
            if sockets[0].connected:
                if self.batches:
                    self.catch_up(sockets[0])
                self.deliveries += 1
                self.delivered_bytes += outgoing.size
                sockets[0].client.send_flagged(outgoing, flags)
            return
        if not (self.batches and self.batches[-1].takes(sockets, outgoing)):
            self.batches.append(Batch())
        self.batches[-1].add(sockets, outgoing, flags)
        self._emissions += 1
        self._bytes += outgoing.size
        if self._emissions > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            self.flush()
        elif not self._is_scheduled:
            self._schedule()

    def catch_up(self, socket: Socket) -> None:
        """Give ``socket`` what waits for it, because something else is to be said to it."""
        for batch in self.batches:
            batch.give(socket)

    def flush(self) -> None:
        """Deliver everything now."""
        while self.batches:
            self._write(SLICE)

    def _schedule(self) -> None:
        self._is_scheduled = True
        self._turn.then_broadcast(self._end_of_turn)

    def _end_of_turn(self) -> None:
        self._is_scheduled = False
        budget = SLICE
        try:
            while self.batches and budget > 0:
                budget -= self._write(budget)
        finally:
            if self.batches:
                self._schedule()

    def _write(self, budget: int) -> int:
        """At most ``budget`` writes of the oldest batch; how many it were."""
        batch = self.batches[0]
        written = batch.write(budget, self._threshold)
        self.deliveries += batch.deliveries
        self.delivered_bytes += batch.delivered_bytes
        if batch.is_done:
            self.batches.popleft()
            self._emissions -= len(batch.emissions)
            self._bytes -= batch.bytes
        return written
