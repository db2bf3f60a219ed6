"""The time of a statement within its driver's own thread (aiosqlite), and the shortest way there.

Waiting for that thread's queue and for the event loop to come back is no time of the query, so the clock is read
in the thread. `WorkerTime` stands before one cursor's ``_execute``, by which aiosqlite sends a call to its thread.

SQLAlchemy sends such a cursor two calls for each query, ``execute`` and at once ``fetchall``. As `WorkerTime` is
in the thread anyway, it makes both of them there when the first one comes, and has the rows at hand when they are
asked for: the second way to the thread and back, some 50 µs, falls away, which is more than the monitor takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steinmetz.clock import perf_ns


class WorkerTime:
    """What one cursor of aiosqlite spent in its thread; ``execute_ns`` is the first call, the others are fetches.

    With ``at_once`` the rows are fetched with the first call, which is for cursors all of whose rows are fetched.
    Raises `AttributeError` for a cursor that is not made so; its time is then taken outside.
    """

    __slots__ = ("_driver", "_rows", "_send", "at_once", "execute_ns", "spent_ns")

    def __init__(self, cursor: Any, at_once: bool) -> None:
        self.execute_ns = self.spent_ns = 0
        self.at_once = at_once
        self._rows: Any = None
        self._driver = cursor._cursor
        self._send = cursor._conn._execute
        cursor._execute = self.send

    def send(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._rows is None:
            return self._send(self._run, function, *arguments)
        if function.__name__ == "fetchall":
            return self._fetched()
        return self._send(function, *arguments)

    def give_up(self) -> None:
        """Nobody waits for the rows any more."""
        self.at_once = False

    async def _fetched(self) -> Any:
        rows, self._rows = self._rows, ()
        return rows

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        started_ns = perf_ns()
        try:
            result = function(*arguments)
            if self.at_once and self._driver.description is not None:
                self.execute_ns = perf_ns() - started_ns
                self._rows = self._driver.fetchall()
            return result
        finally:
            self.spent_ns += perf_ns() - started_ns
            if not self.execute_ns:
                self.execute_ns = self.spent_ns


def is_timed_in_its_thread() -> bool:
    """Whether this SQLAlchemy has aiosqlite's cursor at hand before it executes; 2.0 makes it meanwhile."""
    from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_cursor

    return hasattr(AsyncAdapt_aiosqlite_cursor, "_cursor")


def worker_time_of(cursor: Any) -> WorkerTime | None:
    """The time of ``cursor`` within its driver's thread; None where there is no such thread, or none is known."""
    driver = getattr(cursor, "_cursor", None)
    if type(driver).__module__ != "aiosqlite.cursor":
        return None
    try:
        return WorkerTime(driver, at_once=not getattr(cursor, "server_side", True))
    except AttributeError:
        return None
