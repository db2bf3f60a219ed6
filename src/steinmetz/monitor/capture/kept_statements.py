"""Statements that can be explained: one run of each with its values, and the plans that it has had; bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from steinmetz.monitor.analysis.plan import PlanNode
from steinmetz.monitor.dialects.base import Plan
from steinmetz.monitor.dialects.explain import Question

if TYPE_CHECKING:
    from steinmetz.sql.engine import Execution

STATEMENTS_KEPT = 1_000
PLANS_KEPT = 8
"""Plans in the history of one statement; the one not seen for longest makes room."""
LONGEST_STATEMENT = 20_000
VALUES_KEPT = 500
LONGEST_VALUES = 20_000
"""Characters, bytes and elements of one run's values together."""


@dataclass(slots=True)
class PlanRecord:
    """One shape of plan that a statement has had; times are of its being seen, not of its being used."""

    plan: Plan
    tree: PlanNode
    first_seen: datetime
    last_seen: datetime
    seen: int = 1

    def as_dict(self) -> dict[str, Any]:
        """JSON for the endpoint."""
        return {
            "hash": self.plan.hash,
            "firstSeen": _instant(self.first_seen),
            "lastSeen": _instant(self.last_seen),
            "seen": self.seen,
            "text": self.plan.text,
            "indexes": sorted(self.plan.indexes),
            "remarks": self.tree.remarks(),
            "tree": self.tree.as_dict(),
        }


@dataclass(slots=True)
class KeptStatement:
    """What is kept of one statement; ``refused`` says why it could not be explained when that was last tried."""

    name: str
    text: str
    database: str
    question: Question
    duration_ns: int
    asked_s: float | None = None
    answered_s: float | None = None
    refused: str | None = None
    history: list[PlanRecord] = field(default_factory=list)  # the current one last

    @property
    def current(self) -> PlanRecord | None:
        return self.history[-1] if self.history else None

    def found(self, tree: PlanNode, now: datetime) -> PlanRecord:
        """Make ``tree`` the current plan: the record of its shape, or a new one."""
        plan = Plan(tree.hash(), tree.text(), tree.cost or 0.0, tree.indexes())
        record = self.record_of(plan.hash)
        if record is None:
            record = PlanRecord(plan, tree, now, now)
        else:
            record.plan, record.tree, record.last_seen = plan, tree, now
            record.seen += 1
        others = [each for each in self.history if each is not record]
        self.history = [*others[-PLANS_KEPT + 1 :], record]
        return record

    def record_of(self, plan_hash: str) -> PlanRecord | None:
        return next((each for each in self.history if each.plan.hash == plan_hash), None)

    def as_dict(self) -> dict[str, Any]:
        """JSON for the endpoint: no value, and the newest plan first."""
        return {
            "fingerprint": self.question.fingerprint,
            "name": self.name,
            "statement": self.text,
            "database": self.database,
            "refused": self.refused,
            "plans": [record.as_dict() for record in self.history[::-1]],
        }


class KeptStatements:
    """The statements that ran most recently; of each the slowest run, else the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held while a statement or its history is changed."""
        self._statements: OrderedDict[str, KeptStatement] = OrderedDict()
        self._by_text: dict[int, str] = {}  # by the hash of the text, which may hold literals

    def __len__(self) -> int:
        return len(self._statements)

    def __getitem__(self, fingerprint: str) -> KeptStatement:
        return self._statements[fingerprint]

    def get(self, fingerprint: str) -> KeptStatement | None:
        return self._statements.get(fingerprint)

    def of_text(self, statement: str) -> KeptStatement | None:
        """The one whose kept run had exactly this text."""
        return self._statements.get(self._by_text.get(hash(statement), ""))

    def clear(self) -> None:
        with self.lock:
            self._statements.clear()
            self._by_text.clear()

    def keep(self, name: str, duration_ns: int, execution: Execution) -> KeptStatement | None:
        """Note a run; None if the statement is not kept, because it is too long or binds too much."""
        fingerprint = execution.facts.fingerprint
        with self.lock:
            known = self._statements.get(fingerprint)
            if known is not None:
                self._statements.move_to_end(fingerprint)
                if duration_ns <= known.duration_ns:
                    return known
            values = execution.parameters
            if execution.many:
                values = values[0] if values else ()
            if len(execution.statement) > LONGEST_STATEMENT or not _is_small(values):
                return known
            kept = dict(values) if isinstance(values, Mapping) else tuple(values)
            question = Question(execution.statement, kept, fingerprint)
            if known is None:
                known = KeptStatement(name, execution.facts.text, execution.database, question, duration_ns)
                self._statements[fingerprint] = known
            else:
                self._by_text.pop(hash(known.question.statement), None)
                known.question, known.duration_ns, known.name = question, duration_ns, name
            self._by_text[hash(question.statement)] = fingerprint
            while len(self._statements) > STATEMENTS_KEPT:
                _, dropped = self._statements.popitem(last=False)
                self._by_text.pop(hash(dropped.question.statement), None)
            return known


def _is_small(values: Any) -> bool:
    """Whether the values may be kept: a thousand statements then take some 20 MB at the very most."""
    if len(values) > VALUES_KEPT:
        return False
    each = values.values() if isinstance(values, Mapping) else values
    return sum(len(value) for value in each if isinstance(value, (str, bytes, list, tuple))) <= LONGEST_VALUES


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
