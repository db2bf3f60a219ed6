"""Who read what: finds the answers that a write may concern without asking each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Generic, TypeVar

from steinmetz.sql.effects import ReadSet, Tag, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Column

T = TypeVar("T", bound=Hashable)


class ReadIndex(Generic[T]):
    """Answers by the tags of their read sets. Memory: a set entry for each tag of each answer; not thread-safe."""

    __slots__ = ("_columns", "_readers")

    def __init__(self) -> None:
        self._readers: dict[Tag, set[T]] = {}
        self._columns: dict[Relation, Counter[Column]] = {}

    def add(self, answer: T, reads: ReadSet) -> None:
        """Find ``answer`` by ``reads`` from now on; the same read set is needed to `discard` it."""
        for tag in reads.tags():
            readers = self._readers.setdefault(tag, set())
            if answer in readers:
                continue
            readers.add(answer)
            if tag.relation is not None and tag.column is not None and tag.value is None:
                self._columns.setdefault(Relation(tag.database, tag.relation), Counter())[tag.column] += 1

    def discard(self, answer: T, reads: ReadSet) -> None:
        for tag in reads.tags():
            readers = self._readers.get(tag)
            if readers is None or answer not in readers:
                continue
            readers.discard(answer)
            if not readers:
                del self._readers[tag]
            if tag.relation is not None and tag.column is not None and tag.value is None:
                self._count_down(Relation(tag.database, tag.relation), tag.column)

    def readers(self, writes: WriteSet) -> set[T]:
        """Every answer whose read set is concerned by ``writes``, and perhaps some that are not."""
        found: set[T] = set()
        for tag in writes.tags(self._columns):
            found |= self._readers.get(tag, frozenset())
        return found

    def clear(self) -> None:
        self._readers.clear()
        self._columns.clear()

    def __len__(self) -> int:
        """How many tags there are."""
        return len(self._readers)

    def _count_down(self, relation: Relation, column: Column) -> None:
        columns = self._columns[relation]
        columns[column] -= 1
        if not columns[column]:
            del columns[column]
            if not columns:
                del self._columns[relation]
