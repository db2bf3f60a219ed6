"""Who dropped what: one commit, or one invalidation by hand, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from steinmetz.cache.invalidation.reads import current_recording
from steinmetz.cache.policy.tags import names
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.scope import current_scope

LISTED_RELATIONS = 50
LISTED_CHARS = 300
"""Of one statement."""


@dataclass(eq=False, slots=True)
class Invalidation:
    """``cause`` is the name of the scope that committed, such as ``POST /api/invoices/{id}/pay``; ``user`` the
    subject of the caller whose request it was, None outside any.

    ``routes`` counts what was dropped by route template. ``needless`` counts what was dropped and has since been
    computed to the same bytes.
    """

    at: datetime
    cause: str
    user: str | None
    relations: tuple[str, ...]
    statements: tuple[StatementFacts, ...] = ()
    dropped: int = 0
    needless: int = 0
    routes: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def of(writes: WriteSet, at: datetime) -> Invalidation:
        """What ``writes``, committed in the current scope, is about to drop."""
        relations = (
            *names(writes.relations)[:LISTED_RELATIONS],
            *(f"{database}:*" for database in sorted(writes.unknown)),
        )
        return Invalidation(at, cause(), _user(), relations, writes.statements)

    @staticmethod
    def of_pattern(pattern: str, at: datetime) -> Invalidation:
        return Invalidation(at, cause(), _user(), (pattern,))

    @staticmethod
    def of_everything(at: datetime) -> Invalidation:
        return Invalidation(at, cause(), _user(), ("everything",))

    def as_json(self) -> dict[str, Any]:
        """Of statements their shape is shown, which holds no values."""
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "cause": self.cause,
            "user": self.user,
            "statements": [facts.text[:LISTED_CHARS] for facts in self.statements],
            "relations": list(self.relations),
            "dropped": self.dropped,
            "needless": self.needless,
            "routes": dict(self.routes.most_common()),
        }


def cause() -> str:
    """The name of the current scope."""
    scope = current_scope()
    return scope.name if scope is not None else "outside any request"


def _user() -> str | None:
    recording = current_recording()
    return None if recording is None else recording.subject
