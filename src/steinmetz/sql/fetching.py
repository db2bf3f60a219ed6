"""The time of rows that are stepped while they are fetched.

SQLite runs a query when its rows are asked for: an event after ``execute`` saw 0.146 ms of a query of 33.8 ms. So
the strategy by which a result fetches is one that reads the clock, and the sample is taken when the result is
exhausted or closed, or when it is dropped. The same holds for server-side cursors of every driver.
"""

from __future__ import annotations

import gc
from collections import deque
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import cursor as _cursor
from sqlalchemy.engine.cursor import BufferedRowCursorFetchStrategy, CursorFetchStrategy

from steinmetz.clock import perf_ns
from steinmetz.sql.execution import Watch
from steinmetz.sql.scope import Scope
from steinmetz.sql.statements import Record
from steinmetz.sql.worker import WorkerTime

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

    from steinmetz.sql.runs import Runs

_UNTOUCHED = getattr(_cursor, "_DEFAULT_FETCH", None)
_READ = getattr(_cursor, "_NO_CURSOR_DQL", None)


def may_step_lazily(
    is_lazy: bool, cursor: DBAPICursor, statement: str, many: bool, context: ExecutionContext
) -> bool:
    """Whether the rows of what was just executed are still to be stepped, by a strategy that may be replaced."""
    its: Any = context
    return (
        not many
        and (is_lazy or bool(getattr(its, "_is_server_side", False)))
        and statement is context.statement
        and getattr(getattr(its, "execute_style", None), "name", "") == "EXECUTE"
        and _UNTOUCHED is not None
        and _READ is not None
        and getattr(its, "cursor_fetch_strategy", None) is _UNTOUCHED
        and cursor.description is not None
    )


def fetch_of(fetch: Fetch, cursor: DBAPICursor, context: ExecutionContext) -> CursorFetchStrategy:
    """The strategy that SQLAlchemy would choose, timed."""
    its: Any = context
    if getattr(its, "_is_server_side", False) or context.execution_options.get("stream_results", False):
        return Buffered(fetch, cursor, dict(context.execution_options))
    return fetch


class _Collector:
    """Whether the garbage collector runs, which may be within any lock: whoever it frees must not do much."""

    def __init__(self) -> None:
        self.runs = False
        gc.callbacks.append(self._told)

    def _told(self, phase: str, info: dict[str, int]) -> None:
        self.runs = phase == "start"


_collector = _Collector()


class Fetch(CursorFetchStrategy):
    """How one result fetches, and what is told when it has ended; see `steinmetz.sql.runs.Runs.fetched`.

    It is made by the quick way, which fills it by itself, or by `begin`. ``runs`` is who is told, None when that
    is done; ``first`` is where the scope has written the run down, if it has.
    """

    __slots__ = (
        "context", "ended_ns", "execute_ns", "fetch_ns", "first", "record", "rows", "runs", "scope", "started_ns",
        "watch", "worker",
    )  # fmt: skip

    context: ExecutionContext
    runs: Runs | None
    record: Record
    first: list[Any] | None
    scope: Scope | None
    watch: Watch | None
    worker: WorkerTime | None
    started_ns: int
    execute_ns: int
    fetch_ns: int
    ended_ns: int
    rows: int

    def begin(
        self,
        runs: Runs,
        record: Record,
        scope: Scope | None,
        watch: Watch | None,
        started_ns: int,
        ended_ns: int,
        worker: WorkerTime | None,
        context: ExecutionContext,
    ) -> None:
        self.runs = runs
        self.record = record
        self.first = None
        self.scope = scope
        self.watch = watch
        self.worker = worker
        self.context = context
        self.started_ns, self.ended_ns, self.execute_ns = started_ns, ended_ns, ended_ns - started_ns
        self.fetch_ns = self.rows = 0

    def end(self, error: BaseException | None = None) -> None:
        """Tell it once."""
        runs, self.runs = self.runs, None
        if runs is not None:
            runs.fetched(self, error)

    @property
    def alternate_cursor_description(self) -> None:  # type: ignore[override]
        """SQLAlchemy asks for this when it takes the strategy from the context, which then may let go of it.

        A context that held what holds the context would keep both until the garbage collector comes.
        """
        vars(self.context).pop("cursor_fetch_strategy", None)

    def __del__(self) -> None:
        runs = self.runs
        if runs is not None:
            self.runs = None
            if _collector.runs:
                runs.given_up.append(self)
            else:
                runs.fetched(self)

    # -- what a result asks of its strategy ---------------------------------------------------------------------

    def soft_close(self, result: Any, dbapi_cursor: Any) -> None:
        result.cursor_strategy = _READ
        runs = self.runs
        if runs is None:
            return
        self.runs = None
        record, first, fetch_ns = self.record, self.first, self.fetch_ns
        duration_ns = self.execute_ns + fetch_ns
        if self.watch is not None or duration_ns > record.floor_ns or (first is None and self.scope is not None):
            runs.fetched(self)
            return
        # What `Runs.fetched` comes to for most.
        if first is not None:
            first[1] += fetch_ns
        turning = runs.turning
        if self.ended_ns >= turning.turn_at_ns:
            turning.turn()
        record.meter.add(duration_ns)

    hard_close = soft_close

    def handle_exception(self, result: Any, dbapi_cursor: Any, err: BaseException) -> Any:
        self.end(err)
        super().handle_exception(result, dbapi_cursor, err)

    def yield_per(self, result: Any, dbapi_cursor: Any, num: int) -> None:
        result.cursor_strategy = Buffered(self, dbapi_cursor, {"max_row_buffer": num}, at_once=num)

    def fetchone(self, result: Any, dbapi_cursor: Any, hard_close: bool = False) -> Any:
        started_ns = perf_ns()
        try:
            row = dbapi_cursor.fetchone()
            self.ended_ns = ended_ns = perf_ns()
            self.fetch_ns += ended_ns - started_ns
            if row is None:
                result._soft_close(hard=hard_close)
            else:
                self.rows += 1
        except BaseException as error:
            self.handle_exception(result, dbapi_cursor, error)
        return row

    def fetchmany(self, result: Any, dbapi_cursor: Any, size: int | None = None) -> Any:
        started_ns = perf_ns()
        try:
            rows = dbapi_cursor.fetchmany() if size is None else dbapi_cursor.fetchmany(size)
            self.ended_ns = ended_ns = perf_ns()
            self.fetch_ns += ended_ns - started_ns
            self.rows += len(rows)
            if not rows:
                result._soft_close()
        except BaseException as error:
            self.handle_exception(result, dbapi_cursor, error)
        return rows

    def fetchall(self, result: Any, dbapi_cursor: Any) -> Any:
        started_ns = perf_ns()
        try:
            rows = dbapi_cursor.fetchall()
            self.ended_ns = ended_ns = perf_ns()
            self.fetch_ns += ended_ns - started_ns
            self.rows += len(rows)
            result._soft_close()
        except BaseException as error:
            self.handle_exception(result, dbapi_cursor, error)
        return rows


class TimedCursor:
    """A driver's cursor whose fetches are timed."""

    __slots__ = ("_fetch", "own")

    def __init__(self, cursor: Any, fetch: Fetch) -> None:
        self.own = cursor
        self._fetch = fetch

    def fetchmany(self, *size: int) -> Any:
        started_ns = perf_ns()
        try:
            rows = self.own.fetchmany(*size)
        finally:
            self._fetch.fetch_ns += perf_ns() - started_ns
        self._fetch.rows += len(rows)
        return rows

    def fetchall(self) -> Any:
        started_ns = perf_ns()
        try:
            rows = self.own.fetchall()
        finally:
            self._fetch.fetch_ns += perf_ns() - started_ns
        self._fetch.rows += len(rows)
        return rows


class Buffered(BufferedRowCursorFetchStrategy):
    """SQLAlchemy's row buffer (server-side cursors, ``yield_per``) over a timed cursor."""

    __slots__ = ("_fetch",)

    def __init__(self, fetch: Fetch, cursor: Any, options: dict[str, Any], at_once: int | None = None) -> None:
        self._fetch = fetch
        if at_once is None:
            super().__init__(TimedCursor(cursor, fetch), options)  # type: ignore[arg-type]
        else:
            super().__init__(cursor, options, growth_factor=0, initial_buffer=deque())

    @property
    def alternate_cursor_description(self) -> None:  # type: ignore[override]
        return self._fetch.alternate_cursor_description

    def soft_close(self, result: Any, dbapi_cursor: Any) -> None:
        super().soft_close(result, dbapi_cursor)
        self._fetch.end()

    def hard_close(self, result: Any, dbapi_cursor: Any) -> None:
        super().hard_close(result, dbapi_cursor)
        self._fetch.end()

    def handle_exception(self, result: Any, dbapi_cursor: Any, err: BaseException) -> Any:
        self._fetch.end(err)
        own = dbapi_cursor.own if isinstance(dbapi_cursor, TimedCursor) else dbapi_cursor
        super().handle_exception(result, own, err)

    def _buffer_rows(self, result: Any, dbapi_cursor: Any) -> None:
        super()._buffer_rows(result, TimedCursor(dbapi_cursor, self._fetch))  # type: ignore[arg-type]

    def fetchmany(self, result: Any, dbapi_cursor: Any, size: int | None = None) -> Any:
        return super().fetchmany(result, TimedCursor(dbapi_cursor, self._fetch), size)  # type: ignore[arg-type]

    def fetchall(self, result: Any, dbapi_cursor: Any) -> Any:
        return super().fetchall(result, TimedCursor(dbapi_cursor, self._fetch))  # type: ignore[arg-type]
