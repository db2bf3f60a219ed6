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

from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation, StatementFacts


class ScopeKind(StrEnum):
    REQUEST = "request"
    JOB = "job"
    EVENT = "event"
    COMMAND = "command"
    ADMISSION = "admission"


class Scope:
    """The statements of one unit of work: what they read, whether they wrote, how many there were.

    One scope may be fed from several threads at once; its parts are only ever added to.
    """

    __slots__ = ("__weakref__", "kind", "name", "reads", "statements", "unknown", "wrote")

    def __init__(self, kind: ScopeKind, name: str) -> None:
        self.kind = kind
        self.name = name
        self.reads: set[Relation] = set()
        self.unknown: set[str] = set()
        self.wrote = False
        self.statements = 0

    def __repr__(self) -> str:
        return f"<Scope {self.kind} {self.name!r} {self.statements} statements>"

    def note(self, facts: StatementFacts) -> None:
        """Record one executed statement."""
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


def note(facts: StatementFacts) -> None:
    """Record an executed statement where it belongs; without a scope, doubt falls on all that record now."""
    scope = _current.get()
    if scope is not None:
        scope.note(facts)
        return
    if facts.reads or facts.reads_unknown:
        # Copied in one step, for other threads open and close scopes meanwhile.
        for reference in list(_recording.data):  # type: ignore[attr-defined]  # not in the stubs
            recording = reference()
            if recording is not None:
                recording.unknown.add(f"a read outside any scope: {facts.fingerprint}")
