"""Running statements the whole way, and telling of runs.

`Runs.execute` is for what the quick way (`steinmetz.sql.quick`) leaves: unknown statements, writes that somebody
hears of, batches, server-side cursors. What is told of a run, and to whom, is the same for both ways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.clock import perf_ns
from steinmetz.sql.commits import Commits, is_autocommit
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.execution import (
    NEVER_NS,
    Execution,
    ExecutionObserver,
    LagSource,
    NoTurning,
    RunObserver,
    Turning,
    Watch,
)
from steinmetz.sql.facts import Verb
from steinmetz.sql.fetching import Fetch, fetch_of, may_step_lazily
from steinmetz.sql.knowledge import Oracle, unknown_facts
from steinmetz.sql.marks import told
from steinmetz.sql.scope import Ledger, NoLedger, Scope, ScopeKind, _situation, note
from steinmetz.sql.shape import shape_of
from steinmetz.sql.statements import Record, Statements
from steinmetz.sql.worker import WorkerTime, worker_time_of

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.transaction import ConnectionState, Tokens

log = structlog.get_logger("steinmetz.sql")

Run = Callable[["DBAPICursor", str, Any, "ExecutionContext | None"], None]


class Runs:
    """The runs of one engine's statements, and who is told of them."""

    def __init__(
        self, statements: Statements, commits: Commits, *, database: str, is_async: bool, is_lazy: bool
    ) -> None:
        self.database = database
        self.observers: tuple[RunObserver, ...] = ()
        self.execution_observers: tuple[ExecutionObserver, ...] = ()
        self.oracle: Oracle | None = None
        self.turning: Turning = NoTurning()
        self.lag: LagSource | None = None
        self.look_ns = NEVER_NS
        self.given_up: deque[Fetch] = deque()
        """Results that the garbage collector found unread."""
        self.read_in_doubt = commits.read_in_doubt
        self._statements = statements
        self._commits = commits
        self._is_async = is_async
        self.is_lazy = is_lazy
        self.has_worker = False
        """Whether the quick way takes the time within the driver's own thread."""

    # -- the whole way ------------------------------------------------------------------------------------------

    def execute(
        self,
        run: Run,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        many: bool,
        context: ExecutionContext | None,
    ) -> None:
        if context is None:
            self._execute_blindly(run, cursor, statement, parameters)
            return
        connection = connection_of(context)
        state = self._statements.state_of(connection)
        record = self._statements.record(context, statement, parameters, many, connection, state)
        facts = record.facts
        scope, watch = _situation.get() or (None, None)
        tokens: Tokens | None = None
        counters: Any = None
        if facts.verb is Verb.TRANSACTION:
            tokens = self._commits.before_write(facts, context, connection, state, many)
        else:
            if scope is not None and state.began_ns < scope.started_ns:
                self._commits.read_in_doubt(facts, scope, state)
            note(facts, context, many)
            if facts.is_write:
                tokens = self._commits.before_write(facts, context, connection, state, many)
                if self.oracle is not None and not (tokens or state.ddl or is_autocommit(context)):
                    counters = self.oracle.before(facts, connection)
        is_counted = scope is None or scope.kind is not ScopeKind.MONITOR
        if not is_counted or facts.verb is Verb.TRANSACTION:
            watch = None
        worker = worker_time_of(cursor) if self._is_async else None
        started_ns = perf_ns()
        try:
            run(cursor, statement, parameters, context)
        except BaseException as error:
            if tokens:
                self._commits.marks.doubt(connection, state, tokens)
            if is_counted:
                self.failed(
                    record,
                    statement,
                    parameters,
                    many,
                    context,
                    scope,
                    watch,
                    worker,
                    started_ns,
                    perf_ns(),
                    error,
                )
            raise
        ended_ns = perf_ns()
        if is_counted:
            if may_step_lazily(self.is_lazy, cursor, statement, many, context):
                fetch = Fetch()
                fetch.begin(self, record, scope, watch, started_ns, ended_ns, worker, context)
                self.executed(record, parameters, context, scope, None, watch, fetch.execute_ns)
                context.cursor_fetch_strategy = fetch_of(fetch, cursor, context)  # type: ignore[attr-defined]
            else:
                self.ended(
                    record, statement, parameters, many, context, scope, None, watch, worker, started_ns, ended_ns
                )
        if counters is not None and self.oracle is not None:
            wider = self.oracle.after(facts, counters, connection)
            if wider is not None:
                # Before the COMMIT, so that nothing stays stale.
                state.collect(wider, self._statements.epoch, context, many)
                self._statements.relearn()
        if tokens is not None:
            self._commits.after_write(facts, context, connection, state, tokens)
        elif state.doubts:
            self._commits.marks.resolve(connection, state)
        if self.given_up:
            self.settle()

    def _execute_blindly(self, run: Run, cursor: DBAPICursor, statement: str, parameters: Any) -> None:
        """Without a context nobody knows the connection; SQLAlchemy itself does not do that."""
        note(unknown_facts(shape_of(statement)))
        tokens = self._commits.marks.mark(WriteSet(unknown=frozenset({self.database})))
        try:
            run(cursor, statement, parameters, None)
        finally:
            self._commits.marks.bump(tokens)

    # -- what is told -------------------------------------------------------------------------------------------

    def executed(
        self,
        record: Record,
        parameters: Any,
        context: ExecutionContext | None,
        scope: Scope | None,
        first: list[Any] | None,
        watch: Watch | None,
        duration_ns: int,
    ) -> None:
        """A statement has been executed, its rows may be to come: its scope and its watch hear of it.

        ``first`` is where its scope has written it down, if it has (`Scope.firsts`).
        """
        facts = record.facts
        if facts.verb is Verb.TRANSACTION:
            return
        if watch is not None:
            watch.saw(facts, duration_ns, parameters, context)
        if first is not None:
            first[1] = duration_ns
        elif scope is not None:
            scope.spent_ns += duration_ns
            try:
                (scope.ledger or self.open_ledger(scope)).note(facts, duration_ns, parameters, context)
            except Exception as error:
                log.error("A ledger failed", ledger=repr(scope.ledger), error=told(error))

    def open_ledger(self, scope: Scope) -> Any:
        """The ledger of a scope whose first statement this is."""
        ledger: Ledger | None = None
        for observer in self.observers:
            ledger = observer.ledger(scope)
            if ledger is not None:
                break
        if ledger is None:
            ledger = NoLedger()
        scope.ledger = ledger
        scope.firsts = ledger.firsts
        return ledger

    def ended(
        self,
        record: Record,
        statement: str,
        parameters: Any,
        many: bool,
        context: ExecutionContext,
        scope: Scope | None,
        first: list[Any] | None,
        watch: Watch | None,
        worker: WorkerTime | None,
        started_ns: int,
        ended_ns: int,
    ) -> None:
        """A statement has ended well, and its rows, if any, are here."""
        wall_ns = ended_ns - started_ns
        execute_ns, fetch_ns = wall_ns, 0
        driver_ns = lag_ns = 0
        if worker is not None and worker.spent_ns:
            driver_ns, execute_ns = worker.spent_ns, worker.execute_ns
            fetch_ns, lag_ns = driver_ns - execute_ns, max(0, wall_ns - driver_ns)
        elif self._is_async and self.lag is not None:
            lag_ns = self.lag.within(started_ns, ended_ns)
            execute_ns = max(0, wall_ns - lag_ns)
        duration_ns = execute_ns + fetch_ns
        self.executed(record, parameters, context, scope, first, watch, duration_ns)
        if duration_ns <= record.floor_ns or self._is_passed_over(record, duration_ns, context):
            self.count(record, watch, duration_ns, ended_ns)
            return
        self.tell(
            Execution(
                record.facts, statement, parameters, many, started_ns, execute_ns, None, scope,
                rows_of(context), self.database, context, fetch_ns, lag_ns, self._pool_wait_ns(context), driver_ns,
                watch,
            ), record,
        )  # fmt: skip

    def failed(
        self,
        record: Record,
        statement: str,
        parameters: Any,
        many: bool,
        context: ExecutionContext,
        scope: Scope | None,
        watch: Watch | None,
        worker: WorkerTime | None,
        started_ns: int,
        ended_ns: int,
        error: BaseException,
    ) -> None:
        """A statement has failed, or whoever waited for it was cancelled."""
        state = self._state_of(context)
        if state is not None and state.definitions is not None:
            state.definitions.failed(error)
        if worker is not None:
            worker.give_up()
        wall_ns = ended_ns - started_ns
        execute_ns, lag_ns, driver_ns = wall_ns, 0, 0
        if worker is not None and worker.spent_ns:
            driver_ns = execute_ns = worker.spent_ns
            lag_ns = max(0, wall_ns - driver_ns)
        elif self._is_async and self.lag is not None:
            lag_ns = self.lag.within(started_ns, ended_ns)
            execute_ns = max(0, wall_ns - lag_ns)
        if record.facts.verb is not Verb.TRANSACTION:
            if watch is not None:
                watch.saw(record.facts, execute_ns, parameters, None)
            if scope is not None:
                scope.spent_ns += execute_ns
        self.tell(
            Execution(
                record.facts, statement, parameters, many, started_ns, execute_ns, error, scope, None,
                self.database, context, 0, lag_ns, self._pool_wait_ns(context), driver_ns, watch,
            ), record,
        )  # fmt: skip

    def fetched(self, fetch: Fetch, error: BaseException | None = None) -> None:
        """The rows of a statement have been read to their end, or given up; only now its time is known."""
        record, watch, first, fetch_ns = fetch.record, fetch.watch, fetch.first, fetch.fetch_ns
        scope, worker, context, execute_ns = fetch.scope, fetch.worker, fetch.context, fetch.execute_ns
        driver_ns = lag_ns = 0
        if worker is not None:
            driver_ns = worker.spent_ns
            lag_ns = max(0, execute_ns + fetch_ns - driver_ns)
            execute_ns = min(worker.execute_ns, driver_ns)
            fetch_ns = driver_ns - execute_ns
        if watch is not None:
            watch.fetched(record.facts, fetch_ns)
        if first is not None:
            first[1] += fetch_ns
        elif scope is not None:
            scope.spent_ns += fetch_ns
            if scope.ledger is not None:
                scope.ledger.fetched(record.facts, fetch_ns)
        duration_ns = execute_ns + fetch_ns
        if error is None and (
            duration_ns <= record.floor_ns or self._is_passed_over(record, duration_ns, context, fetch.rows)
        ):
            self.count(record, watch, duration_ns, perf_ns())
            return
        self.tell(
            Execution(
                record.facts, context.statement or "", context.parameters[0], False, fetch.started_ns, execute_ns,
                error, scope, fetch.rows, self.database, context, fetch_ns, lag_ns, self._pool_wait_ns(context),
                driver_ns, watch,
            ), record,
        )  # fmt: skip

    def _is_passed_over(
        self, record: Record, duration_ns: int, context: ExecutionContext | None, rows: int | None = None
    ) -> bool:
        """Whether nobody wants to hear of a run above its floor; asked before its story is made."""
        if duration_ns > record.slow_ns or self.execution_observers:
            return False
        if duration_ns <= self.look_ns:
            return True
        if rows is None:
            rows = rows_of(context)
        asked = False
        for observer in self.observers:  # all of them, for they count
            asked |= observer.looks(record.facts, duration_ns, rows)
        return not asked

    def count(self, record: Record, watch: Watch | None, duration_ns: int, now_ns: int) -> None:
        """A run that ended well and was not slow."""
        if now_ns >= self.turning.turn_at_ns:
            self.turning.turn()
        if watch is not None and watch.is_sample:
            record.meter.inside(duration_ns)
        else:
            record.meter.add(duration_ns)

    def tell(self, execution: Execution, record: Record) -> None:
        """Tell a run in full; those who only count it hear of it by their meters, if it ended well and in time."""
        for observer in self.execution_observers:
            try:
                observer(execution)
            except Exception as error:
                log.error("An execution observer failed", observer=repr(observer), error=told(error))
        if execution.error is None and execution.duration_ns <= record.slow_ns:
            self.count(record, execution.watch, execution.duration_ns, perf_ns())
            if execution.duration_ns > self.look_ns:
                self._look(execution)
            return
        for run_observer in self.observers:
            try:
                run_observer.ran(execution)
            except Exception as error:
                log.error("A run observer failed", observer=repr(run_observer), error=told(error))
        self._statements.told_slow(record)

    def _look(self, execution: Execution) -> None:
        for observer in self.observers:
            try:
                observer.looked(execution)
            except Exception as error:
                log.error("A run observer failed", observer=repr(observer), error=told(error))

    def settle(self) -> None:
        """Count what was given up unread; whoever reads figures calls it first."""
        while True:
            try:
                fetch = self.given_up.popleft()
            except IndexError:
                return
            self.fetched(fetch)

    def _pool_wait_ns(self, context: ExecutionContext | None) -> int:
        state = self._state_of(context)
        return state.pool_wait_ns if state is not None else 0

    def _state_of(self, context: ExecutionContext | None) -> ConnectionState | None:
        if context is None:
            return None
        try:
            return self._statements.known_state(connection_of(context))
        except Exception:  # the connection has been given back
            return None


def connection_of(context: ExecutionContext) -> PoolProxiedConnection:
    try:
        connection: PoolProxiedConnection = context._dbapi_connection  # type: ignore[attr-defined]
    except AttributeError:  # another SQLAlchemy
        connection = context.root_connection.connection
    return connection


def rows_of(context: ExecutionContext | None) -> int | None:
    """The driver's row count, or of the rows that it has buffered; None where it has neither."""
    cursor = getattr(context, "cursor", None)
    rows = getattr(cursor, "rowcount", -1)
    if isinstance(rows, int) and rows >= 0:
        return rows
    buffered = getattr(cursor, "_rows", None)  # what SQLAlchemy's adapter of an asynchronous driver has read
    return len(buffered) if buffered else None
