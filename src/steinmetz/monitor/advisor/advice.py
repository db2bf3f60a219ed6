"""The advisor's answer as values: which indexes to make and to drop, why, and how much that is known to gain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from steinmetz.monitor.advisor.index import Index

REJECTED_SHOWN = 40
TEXT_SHOWN = 400


@dataclass(slots=True)
class Gain:
    """How many times less work: 1 is no gain, below 1 is a loss, None is not known.

    ``estimated`` by the planner over the parameters as they are used; ``verified`` by running, the mean of all
    stored parameters, ``worst`` the least of them; ``observed`` in production after the index was made.
    """

    estimated: float | None = None
    verified: float | None = None
    worst: float | None = None
    observed: float | None = None

    def document(self) -> dict[str, float | None]:
        shown = {"estimated": self.estimated, "verified": self.verified, "verifiedWorst": self.worst}
        return {name: _rounded(value) for name, value in (*shown.items(), ("observed", self.observed))}


@dataclass(slots=True)
class Effect:
    """What an index does to one statement."""

    fingerprint: str
    name: str
    text: str
    calls: int
    total_ms: float
    gain: Gain

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "statement": self.text[:TEXT_SHOWN],
            "calls": self.calls,
            "totalTime": round(self.total_ms, 3),
            "gain": self.gain.document(),
        }


@dataclass(slots=True)
class Creation:
    """An index to make. ``saves_ms``: what of the workload's time the others would not save without it."""

    index: Index
    ddl: str
    size_bytes: int
    saves_ms: float
    helps: list[Effect]
    slows: list[Effect] = field(default_factory=list)
    note: str = ""

    def document(self) -> dict[str, Any]:
        return {
            "name": self.index.shown_name,
            "table": self.index.table,
            "columns": [column.sql() for column in self.index.columns],
            "include": list(self.index.include),
            "where": self.index.where or None,
            "ddl": self.ddl,
            "sizeBytes": self.size_bytes,
            "savedTime": round(self.saves_ms, 3),
            "helps": [effect.document() for effect in self.helps],
            "slows": [effect.document() for effect in self.slows],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Removal:
    """An index that exists and need not."""

    index: Index
    ddl: str
    size_bytes: int
    reason: str

    def document(self) -> dict[str, Any]:
        return {
            "name": self.index.shown_name,
            "table": self.index.table,
            "ddl": self.ddl,
            "sizeBytes": self.size_bytes,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that was not taken, and why in one sentence."""

    index: Index
    reason: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """A statement that was not understood in full, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Advice:
    """Everything one run of the advisor has to say. Times in ms; no value that was bound to a statement.

    ``is_verified`` says that the statements were really run with and without the indexes; if not,
    ``not_verified_because`` says why.
    """

    dialect: str
    statements: int = 0
    calls: int = 0
    parameter_sets: int = 0
    candidates: int = 0
    left_out: int = 0
    plans_asked: int = 0
    saved_share: float = 0.0
    """Of the workload's cost, by the planner."""
    create: list[Creation] = field(default_factory=list)
    drop: list[Removal] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unheard: list[Unheard] = field(default_factory=list)
    is_verified: bool = False
    not_verified_because: str = ""
    made_at: str = ""

    @property
    def indexes(self) -> list[Index]:
        return [creation.index for creation in self.create]

    def observe(self, index_name: str, fingerprint: str, times_less: float) -> bool:
        """Note what a statement has gained since the index was made; False if the advice has no such pair."""
        noted = False
        for creation in self.create:
            if creation.index.shown_name == index_name:
                for effect in (*creation.helps, *creation.slows):
                    if effect.fingerprint == fingerprint:
                        effect.gain.observed = times_less
                        noted = True
        return noted

    def document(self) -> dict[str, Any]:
        """As JSON, in the shape of ``GET /api/diagnostics/index-advice``."""
        return {
            "madeAt": self.made_at or None,
            "engine": self.dialect,
            "verified": self.is_verified,
            "notVerifiedBecause": self.not_verified_because or None,
            "workload": {
                "statements": self.statements,
                "calls": self.calls,
                "parameterSets": self.parameter_sets,
            },
            "candidates": self.candidates,
            "candidatesLeftOut": self.left_out,
            "savedShare": round(self.saved_share, 4),
            "create": [creation.document() for creation in self.create],
            "drop": [removal.document() for removal in self.drop],
            "rejected": [
                {"index": each.index.definition(), "reason": each.reason}
                for each in self.rejected[:REJECTED_SHOWN]
            ],
            "rejectedCount": len(self.rejected),
            "notUnderstood": [{"name": each.name, "reason": each.reason} for each in self.unheard],
        }


def by_interest(rejections: Iterable[Rejection]) -> list[Rejection]:
    """Those first that somebody might have made: they would harm; then those that cost too much; then the rest."""

    def rank(rejection: Rejection) -> tuple[int, str]:
        words = ("times as costly", "read to its end", "would cost more", "begins with it", "too little")
        place = next((place for place, word in enumerate(words) if word in rejection.reason), len(words))
        return place, rejection.index.definition()

    return sorted(rejections, key=rank)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
