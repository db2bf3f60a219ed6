"""What one engine's statements are known to do: one memoised record for each, found by identity.

The record hangs on SQLAlchemy's compiled object, or on the text where there is none. It holds for a connection if
its ``token`` is the connection's (`ConnectionState.token`): a token stands for the situation of a connection and
the epoch of the schema (trap T1). A record whose statement needs more than to be run and timed (a write that
somebody must hear of, DDL, COMMIT as text) has a token that no connection has, so one comparison decides both.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable
from contextlib import suppress
from sys import intern
from typing import TYPE_CHECKING, Any

from steinmetz.sql.execution import NEVER_NS, Meter, joined
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.knowledge import Knowledge, Memo, unknown_facts
from steinmetz.sql.predicates import described
from steinmetz.sql.shape import shape_of
from steinmetz.sql.transaction import ConnectionState

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.execution import RunObserver

ATTRIBUTE = "_steinmetz"
"""Under which name a record hangs on a compiled object, its state on a connection, and the hook on its dialect."""
SHARED_SITUATIONS = 64
"""Kinds of connections that share what is remembered; any further connection remembers for itself."""


class Record:
    """The facts of a statement in one situation, and what the observers of its runs keep of it.

    ``statement`` is the text as it goes to the driver, compared by identity; ``expands`` says that it is another
    one for each length of an IN list. ``learnt`` is the token of the memo, ``token`` the same if the statement is
    only to be run and timed. A run is told to the observers above ``slow_ns``, and looked at above ``floor_ns``.

    ``is_plain_read``: it writes nothing, and all that it reads is told by its facts and sets of parameters.
    ``is_quick`` if besides a ledger has seen it, so that its first run in a scope may go to `Scope.firsts`.
    """

    __slots__ = (
        "expands", "facts", "fingerprint", "floor_ns", "is_plain_read", "is_quick", "learnt", "meter", "slow_ns",
        "statement", "token",
    )  # fmt: skip

    def __init__(
        self,
        facts: StatementFacts,
        meter: Meter,
        slow_ns: int,
        floor_ns: int,
        learnt: object,
        plain: bool,
        statement: str,
    ) -> None:
        self.facts = facts
        self.meter = meter
        self.slow_ns = slow_ns
        self.floor_ns = floor_ns
        self.learnt = learnt
        self.token = learnt if plain else object()
        self.statement = statement
        self.expands = False
        self.fingerprint = intern(facts.fingerprint)  # equal ones are then found by identity
        self.is_quick = self.is_plain_read = False

    def on(self, statement: str, facts: StatementFacts, *, expands: bool) -> Record:
        """This record for another object that holds the text, with what ``facts`` says of it."""
        plain = self.token is self.learnt
        record = Record(facts, self.meter, self.slow_ns, self.floor_ns, self.learnt, plain, statement)
        record.expands = expands
        looks_at = facts.looks_at
        record.is_plain_read = (
            plain
            and looks_at is not None
            and not (looks_at.has_lists or expands or facts.is_write or facts.reads_unknown)
        )
        return record


class Statements:
    """The records of one engine, and the states of its connections.

    ``told`` says that writes have observers; ``highest_floor_ns`` is the longest run that is told by its duration
    alone. After either or ``observers`` has changed, `renew` is to be called.
    """

    def __init__(self, database: str, knowledge: Knowledge) -> None:
        self.database = database
        self.knowledge = knowledge
        self.epoch = 0
        self.told = False
        self.observers: tuple[RunObserver, ...] = ()
        self.highest_floor_ns = 0
        self.lock = threading.Lock()
        self._memos: dict[Hashable, Memo] = {}
        self._private_memos: weakref.WeakSet[Memo] = weakref.WeakSet()
        self._states: weakref.WeakSet[ConnectionState] = weakref.WeakSet()

    # -- connections --------------------------------------------------------------------------------------------

    def state_of(self, connection: PoolProxiedConnection) -> ConnectionState:
        try:
            info = connection.info
        except (AttributeError, NotImplementedError):
            return ConnectionState()  # the engine's own first look at the server, outside its pool
        state: ConnectionState | None = info.get(self)
        if state is None:
            state = info[self] = ConnectionState()
            with self.lock:
                self._states.add(state)
        with suppress(AttributeError):  # at hand for the quick way; a connection without it goes the whole way
            connection._steinmetz = state  # type: ignore[attr-defined]
        return state

    def known_state(self, connection: PoolProxiedConnection) -> ConnectionState | None:
        try:
            return connection.info.get(self)
        except (AttributeError, NotImplementedError):
            return None

    # -- what is known ------------------------------------------------------------------------------------------

    def facts_of(self, text: str) -> StatementFacts:
        """What is known of a text; unknown in all respects if it has not been executed yet."""
        with self.lock:
            memos = [*self._memos.values(), *self._private_memos]
        for memo in memos:
            if (record := memo.texts.get(text)) is not None:
                return record.facts
        return unknown_facts(shape_of(text))

    def schema_changed(self) -> None:
        """Forget all facts."""
        with self.lock:
            self.epoch += 1
            for memo in (*self._memos.values(), *self._private_memos):
                memo.clear()
            for state in self._states:
                state.token = None
        self.knowledge.forget()

    def relearn(self) -> None:
        """Work out all facts anew at their next use: more is known of the same schema."""
        with self.lock:
            for memo in (*self._memos.values(), *self._private_memos):
                memo.clear()
            for state in self._states:
                state.token = None

    def renew(self) -> None:
        """Make all records anew, for other observers; the facts stay."""
        with self.lock:
            for memo in (*self._memos.values(), *self._private_memos):
                memo.token = object()
                memo.texts = {text: self._made(record.facts, memo, text) for text, record in memo.texts.items()}
            for state in self._states:
                state.token = None

    def write_anything(self) -> None:
        """Nobody listened until now: what the transactions under way have written is not known."""
        with self.lock:
            for state in self._states:
                if not state.open:
                    continue
                if state.writes is None:
                    state.writes = set()
                    state.epoch = self.epoch
                state.unknown = True

    # -- records ------------------------------------------------------------------------------------------------

    def record(
        self,
        context: ExecutionContext,
        statement: str,
        parameters: Any,
        many: bool,
        connection: PoolProxiedConnection,
        state: ConnectionState,
    ) -> Record:
        """The record of a statement that was made for it, the situation and the schema; else a new one."""
        compiled: Any = context.compiled
        memo = state.memo
        if memo is None:
            memo = state.memo = self._memo_for(connection, state)
        if state.token is not memo.token and not state.doubts:
            with self.lock:
                state.token = memo.token
        if compiled is not None:
            if statement is not context.statement and not is_batch(context, statement):
                # Sequences and defaults run under the compiled object of their parent (trap T3).
                compiled = None
            elif "schema_translate_map" in context.execution_options:
                compiled = None  # one compiled object then stands for several texts (trap T1)
            else:
                known: Record | None = getattr(compiled, ATTRIBUTE, None)
                if known is not None and known.learnt is memo.token:
                    return known
        text_record = memo.texts.get(statement)
        if text_record is not None and text_record.learnt is memo.token:
            return text_record if compiled is None else self._hung(compiled, text_record, context)
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
    ) -> Record:
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
            state.unsettle()
            state.moved = True
            # Not remembered, so that every later run comes by here, too.
            return self._made(facts or unknown_facts(shape), None, statement)
        if facts is None:
            return self._made(unknown_facts(shape), None, statement)
        record = self._made(facts, memo, statement)
        record.learnt, record.token = token, token if record.token is record.learnt else record.token
        if memo.token is token:
            memo.keep(statement, record)
        return record if compiled is None else self._hung(compiled, record, context)

    def _hung(self, compiled: Any, record: Record, context: ExecutionContext) -> Record:
        """The record, hung on the compiled object."""
        facts = described(record.facts, compiled)  # for it alone: others name their parameters otherwise
        record = record.on(str(compiled.string), facts, expands=context.statement is not compiled.string)
        setattr(compiled, ATTRIBUTE, record)
        return record

    def _made(self, facts: StatementFacts, memo: Memo | None, statement: str) -> Record:
        meter = joined([meter for observer in self.observers if (meter := observer.meter(facts)) is not None])
        slow_ns = self.slow_ns(facts)
        plain = facts.verb is not Verb.TRANSACTION and not may_be_ddl(facts) and not (facts.is_write and self.told)
        learnt = memo.token if memo is not None else object()
        return Record(facts, meter, slow_ns, min(slow_ns, self.highest_floor_ns), learnt, plain, statement)

    def slow_ns(self, facts: StatementFacts) -> int:
        """From how long on the observers want to be told of a run."""
        return min((observer.slow_ns(facts) for observer in self.observers), default=NEVER_NS)

    def told_slow(self, record: Record) -> None:
        """A run has been told to the observers, who may be harder to surprise now."""
        record.slow_ns = self.slow_ns(record.facts)
        record.floor_ns = min(record.slow_ns, self.highest_floor_ns)

    def _memo_for(self, connection: PoolProxiedConnection, state: ConnectionState) -> Memo:
        situation = None if state.ddl else self.knowledge.situation(connection)
        with self.lock:
            if situation is not None and (situation in self._memos or len(self._memos) < SHARED_SITUATIONS):
                return self._memos.setdefault(situation, Memo())
            memo = Memo()
            self._private_memos.add(memo)
            return memo


def is_batch(context: ExecutionContext, statement: str) -> bool:
    """A batch of "insertmanyvalues" has a text of its own; the SQL of a default is a SELECT."""
    style = getattr(context, "execute_style", None)
    return getattr(style, "name", "") == "INSERTMANYVALUES" and statement[:7].upper() == "INSERT "


def may_be_ddl(facts: StatementFacts) -> bool:
    """DO and CALL, and several statements at once, may change the schema as well."""
    return facts.verb is Verb.DDL or (facts.verb is Verb.OTHER and facts.writes_unknown)
