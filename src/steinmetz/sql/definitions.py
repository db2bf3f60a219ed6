"""What transactions have changed of the schema, and when that stands: at COMMIT, not when the statement runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import structlog

from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.scope import ScopeKind, current_scope
from steinmetz.sql.two_phases import MAX_PREPARED

if TYPE_CHECKING:
    from steinmetz.sql.transaction import ConnectionState

log = structlog.get_logger("steinmetz.sql")

MAX_DEFINITIONS = 1_000
"""Statements of one transaction that are told; further ones are counted, and said to be left out."""


class SchemaObserver(Protocol):
    """Who must know that the schema was changed, by a statement whose transaction has been committed.

    Called on the greenlet or the thread that committed, so implementations are thread-safe and quick. An exception
    is logged and reaches nobody.
    """

    def defined(self, facts: StatementFacts) -> None:
        """DDL stands. Not told: what is rolled back, to a savepoint too, and what a scope of the monitor does."""


class Definitions:
    """The DDL of one transaction, in the order of its statements."""

    __slots__ = ("_aborted", "_made", "_savepoints", "left_out")

    def __init__(self) -> None:
        self.left_out = 0
        self._aborted = False
        self._made: list[StatementFacts] = []
        self._savepoints: list[tuple[str, int]] = []

    def add(self, facts: StatementFacts) -> None:
        if len(self._made) < MAX_DEFINITIONS:
            self._made.append(facts)
        else:
            self.left_out += 1

    def taken(self) -> list[StatementFacts]:
        """What stands now that the transaction is committed."""
        if self._aborted:
            return []
        if self.left_out:
            log.warning("A transaction changed the schema more often than is told", left_out=self.left_out)
        return self._made

    def failed(self, error: BaseException) -> None:
        """A statement has failed. PostgreSQL, whose errors have an SQLSTATE, makes a ROLLBACK of a COMMIT then."""
        if getattr(error, "sqlstate", None) or getattr(error, "pgcode", None):
            self._aborted = True

    def controlled(self, words: list[str]) -> bool:
        """Follow a statement of transaction control that has run; True if what is here was committed by it."""
        match words:
            case ["commit" | "end" | "rollback" | "abort", "prepared", *_]:
                pass  # of another transaction
            case ["commit" | "end", *_]:
                return True
            case ["savepoint", name]:
                self._savepoints.append((name, len(self._made)))
            case ["release", *_, name]:
                self._end_savepoint(name)
            case ["rollback", *between, name] if "to" in between:
                self._roll_back_to(name)
            case ["rollback" | "abort", *_]:
                self._made.clear()
                self._savepoints.clear()
                self._aborted = False
                self.left_out = 0
            case _:
                pass
        return False

    def _place(self, name: str) -> int | None:
        """Of several savepoints of one name the newest counts."""
        found = [place for place, (known, _) in enumerate(self._savepoints) if known == name]
        return found[-1] if found else None

    def _end_savepoint(self, name: str) -> None:
        if (place := self._place(name)) is not None:
            del self._savepoints[place:]

    def _roll_back_to(self, name: str) -> None:
        if (place := self._place(name)) is not None:
            self._aborted = False
            del self._savepoints[place + 1 :]  # the savepoint itself stays
            del self._made[self._savepoints[place][1] :]


class SchemaJournal:
    """The DDL of one engine's transactions until their ends, and who is told of what stands.

    ``ddl_is_undone`` says that ROLLBACK undoes it; elsewhere it stands when it has run.
    """

    def __init__(self, *, ddl_is_undone: bool) -> None:
        self.observers: tuple[SchemaObserver, ...] = ()
        self._ddl_is_undone = ddl_is_undone
        self._prepared: dict[Any, Definitions] = {}

    def ran(self, facts: StatementFacts, state: ConnectionState) -> None:
        """A statement that may change the schema has ended well."""
        scope = current_scope()
        if facts.verb is not Verb.DDL or (scope is not None and scope.kind is ScopeKind.MONITOR):
            return
        if state.definitions is None:
            state.definitions = Definitions()
        state.definitions.add(facts)
        if not self._ddl_is_undone:
            self.stands(state)

    def controlled(self, words: list[str], state: ConnectionState) -> None:
        """A statement of transaction control has ended well."""
        if state.committing:
            return  # a part of COMMIT PREPARED
        if state.definitions is None and words[0] == "savepoint":
            state.definitions = Definitions()
        if state.definitions is not None and state.definitions.controlled(words):
            self.stands(state)

    def stands(self, state: ConnectionState) -> None:
        """What the transaction has defined is there for all."""
        defined, state.definitions = state.definitions, None
        self.tell(defined)

    def tell(self, defined: Definitions | None) -> None:
        for facts in defined.taken() if defined is not None else ():
            for observer in self.observers:
                try:
                    observer.defined(facts)
                except Exception as error:
                    log.error("A schema observer failed", observer=repr(observer), error=type(error).__name__)

    def prepared(self, xid: Any, state: ConnectionState) -> None:
        """The fate of the transaction is put off."""
        if state.definitions is not None:
            if len(self._prepared) >= MAX_PREPARED:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[xid], state.definitions = state.definitions, None

    def resumed(self, xid: Any, state: ConnectionState) -> None:
        """A prepared transaction is about to be committed on this connection."""
        state.definitions = self._prepared.pop(xid, state.definitions)

    def forget(self, xid: Any) -> None:
        """A prepared transaction was rolled back."""
        self._prepared.pop(xid, None)
