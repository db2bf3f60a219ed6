"""What a statement does: one hook per engine, facts without opinions."""

from __future__ import annotations

from steinmetz.sql.definitions import SchemaObserver
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.engine import SqlHook, hook
from steinmetz.sql.execution import Execution, ExecutionObserver, Meter, PoolObserver, RunObserver, Watch
from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.scope import Scope, ScopeKind, current_scope, open_scope
from steinmetz.sql.transaction_observer import TransactionObserver

__all__ = [  # noqa: RUF022  grouped by file
    # .effects
    "ReadSet",
    "WriteSet",
    # .commits
    "TransactionObserver",
    # .definitions
    "SchemaObserver",
    # .engine
    "SqlHook",
    "hook",
    # .execution
    "Execution",
    "ExecutionObserver",
    "Meter",
    "PoolObserver",
    "RunObserver",
    "Watch",
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
