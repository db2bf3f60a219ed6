"""Hears of every commit from the SQL hook and drops what it concerns, before anybody is told that it stands."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.reads import current_recording
from steinmetz.cache.policy.epochs import Mark
from steinmetz.cache.policy.tags import PATHS, names
from steinmetz.clock import Clock
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.scope import current_scope

log = structlog.get_logger("steinmetz.cache")

REMEMBERED = 500
EVERYTHING = WriteSet(unknown=frozenset({PATHS}))
"""Every answer has a path."""
LISTED_RELATIONS = 50


@dataclass(frozen=True, slots=True)
class Invalidation:
    """One commit, or one invalidation by hand, and how many kept answers it dropped.

    ``cause`` is the name of the scope that committed, such as ``POST /api/invoices/{id}/pay``.
    """

    at: datetime
    cause: str
    relations: tuple[str, ...]
    dropped: int


Listener = Callable[[WriteSet], None]


class WriteObserver:
    """The cache's `TransactionObserver`. Thread-safe; never raises into a commit but for a bug of its own."""

    def __init__(self, coherence: Coherence, clock: Clock) -> None:
        self._coherence = coherence
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

    def mark(self, writes: WriteSet, lease_s: float | None = None) -> object:
        recording = current_recording()
        if recording is not None and recording.response_started:
            self._warn_late(recording.scope.name)
        return self._coherence.mark(writes, lease_s)

    def bump(self, token: object) -> None:
        assert isinstance(token, Mark)
        self._record(token.writes, self._coherence.bump(token))
        with self._lock:
            self.commits += 1
        self._tell(token.writes)

    def unmark(self, token: object) -> None:
        assert isinstance(token, Mark)
        self._coherence.unmark(token)
        with self._lock:
            self.rollbacks += 1

    # -- by hand

    def move(self, writes: WriteSet) -> int:
        """Something was written that no transaction showed; returns how many answers were dropped."""
        dropped = self._coherence.move(writes)
        self._record(writes, dropped)
        self._tell(writes)
        return dropped

    def clear(self) -> int:
        """Drop everything; returns how many answers that were."""
        dropped = self._coherence.clear()
        with self._lock:
            self.dropped += dropped
            self._recent.append(Invalidation(self._clock.now(), _cause(), ("everything",), dropped))
        return dropped

    def forget(self) -> None:
        """Nobody can say what others have written: drop everything, and let the listeners know."""
        self.clear()
        self._tell(EVERYTHING)

    def recent(self) -> list[Invalidation]:
        """The last `REMEMBERED` invalidations, newest first."""
        with self._lock:
            return list(reversed(self._recent))

    def _record(self, writes: WriteSet, dropped: int) -> None:
        relations = (
            *names(writes.relations)[:LISTED_RELATIONS],
            *(f"{database}:*" for database in sorted(writes.unknown)),
        )
        with self._lock:
            self.dropped += dropped
            self._recent.append(Invalidation(self._clock.now(), _cause(), relations, dropped))

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


def _cause() -> str:
    scope = current_scope()
    return scope.name if scope is not None else "outside any request"
