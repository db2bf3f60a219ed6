"""The way of every query through the hook: what stands in for ``dialect.do_execute``.

Between two queries of an event loop some hundred microseconds of other code run, so that all of this is cold when
it is called: every further function, free variable, object and attribute costs some five times as much here as in
a loop that does nothing else. So there are three functions, each no longer than its drivers need, for statements
whose record holds, outside of all scopes or for the first time in their scope. They touch as few objects as they
can: the record, the state of the connection, one context variable, the clock, the meter, and one item that is left
for the scope (`Scope.firsts`), to be read when somebody asks. Whatever else can be run by its record goes by
`measured`, the rest the whole way (`Runs.execute`).

Everything here is measured: see ``dev.py bench monitor`` before adding a call or a variable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from steinmetz.clock import perf_ns
from steinmetz.sql.fetching import Fetch
from steinmetz.sql.scope import MAX_STATEMENTS as MAX
from steinmetz.sql.scope import ScopeKind, _recording, _situation, note
from steinmetz.sql.worker import WorkerTime

if TYPE_CHECKING:
    from steinmetz.sql.runs import Run, Runs
    from steinmetz.sql.scope import Scope
    from steinmetz.sql.statements import Record


Send = Callable[[Any, str, Any], None]
"""Cursor, statement, parameters: what the dialect would do with them."""


def send_directly(cursor: Any, statement: str, parameters: Any) -> None:
    """As `sqlalchemy.engine.default.DefaultDialect.do_execute` does it."""
    cursor.execute(statement, parameters)


def quick_execute(runs: Runs, run: Run, send: Send | None) -> Run:
    """For drivers whose ``execute`` does the work; without ``send`` the dialect does it."""

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        try:
            record = context.compiled._steinmetz
            state = context._dbapi_connection._steinmetz
            if record.token is not state.token:
                return runs.execute(run, cursor, statement, parameters, False, context)
        except AttributeError:
            return runs.execute(run, cursor, statement, parameters, False, context)
        if record.statement is not statement or context._is_server_side:
            return measured(runs, run, record, cursor, statement, parameters, context)
        situation = _situation.get()
        first: list[Any] | None = None
        if situation is not None:
            scope, watch = situation
            if not record.is_quick or watch is not None or scope is None:
                return measured(runs, run, record, cursor, statement, parameters, context)
            if state.began_ns < scope.started_ns and scope.doubted_ns != state.began_ns:
                runs.read_in_doubt(record.facts, scope, state)
            firsts = scope.firsts or opened(runs, scope)
            first = [record.facts, 0, context.compiled_parameters]
            if firsts is None or len(firsts) >= MAX or firsts.setdefault(record.fingerprint, first) is not first:
                return measured(runs, run, record, cursor, statement, parameters, context)
        elif _recording:
            return measured(runs, run, record, cursor, statement, parameters, context)
        started_ns = perf_ns()
        try:
            if send is not None:
                send(cursor, statement, parameters)
            else:
                run(cursor, statement, parameters, context)
        except BaseException as error:
            failed(runs, record, statement, parameters, context, situation, first, None, started_ns, error)
            raise
        ended_ns = perf_ns()
        duration_ns = ended_ns - started_ns
        if duration_ns > record.floor_ns:
            return ended(
                runs, record, statement, parameters, context, situation, first, None, started_ns, ended_ns
            )
        if ended_ns >= runs.turning.turn_at_ns:
            runs.turning.turn()
        record.meter.add(duration_ns)
        if first is not None:
            first[1] = duration_ns
        return None

    return do_execute


def lazy_execute(runs: Runs, run: Run) -> Run:
    """For drivers that step through rows while these are fetched."""

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        try:
            record = context.compiled._steinmetz
            state = context._dbapi_connection._steinmetz
            if record.token is not state.token:
                return runs.execute(run, cursor, statement, parameters, False, context)
        except AttributeError:
            return runs.execute(run, cursor, statement, parameters, False, context)
        if record.statement is not statement or context._is_server_side:
            return measured(runs, run, record, cursor, statement, parameters, context)
        situation = _situation.get()
        first: list[Any] | None = None
        scope = None
        if situation is not None:
            scope, watch = situation
            if not record.is_quick or watch is not None or scope is None:
                return measured(runs, run, record, cursor, statement, parameters, context)
            if state.began_ns < scope.started_ns and scope.doubted_ns != state.began_ns:
                runs.read_in_doubt(record.facts, scope, state)
            firsts = scope.firsts or opened(runs, scope)
            first = [record.facts, 0, context.compiled_parameters]
            if firsts is None or len(firsts) >= MAX or firsts.setdefault(record.fingerprint, first) is not first:
                return measured(runs, run, record, cursor, statement, parameters, context)
        elif _recording:
            return measured(runs, run, record, cursor, statement, parameters, context)
        started_ns = perf_ns()
        try:
            cursor.execute(statement, parameters)
        except BaseException as error:
            failed(runs, record, statement, parameters, context, situation, first, None, started_ns, error)
            raise
        ended_ns = perf_ns()
        if cursor.description is None:
            return ended(
                runs, record, statement, parameters, context, situation, first, None, started_ns, ended_ns
            )
        fetch = Fetch()
        fetch.record = record
        fetch.execute_ns = ended_ns - started_ns
        fetch.started_ns = started_ns
        fetch.ended_ns = ended_ns
        fetch.fetch_ns = fetch.rows = 0
        fetch.first = first
        fetch.scope = scope
        fetch.watch = fetch.worker = None
        fetch.runs = runs
        fetch.context = context
        context.cursor_fetch_strategy = fetch
        if first is not None:
            first[1] = fetch.execute_ns
        if runs.given_up:
            runs.settle()
        return None

    return do_execute


def worker_execute(runs: Runs, run: Run) -> Run:
    """For drivers that execute in a thread of their own: the time is taken in that thread."""

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        try:
            record = context.compiled._steinmetz
            state = context._dbapi_connection._steinmetz
            if record.token is not state.token:
                return runs.execute(run, cursor, statement, parameters, False, context)
            if record.statement is not statement or context._is_server_side:
                return measured(runs, run, record, cursor, statement, parameters, context)
            worker = WorkerTime(cursor._cursor, True)
        except AttributeError:
            return runs.execute(run, cursor, statement, parameters, False, context)
        situation = _situation.get()
        first: list[Any] | None = None
        if situation is not None:
            scope, watch = situation
            if not record.is_quick or watch is not None or scope is None:
                return measured(runs, run, record, cursor, statement, parameters, context, worker)
            if state.began_ns < scope.started_ns and scope.doubted_ns != state.began_ns:
                runs.read_in_doubt(record.facts, scope, state)
            firsts = scope.firsts or opened(runs, scope)
            first = [record.facts, 0, context.compiled_parameters]
            if firsts is None or len(firsts) >= MAX or firsts.setdefault(record.fingerprint, first) is not first:
                return measured(runs, run, record, cursor, statement, parameters, context, worker)
        elif _recording:
            return measured(runs, run, record, cursor, statement, parameters, context, worker)
        started_ns = perf_ns()
        try:
            cursor.execute(statement, parameters)
        except BaseException as error:
            failed(runs, record, statement, parameters, context, situation, first, worker, started_ns, error)
            raise
        ended_ns = perf_ns()
        duration_ns = worker.spent_ns
        if duration_ns > record.floor_ns:
            return ended(
                runs, record, statement, parameters, context, situation, first, worker, started_ns, ended_ns
            )
        if ended_ns >= runs.turning.turn_at_ns:
            runs.turning.turn()
        record.meter.add(duration_ns)
        if first is not None:
            first[1] = duration_ns
        return None

    return do_execute


def opened(runs: Runs, scope: Scope) -> dict[str, list[Any]] | None:
    """Where first runs are written, in a scope that has none yet; None if nowhere."""
    if scope.ledger is None and scope.kind is not ScopeKind.MONITOR:
        runs.open_ledger(scope)
    return scope.firsts


def measured(
    runs: Runs,
    run: Run,
    record: Record,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    worker: WorkerTime | None = None,
) -> None:
    """Run a statement whose record holds if it is for the record's text: of any scope, for any watch."""
    situation = _situation.get()
    scope, watch = situation or (None, None)
    if (
        (record.statement is not statement and not _expanded(record, statement, context))
        or context._is_server_side
        or (scope is not None and scope.kind is ScopeKind.MONITOR)
    ):
        return runs.execute(run, cursor, statement, parameters, False, context)
    first: list[Any] | None = None
    if scope is not None:
        state = context._dbapi_connection._steinmetz
        if state.began_ns < scope.started_ns and scope.doubted_ns != state.began_ns:
            runs.read_in_doubt(record.facts, scope, state)
        if scope.ledger is None:
            runs.open_ledger(scope)
        if record.is_quick and scope.firsts is not None and len(scope.firsts) < MAX:
            first = [record.facts, 0, context.compiled_parameters]
            if scope.firsts.setdefault(record.fingerprint, first) is not first:
                first = None
        if first is None:
            scope.note(record.facts, context)
    elif _recording:
        note(record.facts, context)
    if worker is None and runs.has_worker:
        worker = WorkerTime(cursor._cursor, True)
    started_ns = perf_ns()
    try:
        run(cursor, statement, parameters, context)
    except BaseException as error:
        failed(runs, record, statement, parameters, context, situation, first, worker, started_ns, error)
        raise
    ended_ns = perf_ns()
    if runs.is_lazy and cursor.description is not None:
        fetch = Fetch()
        fetch.begin(runs, record, scope, watch, started_ns, ended_ns, worker, context)
        fetch.first = first
        context.cursor_fetch_strategy = fetch
        runs.executed(record, parameters, context, scope, first, watch, fetch.execute_ns)
        if runs.given_up:
            runs.settle()
    else:
        ended(runs, record, statement, parameters, context, situation, first, worker, started_ns, ended_ns)
    record.is_quick = record.is_plain_read
    return None


def ended(
    runs: Runs,
    record: Record,
    statement: str,
    parameters: Any,
    context: Any,
    situation: Any,
    first: list[Any] | None,
    worker: WorkerTime | None,
    started_ns: int,
    ended_ns: int,
) -> None:
    scope, watch = situation or (None, None)
    runs.ended(
        record, statement, parameters, False, context, scope, first, watch, worker, started_ns, ended_ns
    )  # fmt: skip


def failed(
    runs: Runs,
    record: Record,
    statement: str,
    parameters: Any,
    context: Any,
    situation: Any,
    first: list[Any] | None,
    worker: WorkerTime | None,
    started_ns: int,
    error: BaseException,
) -> None:
    ended_ns = perf_ns()
    scope, watch = situation or (None, None)
    if scope is not None and first is not None:
        scope.withdraw(record.facts, context)
    runs.failed(
        record, statement, parameters, False, context, scope, watch, worker, started_ns, ended_ns, error
    )  # fmt: skip


def _expanded(record: Record, statement: str, context: Any) -> bool:
    """Whether ``statement`` is the record's with an IN list of some length, and nothing else (traps T1, T3)."""
    return (
        record.expands
        and statement is context.statement
        and "schema_translate_map" not in context.execution_options
    )
