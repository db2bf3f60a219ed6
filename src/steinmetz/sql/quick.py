"""The way of every query through the hook: what stands in for ``dialect.do_execute``.

For a statement whose record holds it compares two identities, looks at two context variables and the clock, and
counts. Between two queries of an event loop some hundred microseconds of other code run, so that all of this is
cold when it is called: each further function, object and attribute costs five times as much here as in a loop that
does nothing else. So the first run of a statement in a scope, which is most of them, is written down as one item
(`Scope.firsts`) that is read when somebody asks.

Everything here is measured: see ``dev.py bench monitor`` before adding a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steinmetz.clock import perf_ns
from steinmetz.sql.execution import watching
from steinmetz.sql.fetching import Fetch
from steinmetz.sql.scope import MAX_STATEMENTS, ScopeKind, _current, _recording, note
from steinmetz.sql.worker import WorkerTime

if TYPE_CHECKING:
    from steinmetz.sql.runs import Run, Runs
    from steinmetz.sql.statements import Record, Statements


def quick_execute(runs: Runs, statements: Statements, run: Run, *, direct: bool, is_lazy: bool) -> Run:
    """What stands in for ``dialect.do_execute``; with ``direct`` it calls the cursor itself, as the dialect would."""
    current, open_recordings, watch_now = _current.get, _recording.data, watching.get  # type: ignore[attr-defined]
    execute, failed, now_ns, given_up = runs.execute, runs.failed, perf_ns, runs.given_up
    open_ledger, MONITOR = runs.open_ledger, ScopeKind.MONITOR  # noqa: N806  a constant, at hand
    most, new_fetch = MAX_STATEMENTS, Fetch

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        try:
            record = context.compiled._steinmetz
            token = context._dbapi_connection.info[statements].token
        except (AttributeError, KeyError):
            return execute(run, cursor, statement, parameters, False, context)
        if (
            record.token is not token
            or (record.statement is not statement and not _expanded(record, statement, context))
            or context._is_server_side
        ):
            return execute(run, cursor, statement, parameters, False, context)
        scope = current()
        first: list[Any] | None = None
        if scope is not None:
            firsts = scope.firsts
            if firsts is None:
                if scope.kind is MONITOR:
                    return execute(run, cursor, statement, parameters, False, context)
                if scope.ledger is None:
                    open_ledger(scope)
                    firsts = scope.firsts
            if record.is_quick and firsts is not None and len(firsts) < most:
                first = [record.facts, 0, context.compiled_parameters]
                if firsts.setdefault(record.fingerprint, first) is not first:
                    first = None
            if first is None:
                scope.note(record.facts, context)
        elif open_recordings:
            note(record.facts, context)
        watch = watch_now()
        started_ns = now_ns()
        try:
            if direct:
                cursor.execute(statement, parameters)
            else:
                run(cursor, statement, parameters, context)
        except BaseException as error:
            if first is not None:
                scope.withdraw(record.facts, context)
            failed(record, statement, parameters, False, context, scope, watch, None, started_ns, now_ns(), error)
            raise
        ended_ns = now_ns()
        duration_ns = ended_ns - started_ns
        if is_lazy and cursor.description is not None:
            fetch = new_fetch()
            fetch.record = record
            fetch.execute_ns = duration_ns
            fetch.ended_ns = ended_ns
            fetch.fetch_ns = fetch.rows = 0
            fetch.first = first
            fetch.watch = watch
            fetch.runs = runs
            fetch.run = (scope, started_ns, statement, parameters, None)
            context.cursor_fetch_strategy = fetch
            if given_up:
                runs.settle()
        elif duration_ns > record.floor_ns:
            return runs.ended(
                record, statement, parameters, False, context, scope, first, watch, None, started_ns, ended_ns
            )
        else:
            turning = runs.turning
            if ended_ns >= turning.turn_at_ns:
                turning.turn()
            if watch is None or not watch.is_sample:
                record.meter.add(duration_ns)
            else:
                record.meter.inside(duration_ns)
        if watch is not None:
            watch.saw(record.facts, duration_ns, parameters, context)
        if first is not None:
            first[1] = duration_ns
        elif scope is not None:
            scope.spent_ns += duration_ns
            scope.ledger.note(record.facts, duration_ns, parameters, context)
            record.is_quick = record.is_plain_read
        return None

    return do_execute


def worker_execute(runs: Runs, statements: Statements, run: Run) -> Run:
    """As `quick_execute`, for a driver that executes in a thread of its own: the time is taken in that thread."""
    current, open_recordings, watch_now = _current.get, _recording.data, watching.get  # type: ignore[attr-defined]
    execute, failed, now_ns = runs.execute, runs.failed, perf_ns
    open_ledger, MONITOR = runs.open_ledger, ScopeKind.MONITOR  # noqa: N806  a constant, at hand
    most, worker_time = MAX_STATEMENTS, WorkerTime

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        try:
            record = context.compiled._steinmetz
            token = context._dbapi_connection.info[statements].token
            worker = worker_time(cursor._cursor, True)
        except (AttributeError, KeyError):
            return execute(run, cursor, statement, parameters, False, context)
        if (
            record.token is not token
            or (record.statement is not statement and not _expanded(record, statement, context))
            or context._is_server_side
        ):
            return execute(run, cursor, statement, parameters, False, context)
        scope = current()
        first: list[Any] | None = None
        if scope is not None:
            firsts = scope.firsts
            if firsts is None:
                if scope.kind is MONITOR:
                    return execute(run, cursor, statement, parameters, False, context)
                if scope.ledger is None:
                    open_ledger(scope)
                    firsts = scope.firsts
            if record.is_quick and firsts is not None and len(firsts) < most:
                first = [record.facts, 0, context.compiled_parameters]
                if firsts.setdefault(record.fingerprint, first) is not first:
                    first = None
            if first is None:
                scope.note(record.facts, context)
        elif open_recordings:
            note(record.facts, context)
        watch = watch_now()
        started_ns = now_ns()
        try:
            cursor.execute(statement, parameters)
        except BaseException as error:
            if first is not None:
                scope.withdraw(record.facts, context)
            failed(
                record, statement, parameters, False, context, scope, watch, worker, started_ns, now_ns(), error
            )
            raise
        ended_ns = now_ns()
        duration_ns = worker.spent_ns
        if duration_ns > record.floor_ns:
            return runs.ended(
                record, statement, parameters, False, context, scope, first, watch, worker, started_ns, ended_ns
            )
        turning = runs.turning
        if ended_ns >= turning.turn_at_ns:
            turning.turn()
        if watch is None or not watch.is_sample:
            record.meter.add(duration_ns)
        else:
            record.meter.inside(duration_ns)
        if watch is not None:
            watch.saw(record.facts, duration_ns, parameters, context)
        if first is not None:
            first[1] = duration_ns
        elif scope is not None:
            scope.spent_ns += duration_ns
            scope.ledger.note(record.facts, duration_ns, parameters, context)
            record.is_quick = record.is_plain_read
        return None

    return do_execute


def _expanded(record: Record, statement: str, context: Any) -> bool:
    """Whether ``statement`` is the record's with an IN list of some length, and nothing else (traps T1, T3)."""
    return (
        record.expands
        and statement is context.statement
        and "schema_translate_map" not in context.execution_options
    )
