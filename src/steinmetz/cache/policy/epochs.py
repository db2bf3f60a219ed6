"""Has the world moved while this was computed? The epoch protocol (research/caching.md, 2.4).

There is one ever-growing *sequence*. A reader takes it before it reads anything (`begin`). A writer puts up a
*mark* before it sends COMMIT, and when the COMMIT is acknowledged it *bumps*: the sequence grows and the mark
comes down, before anybody is told that the write succeeded. From this follows

- an answer may be kept if, between its beginning and now, nothing it read was bumped and none of it is marked;
- while a mark is up, kept answers that it concerns are not given: the database may already show the new state;
- a computation under way may be joined if nothing it reads had moved between its beginning and the joining;
- a mark that nobody takes down counts, when its lease ends, as a bump: the COMMIT may have happened.

Deleting after the commit without asking these questions leaves stale answers behind;
tests/contract/test_cache_epochs_model.py runs this very class through all interleavings, and shows which question
guards against what.

Not thread-safe by itself: `steinmetz.cache.invalidation.coherence` holds the lock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from steinmetz.sql.effects import ReadSet, WriteSet

DEFAULT_LEASE_S = 30.0
DEFAULT_RING = 4_096
MAX_WEIGHT = 65_536
"""Of all moves that are remembered: relations and values of rows that they name, some 200 bytes each."""


@dataclass(eq=False, slots=True)
class Mark:
    """A write that may become visible at any moment. ``lease_ends_s`` is on the monotonic clock."""

    writes: WriteSet
    lease_ends_s: float


@dataclass(frozen=True, slots=True)
class Moment:
    """The sequence and the marks that are up, both at one instant."""

    sequence: int
    pending: tuple[WriteSet, ...] = ()


class Epochs:
    """The ledger of writes: how often the world moved, where, and where it may be about to.

    Remembers the last ``ring`` moves, or as many as weigh `MAX_WEIGHT` together; a reader that began before the
    oldest of them is told that everything moved (trap T12).
    """

    def __init__(self, *, lease_s: float = DEFAULT_LEASE_S, ring: int = DEFAULT_RING) -> None:
        self.sequence = 0
        self.marks: list[Mark] = []
        self._lease_s = lease_s
        self._ring: deque[tuple[int, WriteSet]] = deque(maxlen=ring)
        self._weight = 0
        self._forgotten = 0

    # -- writers

    def mark(self, writes: WriteSet, now_s: float) -> Mark:
        """Announce ``writes`` before their COMMIT is sent."""
        mark = Mark(writes, now_s + self._lease_s)
        self.marks = [*self.marks, mark]
        return mark

    def bump(self, mark: Mark) -> None:
        """The writes of ``mark`` stand, or nobody can say that they do not.

        Moves the world even if the lease has ended before: the COMMIT came after that bump.
        """
        self.move(mark.writes)
        self.unmark(mark)

    def unmark(self, mark: Mark) -> None:
        """The writes of ``mark`` were certainly rolled back; what it suspended may be given again."""
        self.marks = [other for other in self.marks if other is not mark]

    def move(self, writes: WriteSet) -> None:
        """Something was written that needed no mark, such as a path by hand."""
        weight = _weight(writes)
        while self._ring and (len(self._ring) == self._ring.maxlen or self._weight + weight > MAX_WEIGHT):
            self._forgotten, oldest = self._ring.popleft()
            self._weight -= _weight(oldest)
        self._weight += weight
        self.sequence += 1
        self._ring.append((self.sequence, writes))

    def forget(self) -> None:
        """Everything moved: nothing that has begun may be kept."""
        self.sequence += 1
        self._ring.clear()
        self._weight = 0
        self._forgotten = self.sequence

    def overdue(self, now_s: float) -> list[Mark]:
        """The marks whose lease has ended; each is to be bumped."""
        return [mark for mark in self.marks if mark.lease_ends_s <= now_s]

    # -- readers

    def begin(self) -> int:
        """The sequence to take before anything is read."""
        return self.sequence

    def moment(self) -> Moment:
        return Moment(self.sequence, tuple(mark.writes for mark in self.marks))

    def suspends(self, reads: ReadSet) -> bool:
        """Whether a mark is up that concerns ``reads``."""
        return any(reads.concerned_by(mark.writes) for mark in self.marks)

    def unmoved_since(self, sequence: int, reads: ReadSet) -> bool:
        """Whether what was computed from ``reads`` at ``sequence`` may be kept now."""
        return self.unmoved_until(sequence, reads, self.moment())

    def unmoved_until(self, sequence: int, reads: ReadSet, moment: Moment) -> bool:
        """Whether nothing in ``reads`` moved between ``sequence`` and ``moment``, nor was about to then."""
        if sequence < self._forgotten:
            return False
        if any(reads.concerned_by(writes) for writes in moment.pending):
            return False
        for moved, writes in reversed(self._ring):
            if moved <= sequence:
                break
            if moved <= moment.sequence and reads.concerned_by(writes):
                return False
        return True


def _weight(writes: WriteSet) -> int:
    """How many relations and values of rows ``writes`` names."""
    weight = 1 + len(writes.relations)
    for changes in writes.changes.values():
        weight += sum(len(values) for change in changes for values in change.within.values())
    return weight
