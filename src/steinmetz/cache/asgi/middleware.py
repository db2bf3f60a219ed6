"""The cache in front of an ASGI application: admission, look-up, and the short way of a hit.

A hit takes the short way: two dictionary look-ups and two sends, before routing. Everything else runs the
application inside a recording, from which is known what the answer was computed from.

    request -> admission -> key, variant -> look_up -> Hit          -> send
                                                    -> Stale, Miss  -> `Computing`
                                                    -> Bypass       -> `Passing`
"""

from __future__ import annotations

import random
from typing import Any

import structlog

from steinmetz.cache.asgi.admission import ADMISSION, Admissions, Admitted, caller_of
from steinmetz.cache.asgi.asked import Asked, Target
from steinmetz.cache.asgi.computing import Computing, Draw
from steinmetz.cache.asgi.encodings import Encodings
from steinmetz.cache.asgi.hit import Found
from steinmetz.cache.asgi.kept_answers import KeptAnswers, Switch
from steinmetz.cache.asgi.memo import Memo
from steinmetz.cache.asgi.passing import INSTRUCTION, WARM, Passing
from steinmetz.cache.asgi.protocol import ASGIApp, Finish, OnAdmitted, Receive, Scope, Send, route_path
from steinmetz.cache.asgi.routes import Route, RouteTable
from steinmetz.cache.asgi.sending import Sender, headless, with_token
from steinmetz.cache.asgi.single_flight import SingleFlight
from steinmetz.cache.asgi.watching import IdentityWatch
from steinmetz.cache.asgi.within import ROUTE, Within
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.consistency import CONSISTENCY_TOKEN, STRONG, Consistency
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import Headers
from steinmetz.cache.policy.key import MAX_KEY_BYTES, answer_key, own_key, variant_key
from steinmetz.cache.policy.lookup import NO_DEMANDS, Bypass, Hit, bypassed, demands
from steinmetz.cache.policy.route import KeyRequest
from steinmetz.cache.policy.variants import ANONYMOUS, Caller, NoVariant, variant_of
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.cache.warming.renewing import Renewing
from steinmetz.clock import Clock
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

TARGETS_SHARE = 16
"""Targets are remembered in a sixteenth of the store's budget, beside it."""
TARGET_BYTES = 500
"""Of one target and its place in the memo, beside its path and query."""

INTERESTING = frozenset(
    {
        b"cache-control",
        b"pragma",
        b"if-none-match",
        b"if-modified-since",
        b"if-range",
        b"range",
        b"upgrade",
        b"expect",
        b"transfer-encoding",
        b"content-length",
        CONSISTENCY_TOKEN,
        b"accept-encoding",
    }
)
_NOTHING_INTERESTING: dict[bytes, bytes] = {}
_RANGE = Bypass("range")
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
        draw: Draw = random.random,
        watch_rate: float = 0.0,
    ) -> None:
        self.app = app
        self._routes_of = routes
        self._table: RouteTable | None = None
        self._targets: Memo[tuple[str, bytes], Target] = Memo(store.budget_bytes // TARGETS_SHARE)
        self._admissions = admissions
        self.credential_fields = frozenset[bytes]() if admissions is None else admissions.credential_fields
        """The request fields in which a credential comes; None if the authenticator does not say."""
        self.on_admitted = on_admitted
        self.statistics = statistics
        self.switch = switch
        self._version = version
        self._prefix = prefix
        self.finish = finish
        self.clock = clock
        self.cluster = cluster
        self.kept = KeptAnswers(coherence, store, clock, switch, statistics)
        self.encodings = Encodings(coherence, store, tasks)
        self.sender = Sender(finish, clock, statistics, self.encodings)
        self._watch = (
            None
            if watch_rate <= 0
            else IdentityWatch(
                app,
                rate=watch_rate,
                draw=draw,
                kept=self.kept,
                sender=self.sender,
                statistics=statistics,
                max_bytes=max_entry_bytes,
            )
        )
        self.computing = Computing(
            app,
            kept=self.kept,
            sender=self.sender,
            statistics=statistics,
            clock=clock,
            max_entry_bytes=max_entry_bytes,
            wait_s=wait_s,
            tasks=tasks,
            cluster=cluster,
            draw=draw,
            on_kept=self._watch.kept if self._watch is not None else None,
        )
        self.renewing: Renewing | None = None
        self.passing = Passing(app, coherence=coherence, observer=observer, sender=self.sender, cluster=cluster)

    @property
    def within(self) -> Within:
        """For callers within the process."""
        return Within(self)

    @property
    def flights(self) -> SingleFlight:
        return self.computing.flights

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
            if scope[INSTRUCTION] == WARM:
                await self._warm(scope, receive, send)
                return
            route = self.routes.match(scope["method"], route_path(scope))
            await self.passing.recompute(scope, receive, send, route)
            return
        found = self.hit(scope)
        if found is not None:
            await self._give(scope, send, found)
            return
        headers = scope["headers"]
        caller: Caller = ANONYMOUS
        is_known = self.cluster is None or await self._caught_up(self.cluster, scope)
        admissions = self._admissions
        if admissions is not None and (credential := admissions.credential(headers)) is not None:
            remembered = admissions.remembered(credential) if is_known else None
            if remembered is not None:
                scope[ADMISSION], caller = remembered.admission, remembered.caller
            else:
                admission, caller = await admissions.admit(credential)
                if admission is not None:
                    scope[ADMISSION] = admission
            if self.on_admitted is not None:
                proven = scope.get(ADMISSION)
                if isinstance(proven, Admitted):
                    self.on_admitted(scope, proven.principal)
        method = scope["method"]
        if method != "GET" and method != "HEAD":
            route = self.routes.match(method, route_path(scope))
            scope[ROUTE] = route.template
            await self.passing.alone(scope, receive, send, route)
            return
        target = self.target(scope)
        if isinstance(target, Route):
            scope[ROUTE] = target.template
            await self.passing.alone(scope, receive, send, target)
            return
        scope[ROUTE] = target.route.template
        await self._get(scope, receive, send, target, caller, is_known=is_known)

    async def _caught_up(self, cluster: Cluster, scope: Scope) -> bool:
        """Whether what other processes have written is known, as far as the route demands.

        Whoever comes to a route that is not cached is proven against all that was acknowledged: a login that was
        revoked elsewhere is refused at its next request.
        """
        consistency: Consistency = STRONG
        if scope["method"] in ("GET", "HEAD") and isinstance(target := self.target(scope), Target):
            consistency = target.policy.consistency
        elif self._admissions is None:
            cluster.start()
            return True
        token = _interesting(scope["headers"])[0].get(CONSISTENCY_TOKEN)
        return cluster.stands(consistency, token) or await cluster.caught_up(consistency, token)

    # -- the short way

    def hit(self, scope: Scope) -> Found | None:
        """The kept answer that ``scope`` can be given at once; None for any doubt, and the long way decides.

        Of the scope only ``method``, ``path``, ``root_path``, ``query_string`` and ``headers`` are looked at.
        Nothing is counted and nothing waits, so that a door below ASGI may ask, too.
        """
        if self.kept.coherence.epochs.marks or not self.switch.on:
            return None
        method = scope["method"]
        if method != "GET" and method != "HEAD":
            return None
        target = self.target(scope)
        if isinstance(target, Route) or len(target.key) > MAX_KEY_BYTES:
            return None
        if self._watch is not None or target.counts.resting:
            return None
        if_none_match = accept_encoding = token = None
        headers = scope["headers"]
        for name, value in headers:
            if name in INTERESTING:
                if name == b"accept-encoding" and accept_encoding is None:
                    accept_encoding = value
                elif name == b"if-none-match" and if_none_match is None:
                    if_none_match = value
                elif name == CONSISTENCY_TOKEN and token is None:
                    token = value
                else:
                    return None
        policy = target.policy
        if not self.stands(policy.consistency, token):
            return None
        caller: Caller = ANONYMOUS
        remembered = None
        admissions = self._admissions
        if admissions is not None and (credential := admissions.credential(headers)) is not None:
            remembered = admissions.remembered(credential)
            if remembered is None:
                return None
            caller = remembered.caller
        variant = variant_of(policy, caller)
        if isinstance(variant, NoVariant):
            return None
        found = self.kept.look_up(variant_key(target.key, variant), NO_DEMANDS, headers)
        if not isinstance(found, Hit) or found.entry.terms.early:
            return None
        return Found(
            found.entry,
            target,
            remembered,
            if_none_match=if_none_match,
            accept_encoding=accept_encoding,
            token=token,
        )

    def stands(self, consistency: Consistency, token: bytes | None) -> bool:
        """Whether what other processes have written is known at once, as far as ``consistency`` demands.

        To be asked before anything that is remembered is looked at, an admission included.
        """
        return self.cluster is None or self.cluster.stands(consistency, token)

    async def _give(self, scope: Scope, send: Send, found: Found) -> None:
        target, remembered = found.target, found.remembered
        if remembered is not None:
            scope[ADMISSION] = admission = remembered.admission
            if self.on_admitted is not None and isinstance(admission, Admitted):
                self.on_admitted(scope, admission.principal)
        scope[ROUTE] = target.route.template
        target.counts.hits += 1
        if self.cluster is not None:
            send = with_token(send, self.cluster)
        await self.sender.kept(scope, send, found.entry, found.if_none_match, found.accept_encoding)

    # -- the long way

    async def _warm(self, scope: Scope, receive: Receive, send: Send) -> None:
        """For `Warmer`: a GET like any other, by the principal that the scope brings."""
        admission = scope.get(ADMISSION)
        target = self.target(scope)
        if isinstance(target, Target):
            scope[ROUTE] = target.route.template
            caller = ANONYMOUS if admission is None else caller_of(admission)
            is_known = self.cluster is None or await self._caught_up(self.cluster, scope)
            await self._get(scope, receive, send, target, caller, is_known=is_known)

    def target(self, scope: Scope) -> Target | Route:
        """What is asked for, if it is cached; else its route."""
        path, query = route_path(scope), scope["query_string"]
        found = self._targets.get((path, query))
        if found is not None:
            return found
        route = self.routes.match("GET", path)
        policy = route.policy
        if policy is None:
            return route
        counts = self.statistics.of(route.template)
        if policy.key is not None:
            own = policy.key(KeyRequest(path, query, list(scope["headers"])))
            return Target(route, policy, path, own_key(self._version, path, own, prefix=self._prefix), counts)
        target = Target(route, policy, path, answer_key(self._version, path, query, prefix=self._prefix), counts)
        self._targets.put((path, query), target, TARGET_BYTES + 3 * (len(path) + len(query)))
        return target

    async def _get(
        self, scope: Scope, receive: Receive, send: Send, target: Target, caller: Caller, *, is_known: bool
    ) -> None:
        interesting, accept_encoding = _interesting(scope["headers"])
        asked = NO_DEMANDS
        if interesting:
            asked = demands(interesting.get(b"cache-control"), interesting.get(b"pragma"))
        variant = variant_of(target.policy, caller)
        bypass = bypassed(variant, len(target.key), interesting, asked, enabled=self.switch.on)
        wants_part = False
        if bypass == _RANGE and isinstance(variant, bytes):
            # A kept answer can be cut; where there is none, the part is for the application alone.
            bypass, wants_part = None, True
        if bypass is not None:
            await self._bypassed(scope, receive, send, target, bypass)
            return
        if target.counts.resting and target.counts.rests(self.clock.monotonic_s()):
            await self._bypassed(scope, receive, send, target, Bypass(target.counts.resting))
            return
        assert isinstance(variant, bytes)
        if not is_known:
            await self._bypassed(scope, receive, send, target, _UNKNOWN_CLUSTER)
            return
        if self.cluster is not None:
            send = with_token(send, self.cluster)
        key = variant_key(target.key, variant)
        found = self.kept.look_up(key, asked, scope["headers"])
        if_none_match = interesting.get(b"if-none-match")
        if isinstance(found, Hit):
            if self._watch is not None and await self._watch.took(scope, receive, send, target, found.entry):
                return
            target.counts.hits += 1
            # "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field"
            # (RFC 9110, 13.1.3).
            if wants_part or (if_none_match is None and b"if-modified-since" in interesting):
                await self.sender.selected(scope, send, found.entry, interesting)
            else:
                await self.sender.kept(scope, send, found.entry, if_none_match, accept_encoding)
            if found.entry.terms.early:
                self.computing.refresh_if_due(
                    found.entry, lambda: Asked(scope, receive, send, target, key, variant, asked, None)
                )
            return
        if wants_part:
            await self._bypassed(scope, receive, send, target, _RANGE)
            return
        if scope["method"] == "HEAD":
            send = headless(send)
        if self.renewing is not None:
            self.renewing.on_this_loop()
        await self.computing.answer(Asked(scope, receive, send, target, key, variant, asked, if_none_match), found)

    async def _bypassed(self, scope: Scope, receive: Receive, send: Send, target: Target, bypass: Bypass) -> None:
        self.statistics.bypasses[bypass.reason] += 1
        target.counts.bypasses += 1
        await self.passing.alone(scope, receive, send, target.route, bypass)


def _interesting(headers: Headers) -> tuple[dict[bytes, bytes], bytes | None]:
    """The fields that can turn a hit into something else, and Accept-Encoding, which every browser sends.

    A field given twice is one list.
    """
    found, accept_encoding = _NOTHING_INTERESTING, None
    for name, value in headers:
        if name in INTERESTING:
            if name == b"accept-encoding":
                accept_encoding = value if accept_encoding is None else b"%b, %b" % (accept_encoding, value)
            elif not found:
                found = {name: value}
            else:
                found[name] = found[name] + b", " + value if name in found else value
    return found, accept_encoding
