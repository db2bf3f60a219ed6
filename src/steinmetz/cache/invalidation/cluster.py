"""The port towards other processes on the same database: their writes, and a second store behind ours.

Correctness rests on one thing: whatever another process marks, bumps or unmarks is applied to our own `Coherence`
in the order of the cluster's log. Having *caught up*, the rules within one process are the rules of all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.consistency import Consistency
from steinmetz.cache.policy.entry import Entry
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.transaction_observer import TransactionObserver


class Cluster(Protocol):
    """All methods are called on the event loop, but for `move`, `clear` and those of ``observer``."""

    def attach(self, local: WriteObserver, coherence: Coherence) -> None:
        """Whose caches we keep right: ``local`` is to be told what others write."""

    on_unknown: Callable[[], None]
    """Called before the bump of a write of anything by others, which may have been of the schema."""

    def start(self) -> None:
        """Follow what others write; the first request does it otherwise."""

    @property
    def observer(self) -> TransactionObserver:
        """Tells the others of our commits: from a greenlet it awaits, from a thread it blocks (trap T5)."""

    # -- readers

    def stands(self, consistency: Consistency, token: bytes | None) -> bool:
        """`caught_up`, where that can be said at once; else False."""

    async def caught_up(self, consistency: Consistency, token: bytes | None) -> bool:
        """Have applied what ``consistency`` promises a request that brought ``token`` (X-Consistency-Token).

        False if that cannot be said now: then nothing kept may be given, and nothing computed kept.
        """

    async def fetch(self, key: bytes) -> Entry | None:
        """What the second store has under ``key`` and may be given now; never raises."""

    def offer(self, entry: Entry) -> None:
        """Put ``entry``, which we have just kept, in the second store behind the answer."""

    def token(self) -> bytes:
        """The X-Consistency-Token of a response now: what it shows is no newer. Empty if that cannot be said."""

    # -- writers

    def move(self, writes: WriteSet) -> None:
        """Something was written that no transaction showed; for threads, blocks for a round trip."""

    async def moved(self, writes: WriteSet) -> None:
        """`move` for coroutines."""

    def clear(self) -> None:
        """Have everybody forget everything; blocks for a round trip."""

    # -- looking in, and the end

    def state(self) -> dict[str, Any]:
        """Counts and how it stands, names in camelCase; ``"reachable"`` is a bool."""

    async def aclose(self) -> None:
        """End what runs behind."""


class Both:
    """The observer of a cache in a cluster: the others first, then ourselves.

    In this order a bump has its place in the log before our own mark comes down, so that nothing that was computed
    under our mark can be taken for newer than it is.
    """

    def __init__(self, cluster: TransactionObserver, local: TransactionObserver) -> None:
        self._cluster = cluster
        self._local = local

    def mark(self, writes: WriteSet) -> object:
        own = self._local.mark(writes)
        try:
            return own, self._cluster.mark(writes)
        except BaseException:
            self._local.unmark(own)
            raise

    def bump(self, token: object) -> None:
        assert isinstance(token, tuple)
        own, others = token
        try:
            self._cluster.bump(others)
        finally:
            self._local.bump(own)

    def lost(self, token: object) -> None:
        """As `WriteObserver.lost`: the COMMIT may yet come to pass, and everybody is to know it."""
        assert isinstance(token, tuple)
        self.mark(token[0].writes)
        self.bump(token)

    def unmark(self, token: object) -> None:
        assert isinstance(token, tuple)
        own, others = token
        try:
            self._cluster.unmark(others)
        finally:
            self._local.unmark(own)
