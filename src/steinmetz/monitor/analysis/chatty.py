"""Units of work that ask too often, and routes that ask more than their budget allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steinmetz.monitor.analysis.patterns import Finding, PatternKind

CHATTY_FROM = 50
"""Statements in one unit of work from which it is called chatty."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How often one statement ran in a unit of work, and for how long altogether."""

    fingerprint: str
    text: str
    count: int
    total_ns: int


def chatty(scope: str, statements: Sequence[Asked], chatty_from: int = CHATTY_FROM) -> Finding | None:
    """The finding for a unit of work with ``chatty_from`` statements or more, of whatever kinds."""
    count = sum(asked.count for asked in statements)
    if count < chatty_from:
        return None
    return _finding(
        PatternKind.CHATTY,
        scope,
        statements,
        f"{count} statements in one unit of work: begin with the most frequent ones; read with one join or IN "
        f"what is read one by one, write with executemany, and keep what does not change.",
    )


def over_budget(scope: str, statements: Sequence[Asked], allowed: int) -> Finding | None:
    """The finding for a unit of work with more than ``allowed`` statements."""
    count = sum(asked.count for asked in statements)
    if count <= allowed:
        return None
    return _finding(
        PatternKind.OVER_BUDGET,
        scope,
        statements,
        f"{count} statements where at most {allowed} are allowed: ask less, or raise the budget where it is set.",
        allowed,
    )


def _finding(
    kind: PatternKind, scope: str, statements: Sequence[Asked], remedy: str, allowed: int | None = None
) -> Finding:
    most = max(statements, key=lambda asked: asked.count)
    evidence: dict[str, int | str] = {
        "statements": sum(asked.count for asked in statements),
        "different": len(statements),
        "mostFrequentCount": most.count,
    }
    if allowed is not None:
        evidence["allowed"] = allowed
    return Finding(
        kind=kind,
        fingerprint=most.fingerprint if kind is PatternKind.CHATTY else "",
        statement=most.text,
        remedy=remedy,
        scope=scope,
        count=sum(asked.count for asked in statements),
        total_ns=sum(asked.total_ns for asked in statements),
        evidence=evidence,
    )
