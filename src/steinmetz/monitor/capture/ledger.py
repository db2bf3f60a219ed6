"""What one scope asked of the database: how often each statement, and what is noteworthy about that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.scope import Scope

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext


class Runs:
    """The runs of one statement in one scope."""

    __slots__ = ("count", "facts", "total_ns")

    def __init__(self, facts: StatementFacts) -> None:
        self.facts = facts
        self.count = 0
        self.total_ns = 0


class ScopeLedger:
    """The `steinmetz.sql.scope.Ledger` of the monitor; `note` is called for every statement."""

    __slots__ = ("_ended", "runs")

    def __init__(self, ended: Callable[[Scope, ScopeLedger], None]) -> None:
        self._ended = ended
        self.runs: dict[str, Runs] = {}

    def note(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        runs = self.runs.get(facts.fingerprint)
        if runs is None:
            runs = self.runs[facts.fingerprint] = Runs(facts)
        runs.count += 1
        runs.total_ns += duration_ns

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        runs = self.runs.get(facts.fingerprint)
        if runs is not None:
            runs.total_ns += fetch_ns

    def closed(self, scope: Scope) -> None:
        self._ended(scope, self)
