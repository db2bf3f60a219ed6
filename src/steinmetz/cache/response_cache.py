"""The response cache of one application: its parts put together, and what one may ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from steinmetz.cache.asgi.admission import Admissions, Authenticator, RememberedAdmission
from steinmetz.cache.asgi.kept_answers import Switch
from steinmetz.cache.asgi.middleware import CacheMiddleware
from steinmetz.cache.asgi.protocol import ASGIApp, Finish, OnAdmitted
from steinmetz.cache.invalidation.cluster import Both, Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.writes import Listener, WriteObserver
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.epochs import DEFAULT_LEASE_S
from steinmetz.cache.policy.freshness import age_s, remaining_s
from steinmetz.cache.policy.key import PREFIX
from steinmetz.cache.policy.tags import names, written_paths, written_tags
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.cache.stores.memory import DEFAULT_BUDGET_BYTES, MemoryStore
from steinmetz.clock import Clock, SystemClock
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import TransactionObserver
from steinmetz.tasks import Tasks

MAX_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Limits and switches. Bytes are bounds: what does not fit is not kept.

    ``mark_lease_s``: how long an announced write may stay without news of its commit before it counts as done.
    ``wait_s``: how long a reader waits for a commit that is under way rather than compute beside it.
    """

    enabled: bool = True
    budget_bytes: int = DEFAULT_BUDGET_BYTES
    max_entry_bytes: int = 1024 * 1024
    admission_bytes: int = 8 * 1024 * 1024
    prefix: str = PREFIX
    mark_lease_s: float = DEFAULT_LEASE_S
    wait_s: float = 0.05


class ResponseCache:
    """Keeps the answers of routes marked `cached`, and drops each at the commit that changes what it read.

    ``authenticator`` proves callers; without one only ``public=True`` routes give hits. ``version`` names the
    release and the schema: another version never sees these answers. ``finish(scope, status, headers)`` adds what
    belongs to one response only (request id, CORS, security headers) to every response. ``on_admitted(scope,
    principal)`` hears of every request of a proven caller, hit or not; what it raises is raised to who called.

    Put it in front with ``app = cache.wrap(app)``, and give ``cache.observer`` to the hook of each engine:
    ``hook(engine).observe_transactions(cache.observer)``. Without the hook nothing that is read is known, answers
    count as read from nothing, and only time and `invalidate` end them.
    """

    def __init__(
        self,
        config: CacheConfig | None = None,
        *,
        clock: Clock | None = None,
        store: Store[Entry] | None = None,
        authenticator: Authenticator | None = None,
        version: str = "",
        finish: Finish | None = None,
        on_admitted: OnAdmitted | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.config = config or CacheConfig()
        self.version = version
        self._clock = clock or SystemClock()
        self._statistics = Statistics()
        self._store: Store[Entry] = (
            store if store is not None else MemoryStore(self.config.budget_bytes, on_gone=self._statistics.gone)
        )
        self._admission_store: Store[RememberedAdmission] = MemoryStore[RememberedAdmission](
            self.config.admission_bytes
        )
        self._coherence = Coherence(
            self._clock, (self._store, self._admission_store), lease_s=self.config.mark_lease_s
        )
        self._observer = WriteObserver(self._coherence, self._clock)
        self._admissions = (
            None
            if authenticator is None
            else Admissions(authenticator, self._coherence, self._admission_store, self._clock)
        )
        self._finish = finish
        self._on_admitted = on_admitted
        self._cluster = cluster
        if cluster is not None:
            cluster.attach(self._observer, self._coherence)
        self._observing: TransactionObserver = (
            self._observer if cluster is None else Both(cluster.observer, self._observer)
        )
        self._switch = Switch(self.config.enabled)
        self._tasks = Tasks("cache")

    # -- joining

    def wrap(self, app: ASGIApp, routes: Any = None) -> CacheMiddleware:
        """The ASGI application to serve: ``app`` with this cache as its outermost layer.

        ``routes`` is the Starlette-like application that holds the marked routes, if ``app`` itself does not. They
        are read once, at the first request or the lifespan's start.

        A caller within the process computes a route's answer past the cache by calling it with a scope that has
        ``scope["steinmetz.cache"] = "recompute"`` (no client can set it) and, for an admitted caller,
        ``scope["steinmetz.admission"]``: nothing is looked up, kept or added to the headers, and afterwards
        ``scope["steinmetz.recording"]`` holds the `Recording` with its ``sequence`` and ``read_set()``.
        """
        return CacheMiddleware(
            app,
            app if routes is None else routes,
            coherence=self._coherence,
            store=self._store,
            observer=self._observer,
            admissions=self._admissions,
            finish=self._finish,
            on_admitted=self._on_admitted,
            statistics=self._statistics,
            clock=self._clock,
            switch=self._switch,
            version=self.version,
            prefix=self.config.prefix,
            max_entry_bytes=self.config.max_entry_bytes,
            wait_s=self.config.wait_s,
            tasks=self._tasks,
            cluster=self._cluster,
        )

    @property
    def observer(self) -> TransactionObserver:
        """For `SqlHook.observe_transactions`; thread-safe. In a cluster it tells the other processes, too."""
        return self._observing

    @property
    def cluster(self) -> Cluster | None:
        return self._cluster

    def on_bumped(self, listener: Listener) -> None:
        """Call ``listener(writes)`` after each write stands and what it concerned was dropped.

        On the thread that committed; quick, please. Its exceptions are logged and harm nobody.
        """
        self._observer.listen(listener)

    async def aclose(self) -> None:
        """End the computations behind stale answers, and leave the cluster."""
        await self._tasks.aclose()
        if self._cluster is not None:
            await self._cluster.aclose()

    # -- the kill switch

    @property
    def enabled(self) -> bool:
        """While false, every cached route answers ``X-Cache: BYPASS``; commits are still heard."""
        return self._switch.on

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self._switch.on = on

    # -- by hand

    def invalidate(self, *paths: str) -> int:
        """Drop the answers at and below ``paths``, with all queries; returns how many there were."""
        return self._move(written_paths(paths))

    def invalidate_tags(self, *tags: str) -> int:
        """Drop the answers that carry one of ``tags``; returns how many there were."""
        return self._move(written_tags(tags))

    def invalidate_relations(self, writes: WriteSet) -> int:
        """Drop what a write outside any hooked engine concerns; returns how many answers there were."""
        return self._move(writes)

    def clear(self) -> int:
        """Drop everything, admissions too; returns how many there were. What is being computed is not kept."""
        if self._cluster is not None:
            self._cluster.clear()
        return self._observer.clear()

    def _move(self, writes: WriteSet) -> int:
        if self._cluster is not None:
            self._cluster.move(writes)
        return self._observer.move(writes)

    # -- looking in

    def stats(self) -> dict[str, Any]:
        """Counts since the start of the process, and what is kept now; names in camelCase."""
        return {
            "enabled": self.enabled,
            **self._statistics.as_dict(),
            "entries": len(self._store),
            "bytes": self._store.weight_bytes,
            "budgetBytes": self._store.budget_bytes,
            "evictions": self._store.evictions,
            "admissions": len(self._admission_store),
            "authentications": self._admissions.asked if self._admissions is not None else 0,
            "commits": self._observer.commits,
            "rollbacks": self._observer.rollbacks,
            "invalidated": self._observer.dropped,
            "lateCommits": self._observer.late_commits,
            "cluster": None if self._cluster is None else self._cluster.state(),
        }

    def entries(self, limit: int = 100) -> list[dict[str, Any]]:
        """The kept answers, most used first; at most ``limit`` (up to `MAX_LISTED`). Never a body.

        A key holds the subject of a user's answer: show this to administrators only.
        """
        now_s = self._clock.monotonic_s()
        most_used = sorted(self._store, key=lambda entry: -entry.hits)
        return [
            {
                "key": entry.key.decode(),
                "path": entry.path,
                "route": entry.route,
                "variant": entry.variant.decode(),
                "bytes": len(entry.body),
                "hits": entry.hits,
                "ageSeconds": age_s(entry, now_s),
                "ttlSeconds": remaining_s(entry, now_s),
                "etag": entry.etag.decode("latin-1"),
                "reads": names(relation for relation in entry.read_set.relations if relation.database[0] != "("),
            }
            for entry in most_used[: max(0, min(limit, MAX_LISTED))]
        ]

    def invalidations(self, limit: int = 100) -> list[dict[str, Any]]:
        """What was written last and what it dropped, newest first."""
        return [
            {
                "at": invalidation.at.isoformat().replace("+00:00", "Z"),
                "cause": invalidation.cause,
                "relations": list(invalidation.relations),
                "dropped": invalidation.dropped,
            }
            for invalidation in self._observer.recent()[: max(0, limit)]
        ]
