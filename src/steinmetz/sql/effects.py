"""What a request read and what a transaction wrote, as values, and when the one concerns the other.

Grain today is the relation. A finer grain (rows, equality predicates) may only ever make `ReadSet.concerned_by`
answer "no" more often, so callers need not know it.
"""

from __future__ import annotations

from dataclasses import dataclass

from steinmetz.sql.facts import Relation, StatementFacts

NOTHING: frozenset[Relation] = frozenset()


@dataclass(frozen=True, slots=True)
class WriteSet:
    """What one transaction wrote; ``unknown`` names databases of which it may have written anything."""

    relations: frozenset[Relation] = NOTHING
    unknown: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.relations or self.unknown)

    def __or__(self, other: WriteSet) -> WriteSet:
        return WriteSet(self.relations | other.relations, self.unknown | other.unknown)

    @staticmethod
    def of(facts: StatementFacts, database: str) -> WriteSet:
        return WriteSet(facts.writes, frozenset({database}) if facts.writes_unknown else frozenset())


@dataclass(frozen=True, slots=True)
class ReadSet:
    """What one answer was computed from.

    ``unknown`` holds the reasons why more may have been read than is named; an answer with such a reason
    cannot be kept, because nobody could say when to drop it.
    """

    relations: frozenset[Relation] = NOTHING
    unknown: frozenset[str] = frozenset()

    @property
    def is_certain(self) -> bool:
        return not self.unknown

    def concerned_by(self, writes: WriteSet) -> bool:
        """Whether the answer may differ after ``writes``."""
        if self.unknown:
            return bool(writes)
        if writes.unknown and any(relation.database in writes.unknown for relation in self.relations):
            return True
        return not self.relations.isdisjoint(writes.relations)
