"""The hook into one SQLAlchemy engine: every statement's facts, every transaction's true end.

What lives here: the overrides on the dialect *instance* (`do_execute` and its siblings), the writes that each
DBAPI connection has yet to commit, and the protocol mark -> COMMIT -> bump towards the observers. What a statement
touches is asked of a `Knowledge` (`sqlite.py`, `postgres.py`); what follows from it is the observers' business.

Why not engine events: two empty listeners cost ten times as much as the override, set ``engine._has_events`` for
ever, and the engine's ``commit`` event fires before the COMMIT is sent.

What the hook cannot see, and what to do about it (trap T2): a raw driver connection (COPY through asyncpg), a
foreign ``do_execute`` event that returns True (`SqlHook.blind_spots` names it), a second engine on the same
database that is not hooked, and data kept in Python between requests.

Test suites that wrap every test in an outer transaction and roll it back never reach COMMIT (trap T6). They set
`SqlHook.bump_on_release`, so that the release of a savepoint, which is what ``Session.commit`` does there, counts.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from steinmetz.clock import perf_ns
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.knowledge import Knowledge, Memo, NoKnowledge, unknown_facts
from steinmetz.sql.scope import Scope, current_scope, note
from steinmetz.sql.shape import shape_of
from steinmetz.sql.transaction import ConnectionState

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPICursor, Dialect, ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.attendant import Attendant
    from steinmetz.sql.oracle import Counters, Oracle
    from steinmetz.sql.transaction import Tokens

log = structlog.get_logger("steinmetz.sql")

COMMIT_GRACE_S = 5.0
"""How long a cancelled task still waits for the fate of the COMMIT it has sent."""
SHARED_SITUATIONS = 64
"""Kinds of connections that share what is remembered; any further connection remembers for itself."""


class TransactionObserver(Protocol):
    """Who must know what was written, and when it became visible.

    Called on the greenlet or the worker thread that commits, so implementations are thread-safe and quick. With
    several observers, all are called in the order of their registration.
    """

    def mark(self, writes: WriteSet) -> object:
        """COMMIT is about to be sent; what was read of ``writes`` is in doubt. Returns a token.

        An exception stops the COMMIT.
        """

    def bump(self, token: object) -> None:
        """COMMIT was acknowledged, or its fate stays unknown: what was read of the writes is out of date."""

    def unmark(self, token: object) -> None:
        """The transaction has certainly been rolled back: what was read of the writes stands."""


class ExecutionObserver(Protocol):
    """Who measures statements. An exception is logged and does not reach the statement's caller."""

    def __call__(self, execution: Execution) -> None: ...


@dataclass(slots=True)
class Execution:
    """One run of one statement, as its driver saw it.

    ``execute_ns`` is the time within the driver's execute (perf_counter_ns, as ``started_ns``); ``fetch_ns`` the
    time within fetches as far as it is known by now. ``parameters`` is a sequence of sets if ``many``; ``rows`` is
    the driver's row count, None where it has none. ``context`` is SQLAlchemy's, valid during the call only. Its
    representation shows no value.
    """

    facts: StatementFacts
    statement: str = field(repr=False)
    parameters: Any = field(repr=False)
    many: bool
    started_ns: int
    execute_ns: int
    error: BaseException | None = field(repr=False)
    scope: Scope | None
    rows: int | None
    database: str
    context: ExecutionContext | None = field(repr=False)
    fetch_ns: int = 0


class _Abandoned(Exception):  # noqa: N818  it is a state of affairs, not an error
    """The caller was cancelled and the grace is over, but COMMIT is still on its way."""

    def __init__(self, commit: asyncio.Future[Any], cancelled: BaseException) -> None:
        self.commit = commit
        self.cancelled = cancelled


_OVERRIDDEN = (
    "do_execute", "do_executemany", "do_execute_no_params", "do_commit", "do_rollback",
    "do_prepare_twophase", "do_commit_twophase", "do_rollback_twophase", "do_close", "do_terminate",
)  # fmt: skip
_ATTRIBUTE = "_steinmetz"


class SqlHook:
    """The facts of one engine and the observers of its executions and transactions; made by `hook`.

    ``failpoint``, if set by a test, is called with "marked" before COMMIT is sent and "committed" before the bump.
    """

    def __init__(self, engine: Engine, database: str, knowledge: Knowledge) -> None:
        self.engine = engine
        self.database = database
        self.knowledge = knowledge
        self.failpoint: Callable[[str], None] | None = None
        self.bump_on_release = False
        self.oracle: Oracle | None = getattr(knowledge, "oracle", None)
        self._dialect: Dialect = engine.dialect
        self._lock = threading.Lock()
        self._memos: dict[Hashable, Memo] = {}
        self._private_memos: weakref.WeakSet[Memo] = weakref.WeakSet()
        self._epoch = 0
        self._prepared: dict[Any, WriteSet] = {}
        self._doubtful: dict[int, tuple[Any, ConnectionState]] = {}
        self._abandoned: set[asyncio.Future[Any]] = set()
        self._transaction_observers: tuple[TransactionObserver, ...] = ()
        self._execution_observers: tuple[ExecutionObserver, ...] = ()
        self._original = {name: getattr(self._dialect, name) for name in _OVERRIDDEN}
        self._run = self._original["do_execute"]
        self._run_many = self._original["do_executemany"]
        without_parameters = self._original["do_execute_no_params"]
        self._run_bare = lambda cursor, statement, _, context: without_parameters(cursor, statement, context)
        self._overrides: dict[str, Any] = {name: getattr(self, f"_{name}") for name in _OVERRIDDEN}
        self._overrides |= {**knowledge.overrides, _ATTRIBUTE: self}
        vars(self._dialect).update(self._overrides)

    def __repr__(self) -> str:
        return f"<SqlHook {self.database!r} on {self.engine.dialect.name}>"

    # -- for the other parts ------------------------------------------------------------------------------------

    def observe_transactions(self, observer: TransactionObserver) -> None:
        self._transaction_observers = (*self._transaction_observers, observer)

    def observe_executions(self, observer: ExecutionObserver) -> None:
        self._execution_observers = (*self._execution_observers, observer)

    def unobserve(self, observer: TransactionObserver | ExecutionObserver) -> None:
        """Call ``observer`` no more; transactions under way still end for it."""
        self._transaction_observers = tuple(o for o in self._transaction_observers if o != observer)
        self._execution_observers = tuple(o for o in self._execution_observers if o != observer)

    def facts_of(self, text: str) -> StatementFacts:
        """What is known of a statement text; unknown in all respects if it has not been executed yet."""
        for memo in (*self._memos.values(), *self._private_memos):
            if (facts := memo.texts.get(text)) is not None:
                return facts
        return unknown_facts(shape_of(text))

    def schema_changed(self) -> None:
        """Forget all facts. The hook calls it for DDL that it sees; DDL of others is to be told (trap T4)."""
        with self._lock:
            self._epoch += 1
            for memo in (*self._memos.values(), *self._private_memos):
                memo.clear()
        self.knowledge.forget()

    def relearn(self) -> None:
        """Work out all facts anew at their next use: more is known of the same schema."""
        with self._lock:
            for memo in (*self._memos.values(), *self._private_memos):
                memo.clear()

    async def attend(self, *, narrow: bool = True) -> None:
        """Find out more about the database in the background, until cancelled; ends at once if there is nothing.

        On PostgreSQL: narrow what statements touch to what the server itself makes of them (``narrow``), and
        notice DDL of others. It has a connection of its own.
        """
        if (attendant := self.attendant(narrow=narrow)) is not None:
            await attendant.run()

    def attendant(self, *, narrow: bool = True, poll_s: float | None = None) -> Attendant | None:
        """What `attend` runs; None if this engine needs none. To be made on the running loop."""
        from steinmetz.sql.postgres import PostgresKnowledge

        if not isinstance(self.knowledge, PostgresKnowledge):
            return None
        from steinmetz.sql.attendant import SCHEMA_POLL_S, Attendant

        return Attendant(self, self.knowledge, narrow=narrow, poll_s=poll_s or SCHEMA_POLL_S)

    def prime_sync(self) -> None:
        """Read the database's catalogue now; to be called at start, after migrations. Sync engines only."""
        with self.engine.connect() as connection:
            self.knowledge.prime(connection.connection)

    async def prime(self) -> None:
        """`prime_sync` for async engines."""
        if self._dialect.is_async:
            await greenlet_spawn(self.prime_sync)
        else:
            await asyncio.to_thread(self.prime_sync)

    def blind_spots(self) -> list[str]:
        """Reasons why statements may pass this engine unseen; empty if there is none known."""
        events = getattr(self._dialect, "dispatch", None)
        return [
            f"an event listener for {name} may execute statements itself"
            for name in ("do_execute", "do_executemany", "do_execute_no_params")
            if getattr(self._dialect, "_has_events", False) and list(getattr(events, name, ()))
        ]

    def remove(self) -> None:
        """Give the dialect its own methods back. Transactions under way are bumped no more."""
        attributes = vars(self._dialect)
        for name, override in self._overrides.items():
            if attributes.get(name) == override:
                del attributes[name]

    # -- statements ---------------------------------------------------------------------------------------------

    def _do_execute(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext | None = None
    ) -> None:
        self._execute(self._run, cursor, statement, parameters, False, context)

    def _do_executemany(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext | None = None
    ) -> None:
        self._execute(self._run_many, cursor, statement, parameters, True, context)

    def _do_execute_no_params(
        self, cursor: DBAPICursor, statement: str, context: ExecutionContext | None = None
    ) -> None:
        self._execute(self._run_bare, cursor, statement, (), False, context)

    def _execute(
        self,
        run: Callable[[DBAPICursor, str, Any, ExecutionContext | None], None],
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        many: bool,
        context: ExecutionContext | None,
    ) -> None:
        if context is None:
            self._execute_blindly(run, cursor, statement, parameters)
            return
        connection: PoolProxiedConnection = context._dbapi_connection  # type: ignore[attr-defined]
        state = self._state_of(connection)
        facts = self._facts(context, statement, parameters, many, connection, state)
        tokens: Tokens | None = None
        counters: Counters | None = None
        if facts.verb is not Verb.TRANSACTION:
            note(facts, context, many)
            if facts.writes or facts.writes_unknown:
                tokens = self._before_write(facts, context, state, many)
                if self.oracle is not None and not (tokens or state.ddl or _is_autocommit(context)):
                    counters = self.oracle.before(facts, connection)
        else:
            tokens = self._before_write(facts, context, state, many)
        failure: BaseException | None = None
        started_ns = perf_ns()
        try:
            run(cursor, statement, parameters, context)
        except BaseException as error:
            failure = error
            if tokens:
                self._doubt(connection, state, tokens)
            raise
        finally:
            if self._execution_observers:
                execute_ns = perf_ns() - started_ns
                rows = cursor.rowcount if failure is None else -1
                self._tell(
                    Execution(
                        facts, statement, parameters, many, started_ns, execute_ns, failure, current_scope(),
                        rows if rows >= 0 else None, self.database, context,
                    )
                )  # fmt: skip
        if counters is not None and self.oracle is not None:
            wider = self.oracle.after(facts, counters, connection)
            if wider is not None:
                state.collect(wider, self._epoch, context, many)  # before the COMMIT, so that nothing stays stale
                self.relearn()
        if tokens is not None:
            self._after_write(facts, context, connection, state, tokens)
        elif state.doubts:
            self._resolve(connection, state)

    def _execute_blindly(
        self,
        run: Callable[[DBAPICursor, str, Any, ExecutionContext | None], None],
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
    ) -> None:
        """Without a context nobody knows the connection; SQLAlchemy itself does not do that."""
        note(unknown_facts(shape_of(statement)))
        tokens = self._mark(WriteSet(unknown=frozenset({self.database})))
        try:
            run(cursor, statement, parameters, None)
        finally:
            self._bump(tokens)

    def _tell(self, execution: Execution) -> None:
        for observer in self._execution_observers:
            try:
                observer(execution)
            except Exception as error:
                log.error("An execution observer failed", observer=repr(observer), error=_told(error))

    def _facts(
        self,
        context: ExecutionContext,
        statement: str,
        parameters: Any,
        many: bool,
        connection: PoolProxiedConnection,
        state: ConnectionState,
    ) -> StatementFacts:
        """The remembered facts, if the statement, the situation and the schema are those they were found for."""
        compiled: Any = context.compiled
        memo = state.memo
        if memo is None:
            memo = state.memo = self._memo_for(connection, state)
        if compiled is not None:
            if statement is not context.statement and not _is_batch(context, statement):
                # Sequences and defaults run under the compiled object of their parent (trap T3).
                compiled = None
            elif "schema_translate_map" in context.execution_options:
                compiled = None  # one compiled object then stands for several texts (trap T1)
            else:
                known = getattr(compiled, _ATTRIBUTE, None)
                if known is not None and known[0] is memo.token:
                    found: StatementFacts = known[1]
                    return found
        known_text = memo.texts.get(statement)
        if known_text is not None:
            if compiled is not None:
                setattr(compiled, _ATTRIBUTE, (memo.token, known_text))
            return known_text
        return self._learn(context, compiled, statement, parameters, many, connection, state, memo)

    def _learn(
        self,
        context: ExecutionContext,
        compiled: Any,
        statement: str,
        parameters: Any,
        many: bool,
        connection: PoolProxiedConnection,
        state: ConnectionState,
        memo: Memo,
    ) -> StatementFacts:
        token = memo.token  # read first: a schema change while we learn makes what we learn void
        # The compiled text is one for IN lists and batches of any length.
        shape = shape_of(statement if compiled is None else str(compiled.string))
        facts: StatementFacts | None
        if shape.verb in (Verb.DDL, Verb.TRANSACTION) or (state.ddl and not self.knowledge.sees_own_ddl):
            facts = unknown_facts(shape)
        else:
            one = parameters[0] if many and parameters else parameters
            own = context if compiled is not None else None
            facts = self.knowledge.facts(shape, statement, one, own, connection)
        if self.knowledge.changes_situation(shape, statement, parameters, connection):
            state.memo = None
            state.moved = True
            return facts or unknown_facts(shape)  # not remembered, so that every later run comes by here, too
        if facts is None:
            return unknown_facts(shape)
        if compiled is not None:
            setattr(compiled, _ATTRIBUTE, (token, facts))
        if memo.token is token:
            memo.keep(statement, facts)
        return facts

    def _state_of(self, connection: PoolProxiedConnection) -> ConnectionState:
        try:
            info = connection.info
        except (AttributeError, NotImplementedError):
            return ConnectionState()  # the engine's own first look at the server, outside its pool
        state: ConnectionState | None = info.get(self)
        if state is None:
            state = info[self] = ConnectionState()
        return state

    def _known_state(self, connection: PoolProxiedConnection) -> ConnectionState | None:
        try:
            return connection.info.get(self)
        except (AttributeError, NotImplementedError):
            return None

    def _memo_for(self, connection: PoolProxiedConnection, state: ConnectionState) -> Memo:
        situation = None if state.ddl else self.knowledge.situation(connection)
        with self._lock:
            if situation is not None and (situation in self._memos or len(self._memos) < SHARED_SITUATIONS):
                return self._memos.setdefault(situation, Memo())
            memo = Memo()
            self._private_memos.add(memo)
            return memo

    # -- transactions -------------------------------------------------------------------------------------------

    def _before_write(
        self, facts: StatementFacts, context: ExecutionContext, state: ConnectionState, many: bool
    ) -> Tokens:
        """Collect what will be written; mark it already if the statement makes it visible by itself."""
        if facts.verb is Verb.TRANSACTION:
            words = facts.text.lower().split(None, 2)
            ends = words[0] in ("commit", "end") or (self.bump_on_release and words[0] == "release")
            if not ends or state.committing:
                return []
            if words[1:2] == ["prepared"]:
                return self._mark(WriteSet(unknown=frozenset({self.database})))
            return self._mark(state.take(self.database, self._epoch))
        state.collect(facts, self._epoch, context, many)
        if _may_be_ddl(facts):
            state.ddl = True
            state.memo = None
        if _is_autocommit(context):
            return self._mark(state.take(self.database, self._epoch))
        if facts.verb is Verb.OTHER:
            return self._mark(WriteSet.of(facts, self.database))  # a procedure may commit by itself (trap T4)
        return []

    def _after_write(
        self,
        facts: StatementFacts,
        context: ExecutionContext,
        connection: PoolProxiedConnection,
        state: ConnectionState,
        tokens: Tokens,
    ) -> None:
        if _may_be_ddl(facts):
            self.schema_changed()
        if facts.verb is Verb.TRANSACTION:
            if tokens:
                self._ddl_ended(state)
        elif _is_autocommit(context) or self.knowledge.stands_committed(connection):
            self._ddl_ended(state)
            if state.writes is not None:
                tokens = tokens + self._mark(state.take(self.database, self._epoch))
        self._bump(tokens)
        if state.doubts:
            self._resolve(connection, state)

    def _do_commit(self, connection: PoolProxiedConnection) -> None:
        commit = self._original["do_commit"]
        state = self._known_state(connection)
        if state is None:
            commit(connection)
            return
        if state.writes is None:
            commit(connection)
            if state.doubts:
                self._resolve(connection, state)
        else:
            self._commit(connection, state, state.take(self.database, self._epoch), commit, connection)
        if state.moved:
            self._settle(connection, state, committed=True)

    def _commit(
        self,
        connection: PoolProxiedConnection,
        state: ConnectionState,
        writes: WriteSet,
        send: Callable[..., Any],
        *arguments: Any,
    ) -> None:
        """mark -> COMMIT -> bump; whatever else comes out of COMMIT than an acknowledgement leaves a doubt."""
        tokens = self._mark(writes)
        try:
            if self.failpoint is not None:
                self.failpoint("marked")
            cancelled = self._send(send, *arguments)
            self._ddl_ended(state)
            if self.failpoint is not None:
                self.failpoint("committed")
        except _Abandoned as abandoned:
            # Neither the connection nor its end tells the fate of this COMMIT any more, only its own end does.
            self._abandoned.add(abandoned.commit)
            abandoned.commit.add_done_callback(lambda commit: self._abandoned_ended(commit, state, tokens))
            raise abandoned.cancelled from None
        except BaseException:
            self._doubt(connection, state, tokens)
            raise
        self._bump(tokens)
        if state.doubts:
            self._resolve(connection, state)
        if cancelled is not None:
            raise cancelled

    def _send(self, send: Callable[..., Any], *arguments: Any) -> BaseException | None:
        """Send COMMIT and wait for its end; returns the cancellation that came in meanwhile, if any."""
        if not self._dialect.is_async:
            send(*arguments)
            return None
        cancelled: BaseException | None = await_only(_to_the_end(send, *arguments))
        return cancelled

    def _abandoned_ended(self, commit: asyncio.Future[Any], state: ConnectionState, tokens: Tokens) -> None:
        self._abandoned.discard(commit)
        if not commit.cancelled():
            commit.exception()  # seen; the caller has long been told that it was cancelled
        self._ddl_ended(state)
        self._bump(tokens)

    def _do_rollback(self, connection: PoolProxiedConnection) -> None:
        self._original["do_rollback"](connection)
        state = self._known_state(connection)
        if state is not None:
            self._rolled_back(connection, state)
            if state.moved:
                self._settle(connection, state, committed=False)

    def _settle(self, connection: PoolProxiedConnection, state: ConnectionState, *, committed: bool) -> None:
        """SET LOCAL ends with its transaction, and a rollback undoes any SET (trap T1)."""
        state.moved = False
        state.memo = None
        self.knowledge.transaction_ended(connection, committed=committed)

    def _rolled_back(self, connection: PoolProxiedConnection, state: ConnectionState) -> None:
        if state.writes is not None:
            state.take(self.database, self._epoch)
        self._ddl_ended(state)
        if state.doubts:
            # This rollback follows an attempted commit: it completes the connection's work, it undoes nothing.
            self._resolve(connection, state)

    def _do_prepare_twophase(self, connection: Connection, xid: Any) -> None:
        state = self._state_of(connection.connection)
        self._original["do_prepare_twophase"](connection, xid)
        if state.writes is not None:
            self._prepared[xid] = state.take(self.database, self._epoch)
        self._ddl_ended(state)
        if state.moved:
            self._settle(connection.connection, state, committed=True)

    def _do_commit_twophase(
        self, connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False
    ) -> None:
        state = self._state_of(connection.connection)
        writes = self._prepared.pop(xid, None)
        if writes is None:
            # Prepared by another process or before a restart: nobody here knows what was written.
            lost = is_prepared and recover
            writes = WriteSet(unknown=frozenset({self.database})) if lost else WriteSet()
        if state.writes is not None:
            writes |= state.take(self.database, self._epoch)
        state.committing = True
        try:
            self._commit(
                connection.connection, state, writes,
                self._original["do_commit_twophase"], connection, xid, is_prepared, recover,
            )  # fmt: skip
        finally:
            state.committing = False

    def _do_rollback_twophase(
        self, connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False
    ) -> None:
        self._original["do_rollback_twophase"](connection, xid, is_prepared, recover)
        self._prepared.pop(xid, None)
        self._rolled_back(connection.connection, self._state_of(connection.connection))

    def _do_close(self, dbapi_connection: Any) -> None:
        try:
            self._original["do_close"](dbapi_connection)
        finally:
            if self._doubtful:
                self._terminated(dbapi_connection)

    def _do_terminate(self, dbapi_connection: Any) -> None:
        try:
            self._original["do_terminate"](dbapi_connection)
        finally:
            if self._doubtful:
                self._terminated(dbapi_connection)

    def _ddl_ended(self, state: ConnectionState) -> None:
        if state.ddl:
            state.ddl = False
            state.memo = None
            self.schema_changed()

    # -- mark, bump, doubt --------------------------------------------------------------------------------------

    def _mark(self, writes: WriteSet) -> Tokens:
        if not writes:
            return []
        tokens: Tokens = []
        try:
            for observer in self._transaction_observers:
                tokens.append((observer, observer.mark(writes)))
        except BaseException:
            for observer, token in tokens:  # nothing has been sent to the database yet
                observer.unmark(token)
            raise
        return tokens

    def _bump(self, tokens: Tokens) -> None:
        for observer, token in tokens:
            try:
                observer.bump(token)
            except Exception as error:
                # The commit stands, and the other observers must hear of it.
                log.error(
                    "A transaction observer failed after the commit", observer=repr(observer), error=_told(error)
                )

    def _doubt(self, connection: PoolProxiedConnection, state: ConnectionState, tokens: Tokens) -> None:
        """The marks stay up until the connection's next completed operation or its end (trap T7)."""
        dbapi_connection = connection.dbapi_connection
        if dbapi_connection is None:
            self._bump(tokens)
            return
        state.doubts = [*state.doubts, *tokens]
        with self._lock:
            self._doubtful[id(dbapi_connection)] = (dbapi_connection, state)

    def _resolve(self, connection: PoolProxiedConnection, state: ConnectionState) -> None:
        with self._lock:
            self._doubtful.pop(id(connection.dbapi_connection), None)
            doubts, state.doubts = state.doubts, []
        self._bump(doubts)

    def _terminated(self, dbapi_connection: Any) -> None:
        with self._lock:
            _, state = self._doubtful.pop(id(dbapi_connection), (None, None))
        if state is not None:
            doubts, state.doubts = state.doubts, []
            self._bump(doubts)


def _told(error: BaseException) -> str:
    """An error as it may be logged: its kind and its place, without the values that a traceback shows."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    return f"{type(error).__name__} in {place.tb_frame.f_code.co_filename}:{place.tb_lineno}"


def _is_batch(context: ExecutionContext, statement: str) -> bool:
    """A batch of "insertmanyvalues" has a text of its own; the SQL of a default is a SELECT."""
    style = getattr(context, "execute_style", None)
    return getattr(style, "name", "") == "INSERTMANYVALUES" and statement[:7].upper() == "INSERT "


def _may_be_ddl(facts: StatementFacts) -> bool:
    """DO and CALL, and several statements at once, may change the schema as well."""
    return facts.verb is Verb.DDL or (facts.verb is Verb.OTHER and facts.writes_unknown)


def _is_autocommit(context: ExecutionContext) -> bool:
    connection: Any = context.root_connection
    try:
        return bool(connection._is_autocommit_isolation())
    except AttributeError:  # another SQLAlchemy: over-invalidate rather than miss
        return True


async def _to_the_end(send: Callable[..., Any], *arguments: Any) -> BaseException | None:
    """Run ``send`` in a task of its own, so that a cancelled caller still learns whether it came to pass.

    Raises what ``send`` raised, or `_Abandoned` if it did not end within `COMMIT_GRACE_S` of the cancellation.
    """
    commit = asyncio.ensure_future(greenlet_spawn(send, *arguments))
    try:
        await asyncio.shield(commit)
    except asyncio.CancelledError as error:
        if commit.cancelled():
            raise
        cancelled = error
    else:
        return None
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + COMMIT_GRACE_S
    while not commit.done():
        try:
            await asyncio.wait({commit}, timeout=deadline_s - loop.time())
        except asyncio.CancelledError as error:
            cancelled = error
        if not commit.done() and loop.time() >= deadline_s:
            raise _Abandoned(commit, cancelled)
    commit.result()
    return cancelled


def hook(engine: Engine | AsyncEngine, *, database: str = "main") -> SqlHook:
    """Hook ``engine``, whose database the other parts call ``database``; a second call returns the same hook.

    Raises `ValueError` if the engine is already hooked under another name of its database.
    """
    target: Engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    existing: SqlHook | None = getattr(target.dialect, _ATTRIBUTE, None)
    if existing is not None:
        if existing.database != database:
            raise ValueError(f"this engine is already hooked as {existing.database!r}, not {database!r}")
        return existing
    return SqlHook(target, database, _knowledge_of(target, database))


def _knowledge_of(engine: Engine, database: str) -> Knowledge:
    if engine.dialect.name == "sqlite":
        from steinmetz.sql.sqlite import SqliteKnowledge

        return SqliteKnowledge(database)
    if engine.dialect.name == "postgresql":
        from steinmetz.sql.postgres import PostgresKnowledge

        return PostgresKnowledge(database, engine.dialect)
    return NoKnowledge()
