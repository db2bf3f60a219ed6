"""The cache as a gateway: in front of any ASGI application that speaks Cache-Control (RFC 9111, a shared cache).

request -> find -> judge -> Hit, Stale        -> send
                         -> Revalidate, Miss  -> join a flight, or `Exchange` with the application
                         -> Bypass            -> pass, and invalidate what an unsafe method changed
"""

from __future__ import annotations

from typing import assert_never

import structlog

from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.exchange import Exchange, Outcome
from steinmetz.cache.asgi.gateway_answers import GatewayAnswers
from steinmetz.cache.asgi.kept_answers import Switch
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message, Receive, Scope, Send
from steinmetz.cache.asgi.shelf import PARTIAL, Found, Shelf
from steinmetz.cache.asgi.single_flight import Flight, Join, Landed, Lead, Lost, SingleFlight
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import is_fresh
from steinmetz.cache.policy.groups import SAFE_METHODS, invalidated
from steinmetz.cache.policy.headers import Headers, cache_status, first_of, normalised
from steinmetz.cache.policy.key import MAX_KEY_BYTES
from steinmetz.cache.policy.lookup import (
    FWD,
    Bypass,
    Hit,
    Miss,
    MissReason,
    Revalidate,
    Stale,
    judge,
    may_be_given_for_error,
    unanswerable,
)
from steinmetz.cache.policy.ranges import Part, part_of, said_part
from steinmetz.cache.policy.validation import head_agrees, updated_by, validating, without_conditions
from steinmetz.cache.statistics import RouteCounts, Statistics
from steinmetz.clock import Clock
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

MAX_ROUNDS = 4
MAX_PASSED = 8_192
PASSED_S = 10.0
"""How long a URL whose answer could not be shared is not waited for by others."""
DISCONNECTED_S = 86_400.0
"""How long past its time an answer may be given where the origin cannot be reached and nothing forbids it."""

_FOR_THE_ORIGIN = (b"if-match", b"if-unmodified-since")


class OriginUnreachableError(Exception):
    """Raised by an application that is a proxy, before its response starts: its origin gave no answer.

    The gateway then gives a stale answer where it may, and else 502 or 504.
    """


class GatewayMiddleware:
    """Pure ASGI; made by `Gateway.wrap`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        shelf: Shelf,
        observer: WriteObserver,
        statistics: Statistics,
        counts: RouteCounts,
        clock: Clock,
        switch: Switch,
        max_entry_bytes: int,
        tasks: Tasks,
    ) -> None:
        self.app = app
        self.flights = SingleFlight(shelf.coherence)
        self._shelf = shelf
        self._observer = observer
        self._statistics = statistics
        self._counts = counts
        self._clock = clock
        self._switch = switch
        self._max_entry_bytes = max_entry_bytes
        self._tasks = tasks
        self._answers = GatewayAnswers(clock, statistics)
        self._passed: dict[bytes, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Demanded.of(scope, receive, send)
        bypass = self._bypassed(asked)
        if bypass is not None:
            await self._pass(asked, bypass)
            return
        for _ in range(MAX_ROUNDS):
            found = self._shelf.find(asked.url, asked.headers)
            match self._look_up(asked, found):
                case Hit(entry):
                    self._counts.hits += 1
                    await self._answers.kept(asked, entry)
                    return
                case Stale(entry, refresh):
                    self._counts.stale += 1
                    if refresh:
                        self._refresh(asked, entry)
                    await self._answers.kept(asked, entry, stale=True)
                    return
                case Revalidate() | Miss() as miss:
                    if await self._answer_miss(asked, miss, found):
                        return
                case _ as never:
                    assert_never(never)
        await self._fetch(asked, Miss(MissReason.ABSENT), self._shelf.find(asked.url, asked.headers), None)

    # -- deciding

    def _bypassed(self, asked: Demanded) -> Bypass | None:
        if asked.method not in ("GET", "HEAD"):
            return Bypass("method")
        if not self._switch.on:
            return Bypass("switched off")
        if asked.demands.no_store:
            return Bypass("the request said no-store")
        if len(asked.url) > MAX_KEY_BYTES:
            return Bypass("the key is too long")
        if any(name in asked.fields for name in _FOR_THE_ORIGIN):
            return Bypass("a condition for the origin")
        without_range = {name: value for name, value in asked.fields.items() if name != b"range"}
        reason = unanswerable(without_range)
        return None if reason is None else Bypass(reason)

    def _look_up(self, asked: Demanded, found: Found) -> Hit | Stale | Revalidate | Miss:
        now_s = self._clock.monotonic_s()
        if found.entry is not None:
            judged = judge(found.entry, asked.demands, now_s)
            if not (isinstance(judged, Revalidate) and asked.method == "HEAD"):
                return judged
            # A HEAD is asked as it is: what comes back tells whether the kept answer still holds.
            return Miss(judged.reason)
        if asked.wants_part and (part := self._part(asked)) is not None:
            judged = judge(part, asked.demands, now_s)
            if isinstance(judged, Hit):
                return judged
        if found.others:
            return Miss(MissReason.VARY)
        return Miss(MissReason.NO_CACHE if asked.demands.no_cache else MissReason.ABSENT)

    def _part(self, asked: Demanded) -> Entry | None:
        """A kept part that holds the range asked for."""
        entry = self._shelf.find(asked.url + PARTIAL, asked.headers).entry
        if entry is None:
            return None
        kept = said_part(first_of(entry.headers, b"content-range"), len(entry.body))
        wanted = None if kept is None else part_of(asked.fields[b"range"], kept.complete)
        return entry if isinstance(wanted, Part) and kept is not None and kept.holds(wanted) else None

    # -- asking the application

    async def _answer_miss(self, asked: Demanded, miss: Revalidate | Miss, found: Found) -> bool:
        """Whether it was answered; if not, another look-up is worth while."""
        if not asked.counted:
            asked.counted = True
            self._counts.misses += 1
            self._statistics.misses[miss.reason] += 1
        if asked.demands.only_if_cached:
            await self._answers.gateway_timeout(asked, FWD[miss.reason], "only-if-cached")
            return True
        if not self._may_share(asked, miss):
            return await self._fetch(asked, miss, found, None)
        sequence = self._shelf.coherence.begin()
        boarded = self.flights.board(self._flight_key(asked, found), sequence)
        if isinstance(boarded, Join):
            return await self._follow(asked, boarded, miss, found)
        assert isinstance(boarded, Lead)  # a flight without a recording is never waited for
        return await self._fetch(asked, miss, found, boarded.flight)

    def _may_share(self, asked: Demanded, miss: Revalidate | Miss) -> bool:
        """Whether others who ask the same now may have what this request brings."""
        return (
            asked.is_plain
            and miss.reason in (MissReason.ABSENT, MissReason.EXPIRED, MissReason.VARY, MissReason.MUST_VALIDATE)
            and self._passed.get(asked.url, 0.0) <= self._clock.monotonic_s()
        )

    @staticmethod
    def _flight_key(asked: Demanded, found: Found) -> bytes:
        """Requests of one URL share a flight; where variants are known, those that select the same."""
        if found.entry is not None:
            return found.entry.key
        names = sorted({name for other in found.others for name in other.terms.vary})
        return asked.url + b"#" + repr(normalised(asked.headers, names)).encode() if names else asked.url

    async def _follow(self, asked: Demanded, join: Join, miss: Revalidate | Miss, found: Found) -> bool:
        landing = await join.flight.landing()
        if isinstance(landing, Landed):
            entry = landing.entry
            if (
                normalised(asked.headers, entry.terms.vary) == entry.vary
                and is_fresh(entry, self._clock.monotonic_s())
                and not entry.terms.no_cache
                and self.flights.may_have(landing, join)
            ):
                self._statistics.collapsed += 1
                await self._answers.collapsed(asked, entry, FWD[miss.reason])
                return True
            return False
        if landing is Lost.OWN:
            return await self._fetch(asked, miss, found, None)
        return False

    async def _fetch(self, asked: Demanded, miss: Revalidate | Miss, found: Found, flight: Flight | None) -> bool:
        """Ask the application, with a condition where there is something to validate; answer from what comes."""
        conditional = None
        if asked.method == "GET" and (isinstance(miss, Revalidate) or (found.others and not asked.wants_part)):
            conditional = validating(asked.headers, found.entry, found.others)
        headers = conditional
        if headers is None and isinstance(miss, Revalidate) and asked.wants_part:
            headers = None
        while True:
            exchange = Exchange(
                asked,
                headers if headers is not None else asked.headers,
                shelf=self._shelf,
                clock=self._clock,
                limit_bytes=self._max_entry_bytes,
                fwd=FWD[miss.reason],
                is_ours_to_validate=conditional is not None,
                spare=self._spare(asked, found.entry),
                flight=flight,
                on_head=lambda said: self._head_said(asked, said),
            )
            try:
                await exchange.run(self.app)
            except OriginUnreachableError as error:
                if exchange.is_started:
                    raise
                await self._without_origin(asked, found.entry, miss, error)
                return True
            except Exception as error:
                spare = found.entry
                now_s = self._clock.monotonic_s()
                if exchange.is_started or spare is None or not may_be_given_for_error(spare, asked.demands, now_s):
                    raise
                log.error("The application failed; a stale answer is given", error=type(error).__name__)
                await self._give_spare(asked, spare)
                return True
            finally:
                if exchange.refusal is not None:
                    self._statistics.refusals[exchange.refusal] += 1
                if not exchange.was_shared:
                    self._remember_passed(asked.url)
                if flight is not None:
                    self.flights.end(flight)
            match exchange.outcome:
                case Outcome.SENT:
                    return True
                case Outcome.ERROR:
                    assert found.entry is not None
                    await self._give_spare(asked, found.entry)
                    return True
                case Outcome.NOT_MODIFIED:
                    if await self._not_modified(asked, exchange, found, FWD[miss.reason]):
                        return True
                case _ as never:
                    assert_never(never)
            # The 304 speaks of nothing that is kept: ask for the whole.
            conditional, headers, flight = None, without_conditions(asked.headers), None

    def _spare(self, asked: Demanded, entry: Entry | None) -> bool:
        """Whether ``entry`` may stand in for an error of the origin."""
        return entry is not None and may_be_given_for_error(entry, asked.demands, self._clock.monotonic_s())

    async def _give_spare(self, asked: Demanded, entry: Entry) -> None:
        self._counts.stale += 1
        await self._answers.kept(asked, entry, stale=True)

    async def _without_origin(
        self, asked: Demanded, entry: Entry | None, miss: Revalidate | Miss, error: OriginUnreachableError
    ) -> None:
        if entry is None:
            await self._answers.bad_gateway(asked, FWD[miss.reason], str(error))
        elif may_be_given_for_error(
            entry, asked.demands, self._clock.monotonic_s(), disconnected_s=DISCONNECTED_S
        ):
            await self._give_spare(asked, entry)
        else:
            # "if a cache is disconnected, the must-revalidate directive MUST cause the cache to generate an error
            # response rather than reuse the stale response ... SHOULD be a 504" (RFC 9111, 5.2.2.2).
            await self._answers.gateway_timeout(asked, FWD[miss.reason], str(error))

    async def _not_modified(self, asked: Demanded, exchange: Exchange, found: Found, fwd: str) -> bool:
        candidates = [found.entry] if found.entry is not None else list(found.others)
        now_s = self._clock.now().timestamp()
        own = asked.fields.get(b"if-none-match")
        told = updated_by(candidates, exchange.headers, now_s)
        if told is not None and not (own is not None and not first_of(exchange.headers, b"etag") and found.others):
            entry, refusal = exchange.freshened(told)
            if refusal is not None:
                self._statistics.refusals[refusal] += 1
                if refusal is not None and self._shelf.discard(told):
                    self._statistics.revoked += 1
            await self._answers.validated(asked, entry, fwd, exchange.headers, stored=refusal is None)
            return True
        if own is not None:
            await self._answers.passed_on(asked, 304, exchange.headers, fwd)
            return True
        return False

    def _head_said(self, asked: Demanded, headers: Headers) -> Entry | None:
        """What the 200 for a HEAD tells of the kept answer: the one it agrees with; another is dropped."""
        entry = self._shelf.find(asked.url, asked.headers).entry
        if entry is None or entry.status != 200:
            return None
        if head_agrees(entry, headers):
            return entry
        if self._shelf.discard(entry):
            self._statistics.revoked += 1
        return None

    def _remember_passed(self, url: bytes) -> None:
        if len(self._passed) >= MAX_PASSED:
            self._passed.clear()
        self._passed[url] = self._clock.monotonic_s() + PASSED_S

    def _refresh(self, asked: Demanded, entry: Entry) -> None:
        """Ask behind a stale answer, unless somebody does already."""
        if self.flights.is_under_way(entry.key):
            return
        flight = self.flights.lead(entry.key, self._shelf.coherence.begin())
        behind = asked.behind()
        self._tasks.spawn(
            "refresh", self._fetch(behind, Revalidate(entry, MissReason.EXPIRED), Found(entry), flight)
        )

    # -- the application alone

    async def _pass(self, asked: Demanded, bypass: Bypass) -> None:
        self._counts.bypasses += 1
        self._statistics.bypasses[bypass.reason] += 1
        fwd = "method" if bypass.reason == "method" else "bypass"
        detail = None if fwd == "method" else bypass.reason

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: HeaderList = [(name.lower(), value) for name, value in message.get("headers", ())]
                if asked.method not in SAFE_METHODS:
                    writes = invalidated(asked.method, message["status"], headers, asked.url, asked.origin)
                    if writes:
                        self._observer.move(writes)
                status = (b"cache-status", cache_status(fwd=fwd, detail=detail))
                message = {**message, "headers": [*headers, (b"x-cache", b"BYPASS"), status]}
            await asked.send(message)

        try:
            await self.app(asked.scope, asked.receive, sending)
        except OriginUnreachableError as error:
            await self._answers.bad_gateway(asked, fwd, str(error))
