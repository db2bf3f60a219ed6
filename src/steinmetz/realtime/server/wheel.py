"""One timer wheel for all clients: pings, timeouts and expiries cost a list entry, not a task or a timer each."""

from __future__ import annotations

import asyncio
import heapq
import math
from typing import Protocol

import structlog

from steinmetz.clock import Clock

log = structlog.get_logger("steinmetz.realtime")

_SLICE = 500
"""Entries a turn of the loop; the rest of a crowded slot waits for the next turn."""


AGAIN_S = 1.0
"""After something went wrong."""


class Timed(Protocol):
    wheel_slot: int
    """The slot it waits in, 0 for none. The wheel's own bookmark."""

    def on_due(self, now_s: float) -> float | None:
        """Do what is due; the next deadline (monotonic seconds), or None for never again."""


class Wheel:
    """Slots of ``tick_s`` seconds, a list of entries in each, and one timer for the earliest slot.

    An entry waits in one slot. A deadline that moves later is noticed when the old one comes up; one that moves
    earlier takes a second place, and the stale first one is skipped. A deadline is met at most ``tick_s`` late.
    """

    def __init__(self, clock: Clock, tick_s: float) -> None:
        self._clock = clock
        self._tick_s = tick_s
        self._slots: dict[int, list[Timed]] = {}
        self._order: list[int] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self._timer_slot = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arm()

    def stop(self) -> None:
        """Forget everything that waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_slot, self._loop = None, 0, None
        for entries in self._slots.values():
            for entry in entries:
                entry.wheel_slot = 0
        self._slots.clear()
        self._order.clear()

    def schedule(self, entry: Timed, due_s: float) -> None:
        """Call ``entry.on_due`` at ``due_s``, or earlier if it is already waiting for something earlier."""
        slot = math.ceil(due_s / self._tick_s)
        if entry.wheel_slot and entry.wheel_slot <= slot:
            return
        entry.wheel_slot = slot
        entries = self._slots.get(slot)
        if entries is None:
            self._slots[slot] = [entry]
            heapq.heappush(self._order, slot)
            self._arm()
        else:
            entries.append(entry)

    def run_due(self) -> None:
        """Serve what is due; called by the timer, and by tests that move the clock by hand."""
        self._timer, self._timer_slot = None, 0
        now_s = self._clock.monotonic_s()
        now_slot = math.floor(now_s / self._tick_s)
        served = 0
        while self._order and self._order[0] <= now_slot and served < _SLICE:
            slot = self._order[0]
            entries = self._slots[slot]
            while entries and served < _SLICE:
                entry = entries.pop()
                if entry.wheel_slot != slot:
                    continue
                served += 1
                entry.wheel_slot = 0
                due_s = _served(entry, now_s)
                if due_s is not None:
                    self.schedule(entry, max(due_s, (now_slot + 1) * self._tick_s))
            if not entries:
                heapq.heappop(self._order)
                del self._slots[slot]
        self._arm()

    def _arm(self) -> None:
        if self._loop is None or not self._order or self._timer_slot == self._order[0]:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_slot = self._order[0]
        delay_s = self._timer_slot * self._tick_s - self._clock.monotonic_s()
        self._timer = self._loop.call_later(max(delay_s, 0.0), self.run_due)


def _served(entry: Timed, now_s: float) -> float | None:
    """Whatever goes wrong with one, the others are served; and it is asked again, for it may have to end."""
    try:
        return entry.on_due(now_s)
    except Exception as error:
        log.error("What was due could not be done", entry=type(entry).__name__, error=type(error).__name__,
                  exc_info=error)  # fmt: skip
        return now_s + AGAIN_S
