"""Keeps what is stored and the epochs in step, under one lock, for commits come from any thread.

The rules are those of `steinmetz.cache.policy.epochs`; here they become atomic: *keep* asks the epochs and puts
the answer in the store in one step, *bump* drops the answers before the mark comes down. Looking up takes no lock
while no mark is up: the check for marks comes first, so a look-up counts as of that instant.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from steinmetz.cache.policy.epochs import DEFAULT_LEASE_S, Epochs, Mark, Moment
from steinmetz.cache.policy.patterns import PathPattern
from steinmetz.cache.policy.tags import written_paths
from steinmetz.cache.stores.base import K, Store
from steinmetz.clock import Clock
from steinmetz.sql.effects import ReadSet, WriteSet


@dataclass(frozen=True, slots=True)
class Suspended:
    """Something is kept, but a commit under way may be changing what it was computed from."""

    read_set: ReadSet


class Coherence:
    """The epochs and the stores that obey them. ``lease_s``: how long a mark stands without news of its commit."""

    def __init__(self, clock: Clock, stores: Sequence[Store[Any]], *, lease_s: float = DEFAULT_LEASE_S) -> None:
        self.epochs = Epochs(lease_s=lease_s)
        self._clock = clock
        self._stores = tuple(stores)
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    # -- readers

    def begin(self) -> int:
        """The sequence to take at a request's entry."""
        return self.epochs.begin()

    def find(self, store: Store[K], key: bytes) -> K | Suspended | None:
        """What is kept under ``key`` and may be given now."""
        if not self.epochs.marks:
            return store.get(key)
        with self._lock:
            self._end_leases()
            kept = store.get(key)
            if kept is not None and self.epochs.suspends(kept.read_set):
                return Suspended(kept.read_set)
            return kept

    def keep(self, store: Store[K], kept: K, sequence: int) -> bool:
        """Put ``kept``, computed since ``sequence``, unless what it read has moved or is about to."""
        with self._lock:
            self._end_leases()
            return self.epochs.unmoved_since(sequence, kept.read_set) and store.put(kept)

    def reweigh(self, store: Store[K], kept: K) -> bool:
        """Tell ``store`` that the weight of ``kept`` has changed; False if it is no longer kept."""
        with self._lock:
            return store.reweigh(kept)

    def discard(self, store: Store[K], kept: K) -> bool:
        with self._lock:
            return store.discard(kept)

    def moment(self) -> Moment:
        with self._lock:
            self._end_leases()
            return self.epochs.moment()

    def was_unmoved(self, sequence: int, reads: ReadSet, moment: Moment) -> bool:
        """Whether what began at ``sequence`` was still good at ``moment``."""
        with self._lock:
            return self.epochs.unmoved_until(sequence, reads, moment)

    async def settled(self, reads: ReadSet, timeout_s: float) -> bool:
        """Wait for the end of the commits that are now under way and concern ``reads`` (trap T10).

        Whether that came within ``timeout_s``; others may have begun meanwhile.
        """
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        awaited = [mark for mark in self.epochs.marks if reads.concerned_by(mark.writes)]
        while True:
            future: asyncio.Future[None] = loop.create_future()
            with self._lock:
                self._end_leases()
                awaited = [mark for mark in awaited if mark in self.epochs.marks]
                if not awaited:
                    return True
                self._waiting.append((loop, future))
            try:
                async with asyncio.timeout_at(deadline_s):
                    await future
            except TimeoutError:
                return False
            finally:
                with self._lock:
                    self._waiting = [waiting for waiting in self._waiting if waiting[1] is not future]

    # -- writers

    def mark(self, writes: WriteSet) -> Mark:
        with self._lock:
            return self.epochs.mark(writes, self._clock.monotonic_s())

    def bump(self, mark: Mark) -> int:
        """The writes stand: returns how many kept things were dropped."""
        with self._lock:
            dropped = self._bump(mark)
        self._wake()
        return dropped

    def unmark(self, mark: Mark) -> None:
        with self._lock:
            self.epochs.unmark(mark)
        self._wake()

    def move(self, writes: WriteSet) -> int:
        """Something was written that no mark announced: returns how many kept things were dropped."""
        with self._lock:
            self.epochs.move(writes)
            return self._drop(writes)

    def move_matching(self, pattern: PathPattern) -> int:
        """The paths that match ``pattern`` were written: returns how many kept things were dropped.

        What is being computed has no index, so of that nothing is kept at or below `PathPattern.above`.
        """
        with self._lock:
            self.epochs.move(written_paths([pattern.above()]))
            return sum(store.drop_matching(pattern) for store in self._stores)

    def clear(self) -> int:
        """Forget everything, and keep nothing that is being computed now."""
        with self._lock:
            self.epochs.forget()
            return sum(store.clear() for store in self._stores)

    # -- under the lock

    def _bump(self, mark: Mark) -> int:
        # First drop, then take the mark down: a look-up without the lock sees either the mark or no answer.
        dropped = self._drop(mark.writes)
        self.epochs.bump(mark)
        return dropped

    def _drop(self, writes: WriteSet) -> int:
        return sum(store.drop(writes) for store in self._stores)

    def _end_leases(self) -> None:
        if self.epochs.marks:
            for mark in self.epochs.overdue(self._clock.monotonic_s()):
                self._bump(mark)

    def _wake(self) -> None:
        if not self._waiting:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            with suppress(RuntimeError):  # the loop has been closed: nobody waits there any more
                loop.call_soon_threadsafe(_resolve, future)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
