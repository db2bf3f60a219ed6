"""The only reader of time. Everything that decides by time is given a `Clock`; tests give a `FakeClock`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

perf_ns = time.perf_counter_ns
"""Monotonic nanoseconds for measuring durations; never compared between processes."""


thread_ns = time.thread_time_ns
"""Nanoseconds of a core that the calling thread has used: what waits for its turn on a busy machine uses none."""


class Clock(Protocol):
    """Wall time for what people read, monotonic time for what programs wait for."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never goes back."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    monotonic_s = staticmethod(time.monotonic)
    """Asked for at every event: without a frame of Python around it."""


class FakeClock:
    """A clock that stands still until told to move."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic_s = 1_000.0

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by ``seconds``.

        Raises `ValueError` for a negative step: monotonic time does not go back.
        """
        if seconds < 0:
            raise ValueError("time does not go back: advance() takes seconds >= 0")
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds
