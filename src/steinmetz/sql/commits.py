"""When what was written becomes visible: mark -> COMMIT -> bump, and doubt where the fate of a COMMIT is open.

What lives here: the ends of transactions, and the writes that each takes to its COMMIT. Whom that is told, and the
doubts of trap T7, are in `marks.py`. A transaction that only read pays one comparison.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.util import await_only

from steinmetz.clock import perf_ns
from steinmetz.sql.definitions import Definitions, SchemaJournal
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.marks import Marks
from steinmetz.sql.sending import Abandoned, to_the_end
from steinmetz.sql.statements import Statements, may_be_ddl
from steinmetz.sql.transaction import HAS_WRITTEN, NOT_BEGUN, ConnectionState
from steinmetz.sql.transaction_observer import Grain
from steinmetz.sql.two_phases import PreparedWrites

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.scope import Scope
    from steinmetz.sql.transaction import Tokens


class _SchemaChange:
    """A change of the schema whose COMMIT is on its way, in the place of an observer."""

    def __init__(self, statements: Statements, journal: SchemaJournal, defined: Definitions | None) -> None:
        self._statements = statements
        self._journal = journal
        self._defined = defined

    def mark(self, writes: WriteSet) -> object:
        return None

    def bump(self, token: object) -> None:
        self._statements.schema_changed()
        self._journal.tell(self._defined)

    def unmark(self, token: object) -> None:
        pass


class Commits:
    """The ends of one engine's transactions; ``original`` holds the dialect's own methods by their names."""

    def __init__(self, statements: Statements, original: dict[str, Callable[..., Any]], *, is_async: bool) -> None:
        self.marks = Marks()
        self.schema = SchemaJournal(ddl_is_undone=statements.knowledge.rolls_back_ddl)
        self.failpoint: Callable[[str], None] | None = None
        self.bump_on_release = False
        self.grain = Grain.IMAGES
        self._statements = statements
        self._original = original
        self._is_async = is_async
        self._prepared = PreparedWrites()
        self._abandoned: set[asyncio.Future[Any]] = set()

    # -- statements that write ----------------------------------------------------------------------------------

    def before_write(
        self,
        facts: StatementFacts,
        context: ExecutionContext,
        connection: PoolProxiedConnection,
        state: ConnectionState,
        many: bool,
    ) -> Tokens:
        """Collect what will be written; mark it already if the statement makes it visible by itself."""
        if facts.verb is Verb.TRANSACTION:
            return self._before_control(facts, connection, state)
        state.collect(facts, self._statements.epoch, context, many)
        if may_be_ddl(facts):
            state.ddl = True
            state.unsettle()
        if facts.verb is Verb.OTHER or state.ddl:
            state.ended()  # perhaps a transaction of its own begins
        if is_autocommit(context):
            return self.marks.mark(self._take(state))
        if facts.verb is Verb.OTHER:
            # A procedure may commit by itself (trap T4).
            return self.marks.mark(WriteSet.of(facts, self._statements.database))
        return []

    def _before_control(
        self, facts: StatementFacts, connection: PoolProxiedConnection, state: ConnectionState
    ) -> Tokens:
        """COMMIT as text, and savepoints; SQLAlchemy sends its own savepoints as text, too."""
        words = _words(facts)
        ends = words[0] in ("commit", "end")
        if words[0] not in ("savepoint", "release"):
            state.ended()  # or taken back to a savepoint: what was read since may not be so
        if words[0] == "savepoint":
            if not state.savepoints:
                # "If a RELEASE command releases the outermost savepoint, so that the transaction stack becomes
                # empty, then RELEASE is the same as COMMIT" (https://sqlite.org/lang_savepoint.html). pysqlite
                # sends no BEGIN before a SAVEPOINT, and a rollback afterwards undoes nothing.
                state.release_commits = self._statements.knowledge.stands_committed(connection)
            state.savepoints.append(words[-1])
        elif words[0] == "rollback" and words[-1] in state.savepoints and len(words) > 1:
            state.savepoints = state.savepoints[: state.savepoints.index(words[-1])]
        elif words[0] == "release":
            if words[-1] in state.savepoints:
                state.savepoints = state.savepoints[: state.savepoints.index(words[-1])]
            ends = (self.bump_on_release or state.release_commits) and not state.savepoints
        if not ends or state.committing:
            return []
        if words[1:2] == ["prepared"]:
            return self.marks.mark(self._anything())
        return self.marks.mark(self._take(state))

    def after_write(
        self,
        facts: StatementFacts,
        context: ExecutionContext,
        connection: PoolProxiedConnection,
        state: ConnectionState,
        tokens: Tokens,
    ) -> None:
        if may_be_ddl(facts):
            self._statements.schema_changed()
            self.schema.ran(facts, state)
        if facts.verb is Verb.TRANSACTION:
            self.schema.controlled(_words(facts), state)
            if tokens:
                self._ddl_ended(state)
        elif is_autocommit(context) or self._statements.knowledge.stands_committed(connection):
            self._ddl_ended(state)
            self.schema.stands(state)
            if state.writes is not None:
                tokens = tokens + self.marks.mark(self._take(state))
        self.marks.bump(tokens)
        if state.doubts:
            self.marks.resolve(connection, state)

    # -- statements that read -----------------------------------------------------------------------------------

    def read_in_doubt(self, facts: StatementFacts, scope: Scope, state: ConnectionState) -> None:
        """The transaction that ``scope`` reads in did not begin within it, has not begun, or has written."""
        if state.began_ns == NOT_BEGUN:
            state.began_ns = perf_ns()
        elif not facts.reads or self.bump_on_release:
            pass  # a suite's one outer transaction shows what all its tests have written (trap T6)
        elif state.began_ns != HAS_WRITTEN:
            scope.doubts.add("a read in a transaction older than the request")
            scope.doubted_ns = state.began_ns
        elif not scope.wrote:
            scope.doubts.add("a read in a transaction in which others have written")
            scope.doubted_ns = state.began_ns

    # -- ends of transactions -----------------------------------------------------------------------------------

    def do_begin(self, connection: PoolProxiedConnection) -> None:
        self._original["do_begin"](connection)
        state = self._statements.known_state(connection)
        if state is not None:
            state.open = True
            state.ended()
            state.definitions = None
            if state.began_ns == NOT_BEGUN:
                state.began_ns = perf_ns()
            if state.savepoints:
                state.savepoints = []

    def do_commit(self, connection: PoolProxiedConnection) -> None:
        commit = self._original["do_commit"]
        state = self._statements.known_state(connection)
        if state is None:
            commit(connection)
            return
        state.ended()
        if state.writes is None:
            commit(connection)
            state.open = False
            state.began_ns = NOT_BEGUN
            if state.definitions is not None:
                self.schema.stands(state)
            if state.doubts:
                self.marks.resolve(connection, state)
        else:
            self._commit(connection, state, self._take(state), commit, connection)
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
        try:
            tokens = self.marks.mark(writes)
        except BaseException:
            state.put_back(writes)
            raise
        try:
            if self.failpoint is not None:
                self.failpoint("marked")
            cancelled = self._send(send, *arguments)
            state.open = False
            self._ddl_ended(state)
            self.schema.stands(state)
            if self.failpoint is not None:
                self.failpoint("committed")
        except Abandoned as abandoned:
            # Neither the connection nor its end tells the fate of this COMMIT any more, only its own end does.
            self._abandoned.add(abandoned.commit)
            defined, state.definitions = state.definitions, None
            abandoned.commit.add_done_callback(
                lambda commit: self._abandoned_ended(commit, state, defined, tokens)
            )
            raise abandoned.cancelled from None
        except BaseException:
            # A COMMIT that was refused ("database is locked") leaves the transaction open, and SQLAlchemy may give
            # the connection back without a rollback: whoever commits on it next commits these writes, too.
            state.put_back(writes)
            self.marks.doubt(connection, state, tokens)
            raise
        self.marks.bump(tokens)
        if state.doubts:
            self.marks.resolve(connection, state)
        if cancelled is not None:
            raise cancelled

    def _send(self, send: Callable[..., Any], *arguments: Any) -> BaseException | None:
        """Send COMMIT and wait for its end; returns the cancellation that came in meanwhile, if any."""
        if not self._is_async:
            send(*arguments)
            return None
        cancelled: BaseException | None = await_only(to_the_end(send, *arguments))
        return cancelled

    def _abandoned_ended(
        self, commit: asyncio.Future[Any], state: ConnectionState, defined: Definitions | None, tokens: Tokens
    ) -> None:
        self._abandoned.discard(commit)
        self._ddl_ended(state)
        # An exception is seen by this; the caller has long been told that it was cancelled.
        if not commit.cancelled() and commit.exception() is None:
            self.schema.tell(defined)
        self.marks.bump(tokens)

    def do_rollback(self, connection: PoolProxiedConnection) -> None:
        self._original["do_rollback"](connection)
        state = self._statements.known_state(connection)
        if state is not None:
            self.rolled_back(connection, state)
            if state.moved:
                self._settle(connection, state, committed=False)

    def _settle(self, connection: PoolProxiedConnection, state: ConnectionState, *, committed: bool) -> None:
        """SET LOCAL ends with its transaction, and a rollback undoes any SET (trap T1)."""
        state.moved = False
        state.unsettle()
        self._statements.knowledge.transaction_ended(connection, committed=committed)

    def rolled_back(self, connection: PoolProxiedConnection, state: ConnectionState) -> None:
        state.open = False
        state.ended()
        state.began_ns = NOT_BEGUN
        if not state.committing:
            state.definitions = None
        if state.writes is not None:
            self._take(state)
        self._ddl_ended(state)
        if state.doubts:
            # This rollback follows an attempted commit: it completes the connection's work, it undoes nothing.
            self.marks.resolve(connection, state)

    def do_prepare_twophase(self, connection: Connection, xid: Any) -> None:
        state = self._statements.state_of(connection.connection)
        self._original["do_prepare_twophase"](connection, xid)
        self.schema.prepared(xid, state)
        self._prepared.keep(xid, None if state.writes is None else self._take(state))
        self._ddl_ended(state)
        if state.moved:
            self._settle(connection.connection, state, committed=True)

    def do_commit_twophase(
        self, connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False
    ) -> None:
        state = self._statements.state_of(connection.connection)
        writes = self._prepared.take(xid) if is_prepared else WriteSet()
        self.schema.resumed(xid, state)
        if writes is None:  # prepared by another process or before a restart
            writes = self._anything()
        if state.writes is not None:
            writes |= self._take(state)
        state.committing = True
        try:
            self._commit(
                connection.connection, state, writes,
                self._original["do_commit_twophase"], connection, xid, is_prepared, recover,
            )  # fmt: skip
        finally:
            state.committing = False

    def do_rollback_twophase(
        self, connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False
    ) -> None:
        self._original["do_rollback_twophase"](connection, xid, is_prepared, recover)
        self._prepared.take(xid)
        self.schema.forget(xid)
        self.rolled_back(connection.connection, self._statements.state_of(connection.connection))

    def do_close(self, dbapi_connection: Any) -> None:
        try:
            self._original["do_close"](dbapi_connection)
        finally:
            self.marks.terminated(dbapi_connection, lost=True)

    def do_terminate(self, dbapi_connection: Any) -> None:
        try:
            self._original["do_terminate"](dbapi_connection)
        finally:
            self.marks.terminated(dbapi_connection, lost=True)

    # -- by events, which come before the act (see `steinmetz.sql.events`) ----------------------------------------

    def went_on(self, connection: PoolProxiedConnection) -> None:
        """A transaction begins: what came before it on this connection has ended."""
        state = self._statements.known_state(connection)
        if state is not None:
            state.savepoints = []
            state.ended()
            state.definitions = None
            state.began_ns = perf_ns() if state.writes is None else HAS_WRITTEN
            if state.doubts:
                self.marks.resolve(connection, state)
            if state.moved:
                self._settle(connection, state, committed=False)

    def will_commit(self, connection: PoolProxiedConnection, xid: Any = None) -> None:
        """COMMIT, or COMMIT PREPARED of ``xid``, is about to be sent, and nobody will say how it ended."""
        state = self._statements.state_of(connection)
        writes = WriteSet() if xid is None else self._prepared.take(xid)
        if writes is None:
            writes = self._anything()
        if state.writes is not None:
            writes |= self._take(state)
        tokens = self.marks.mark(writes)
        self.schema.resumed(xid, state)
        defined, state.definitions = state.definitions, None
        if state.ddl or defined:
            state.ddl = False
            state.unsettle()
            tokens.append((_SchemaChange(self._statements, self.schema, defined), None))
        if tokens:
            self.marks.doubt(connection, state, tokens)

    def will_roll_back(self, connection: PoolProxiedConnection, xid: Any = None) -> None:
        """ROLLBACK is about to be sent; an open doubt stays until the connection goes on."""
        state = self._statements.state_of(connection)
        self._prepared.take(xid)
        self.schema.forget(xid)
        state.definitions = None
        if state.writes is not None:
            self._take(state)
        self._ddl_ended(state)

    def will_prepare(self, connection: PoolProxiedConnection, xid: Any) -> None:
        state = self._statements.state_of(connection)
        self.schema.prepared(xid, state)
        self._prepared.keep(xid, None if state.writes is None else self._take(state))
        self._ddl_ended(state)

    # -- mark, bump, doubt --------------------------------------------------------------------------------------

    def _anything(self) -> WriteSet:
        """Of what nobody here knows."""
        return WriteSet(unknown=frozenset({self._statements.database}))

    def _take(self, state: ConnectionState) -> WriteSet:
        writes = state.take(self._statements.database, self._statements.epoch)
        return replace(writes, changes={}) if self.grain is Grain.TABLE else writes

    def _ddl_ended(self, state: ConnectionState) -> None:
        if state.ddl:
            state.ddl = False
            state.unsettle()
            self._statements.schema_changed()


def _words(facts: StatementFacts) -> list[str]:
    """The words of transaction control."""
    return facts.text.lower().replace('"', "").split()


def is_autocommit(context: ExecutionContext) -> bool:
    connection: Any = context.root_connection
    try:
        return bool(connection._is_autocommit_isolation())
    except AttributeError:  # another SQLAlchemy: over-invalidate rather than miss
        return True
