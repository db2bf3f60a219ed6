"""What a statement does: one hook per engine, facts without opinions."""

from __future__ import annotations

from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.engine import Execution, ExecutionObserver, SqlHook, TransactionObserver, hook
from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.scope import Scope, ScopeKind, current_scope, open_scope

__all__ = [  # noqa: RUF022  grouped by file
    # .effects
    "ReadSet",
    "WriteSet",
    # .engine
    "Execution",
    "ExecutionObserver",
    "SqlHook",
    "TransactionObserver",
    "hook",
    # .facts
    "Relation",
    "StatementFacts",
    "Verb",
    # .scope
    "Scope",
    "ScopeKind",
    "current_scope",
    "open_scope",
]
