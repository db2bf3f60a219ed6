"""The store of one process: S3-FIFO by bytes, and an index from each relation to the keys that read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

from steinmetz.cache.stores.base import K
from steinmetz.cache.stores.s3fifo import S3Fifo
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation

DEFAULT_BUDGET_BYTES = 64 * 1024 * 1024


class MemoryStore(Generic[K]):
    """Implements `Store`. Memory: ``budget_bytes``, give or take a tenth."""

    __slots__ = ("_kept", "_readers", "evictions", "get")

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self._kept: S3Fifo[K] = S3Fifo(budget_bytes)
        self._readers: dict[Relation, set[bytes]] = {}
        self.evictions = 0
        self.get = self._kept.get

    @property
    def budget_bytes(self) -> int:
        return self._kept.budget

    @property
    def weight_bytes(self) -> int:
        return self._kept.weight

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    def put(self, kept: K) -> bool:
        before = self._kept.peek(kept.key)
        if before is not None:
            self._forget_reads(before)
        gone = self._kept.put(kept.key, kept, kept.weight)
        if gone is None:
            return False
        for relation in kept.read_set.relations:
            self._readers.setdefault(relation, set()).add(kept.key)
        for evicted in gone:
            self._forget_reads(evicted)
        self.evictions += len(gone)
        return True

    def drop(self, writes: WriteSet) -> int:
        keys: set[bytes] = set()
        for relation in writes.relations:
            keys |= self._readers.get(relation, frozenset())
        if writes.unknown:
            for relation, readers in self._readers.items():
                if relation.database in writes.unknown:
                    keys |= readers
        dropped = 0
        for key in keys:
            kept = self._kept.peek(key)
            # The index is by relation; the read set may know more finely that it is not concerned.
            if kept is not None and kept.read_set.concerned_by(writes):
                self._kept.remove(key)
                self._forget_reads(kept)
                dropped += 1
        return dropped

    def discard(self, kept: K) -> bool:
        if self._kept.peek(kept.key) is not kept:
            return False
        self._kept.remove(kept.key)
        self._forget_reads(kept)
        return True

    def clear(self) -> int:
        dropped = len(self._kept)
        self._kept.clear()
        self._readers.clear()
        return dropped

    def _forget_reads(self, kept: K) -> None:
        for relation in kept.read_set.relations:
            readers = self._readers.get(relation)
            if readers is not None:
                readers.discard(kept.key)
                if not readers:
                    del self._readers[relation]
