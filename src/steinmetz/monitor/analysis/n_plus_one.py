"""When a repeated statement is a loop over keys: statement x call site x distinct keys under one parent.

One unit of work (its scope) asked the same statement, along the same trail of application lines, with `DISTINCT`
different keys or more. Equal keys are polls, retries and constants; different lines are different questions; many
keys in one statement are batches; all of these are left alone. What counts as a key:
`steinmetz.monitor.analysis.slots`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.analysis.place import Place
from steinmetz.monitor.analysis.remedies import Cause, Origin, remedy_for_reads, remedy_for_writes
from steinmetz.sql.facts import StatementFacts, Verb

DISTINCT = 3
"""Different keys that must have been seen at one trail."""


@dataclass(frozen=True, slots=True)
class Trodden:
    """What was seen of one statement at one trail of lines; ``looked`` runs were looked at closely."""

    trail: Sequence[Place]
    looked: int
    keys: int
    columns: tuple[str, ...]
    origin: Origin
    is_limited: bool = False
    transactions: int = 1


@dataclass(frozen=True, slots=True)
class Repeated:
    """One statement that ran ``count`` times in one unit of work, and where those runs came from."""

    facts: StatementFacts
    count: int
    total_ns: int
    trails: Sequence[Trodden]


def _loops(repeated: Repeated, scope: str, distinct: int) -> Iterator[tuple[Finding, Origin]]:
    """The loops over one statement; one for each line, though several trails may lead there.

    The first runs were not looked at: all runs are shared out in the ratio of those that were.
    """
    looked = sum(trodden.looked for trodden in repeated.trails)
    by_place: dict[Place | None, list[Trodden]] = {}
    for trodden in repeated.trails:
        if trodden.keys >= distinct:
            by_place.setdefault(trodden.trail[0] if trodden.trail else None, []).append(trodden)
    for place, trails in by_place.items():
        share = sum(trodden.looked for trodden in trails) / looked
        count = max(1, round(repeated.count * share))
        total_ns = round(repeated.total_ns * share)
        most = max(trails, key=lambda trodden: trodden.looked)
        yield (
            Finding(
                kind=_kind(repeated.facts.verb),
                fingerprint=repeated.facts.fingerprint,
                statement=repeated.facts.text,
                remedy=_remedy(repeated.facts, most),
                place=place,
                callers=tuple(most.trail[1:]),
                subject=most.origin.subject,
                scope=scope,
                count=count,
                total_ns=total_ns,
                saved_ns=total_ns - total_ns // count,
                evidence={"runs": count, "differentKeysSeen": sum(trodden.keys for trodden in trails)},
            ),
            most.origin,
        )


def loops(statements: Iterable[Repeated], scope: str, distinct: int = DISTINCT) -> list[Finding]:
    """The loops of one unit of work. Eager loads where their owners are asked for one by one are part of that."""
    found = [(one, origin) for repeated in statements for one, origin in _loops(repeated, scope, distinct)]
    asking = {one.place for one, origin in found if origin.cause is not Cause.EAGER_LOAD}
    return [one for one, origin in found if origin.cause is not Cause.EAGER_LOAD or one.place not in asking]


def _kind(verb: Verb) -> PatternKind:
    return PatternKind.WRITE_LOOP if verb in (Verb.INSERT, Verb.UPDATE, Verb.DELETE) else PatternKind.N_PLUS_ONE


def _remedy(facts: StatementFacts, trodden: Trodden) -> str:
    if _kind(facts.verb) is PatternKind.WRITE_LOOP:
        commits = trodden.transactions > trodden.looked // 2 + 1
        return remedy_for_writes(facts.text, facts.verb, trodden.columns, trodden.origin, commits=commits)
    return remedy_for_reads(facts.text, trodden.columns, trodden.origin, is_limited=trodden.is_limited)
