"""What a finding is: a habit of asking that costs more than it must, with its line and what mends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from steinmetz.monitor.analysis.place import Place


class PatternKind(StrEnum):
    N_PLUS_ONE = "n-plus-one"
    """One statement for each row of another, where one could have asked for all."""
    WRITE_LOOP = "write-loop"
    """One statement for each row to be written."""
    CHATTY = "chatty-request"
    """Many statements in one unit of work."""
    UNUSED_EAGER_LOAD = "unused-eager-load"
    """A relationship that was loaded with the rows, and that nobody read."""
    CARTESIAN_JOIN = "cartesian-join"
    """Relations in FROM that no predicate connects."""
    UNBOUNDED_SELECT = "unbounded-select"
    """A SELECT without LIMIT that returned many rows."""
    OVER_BUDGET = "over-budget"
    """A route that needed more statements than it may."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One pattern seen in one unit of work.

    ``statement`` is a text without values, ``subject`` the relationship, column or relations it is about,
    ``place`` the application's line and ``callers`` the lines that led there, innermost first. ``count`` are the
    runs (or rows) that make it one; ``total_ns`` their time, of which ``saved_ns`` could be saved, as far as that
    is known.
    """

    kind: PatternKind
    fingerprint: str
    statement: str
    remedy: str
    place: Place | None = None
    callers: tuple[Place, ...] = ()
    subject: str = ""
    scope: str = ""
    count: int = 0
    total_ns: int = 0
    saved_ns: int = 0
    evidence: dict[str, int | str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[PatternKind, str, Place | None, str]:
        """Findings with equal keys are one habit."""
        scope = self.scope if self.kind in (PatternKind.CHATTY, PatternKind.OVER_BUDGET) else ""
        subject = self.subject if self.kind is PatternKind.UNUSED_EAGER_LOAD else ""
        return self.kind, self.fingerprint, self.place, scope or subject
