"""Clients whose network went away: a few at once, thousands in slices, so that a router's fall is no stall.

A kernel reports thousands of ends in one turn of the loop. Each costs what closing a socket, the client's rooms
and the application's disconnect handlers cost; the others, who are still here, would wait for all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger("steinmetz.realtime")

SLICE = 250
"""Steps a turn of the loop; some 5 ms."""


class Departures:
    """Steps of seeing somebody off, in order. Bound: two for each client of the server."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop | None]) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._left = SLICE
        """Of this turn's slice."""
        self._is_scheduled = False

    def add(self, step: Callable[..., object], *args: Any) -> None:
        """Do ``step`` now, or in a turn to come when this one has seen off enough already."""
        loop = self._loop()
        if loop is None:  # the server has been shut down: nobody is kept waiting
            self._do(step, args)
            return
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._turn)
        if self._left and not self._waiting:
            self._left -= 1
            self._do(step, args)
        else:
            self._waiting.append((step, args))

    def finish(self) -> None:
        """All that wait, now."""
        while self._waiting:
            self._next()
        self._left = SLICE
        self._is_scheduled = False

    def _turn(self) -> None:
        for _ in range(min(SLICE, len(self._waiting))):
            self._next()
        loop = self._loop()
        self._left = SLICE
        self._is_scheduled = bool(self._waiting) and loop is not None
        if self._waiting and loop is not None:
            loop.call_soon(self._turn)

    def _next(self) -> None:
        step, args = self._waiting.popleft()
        self._do(step, args)

    @staticmethod
    def _do(step: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Whatever goes wrong with one, the others are seen off."""
        try:
            step(*args)
        except Exception as error:
            log.error("A client could not be seen off", error=type(error).__name__, exc_info=error)
