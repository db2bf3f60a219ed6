"""Hears of every commit from the SQL hook and drops what it concerns, before anybody is told that it stands."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import structlog

from steinmetz.cache.invalidation.causes import Invalidation
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.reads import current_recording
from steinmetz.cache.policy.epochs import Mark
from steinmetz.cache.policy.patterns import PathPattern
from steinmetz.cache.policy.tags import written_paths
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock
from steinmetz.sql.effects import WriteSet

log = structlog.get_logger("steinmetz.cache")

REMEMBERED = 500

Listener = Callable[[WriteSet], None]


class WriteObserver:
    """The cache's `TransactionObserver`. Thread-safe; never raises into a commit but for a bug of its own."""

    def __init__(self, coherence: Coherence, clock: Clock, statistics: Statistics) -> None:
        self._coherence = coherence
        self._statistics = statistics
        self._clock = clock
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._recent: deque[Invalidation] = deque(maxlen=REMEMBERED)
        self.commits = 0
        self.rollbacks = 0
        self.dropped = 0
        self.late_commits = 0

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every write set, after what it concerns was dropped, on the committing thread."""
        self._listeners = (*self._listeners, listener)

    # -- TransactionObserver

    def mark(self, writes: WriteSet) -> object:
        recording = current_recording()
        if recording is not None and recording.response_started:
            self._warn_late(recording.scope.name)
        return self._coherence.mark(writes)

    def bump(self, token: object) -> None:
        assert isinstance(token, Mark)
        invalidation = Invalidation.of(token.writes, self._clock.now())
        with self._statistics.attributed(invalidation):
            invalidation.dropped = self._coherence.bump(token)
        self._record(invalidation)
        with self._lock:
            self.commits += 1
        self._tell(token.writes)

    def unmark(self, token: object) -> None:
        assert isinstance(token, Mark)
        self._coherence.unmark(token)
        with self._lock:
            self.rollbacks += 1

    def lost(self, token: object) -> None:
        """The commit may yet come to pass, and nobody will tell: a second mark stands until its lease ends."""
        assert isinstance(token, Mark)
        self._coherence.mark(token.writes)
        self.bump(token)

    # -- by hand

    def move(self, writes: WriteSet) -> int:
        """Something was written that no transaction showed; returns how many answers were dropped."""
        invalidation = Invalidation.of(writes, self._clock.now())
        with self._statistics.attributed(invalidation):
            invalidation.dropped = self._coherence.move(writes)
        self._record(invalidation)
        self._tell(writes)
        return invalidation.dropped

    def move_matching(self, pattern: PathPattern) -> int:
        """The paths that match were written; returns how many answers were dropped.

        Listeners, who know no patterns, hear of the path at or below which all of it lies.
        """
        above = written_paths([pattern.above()])
        invalidation = Invalidation.of_pattern(str(pattern), self._clock.now())
        with self._statistics.attributed(invalidation):
            invalidation.dropped = self._coherence.move_matching(pattern)
        self._record(invalidation)
        self._tell(above)
        return invalidation.dropped

    def clear(self) -> int:
        """Drop everything; returns how many answers that were."""
        invalidation = Invalidation.of_everything(self._clock.now())
        invalidation.dropped = self._coherence.clear()
        self._record(invalidation)
        return invalidation.dropped

    def recent(self) -> list[Invalidation]:
        """The last `REMEMBERED` invalidations, newest first."""
        with self._lock:
            return list(reversed(self._recent))

    def _record(self, invalidation: Invalidation) -> None:
        with self._lock:
            self.dropped += invalidation.dropped
            self._recent.append(invalidation)

    def _tell(self, writes: WriteSet) -> None:
        for listener in self._listeners:
            try:
                listener(writes)
            except Exception as error:
                # The write stands and the cache is right; a listener's trouble is not the writer's.
                log.error("A listener to commits failed", error=type(error).__name__, exc_info=error)

    def _warn_late(self, name: str) -> None:
        with self._lock:
            self.late_commits += 1
            first = self.late_commits == 1
        say = log.warning if first else log.debug
        say(
            "A commit came after its response had started: the caller may miss its own write",
            request=name,
            remedy='FastAPI: commit in a dependency with Depends(..., scope="function")',
        )
