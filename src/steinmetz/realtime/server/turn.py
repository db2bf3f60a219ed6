"""The end of a turn of the loop: what the turn has said is written then, once to each client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from steinmetz.clock import perf_ns

log = structlog.get_logger("steinmetz.realtime")

Write = Callable[[], None]


class Turn:
    """Broadcasts are written first, then what was gathered for single clients: so each gets one write.

    What becomes due while this runs waits for the next turn; only single clients' bytes leave in this one.
    """

    __slots__ = ("_broadcasts", "_is_scheduled", "_loop", "_singles", "_wrote")

    def __init__(
        self,
        loop: Callable[[], asyncio.AbstractEventLoop | None],
        wrote: Callable[[float], None] = lambda _duration_s: None,
    ) -> None:
        """``wrote`` is told how many seconds the broadcasts of a turn took."""
        self._loop = loop
        self._wrote = wrote
        self._broadcasts: list[Write] = []
        self._singles: list[Write] = []
        self._is_scheduled = False

    def then_broadcast(self, write: Write) -> None:
        """Call ``write`` at the end of this turn."""
        self._broadcasts.append(write)
        self._schedule()

    def then_single(self, write: Write) -> None:
        """Call ``write`` at the end of this turn, after the broadcasts."""
        self._singles.append(write)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled and (loop := self._loop()) is not None:
            self._is_scheduled = True
            loop.call_soon(self.end)

    def end(self) -> None:
        """Write it all; the loop calls this."""
        broadcasts, self._broadcasts = self._broadcasts, []
        if broadcasts:
            began_ns = perf_ns()
            for write in broadcasts:
                _run(write)
            self._wrote((perf_ns() - began_ns) / 1e9)
        singles, self._singles = self._singles, []
        for write in singles:
            _run(write)
        self._is_scheduled = False
        if self._broadcasts or self._singles:
            self._schedule()

    def finish(self) -> None:
        """Write all there is, slice after slice, because there will be no further turn."""
        while self._broadcasts or self._singles:
            self.end()


def _run(write: Write) -> None:
    try:
        write()
    except Exception as error:
        log.error("Writing to clients failed", error=type(error).__name__, exc_info=error)
