"""Who read what: finds the answers that a write may concern without asking each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Generic, TypeVar

from steinmetz.sql.effects import ReadSet, Tag, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Column

T = TypeVar("T", bound=Hashable)
_Alone = tuple[T]


class ReadIndex(Generic[T]):
    """Answers by the tags of their read sets. Memory: an entry for each tag of each answer; not thread-safe.

    Most tags are of one row and have one reader, which lies there by itself: a set around it would cost more than
    all the rest of the tag.
    """

    __slots__ = ("_columns", "_readers")

    def __init__(self) -> None:
        self._readers: dict[Tag, _Alone[T] | set[T]] = {}
        self._columns: dict[Relation, Counter[Column]] = {}

    def add(self, answer: T, reads: ReadSet) -> None:
        """Find ``answer`` by ``reads`` from now on; the same read set is needed to `discard` it."""
        for tag in reads.tags():
            readers = self._readers.get(tag)
            if readers is None:
                self._readers[tag] = (answer,)
            elif answer in readers:
                continue
            elif isinstance(readers, set):
                readers.add(answer)
            else:
                self._readers[tag] = {*readers, answer}
            if tag.column is not None and tag.value is None:
                self._columns.setdefault(Relation(tag.database, tag.relation), Counter())[tag.column] += 1

    def discard(self, answer: T, reads: ReadSet) -> None:
        for tag in reads.tags():
            readers = self._readers.get(tag)
            if readers is None or answer not in readers:
                continue
            if isinstance(readers, set) and len(readers) > 1:
                readers.discard(answer)
            else:
                del self._readers[tag]
            if tag.column is not None and tag.value is None:
                self._count_down(Relation(tag.database, tag.relation), tag.column)

    def readers(self, writes: WriteSet) -> set[T]:
        """Every answer whose read set is concerned by ``writes``, and perhaps some that are not."""
        found: set[T] = set()
        for tag in writes.tags(self._columns):
            found.update(self._readers.get(tag, ()))
        if writes.unknown:
            # Rare, and it finds nearly all there are: to keep them by database would cost each answer an entry.
            for tag, readers in self._readers.items():
                if tag.database in writes.unknown:
                    found.update(readers)
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
