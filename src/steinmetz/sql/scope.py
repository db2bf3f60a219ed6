"""Which request, job, event or command a statement belongs to.

The current scope is a context variable: tasks, task groups, greenlets and ``asyncio.to_thread`` inherit it,
``run_in_executor`` does not (trap T2). A statement outside any scope may have fed data to whoever is recording at
that moment, so it makes every open recording uncertain.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation, StatementFacts

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext


class ScopeKind(StrEnum):
    REQUEST = "request"
    JOB = "job"
    EVENT = "event"
    COMMAND = "command"
    ADMISSION = "admission"
    MONITOR = "monitor"
    """The monitor's own statements: it explains, but it does not count them."""


class Ledger(Protocol):
    """What an observer of executions writes down for one scope, from its first statement to its end."""

    def closed(self, scope: Scope) -> None:
        """The scope has ended. An exception is the observer's own fault and reaches nobody."""


class Scope:
    """The statements of one unit of work: what they read, whether they wrote, how many there were.

    One scope may be fed from several threads at once; its parts are only ever added to.
    """

    __slots__ = ("__weakref__", "kind", "ledger", "name", "reads", "statements", "unknown", "wrote")

    def __init__(self, kind: ScopeKind, name: str) -> None:
        self.kind = kind
        self.name = name
        self.reads: set[Relation] = set()
        self.unknown: set[str] = set()
        self.wrote = False
        self.statements = 0
        self.ledger: Ledger | None = None

    def __repr__(self) -> str:
        return f"<Scope {self.kind} {self.name!r} {self.statements} statements>"

    def note(self, facts: StatementFacts, context: ExecutionContext | None = None, many: bool = False) -> None:
        """Record one statement that is to be executed; its bound values are in ``context``."""
        self.statements += 1
        self.reads.update(facts.reads)
        if facts.reads_unknown:
            self.unknown.add(f"unknown reads of {facts.fingerprint}")
        if facts.is_write:
            self.wrote = True

    def read_set(self) -> ReadSet:
        """What was read up to now."""
        return ReadSet(frozenset(self.reads), frozenset(self.unknown))


_current: ContextVar[Scope | None] = ContextVar("steinmetz_scope", default=None)
_recording: weakref.WeakSet[Scope] = weakref.WeakSet()


def current_scope() -> Scope | None:
    return _current.get()


@contextmanager
def open_scope(kind: ScopeKind, name: str) -> Iterator[Scope]:
    """Make a new scope the current one; the outer scope learns nothing of what happens inside."""
    scope = Scope(kind, name)
    token = _current.set(scope)
    _recording.add(scope)
    try:
        yield scope
    finally:
        _recording.discard(scope)
        _current.reset(token)
        if scope.ledger is not None:
            scope.ledger.closed(scope)


def note(facts: StatementFacts, context: ExecutionContext | None = None, many: bool = False) -> None:
    """Record a statement where it belongs; without a scope, doubt falls on all that record now."""
    scope = _current.get()
    if scope is not None:
        scope.note(facts, context, many)
        return
    if facts.reads or facts.reads_unknown:
        # Copied in one step, for other threads open and close scopes meanwhile.
        for reference in list(_recording.data):  # type: ignore[attr-defined]  # not in the stubs
            recording = reference()
            if recording is not None:
                recording.unknown.add(f"a read outside any scope: {facts.fingerprint}")
