"""The port to an engine that tells the plan of a statement of the running application, and who answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from steinmetz.monitor.analysis.plan import PlanNode
from steinmetz.monitor.dialects.base import CannotExplain

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TIMEOUT_S = 2.0
"""How long an engine may think about one plan."""


@dataclass(frozen=True, slots=True)
class Question:
    """One run of a statement as its driver was given it; its representation shows neither text nor value."""

    statement: str = field(repr=False)
    values: Any = field(repr=False)
    fingerprint: str


class Explain(Protocol):
    """Asks for a plan on a connection of the monitor's own, in a transaction that is rolled back.

    It plans and never runs the statement. Raises `CannotExplain` with the reason, without values.
    """

    def __call__(self, connection: Connection, question: Question) -> PlanNode: ...


def explain_of(engine: Engine) -> Explain:
    """Who explains the statements of ``engine``. Raises `CannotExplain` if nobody can, and says why."""
    if engine.dialect.name == "sqlite":
        from steinmetz.monitor.dialects import explain_sqlite

        explain_sqlite.check(engine)
        return explain_sqlite.explain
    if engine.dialect.name == "postgresql":
        from steinmetz.monitor.dialects import explain_postgres

        return explain_postgres.explain
    raise CannotExplain(f"plans of {engine.dialect.name} are not read")


def refusal(error: BaseException) -> CannotExplain:
    """What an engine's refusal may tell: its kind and code. Its message quotes values."""
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    told = f" ({code})" if isinstance(code, str) and code.replace("_", "").isalnum() else ""
    reason = _REASONS.get(str(code), "the engine refuses with")
    return CannotExplain(f"{reason} {type(original).__name__}{told}")


_REASONS = {
    "42P01": "a table that it names is not there for another connection (temporary, or by search_path):",
    "42P02": "a parameter has no type by itself:",
    "42P18": "a parameter has no type by itself:",
    "42501": "the role may not:",
    "57014": f"planning took longer than {TIMEOUT_S:g} s:",
    "55P03": "a table that it names is locked:",
    "SQLITE_BUSY": "the database is locked:",
    "SQLITE_LOCKED": "the database is locked:",
    "SQLITE_ERROR": "its tables are not there for another connection, or its text is not SQL:",
}
