"""The cache as a plain gateway: its parts put together, and what one may ask of it.

gateway = Gateway()
app = gateway.wrap(app)          # any ASGI application that speaks Cache-Control
"""

from __future__ import annotations

from typing import Any

from steinmetz.cache.asgi.asking import OriginUnreachableError
from steinmetz.cache.asgi.gateway import GatewayMiddleware
from steinmetz.cache.asgi.keeping import ROUTE
from steinmetz.cache.asgi.kept_answers import Switch
from steinmetz.cache.asgi.protocol import ASGIApp
from steinmetz.cache.asgi.shelf import Shelf
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.groups import group_reads, url_reads
from steinmetz.cache.policy.selection import Variants
from steinmetz.cache.response_cache import CacheConfig
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.clock import Clock, SystemClock
from steinmetz.sql.effects import WriteSet
from steinmetz.tasks import Tasks

__all__ = ["Gateway", "OriginUnreachableError"]

VARIANTS_SHARE = 16
"""One part in so many of the budget goes to the record of which answers lie at one URL."""


class Gateway:
    """A shared cache as RFC 9111 describes it, in front of one ASGI application.

    No freshness is invented: what does not say for how long it is good, and gives no ground to guess, is asked for
    each time. Answers that set a cookie are never stored. Bodies stream through while a copy is kept, up to
    ``config.max_entry_bytes``. Speaks Cache-Status (RFC 9211), obeys CDN-Cache-Control (RFC 9213) and cache groups
    (RFC 9875). It writes the Date of an answer that came without one, so the server in front of it should add none
    (``uvicorn --no-date-header``).
    """

    def __init__(
        self, config: CacheConfig | None = None, *, clock: Clock | None = None, store: Store[Entry] | None = None
    ) -> None:
        self.config = config or CacheConfig()
        self._clock = clock or SystemClock()
        self._statistics = Statistics()
        self._store: Store[Entry] = (
            store if store is not None else MemoryStore(self.config.budget_bytes, on_gone=self._statistics.gone)
        )
        self._variants = MemoryStore[Variants](self.config.budget_bytes // VARIANTS_SHARE)
        self._coherence = Coherence(self._clock, (self._store, self._variants), lease_s=self.config.mark_lease_s)
        self._observer = WriteObserver(self._coherence, self._clock, self._statistics)
        self._switch = Switch(self.config.enabled)
        self._tasks = Tasks("gateway")

    def wrap(self, app: ASGIApp) -> GatewayMiddleware:
        """The ASGI application to serve: ``app`` with this cache in front of it.

        If ``app`` is itself a proxy, it raises `OriginUnreachableError` where its origin gives no answer.
        """
        return GatewayMiddleware(
            app,
            shelf=Shelf(self._coherence, self._store, self._variants, self._switch, self._statistics),
            observer=self._observer,
            statistics=self._statistics,
            counts=self._statistics.of(ROUTE),
            clock=self._clock,
            switch=self._switch,
            max_entry_bytes=self.config.max_entry_bytes,
            tasks=self._tasks,
        )

    async def aclose(self) -> None:
        """End the questions behind stale answers."""
        await self._tasks.aclose()

    @property
    def enabled(self) -> bool:
        """While false, everything passes and answers ``X-Cache: BYPASS``; unsafe methods still invalidate."""
        return self._switch.on

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self._switch.on = on

    def invalidate(self, *urls: str) -> int:
        """Drop all answers at exactly these URLs (scheme, host, path and query); returns how many there were."""
        relations = frozenset().union(*(url_reads(url.encode("latin-1")) for url in urls))
        return self._observer.move(WriteSet(relations))

    def invalidate_groups(self, origin: str, *groups: str) -> int:
        """Drop the answers of ``origin`` (``https://example.test``) that are in one of ``groups`` (RFC 9875)."""
        return self._observer.move(WriteSet(group_reads(origin.encode("latin-1"), groups)))

    def clear(self) -> int:
        """Drop everything; returns how many answers there were."""
        return self._observer.clear()

    def stats(self) -> dict[str, Any]:
        """Counts since the start of the process, and what is kept now; names in camelCase."""
        return {
            "enabled": self.enabled,
            **self._statistics.as_dict(self._store),
            "entries": len(self._store),
            "bytes": self._store.weight_bytes,
            "budgetBytes": self._store.budget_bytes,
            "evictions": self._store.evictions,
            "invalidated": self._observer.dropped,
        }
