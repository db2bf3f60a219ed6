"""What one request reads, from its entry to the last byte of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from steinmetz.cache.policy.tags import with_tags
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.scope import Scope, ScopeKind, entered


class Recording:
    """The reads of one request as its SQL scope saw them, the epoch at which it began, and its end of validity.

    ``subject`` is the proven caller's, if there is one. ``tags`` (path and hand-made tags) count as read. After
    `close` the read set stands still, though the application may go on reading (trap T13).
    """

    __slots__ = ("_closed", "response_started", "scope", "sequence", "subject", "tags", "valid_until")

    def __init__(self, scope: Scope, sequence: int, tags: frozenset[Relation] = frozenset()) -> None:
        self.scope = scope
        self.sequence = sequence
        self.tags = tags
        self.valid_until: datetime | None = None
        self.response_started = False
        self.subject: str | None = None
        self._closed: ReadSet | None = None

    @property
    def wrote(self) -> bool:
        return self.scope.wrote

    def read_set(self) -> ReadSet:
        """What the answer was computed from, up to now or up to `close`."""
        if self._closed is not None:
            return self._closed
        return with_tags(self.scope.read_set(), self.tags)

    def close(self) -> ReadSet:
        """The last byte of the answer has been computed."""
        self._closed = self.read_set()
        return self._closed


_current: ContextVar[Recording | None] = ContextVar("steinmetz_cache_recording", default=None)


def current_recording() -> Recording | None:
    return _current.get()


@contextmanager
def record(
    kind: ScopeKind, name: str, sequence: int, tags: frozenset[Relation] = frozenset()
) -> Iterator[Recording]:
    """Open a scope and record it; ``sequence`` was taken before."""
    with recorded(Scope(kind, name), sequence, tags) as recording:
        yield recording


@contextmanager
def recorded(scope: Scope, sequence: int, tags: frozenset[Relation] = frozenset()) -> Iterator[Recording]:
    """Record ``scope``, which nobody has entered yet."""
    with entered(scope):
        recording = Recording(scope, sequence, tags)
        token = _current.set(recording)
        try:
            yield recording
        finally:
            _current.reset(token)


def valid_until(instant: datetime) -> None:
    """The answer being computed becomes untrue at ``instant`` by the clock alone, with no write (trap T14).

    "Overdue" and "hours this week" change at midnight: say so, and the answer is given until then at most. Of
    several instants the earliest counts. Outside a request through the cache it does nothing.

    Raises `ValueError` for an instant without a time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("valid_until() needs an instant with a time zone, such as datetime(..., tzinfo=UTC)")
    recording = _current.get()
    if recording is not None and (recording.valid_until is None or instant < recording.valid_until):
        recording.valid_until = instant
