"""A change as a value: what was done when, by whom, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from steinmetz.monitor.analysis.regression import Comparison, Verdict

NOTE_LENGTH = 500
DDL_LENGTH = 4_000


class Cause(StrEnum):
    MARK = "mark"
    """Somebody said so (`steinmetz compare mark`)."""
    DDL = "ddl"
    """A statement changed the schema."""
    DEPLOY = "deploy"
    """Another release started."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something after which statements may run otherwise.

    ``tables`` are those that it concerns; none means any. ``ddl`` shows no literal.
    """

    id: str
    at: datetime
    cause: Cause
    note: str = ""
    author: str = ""
    ddl: str = ""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Durations of one side, in ms."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class StatementChange:
    """How one statement ran before and after; ``writes`` says that it changes what others read."""

    fingerprint: str
    name: str
    text: str
    writes: bool
    before: Summary
    after: Summary
    comparison: Comparison

    @property
    def saved_ms(self) -> float:
        """Time that the runs after the change have saved, in ms; negative if they cost more."""
        return (self.before.mean_ms - self.after.mean_ms) * self.after.count


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a change; ``settled`` says that no later figures will alter it."""

    verdict: Verdict
    statements: tuple[StatementChange, ...] = ()
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in the log, with what came of it as far as it is known."""

    change: Change
    outcome: Outcome = field(default_factory=lambda: Outcome(Verdict.TOO_FEW))


_TABLE = r'((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?)'
_OF_DDL = (
    re.compile(rf"^create\s+(?:unique\s+)?index\b.*?\bon\s+(?:only\s+)?{_TABLE}", re.IGNORECASE),
    re.compile(
        rf"^(?:create|alter|drop)\s+table\s+(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?{_TABLE}", re.IGNORECASE
    ),
    re.compile(rf"^create\s.*?\btrigger\b.*?\bon\s+{_TABLE}", re.IGNORECASE),
)


def tables_changed_by(ddl: str) -> tuple[str, ...]:
    """The table that a statement of the schema's language is about; () if it names none, as DROP INDEX."""
    for form in _OF_DDL:
        if found := form.match(ddl.strip()):
            return (found[1].rpartition(".")[2].strip('"'),)
    return ()


_TEMPORARY = re.compile(r"create\s+(?:or\s+replace\s+)?(?:global\s+|local\s+)?temp(?:orary)?\b", re.IGNORECASE)
_INDEX = re.compile(
    r'^create\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?:"([^"]+)"|([\w$]+))',
    re.IGNORECASE,
)


def is_temporary(ddl: str) -> bool:
    """Whether a statement makes what only its own connection sees: no change for anybody else."""
    return _TEMPORARY.match(ddl.strip()) is not None


def index_made_by(ddl: str) -> str | None:
    """The name of the index that a statement makes; None for any other."""
    found = _INDEX.match(ddl.strip())
    return (found[1] or found[2]) if found else None


def overall(statements: Iterable[StatementChange]) -> Verdict:
    """The verdict on a change from those on its statements: one that regressed outweighs what improved."""
    found = {statement.comparison.verdict for statement in statements}
    for verdict in (Verdict.REGRESSED, Verdict.IMPROVED, Verdict.UNDECIDED, Verdict.NEUTRAL):
        if verdict in found:
            return verdict
    return Verdict.TOO_FEW


# -- as JSON ------------------------------------------------------------------------------------------------------


def shown(entry: Entry) -> dict[str, Any]:
    """As /api/diagnostics/comparisons shows it, and as the log keeps it."""
    change, outcome = entry.change, entry.outcome
    return {
        "id": change.id,
        "at": change.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "cause": change.cause.value,
        "note": change.note,
        "author": change.author,
        "ddl": change.ddl,
        "tables": list(change.tables),
        "verdict": outcome.verdict.value,
        "settled": outcome.settled,
        "savedMs": round(sum(statement.saved_ms for statement in outcome.statements), 1),
        "statements": [_shown(statement) for statement in outcome.statements],
    }


def _shown(statement: StatementChange) -> dict[str, Any]:
    comparison = statement.comparison
    return {
        "fingerprint": statement.fingerprint,
        "name": statement.name,
        "text": statement.text,
        "writes": statement.writes,
        "before": _side(statement.before),
        "after": _side(statement.after),
        "verdict": comparison.verdict.value,
        "ratio": round(comparison.ratio, 4),
        "interval": [round(comparison.low, 4), round(comparison.high, 4)],
        "savedMs": round(statement.saved_ms, 1),
    }


def _side(summary: Summary) -> dict[str, float]:
    return {
        "count": summary.count,
        "avgTime": summary.mean_ms,
        "p50": summary.p50_ms,
        "p95": summary.p95_ms,
        "p99": summary.p99_ms,
    }


def restored(document: Mapping[str, Any]) -> Entry:
    """What `shown` has told. Raises `KeyError` or `ValueError` for anything else."""
    change = Change(
        str(document["id"]),
        datetime.fromisoformat(document["at"]),
        Cause(document["cause"]),
        str(document["note"]),
        str(document["author"]),
        str(document["ddl"]),
        tuple(map(str, document["tables"])),
    )
    statements = tuple(_restored(each) for each in document["statements"])
    return Entry(change, Outcome(Verdict(document["verdict"]), statements, bool(document["settled"])))


def _restored(document: Mapping[str, Any]) -> StatementChange:
    low, high = document["interval"]
    return StatementChange(
        document["fingerprint"],
        document["name"],
        document["text"],
        bool(document["writes"]),
        _summary(document["before"]),
        _summary(document["after"]),
        Comparison(Verdict(document["verdict"]), float(document["ratio"]), float(low), float(high)),
    )


def _summary(document: Mapping[str, float]) -> Summary:
    return Summary(int(document["count"]), document["avgTime"], document["p50"], document["p95"], document["p99"])
