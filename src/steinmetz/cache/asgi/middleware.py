"""The cache in front of an ASGI application: admission, look-up, single flight, and the decision to keep.

A hit takes the short way: two dictionary look-ups and two sends, before routing. Everything else runs the
application inside a recording, from which is known what the answer was computed from.

    request -> admission -> key, variant -> look_up -> Hit    -> send
                                                    -> Stale  -> send, compute anew behind it
                                                    -> Miss   -> board: join a flight | wait for a commit | lead
                                                    -> Bypass -> the application alone
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, assert_never

import structlog

from steinmetz.cache.asgi.admission import Admissions, Admitted
from steinmetz.cache.asgi.answers import (
    bypass_headers,
    hit_headers,
    is_unmodified,
    miss_headers,
    stale_headers,
    without_body,
)
from steinmetz.cache.asgi.capture import Capture
from steinmetz.cache.asgi.protocol import (
    ASGIApp,
    Finish,
    HeaderList,
    Message,
    OnAdmitted,
    Receive,
    Scope,
    Send,
    route_path,
)
from steinmetz.cache.asgi.routes import Route, RouteTable
from steinmetz.cache.asgi.single_flight import Flight, Join, Landed, Lead, Lost, SingleFlight, Wait
from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.invalidation.paths import invalidated_by
from steinmetz.cache.invalidation.reads import Recording, record
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import Headers, selected, storable_headers
from steinmetz.cache.policy.key import answer_key, own_key, variant_key
from steinmetz.cache.policy.lookup import (
    FWD,
    NO_DEMANDS,
    Bypass,
    Demands,
    Hit,
    Miss,
    MissReason,
    Stale,
    bypassed,
    demands,
    look_up,
)
from steinmetz.cache.policy.route import CachePolicy, KeyRequest
from steinmetz.cache.policy.storable import Answer, Refusal, storable
from steinmetz.cache.policy.tags import path_reads, tag_reads
from steinmetz.cache.policy.variants import ANONYMOUS, Caller, variant_of
from steinmetz.cache.statistics import RouteCounts, Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.clock import Clock
from steinmetz.sql.scope import ScopeKind
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from steinmetz.sql.effects import ReadSet
    from steinmetz.sql.facts import Relation

log = structlog.get_logger("steinmetz.cache")

ADMISSION = "steinmetz.admission"
ROUTE = "steinmetz.route"
"""The template of the route: bounded in number, whatever is asked for."""
RECORDING = "steinmetz.recording"
INSTRUCTION = "steinmetz.cache"
RECOMPUTE = "recompute"

MAX_ROUNDS = 4
"""How often a request starts over because the world moved or a leader failed, before it computes for itself."""
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
    }
)
_ASKED_FOR_NEW = frozenset({MissReason.NO_CACHE, MissReason.TOO_OLD})
# The application computes the whole answer; the conditions are ours to apply to it.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})
_NOTHING_INTERESTING: dict[bytes, bytes] = {}


class Target:
    """A cached route at one path and query: all that does not depend on the caller."""

    __slots__ = ("counts", "key", "path", "policy", "route", "tags")

    def __init__(self, route: Route, policy: CachePolicy, path: str, key: bytes, counts: RouteCounts) -> None:
        self.route = route
        self.policy = policy
        self.path = path
        self.key = key
        self.counts = counts
        self.tags: frozenset[Relation] | None = None

    def reads(self) -> frozenset[Relation]:
        """The path and the hand-made tags, which count as read."""
        if self.tags is None:
            self.tags = path_reads(self.path) | tag_reads(self.policy.tags)
        return self.tags


class Asked:
    """One request for a kept answer that was not given at once."""

    __slots__ = ("counted", "demands", "if_none_match", "key", "receive", "scope", "send", "target", "variant")

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        target: Target,
        key: bytes,
        variant: bytes,
        asked: Demands,
        if_none_match: bytes | None,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.target = target
        self.key = key
        self.variant = variant
        self.demands = asked
        self.if_none_match = if_none_match
        self.counted = False

    @property
    def headers(self) -> Headers:
        headers: Headers = self.scope["headers"]
        return headers


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
    ) -> None:
        self.app = app
        self.flights = SingleFlight(coherence)
        self._routes_of = routes
        self._table: RouteTable | None = None
        self._targets: dict[tuple[str, bytes], Target | Route] = {}
        self._coherence = coherence
        self._store = store
        self._observer = observer
        self._admissions = admissions
        self._finish = finish
        self._on_admitted = on_admitted
        self._statistics = statistics
        self._clock = clock
        self._switch = switch
        self._version = version
        self._prefix = prefix
        self._max_entry_bytes = max_entry_bytes
        self._wait_s = wait_s
        self._tasks = tasks

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
            await self._recompute(scope, receive, send)
            return
        headers = scope["headers"]
        caller: Caller = ANONYMOUS
        admissions = self._admissions
        if admissions is not None and (credential := admissions.credential(headers)) is not None:
            remembered = admissions.remembered(credential)
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
            await self._pass(scope, receive, send, route)
            return
        target = self._target(scope)
        if isinstance(target, Route):
            scope[ROUTE] = target.template
            await self._pass(scope, receive, send, target)
            return
        scope[ROUTE] = target.route.template
        await self._get(scope, receive, send, target, caller)

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

    async def _get(self, scope: Scope, receive: Receive, send: Send, target: Target, caller: Caller) -> None:
        interesting = _interesting(scope["headers"])
        asked = NO_DEMANDS
        if interesting:
            asked = demands(interesting.get(b"cache-control"), interesting.get(b"pragma"))
        variant = variant_of(target.policy, caller)
        bypass = bypassed(variant, len(target.key), interesting, asked, enabled=self._switch.on)
        if bypass is not None:
            self._statistics.bypasses[bypass.reason] += 1
            target.counts.bypasses += 1
            await self._pass(scope, receive, send, target.route, bypass)
            return
        assert isinstance(variant, bytes)
        key = variant_key(target.key, variant)
        found = self._look_up(key, target.policy, asked, scope["headers"])
        if_none_match = interesting.get(b"if-none-match")
        if isinstance(found, Hit):
            target.counts.hits += 1
            await self._send_kept(scope, send, found.entry, if_none_match)
            return
        if scope["method"] == "HEAD":
            send = _headless(send)
        await self._answer(Asked(scope, receive, send, target, key, variant, asked, if_none_match), found)

    def _look_up(self, key: bytes, policy: CachePolicy, asked: Demands, headers: Headers) -> Hit | Stale | Miss:
        entry = self._coherence.find(self._store, key)
        if isinstance(entry, Suspended):
            return Miss(MissReason.NO_CACHE) if asked.no_cache else Miss(MissReason.SUSPENDED, entry.read_set)
        wall_s = None
        if entry is not None and entry.valid_until_s is not None:
            wall_s = self._clock.now().timestamp()
        return look_up(entry, policy, asked, headers, self._clock.monotonic_s(), wall_s)

    # -- answers

    async def _answer(self, asked: Asked, found: Hit | Stale | Miss) -> None:
        """Give, join, wait or compute, until the request is answered."""
        deadline_s = self._clock.monotonic_s() + self._wait_s
        for round_number in range(MAX_ROUNDS):
            if round_number:
                found = self._look_up(asked.key, asked.target.policy, asked.demands, asked.headers)
            match found:
                case Hit(entry):
                    asked.target.counts.hits += 1
                    await self._send_kept(asked.scope, asked.send, entry, asked.if_none_match)
                    return
                case Stale(entry):
                    asked.target.counts.stale += 1
                    self._refresh(asked)
                    await self._send_kept(asked.scope, asked.send, entry, asked.if_none_match, stale=True)
                    return
                case Miss():
                    if await self._answer_miss(asked, found, deadline_s - self._clock.monotonic_s()):
                        return
                case _ as never:
                    assert_never(never)
        await self._lead(asked, self.flights.lead(asked.key, self._coherence.begin()), MissReason.ABSENT)

    async def _answer_miss(self, asked: Asked, miss: Miss, patience_s: float) -> bool:
        """Whether it was answered; if not, something has changed and the look-up is worth another try."""
        reason = miss.reason
        self._count_miss(asked, reason)
        if asked.demands.only_if_cached:
            # "SHOULD either respond using a stored response consistent with the other constraints of the request
            # or respond with a 504 (Gateway Timeout) status code" (RFC 9111, 5.2.1.7).
            headers = [(b"content-length", b"0"), *miss_headers(FWD[reason], detail="only-if-cached")]
            await self._send_all(asked.scope, asked.send, 504, headers, b"")
            return True
        if miss.suspended is not None and await self._has_settled(miss.suspended, patience_s):
            return False
        if reason in _ASKED_FOR_NEW:
            boarded: Join | Wait | Lead = Lead(self.flights.lead(asked.key, self._coherence.begin()))
        else:
            boarded = self.flights.board(asked.key, self._coherence.begin())
            if isinstance(boarded, Wait) and await self._has_settled(boarded.reads, patience_s):
                return False
        if isinstance(boarded, Join):
            return await self._follow(asked, boarded, reason)
        if isinstance(boarded, Wait):
            boarded = Lead(self.flights.lead(asked.key, self._coherence.begin()))
        await self._lead(asked, boarded.flight, reason)
        return True

    async def _has_settled(self, reads: ReadSet, patience_s: float) -> bool:
        """Whether the commit under way came to its end while there was patience left (trap T10)."""
        return patience_s > 0 and await self._coherence.settled(reads, patience_s)

    async def _follow(self, asked: Asked, join: Join, reason: MissReason) -> bool:
        landing = await join.flight.landing()
        if isinstance(landing, Landed):
            entry = landing.entry
            if selected(asked.headers, [name for name, _ in entry.vary]) == entry.vary and self.flights.may_have(
                landing, join
            ):
                self._statistics.collapsed += 1
                headers = [*entry.headers, *miss_headers(FWD[reason], collapsed=True)]
                await self._send_entry(asked.scope, asked.send, entry, headers, asked.if_none_match)
                return True
            return False
        if landing is Lost.OWN:
            await self._lead(asked, Flight(asked.key, self._coherence.begin()), reason)
            return True
        return False

    def _count_miss(self, asked: Asked, reason: MissReason) -> None:
        if not asked.counted:
            asked.counted = True
            asked.target.counts.misses += 1
            self._statistics.misses[reason] += 1

    # -- computing

    async def _lead(self, asked: Asked, flight: Flight, reason: MissReason) -> None:
        """Run the application, keep its answer if that may be, and let the followers have it."""
        scope, target = asked.scope, asked.target
        kept: Entry | None = None

        def consider(status: int, headers: HeaderList, body: bytes | None) -> tuple[Entry | None, Refusal | None]:
            nonlocal kept
            recording.response_started = True
            entry, refusal = self._consider(asked, recording, status, headers, body)
            if entry is not None and refusal is None:
                kept = entry
            return entry, refusal

        def whole(status: int, headers: HeaderList, body: bytes) -> tuple[int, HeaderList, bytes]:
            entry, refusal = consider(status, headers, body)
            flight.land(Lost.OWN if entry is None else Landed(entry))
            detail = str(refusal) if refusal is not None else None
            added = miss_headers(FWD[reason], stored=refusal is None, detail=detail)
            if entry is None:
                return status, self._finished(scope, status, [*headers, *added]), body
            if is_unmodified(entry, asked.if_none_match):
                self._statistics.not_modified += 1
                return 304, self._finished(scope, 304, without_body([*entry.headers, *added])), b""
            return status, self._finished(scope, status, [*entry.headers, *added]), body

        def starting(status: int, headers: HeaderList) -> HeaderList:
            recording.response_started = True
            flight.land(Lost.OWN)
            return self._finished(scope, status, [*headers, *miss_headers(FWD[reason], detail="streaming")])

        def ended(status: int, headers: HeaderList, body: bytes | None) -> None:
            consider(status, headers, body)

        limit = target.policy.max_bytes if target.policy.max_bytes is not None else self._max_entry_bytes
        capture = Capture(asked.send, limit, whole, starting, ended)
        with record(
            ScopeKind.REQUEST, f"GET {target.route.template}", flight.sequence, target.reads()
        ) as recording:
            flight.recording = recording
            scope[RECORDING] = recording
            try:
                await self.app(_as_plain_get(scope), asked.receive, capture)
                await capture.flush()
            finally:
                self.flights.end(flight)
                if recording.wrote and kept is not None and self._coherence.discard(self._store, kept):
                    self._statistics.revoked += 1

    def _consider(
        self, asked: Asked, recording: Recording, status: int, headers: HeaderList, body: bytes | None
    ) -> tuple[Entry | None, Refusal | None]:
        """Keep the answer if that may be: (entry, None) if kept, (entry, refusal) if it may only be given now."""
        policy = asked.target.policy
        limit = policy.max_bytes if policy.max_bytes is not None else self._max_entry_bytes
        reads = recording.close()
        length = None if body is None or len(body) > limit else len(body)
        terms = storable(Answer(status, headers, reads, recording.wrote, length), policy)
        now_s, valid_until_s = self._clock.monotonic_s(), None
        if recording.valid_until is not None and not isinstance(terms, Refusal):
            valid_until_s = recording.valid_until.timestamp()
            if valid_until_s <= self._clock.now().timestamp():
                terms = Refusal.NO_LIFE
        if isinstance(terms, Refusal):
            self._statistics.refusals[terms] += 1
            return None, terms
        assert body is not None
        entry = Entry(
            key=asked.key,
            path=asked.target.path,
            route=asked.target.route.template,
            headers=storable_headers(headers),
            body=body,
            read_set=reads,
            sequence=recording.sequence,
            stored_at_s=now_s,
            ttl_s=terms.ttl_s,
            valid_until_s=valid_until_s,
            variant=asked.variant,
            vary=selected(asked.headers, terms.vary),
        )
        refusal = self._keep(entry)
        if refusal is not None:
            self._statistics.refusals[refusal] += 1
        else:
            self._statistics.stored += 1
        return entry, refusal

    def _keep(self, entry: Entry) -> Refusal | None:
        if not self._switch.on:
            return Refusal.DISABLED
        if self._coherence.keep(self._store, entry, entry.sequence):
            return None
        return Refusal.TOO_LARGE if entry.weight > self._store.budget_bytes else Refusal.MOVED

    def _refresh(self, asked: Asked) -> None:
        """Compute anew behind a stale answer, unless somebody does already."""
        if self.flights.is_under_way(asked.key):
            return
        behind = Asked(
            dict(asked.scope), _nothing_more(), _nowhere, asked.target, asked.key, asked.variant, NO_DEMANDS, None
        )
        flight = self.flights.lead(asked.key, self._coherence.begin())
        self._tasks.spawn(f"refresh {asked.target.route.template}", self._lead(behind, flight, MissReason.EXPIRED))

    # -- past the cache

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, route: Route, bypass: Bypass | None = None
    ) -> None:
        """The application alone: a route that is not cached, a write, a request that by-passes."""
        method = scope["method"]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                recording.response_started = True
                status, headers = message["status"], list(message.get("headers", ()))
                if route.invalidates and (writes := invalidated_by(method, status, route.invalidates)):
                    self._observer.move(writes)
                if bypass is not None:
                    headers += bypass_headers(bypass.reason)
                message = {**message, "headers": self._finished(scope, status, headers)}
            await send(message)

        with record(ScopeKind.REQUEST, f"{method} {route.template}", self._coherence.begin()) as recording:
            scope[RECORDING] = recording
            await self.app(scope, receive, sending)

    async def _recompute(self, scope: Scope, receive: Receive, send: Send) -> None:
        """For callers within the process: neither looked up nor kept; the recording is left in the scope."""
        if scope[INSTRUCTION] != RECOMPUTE:
            raise ValueError(f'scope["{INSTRUCTION}"] may only be "{RECOMPUTE}"; got {scope[INSTRUCTION]!r}')
        sequence = self._coherence.begin()
        route = self.routes.match(scope["method"], route_path(scope))
        tags = path_reads(route_path(scope))
        if route.policy is not None:
            tags |= tag_reads(route.policy.tags)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                recording.close()
            await send(message)

        with record(ScopeKind.REQUEST, f"{scope['method']} {route.template}", sequence, tags) as recording:
            scope[RECORDING] = recording
            await self.app(scope, receive, sending)

    # -- sending

    def _finished(self, scope: Scope, status: int, headers: HeaderList) -> HeaderList:
        return headers if self._finish is None else list(self._finish(scope, status, headers))

    async def _send_kept(
        self, scope: Scope, send: Send, entry: Entry, if_none_match: bytes | None, *, stale: bool = False
    ) -> None:
        """A kept answer; written out, for this is the path that must be short."""
        entry.hits += 1
        now_s = self._clock.monotonic_s()
        headers = stale_headers(entry, now_s) if stale else hit_headers(entry, now_s)
        if if_none_match is not None:
            await self._send_entry(scope, send, entry, headers, if_none_match)
            return
        if self._finish is not None:
            headers = list(self._finish(scope, 200, headers))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = entry.body if scope["method"] == "GET" else b""
        await send({"type": "http.response.body", "body": body})

    async def _send_entry(
        self, scope: Scope, send: Send, entry: Entry, headers: HeaderList, if_none_match: bytes | None
    ) -> None:
        if if_none_match is not None and is_unmodified(entry, if_none_match):
            self._statistics.not_modified += 1
            await self._send_all(scope, send, 304, without_body(headers), b"")
        else:
            await self._send_all(scope, send, 200, headers, b"" if scope["method"] == "HEAD" else entry.body)

    async def _send_all(self, scope: Scope, send: Send, status: int, headers: HeaderList, body: bytes) -> None:
        if self._finish is not None:
            headers = list(self._finish(scope, status, headers))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Switch:
    """The kill switch, shared by all that must heed it."""

    __slots__ = ("on",)

    def __init__(self, on: bool) -> None:
        self.on = on


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


def _as_plain_get(scope: Scope) -> Scope:
    """The request without its conditions, and a HEAD as the GET whose answer it shares."""
    headers = scope["headers"]
    if scope["method"] == "GET" and not any(name in _CONDITIONS for name, _ in headers):
        return scope
    return {**scope, "method": "GET", "headers": [line for line in headers if line[0] not in _CONDITIONS]}


def _headless(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending


def _nothing_more() -> Receive:
    """The receive of a request with an empty body whose client stays for ever."""
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


async def _nowhere(message: Message) -> None:
    """The send of a computation that nobody waits for."""
