"""The store of one process: S3-FIFO by bytes, and an index from tags to the keys that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

from steinmetz.cache.stores.base import Gone, K, OnGone
from steinmetz.cache.stores.s3fifo import S3Fifo
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.index import ReadIndex

DEFAULT_BUDGET_BYTES = 64 * 1024 * 1024


class MemoryStore(Generic[K]):
    """Implements `Store`. Memory: ``budget_bytes``, give or take a tenth. ``on_gone`` hears of all that leaves."""

    __slots__ = ("_kept", "_on_gone", "_readers", "evictions", "get")

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES, *, on_gone: OnGone[K] | None = None) -> None:
        self._kept: S3Fifo[K] = S3Fifo(budget_bytes)
        self._readers: ReadIndex[bytes] = ReadIndex()
        self._on_gone = on_gone
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
            self._let_go(before, Gone.REPLACED)
        gone = self._kept.put(kept.key, kept, kept.weight)
        if gone is None:
            return False
        self._readers.add(kept.key, kept.read_set)
        for evicted in gone:
            self._let_go(evicted, Gone.EVICTED)
        self.evictions += len(gone)
        return True

    def drop(self, writes: WriteSet) -> int:
        dropped = 0
        for key in self._readers.readers(writes):
            kept = self._kept.peek(key)
            # The index finds some too many; the read set knows more finely that it is not concerned.
            if kept is not None and kept.read_set.concerned_by(writes):
                self._kept.remove(key)
                self._let_go(kept, Gone.DROPPED)
                dropped += 1
        return dropped

    def discard(self, kept: K) -> bool:
        if self._kept.peek(kept.key) is not kept:
            return False
        self._kept.remove(kept.key)
        self._let_go(kept, Gone.DISCARDED)
        return True

    def clear(self) -> int:
        gone = list(self._kept)
        self._kept.clear()
        for kept in gone:
            self._let_go(kept, Gone.CLEARED)
        self._readers.clear()
        return len(gone)

    def _let_go(self, kept: K, why: Gone) -> None:
        kept.alive = False
        self._readers.discard(kept.key, kept.read_set)
        if self._on_gone is not None:
            self._on_gone(kept, why)
