"""The time of a statement within its driver's own thread (aiosqlite).

Waiting for that thread's queue and for the event loop to come back is no time of the query, so the clock is read
in the thread, around each call that the driver makes there. `WorkerTime` stands before one cursor's ``_execute``,
by which aiosqlite sends a call to its thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steinmetz.clock import perf_ns


class WorkerTime:
    """What one cursor of aiosqlite spent in its thread; ``execute_ns`` is the first call, the others are fetches.

    Raises `AttributeError` for a cursor that is not made so; its time is then taken outside.
    """

    __slots__ = ("_send", "execute_ns", "spent_ns")

    def __init__(self, cursor: Any) -> None:
        self.execute_ns = 0
        self.spent_ns = 0
        self._send = cursor._conn._execute
        cursor._execute = self.send

    def send(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._send(self._run, function, *arguments)

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        started_ns = perf_ns()
        try:
            return function(*arguments)
        finally:
            self.spent_ns += perf_ns() - started_ns
            if not self.execute_ns:
                self.execute_ns = self.spent_ns


def worker_time_of(cursor: Any) -> WorkerTime | None:
    """The time of ``cursor`` within its driver's thread; None where there is no such thread, or none is known."""
    driver = getattr(cursor, "_cursor", None)
    if type(driver).__module__ != "aiosqlite.cursor":
        return None
    try:
        return WorkerTime(driver)
    except AttributeError:
        return None
