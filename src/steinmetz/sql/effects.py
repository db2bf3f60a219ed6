"""What a request read and what a transaction wrote, as values, and when the one concerns the other.

The grain is the relation, and below it the rows and columns where both sides know them (`steinmetz.sql.rows`): a
finer grain only ever makes `ReadSet.concerned_by` answer "no" more often, so callers need not know it.

*Tags* make the question quick for many answers: see `ReadSet.tags` and `WriteSet.tags`, and
`steinmetz.sql.index.ReadIndex`, which keeps them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.rows import Change, Column, Rows, Value, folded_changes, folded_rows, meet

NOTHING: frozenset[Relation] = frozenset()
MAX_NAMED = 8
"""Statements by which a transaction is told of."""


class Tag(NamedTuple):
    """What an answer is found by.

    ``relation`` alone: those that look at any of its rows. With ``column``: those that look at it by that column;
    with ``value`` (never None), at rows with that value.
    """

    database: str
    relation: str
    column: Column | None = None
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class WriteSet:
    """What one transaction wrote; ``unknown`` names databases of which it may have written anything.

    ``changes`` tells more of some of the ``relations``; of one that is not in it, any row may have been written.
    ``statements`` names up to `MAX_NAMED` of those that wrote, for people; nothing is decided by them.
    """

    relations: frozenset[Relation] = NOTHING
    unknown: frozenset[str] = frozenset()
    changes: Mapping[Relation, tuple[Change, ...]] = field(default_factory=dict, hash=False)
    statements: tuple[StatementFacts, ...] = field(default=(), compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.relations or self.unknown)

    def __or__(self, other: WriteSet) -> WriteSet:
        changes = {}
        for relation in {*self.changes, *other.changes}:
            parts = [one.changes.get(relation) for one in (self, other) if relation in one.relations]
            if None not in parts:
                folded = folded_changes(change for part in parts if part is not None for change in part)
                if folded is not None:
                    changes[relation] = folded
        statements = (*self.statements, *other.statements)[:MAX_NAMED]
        return WriteSet(self.relations | other.relations, self.unknown | other.unknown, changes, statements)

    @staticmethod
    def of(facts: StatementFacts, database: str) -> WriteSet:
        return WriteSet(facts.writes, frozenset({database}) if facts.writes_unknown else frozenset())

    def tags(self, columns: Mapping[Relation, Collection[Column]]) -> Iterator[Tag]:
        """Tags of which every answer that the ``relations`` concern has at least one.

        Whom the ``unknown`` concern is another question: every answer that has a tag of that database.
        ``columns`` are those by which any answer is found at all, that is the columns in their tags: a write that
        does not bind such a column concerns all who look by it.
        """
        for relation in self.relations:
            yield Tag(relation.database, relation.name)
            for column in columns.get(relation, ()):
                for value in self._values(relation, column):
                    yield Tag(relation.database, relation.name, column, value)

    def _values(self, relation: Relation, column: Column) -> set[Value | None]:
        """The values that ``column`` has in the rows written; None among them stands for any value."""
        changes = self.changes.get(relation)
        if changes is None:
            return {None}
        values: set[Value | None] = set()
        for change in changes:
            values |= change.within.get(column, {None})
        return values


@dataclass(frozen=True, slots=True)
class ReadSet:
    """What one answer was computed from.

    ``unknown`` holds the reasons why more may have been read than is named; an answer with such a reason
    cannot be kept, because nobody could say when to drop it. ``rows`` tells more of some of the ``relations``; of
    one that is not in it, any row may have been read.
    """

    relations: frozenset[Relation] = NOTHING
    unknown: frozenset[str] = frozenset()
    rows: Mapping[Relation, tuple[Rows, ...]] = field(default_factory=dict, hash=False)

    @property
    def is_certain(self) -> bool:
        return not self.unknown

    def __or__(self, other: ReadSet) -> ReadSet:
        rows = {}
        for relation in {*self.rows, *other.rows}:
            parts = [one.rows.get(relation) for one in (self, other) if relation in one.relations]
            if None not in parts:
                folded = folded_rows(each for part in parts if part is not None for each in part)
                if folded is not None:
                    rows[relation] = folded
        return ReadSet(self.relations | other.relations, self.unknown | other.unknown, rows)

    def concerned_by(self, writes: WriteSet) -> bool:
        """Whether the answer may differ after ``writes``."""
        if self.unknown:
            return bool(writes)
        if writes.unknown and any(relation.database in writes.unknown for relation in self.relations):
            return True
        if not writes.changes or not self.rows:
            return not self.relations.isdisjoint(writes.relations)
        return any(self._is_met(relation, writes) for relation in self.relations & writes.relations)

    def _is_met(self, relation: Relation, writes: WriteSet) -> bool:
        changes, looks = writes.changes.get(relation), self.rows.get(relation)
        if changes is None or looks is None:
            return True
        return any(meet(rows, change) for rows in looks for change in changes)

    def tags(self) -> frozenset[Tag]:
        """What the answer is to be found by: of those of every write that concerns it, at least one is here.

        The other half of the contract is `WriteSet.tags`. There is one of each database that is read. An uncertain
        answer has no tags that find it. There are at most `rows.MAX_KEYS` and a few for each relation.
        """
        tags: set[Tag] = set()
        for relation in self.relations:
            database, name = relation.database, relation.name
            for rows in self.rows.get(relation) or (Rows(),):
                if not rows.bound:
                    tags.add(Tag(database, name))
                    continue
                # One column is enough: a write that does not meet it does not concern these rows.
                column = min(rows.bound, key=lambda each: (len(rows.bound[each]), each))
                tags.add(Tag(database, name, column))
                tags.update(Tag(database, name, column, value) for value in rows.bound[column])
        return frozenset(tags)
