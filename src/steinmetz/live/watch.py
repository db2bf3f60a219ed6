"""What is known of one answer that somebody listens to, and when it must be computed again. Pure.

Every commit is compared with what the answer was last computed from. Commits that come while it is computed are
answered by one more computation, so the newest state always wins; what was computed meanwhile may still be said,
since it is newer than what was said before, though no cache may keep it any more (trap T34).
"""

from __future__ import annotations

from collections.abc import Collection

from steinmetz.live.telling import Said
from steinmetz.sql.effects import ReadSet, WriteSet


class Watch:
    """``read_set`` is None while it is not known what the answer depends on: then any commit may have moved it."""

    __slots__ = ("_missed", "computations", "is_moved", "is_unsaid", "read_set", "said")

    def __init__(self) -> None:
        self.read_set: ReadSet | None = None
        self.said: Said | None = None
        """What those who listen have."""
        self.is_moved = True
        self.is_unsaid = False
        """A commit came before there was anything to compare with."""
        self.computations = 0
        """Begun."""
        self._missed: list[WriteSet] | None = None

    @property
    def is_computing(self) -> bool:
        return self._missed is not None

    def note(self, writes: WriteSet) -> bool:
        """A commit wrote ``writes``: whether the answer may differ now, and was not known to before."""
        if self._missed is not None:
            self._missed.append(writes)
            return False
        if self.said is None:
            self.is_unsaid = True
        if self.is_moved:
            return False
        self.is_moved = self.read_set is None or self.read_set.concerned_by(writes)
        return self.is_moved

    def begin(self) -> None:
        """A computation starts, of the state as it is now or later."""
        assert self._missed is None, "one computation of an answer at a time"
        self._missed = []
        self.is_moved = False
        self.computations += 1

    def finish(self, read_set: ReadSet, now: Said) -> Said | None:
        """It has read ``read_set`` and answers ``now``; returns what those who listen had before."""
        missed = self._end()
        self.read_set = read_set
        before, self.said = self.said, now
        if any(read_set.concerned_by(writes) for writes in missed):
            self.is_moved = True
            # Perhaps it shows them already: the computation that follows would find nothing that differs.
            self.is_unsaid = self.is_unsaid or before is None
        return before

    def fail(self) -> None:
        """It has come to nothing: the answer is as unknown as before."""
        self._end()
        self.is_moved = True

    def adopt(self, read_set: ReadSet) -> None:
        """Somebody else has computed it, from ``read_set``, and no commit has concerned that since."""
        self.read_set = read_set
        self.said = None
        self.is_moved = False

    def expire(self) -> None:
        """It has become untrue by the clock alone (trap T14)."""
        self.is_moved = True

    def forget(self) -> None:
        """Nobody listens. The next one fetches for himself; what was said before is no basis any more."""
        self.read_set = self.said = None
        self.is_moved = True
        self.is_unsaid = False

    def _end(self) -> Collection[WriteSet]:
        assert self._missed is not None, "a computation has been begun"
        missed, self._missed = self._missed, None
        return missed
