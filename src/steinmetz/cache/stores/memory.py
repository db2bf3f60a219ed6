"""The store of one process: S3-FIFO by bytes and cost, with indexes from tags and from paths to keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.policy.patterns import PathPattern, segments_of
from steinmetz.cache.policy.placed import Placed
from steinmetz.cache.policy.tags import PATHS, path_reads
from steinmetz.cache.stores.allotments import Allotments
from steinmetz.cache.stores.base import Gone, K, Kept, OnGone
from steinmetz.cache.stores.paths import PathIndex
from steinmetz.cache.stores.s3fifo import S3Fifo
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.index import ReadIndex

DEFAULT_BUDGET_BYTES = 64 * 1024 * 1024


def _reads_beside_its_path(kept: Kept) -> ReadSet:
    """What it is to be found by besides its own place among the paths: those above it are read by nearly all."""
    reads = kept.read_set
    if not isinstance(kept, Placed):
        return reads
    return ReadSet(reads.relations - path_reads(kept.path), reads.unknown, reads.rows)


class MemoryStore(Generic[K]):
    """Implements `Store`. Memory: ``budget_bytes``, give or take a tenth. ``on_gone`` hears of all that leaves."""

    __slots__ = ("_allotments", "_kept", "_on_gone", "_paths", "_readers", "evictions", "get")

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES, *, on_gone: OnGone[K] | None = None) -> None:
        self._kept: S3Fifo[K] = S3Fifo(budget_bytes)
        self._readers: ReadIndex[bytes] = ReadIndex()
        self._paths = PathIndex()
        self._allotments = Allotments()
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
        key, weight = kept.key, kept.weight
        before = self._kept.peek(key)
        if before is not None:
            self._let_go(before, Gone.REPLACED)
        placed = kept if isinstance(kept, Placed) else None
        if placed is not None and placed.limits is not None and not placed.limits.hold(1, weight):
            self._kept.remove(key)
            return False
        gone = self._kept.put(key, kept, weight, 0 if placed is None else placed.cost_ns)
        if gone is None:
            return False
        self._readers.add(key, _reads_beside_its_path(kept))
        if placed is not None:
            self._paths.add(key, placed.path)
        self._evicted(gone)
        if placed is not None and placed.limits is not None:
            self._make_room_within(placed.limits, kept)
        return True

    def reweigh(self, kept: K) -> bool:
        if self._kept.peek(kept.key) is not kept:
            return False
        self._evicted(self._kept.reweigh(kept.key, kept.weight))
        if isinstance(kept, Placed) and kept.limits is not None:
            self._make_room_within(kept.limits, kept)
        return kept.alive

    def drop(self, writes: WriteSet) -> int:
        dropped = 0
        for key in self._concerned(writes):
            kept = self._kept.peek(key)
            # The index finds some too many; the read set knows more finely that it is not concerned.
            if kept is not None and kept.read_set.concerned_by(writes):
                self._kept.remove(key)
                self._let_go(kept, Gone.DROPPED)
                dropped += 1
        return dropped

    def keys_matching(self, pattern: PathPattern) -> list[bytes]:
        return [kept.key for kept in self._matching(pattern)]

    def drop_matching(self, pattern: PathPattern) -> int:
        matching = self._matching(pattern)
        for kept in matching:
            self._kept.remove(kept.key)
            self._let_go(kept, Gone.DROPPED)
        return len(matching)

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
        return len(gone)

    def _concerned(self, writes: WriteSet) -> set[bytes]:
        """Those that ``writes`` concern, and perhaps some too many."""
        if PATHS in writes.unknown:
            return {kept.key for kept in self._kept}  # each may have a path
        found = self._readers.readers(writes)
        for relation in writes.relations:
            if relation.database == PATHS:
                found.update(self._paths.matching(PathPattern(segments_of(relation.name), has_rest=True)))
        return found

    def _matching(self, pattern: PathPattern) -> list[K]:
        matching: list[K] = []
        for key in self._paths.matching(pattern):
            kept = self._kept.peek(key)
            # The index knows a path down to some depth only; the path itself has the last word.
            if kept is not None and isinstance(kept, Placed) and pattern.matches(kept.path):
                matching.append(kept)
        return matching

    def _make_room_within(self, limits: Limits, kept: K) -> None:
        """Evict others of the same route until its limits hold; ``kept`` itself only if it alone breaks them."""
        if not kept.alive:
            return
        self._allotments.put(kept.key, limits, kept.weight)
        route, spend_use = limits.route, self._kept.spend_use
        while (key := self._allotments.surplus(route, kept.key, spend_use)) is not None:
            victim = self._kept.remove(key, became_untrue=False)
            assert victim is not None
            self._evicted([victim])

    def _evicted(self, gone: list[K]) -> None:
        for kept in gone:
            self._let_go(kept, Gone.EVICTED)
        self.evictions += len(gone)

    def _let_go(self, kept: K, why: Gone) -> None:
        kept.alive = False
        self._readers.discard(kept.key, _reads_beside_its_path(kept))
        if isinstance(kept, Placed):
            self._paths.discard(kept.key, kept.path)
            if kept.limits is not None:
                self._allotments.discard(kept.key, kept.limits)
        if self._on_gone is not None:
            self._on_gone(kept, why)
