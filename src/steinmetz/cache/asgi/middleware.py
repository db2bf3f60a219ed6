"""The cache in front of an ASGI application: admission, look-up, and the short way of a hit.

A hit takes the short way: two dictionary look-ups and two sends, before routing. Everything else runs the
application inside a recording, from which is known what the answer was computed from.

    request -> admission -> key, variant -> look_up -> Hit          -> send
                                                    -> Stale, Miss  -> `Computing`
                                                    -> Bypass       -> `Passing`
"""

from __future__ import annotations

from typing import Any

import structlog

from steinmetz.cache.asgi.admission import Admissions, Admitted
from steinmetz.cache.asgi.asked import Asked, Target
from steinmetz.cache.asgi.computing import Computing
from steinmetz.cache.asgi.kept_answers import KeptAnswers, Switch
from steinmetz.cache.asgi.passing import INSTRUCTION, Passing
from steinmetz.cache.asgi.protocol import ASGIApp, Finish, OnAdmitted, Receive, Scope, Send, route_path
from steinmetz.cache.asgi.routes import Route, RouteTable
from steinmetz.cache.asgi.sending import Sender, headless, with_token
from steinmetz.cache.asgi.single_flight import SingleFlight
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.consistency import CONSISTENCY_TOKEN, STRONG, Consistency
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import Headers
from steinmetz.cache.policy.key import answer_key, own_key, variant_key
from steinmetz.cache.policy.lookup import NO_DEMANDS, Bypass, Hit, bypassed, demands
from steinmetz.cache.policy.route import KeyRequest
from steinmetz.cache.policy.variants import ANONYMOUS, Caller, variant_of
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.clock import Clock
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

ADMISSION = "steinmetz.admission"
ROUTE = "steinmetz.route"
"""The template of the route: bounded in number, whatever is asked for."""

REMEMBERED_TARGETS = 8_192
REMEMBERED_LENGTH = 1_024

_INTERESTING = frozenset(
    {
        b"cache-control",
        b"pragma",
        b"if-none-match",
        b"range",
        b"upgrade",
        b"expect",
        b"transfer-encoding",
        b"content-length",
        CONSISTENCY_TOKEN,
    }
)
_NOTHING_INTERESTING: dict[bytes, bytes] = {}
_UNKNOWN_CLUSTER = Bypass("what other processes have written is not known")


class CacheMiddleware:
    """Pure ASGI; made by `ResponseCache.wrap`. ``routes`` is the application whose routes carry the marks."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Any,
        *,
        coherence: Coherence,
        store: Store[Entry],
        observer: WriteObserver,
        admissions: Admissions | None,
        finish: Finish | None,
        on_admitted: OnAdmitted | None,
        statistics: Statistics,
        clock: Clock,
        switch: Switch,
        version: str,
        prefix: str,
        max_entry_bytes: int,
        wait_s: float,
        tasks: Tasks,
        cluster: Cluster | None = None,
    ) -> None:
        self.app = app
        self._routes_of = routes
        self._table: RouteTable | None = None
        self._targets: dict[tuple[str, bytes], Target | Route] = {}
        self._admissions = admissions
        self._on_admitted = on_admitted
        self._statistics = statistics
        self._switch = switch
        self._version = version
        self._prefix = prefix
        self._cluster = cluster
        self._kept = KeptAnswers(coherence, store, clock, switch, statistics)
        self._sender = Sender(finish, clock, statistics)
        self._computing = Computing(
            app,
            kept=self._kept,
            sender=self._sender,
            statistics=statistics,
            clock=clock,
            max_entry_bytes=max_entry_bytes,
            wait_s=wait_s,
            tasks=tasks,
            cluster=cluster,
        )
        self._passing = Passing(app, coherence=coherence, observer=observer, sender=self._sender, cluster=cluster)

    @property
    def flights(self) -> SingleFlight:
        return self._computing.flights

    @property
    def routes(self) -> RouteTable:
        """The marked routes; read from the application at the first use, when all of them are there."""
        if self._table is None:
            self._table = RouteTable.of(self._routes_of)
            self._warn_of_unreachable(self._table)
        return self._table

    def _warn_of_unreachable(self, table: RouteTable) -> None:
        if self._admissions is None and any(
            route.policy is not None and not route.policy.public for _, route in table
        ):
            log.warning(
                "Cached routes that are not public give no hits without an authenticator",
                remedy="ResponseCache(authenticator=...), or cached(public=True) if anybody may have the answer",
            )

    # -- the door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                _ = self.routes
            await self.app(scope, receive, send)
            return
        if INSTRUCTION in scope:
            route = self.routes.match(scope["method"], route_path(scope))
            await self._passing.recompute(scope, receive, send, route)
            return
        headers = scope["headers"]
        caller: Caller = ANONYMOUS
        is_known = self._cluster is None or await self._caught_up(self._cluster, scope)
        admissions = self._admissions
        if admissions is not None and (credential := admissions.credential(headers)) is not None:
            remembered = admissions.remembered(credential) if is_known else None
            if remembered is not None:
                scope[ADMISSION], caller = remembered.admission, remembered.caller
            else:
                admission, caller = await admissions.admit(credential)
                if admission is not None:
                    scope[ADMISSION] = admission
            if self._on_admitted is not None:
                proven = scope.get(ADMISSION)
                if isinstance(proven, Admitted):
                    self._on_admitted(scope, proven.principal)
        method = scope["method"]
        if method != "GET" and method != "HEAD":
            route = self.routes.match(method, route_path(scope))
            scope[ROUTE] = route.template
            await self._passing.alone(scope, receive, send, route)
            return
        target = self._target(scope)
        if isinstance(target, Route):
            scope[ROUTE] = target.template
            await self._passing.alone(scope, receive, send, target)
            return
        scope[ROUTE] = target.route.template
        await self._get(scope, receive, send, target, caller, is_known=is_known)

    async def _caught_up(self, cluster: Cluster, scope: Scope) -> bool:
        """Whether what other processes have written is known, as far as the route demands.

        Whoever comes to a route that is not cached is proven against all that was acknowledged: a login that was
        revoked elsewhere is refused at its next request.
        """
        consistency: Consistency = STRONG
        if scope["method"] in ("GET", "HEAD") and isinstance(target := self._target(scope), Target):
            consistency = target.policy.consistency
        elif self._admissions is None:
            cluster.start()
            return True
        token = _interesting(scope["headers"]).get(CONSISTENCY_TOKEN)
        return cluster.stands(consistency, token) or await cluster.caught_up(consistency, token)

    def _target(self, scope: Scope) -> Target | Route:
        path, query = route_path(scope), scope["query_string"]
        found = self._targets.get((path, query))
        if found is not None:
            return found
        route = self.routes.match("GET", path)
        policy = route.policy
        if policy is None:
            return route
        counts = self._statistics.of(route.template)
        if policy.key is not None:
            own = policy.key(KeyRequest(path, query, list(scope["headers"])))
            return Target(route, policy, path, own_key(self._version, path, own, prefix=self._prefix), counts)
        target = Target(route, policy, path, answer_key(self._version, path, query, prefix=self._prefix), counts)
        if len(path) + len(query) <= REMEMBERED_LENGTH:
            if len(self._targets) >= REMEMBERED_TARGETS:
                self._targets.clear()
            self._targets[path, query] = target
        return target

    async def _get(
        self, scope: Scope, receive: Receive, send: Send, target: Target, caller: Caller, *, is_known: bool
    ) -> None:
        interesting = _interesting(scope["headers"])
        asked = NO_DEMANDS
        if interesting:
            asked = demands(interesting.get(b"cache-control"), interesting.get(b"pragma"))
        variant = variant_of(target.policy, caller)
        bypass = bypassed(variant, len(target.key), interesting, asked, enabled=self._switch.on)
        if bypass is not None:
            self._statistics.bypasses[bypass.reason] += 1
            target.counts.bypasses += 1
            await self._passing.alone(scope, receive, send, target.route, bypass)
            return
        assert isinstance(variant, bytes)
        if not is_known:
            self._statistics.bypasses[_UNKNOWN_CLUSTER.reason] += 1
            target.counts.bypasses += 1
            await self._passing.alone(scope, receive, send, target.route, _UNKNOWN_CLUSTER)
            return
        if self._cluster is not None:
            send = with_token(send, self._cluster)
        key = variant_key(target.key, variant)
        found = self._kept.look_up(key, asked, scope["headers"])
        if_none_match = interesting.get(b"if-none-match")
        if isinstance(found, Hit):
            target.counts.hits += 1
            await self._sender.kept(scope, send, found.entry, if_none_match)
            return
        if scope["method"] == "HEAD":
            send = headless(send)
        await self._computing.answer(
            Asked(scope, receive, send, target, key, variant, asked, if_none_match), found
        )


def _interesting(headers: Headers) -> dict[bytes, bytes]:
    """The fields that can turn a hit into something else; a field given twice is one list."""
    found = _NOTHING_INTERESTING
    for name, value in headers:
        if name in _INTERESTING:
            if not found:
                found = {name: value}
            else:
                found[name] = found[name] + b", " + value if name in found else value
    return found
