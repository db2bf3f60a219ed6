"""The port towards other processes on the same database: their writes, and a second store behind ours.

Correctness rests on one thing: whatever another process marks, bumps or unmarks is applied to our own `Coherence`
in the order of the cluster's sequence. Having *caught up*, the rules within one process are the rules of all.
"""

from __future__ import annotations

from typing import Protocol

from steinmetz.cache.policy.consistency import Consistency
from steinmetz.cache.policy.entry import Entry
from steinmetz.sql.engine import TransactionObserver


class Cluster(Protocol):
    """Small enough for a card. All methods are called on the event loop, but for those of ``observer``."""

    @property
    def observer(self) -> TransactionObserver:
        """Tells the others of our commits: from a greenlet it awaits, from a thread it blocks (trap T5)."""

    async def caught_up(self, consistency: Consistency, token: bytes | None) -> bool:
        """Have applied what ``consistency`` promises a request that brought ``token`` (X-Consistency-Token).

        False if that cannot be said now: then nothing kept may be given, and nothing computed kept.
        """

    async def fetch(self, key: bytes) -> Entry | None:
        """What the second store has under ``key`` and may be given now; never raises."""

    def offer(self, entry: Entry) -> None:
        """Put ``entry``, which we have kept, in the second store behind the answer, unless something moved."""

    def token(self) -> bytes:
        """The X-Consistency-Token of a response to a write that has been acknowledged."""
