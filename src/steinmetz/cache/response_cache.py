"""The response cache of one application: its parts put together, and what one may ask of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from steinmetz.cache.asgi.admission import Admissions, Authenticator, RememberedAdmission
from steinmetz.cache.asgi.computing import Draw
from steinmetz.cache.asgi.kept_answers import Switch
from steinmetz.cache.asgi.middleware import CacheMiddleware
from steinmetz.cache.asgi.protocol import ASGIApp, Finish, OnAdmitted
from steinmetz.cache.departures import remembered_beside
from steinmetz.cache.invalidation.cluster import Both, Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.writes import Listener, WriteObserver
from steinmetz.cache.memo import DEFAULT_TTL_S, F, Memo, Memoized
from steinmetz.cache.policy.consistency import SESSION
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.epochs import DEFAULT_LEASE_S
from steinmetz.cache.policy.freshness import age_s, remaining_s
from steinmetz.cache.policy.key import PREFIX
from steinmetz.cache.policy.patterns import PathPattern
from steinmetz.cache.policy.tags import names, written_paths, written_tags
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Gone, Store
from steinmetz.cache.stores.memory import DEFAULT_BUDGET_BYTES, MemoryStore
from steinmetz.cache.warming.asking import PrincipalOf
from steinmetz.cache.warming.renewing import Renewing
from steinmetz.cache.warming.wanted import MAX_WANTED, Wanted, wanted
from steinmetz.clock import Clock, SystemClock
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.transaction_observer import TransactionObserver
from steinmetz.tasks import Tasks

MAX_LISTED = 1_000


class Order(StrEnum):
    """By what kept answers are listed."""

    HITS = "hits"
    SAVED = "saved"
    """Time not spent computing them again."""
    BYTES = "bytes"
    NEWEST = "newest"


_RANKS: dict[Order, Callable[[Entry], float]] = {
    Order.HITS: lambda entry: entry.hits,
    Order.SAVED: lambda entry: entry.hits * entry.cost_ns,
    Order.BYTES: lambda entry: entry.weight,
    Order.NEWEST: lambda entry: entry.stored_at_s,
}


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Limits and switches. Bytes are bounds: what does not fit is not kept.

    ``mark_lease_s``: how long an announced write may stay without news of its commit before it counts as done.
    ``wait_s``: how long a reader waits for a commit that is under way rather than compute beside it.
    ``rest_if_useless``: routes that are written more often than read by-pass themselves for a while (trap T10).
    ``memo_entries`` bounds the values of `ResponseCache.memo`.
    ``watch_identity``, for development: ``watch_rate`` of the hits for another caller than the first are computed
    all the same and compared; a route whose answers differ is told, counted and not kept any more.
    """

    enabled: bool = True
    budget_bytes: int = DEFAULT_BUDGET_BYTES
    max_entry_bytes: int = 1024 * 1024
    admission_bytes: int = 8 * 1024 * 1024
    prefix: str = PREFIX
    mark_lease_s: float = DEFAULT_LEASE_S
    wait_s: float = 0.05
    rest_if_useless: bool = True
    watch_identity: bool = False
    watch_rate: float = 0.05
    memo_entries: int = 4_096

    def __post_init__(self) -> None:
        if not 0 < self.watch_rate <= 1:
            raise ValueError(
                f"CacheConfig(watch_rate=...) is a share, above 0 and up to 1; got {self.watch_rate!r}"
            )
        if self.memo_entries < 1:
            raise ValueError(f"CacheConfig(memo_entries=...) must be positive; got {self.memo_entries!r}")


class ResponseCache:
    """Keeps the answers of routes marked `cached`, and drops each at the commit that changes what it read.

    ``authenticator`` proves callers; without one only ``public=True`` routes give hits. ``version`` names the
    release and the schema: another version never sees these answers. ``finish(scope, status, headers)`` adds what
    belongs to one response only (request id, CORS, security headers) to every response. ``on_admitted(scope,
    principal)`` hears of every request of a proven caller, hit or not; what it raises is raised to who called.
    ``draw`` gives the lots of early refreshes and of the watch: numbers from 0 to 1, 1 left out.
    ``renew_as(role)`` names in whose name an answer is computed again that many ask for (`policy.demand`) and a
    commit has dropped; None for a role whose answers wait until somebody asks. Without it all of them do.

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
        draw: Draw = random.random,
        renew_as: PrincipalOf | None = None,
    ) -> None:
        self.config = config or CacheConfig()
        self.version = version
        self._clock = clock or SystemClock()
        self._draw = draw
        budget_bytes = self.config.budget_bytes if store is None else store.budget_bytes
        self._statistics = Statistics(
            self._clock,
            judges_worth=self.config.rest_if_useless,
            departures_remembered=remembered_beside(budget_bytes),
        )
        self._store: Store[Entry] = (
            store if store is not None else MemoryStore(self.config.budget_bytes, on_gone=self._gone)
        )
        self._admission_store: Store[RememberedAdmission] = MemoryStore[RememberedAdmission](
            self.config.admission_bytes
        )
        self._memo_store: Store[Memoized] = MemoryStore[Memoized](self.config.memo_entries)
        self._coherence = Coherence(
            self._clock,
            (self._store, self._admission_store, self._memo_store),
            lease_s=self.config.mark_lease_s,
        )
        self._memo = Memo(
            self._coherence, self._memo_store, self._clock, wait_s=self.config.wait_s, may_give=self._may_recall
        )
        self._observer = WriteObserver(self._coherence, self._clock, self._statistics)
        self._admissions = (
            None
            if authenticator is None
            else Admissions(authenticator, self._coherence, self._admission_store, self._clock)
        )
        self._finish = finish
        self._on_admitted = on_admitted
        self._renew_as = renew_as
        self._renewing: Renewing | None = None
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
        middleware = CacheMiddleware(
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
            draw=self._draw,
            watch_rate=self.config.watch_rate if self.config.watch_identity else 0.0,
        )
        if self._renew_as is not None:
            self._renewing = Renewing(middleware.computing, middleware.target, self._renew_as, self._tasks)
            self._observer.listen(self._renewing.committed)
            middleware.renewing = self._renewing
        return middleware

    def _gone(self, entry: Entry, why: Gone) -> None:
        self._statistics.gone(entry, why)
        if why is Gone.DROPPED and self._renewing is not None and self._switch.on:
            self._renewing.dropped(entry)

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

    def memo(
        self, ttl: float | timedelta = DEFAULT_TTL_S, *, key: Callable[..., Any] | None = None
    ) -> Callable[[F], F]:
        """Decorate a function, ``async def`` or ``def``, whose result is kept between requests (trap T2).

        Whoever is given a kept value has read what it was computed from, so an answer made with it is dropped with
        it, and no value is older than an acknowledged write. For ``ttl`` (seconds) at most; at most
        ``CacheConfig.memo_entries`` values in all. ``key(*arguments)`` says what tells calls apart; without it all
        arguments do, and must be plain values. Values are shared between requests: leave them as they are.

        What is computed after the caller has written, or in a transaction older than its request, is not kept.

        Raises `ValueError` for a ttl that is not positive and for generators; the call raises `TypeError` for an
        argument that is not a plain value.
        """
        return self._memo.decorator(ttl, key)

    def _may_recall(self) -> bool:
        """While others may have written unheard, what was kept is as old as an answer would be."""
        return self._switch.on and (self._cluster is None or self._cluster.stands(SESSION, None))

    # -- the kill switch

    @property
    def enabled(self) -> bool:
        """While false, every cached route answers ``X-Cache: BYPASS``, and what `memo` keeps is not given; commits
        are still heard."""
        return self._switch.on

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self._switch.on = on

    # -- by hand

    def invalidate(self, *paths: str) -> int:
        """Drop the answers at and below ``paths``, with all queries; returns how many there were."""
        return self._move(written_paths(paths))

    def invalidate_pattern(self, pattern: str) -> int:
        """Drop the answers whose path matches ``pattern``, with all queries; returns how many there were.

        ``*`` stands for one whole segment, ``**`` at the end for the rest: ``/api/invoices/*/pdf``. Found by an
        index, not by a scan. Raises `ValueError` for what is no pattern.
        """
        form = PathPattern.of(pattern)
        if self._cluster is not None:
            self._cluster.move(written_paths([form.above()]))
        return self._observer.move_matching(form)

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

    # -- ahead of the first request

    def wanted(self, limit: int = MAX_WANTED) -> list[Wanted]:
        """The answers worth computing after a restart, the best first: see `steinmetz.cache.warming`."""
        best = {(one.path, one.query, one.role, one.headers): one for one in wanted(self._store)}
        for gone in list(self._statistics.worth_gone.values()):
            key = (gone.path, gone.query, gone.role, gone.headers)
            kept = best.get(key)
            best[key] = gone if kept is None else replace(kept, worth=kept.worth + gone.worth)
        return sorted(best.values(), key=lambda one: -one.worth)[:limit]

    # -- looking in

    def stats(self) -> dict[str, Any]:
        """Counts since the start of the process, and what is kept now; names in camelCase."""
        return {
            "enabled": self.enabled,
            **self._statistics.as_dict(self._store),
            "entries": len(self._store),
            "bytes": self._store.weight_bytes,
            "budgetBytes": self._store.budget_bytes,
            "evictions": self._store.evictions,
            "renewed": 0 if self._renewing is None else self._renewing.renewed,
            "memoized": len(self._memo),
            "memoHits": self._memo.hits,
            "memoComputed": self._memo.computed,
            "admissions": len(self._admission_store),
            "authentications": self._admissions.asked if self._admissions is not None else 0,
            "commits": self._observer.commits,
            "rollbacks": self._observer.rollbacks,
            "invalidated": self._observer.dropped,
            "lateCommits": self._observer.late_commits,
            "cluster": None if self._cluster is None else self._cluster.state(),
        }

    def entries(self, limit: int = 100, *, order: Order = Order.HITS) -> list[dict[str, Any]]:
        """The kept answers; at most ``limit`` (up to `MAX_LISTED`), the first in ``order`` first. Never a body.

        A key holds the subject of a user's answer: show this to administrators only.
        """
        now_s = self._clock.monotonic_s()
        first = sorted(self._store, key=_RANKS[order], reverse=True)
        return [
            {
                "key": entry.key.decode(),
                "path": entry.path,
                "route": entry.route,
                "variant": entry.variant.decode(),
                "bytes": len(entry.body),
                "status": entry.status,
                "hits": entry.hits,
                "costMs": round(entry.cost_ns / 1e6, 3),
                "savedMs": round(entry.hits * entry.cost_ns / 1e6, 3),
                "ageSeconds": age_s(entry, now_s),
                "ttlSeconds": remaining_s(entry, now_s),
                "etag": entry.etag.decode("latin-1"),
                "reads": names(relation for relation in entry.read_set.relations if relation.database[0] != "("),
            }
            for entry in first[: max(0, min(limit, MAX_LISTED))]
        ]

    def invalidations(self, limit: int = 100) -> list[dict[str, Any]]:
        """What was written last, by whom, what it dropped and how much of that needlessly; newest first."""
        return [invalidation.as_json() for invalidation in self._observer.recent()[: max(0, limit)]]
