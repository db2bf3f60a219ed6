"""Asks the application behind the gateway, once for all who ask the same at the same time.

What comes back is streamed on (`Exchange`); a 304 to our own condition makes the kept answer fresh again; an error
may be covered by a stale answer, but never by one that was invalidated meanwhile.
"""

from __future__ import annotations

from typing import assert_never

import structlog

from steinmetz.cache.asgi import single_flight
from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.exchange import Exchange, Outcome
from steinmetz.cache.asgi.gateway_answers import GatewayAnswers
from steinmetz.cache.asgi.keeping import Copy, Keeping
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList
from steinmetz.cache.asgi.shelf import Found, Shelf
from steinmetz.cache.asgi.single_flight import Flight, Join, Landed, Lead, Lost, SingleFlight
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import is_fresh
from steinmetz.cache.policy.headers import Headers, first_of, normalised
from steinmetz.cache.policy.lookup import FWD, Miss, MissReason, Revalidate, may_be_given_for_error
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.validation import HeadSays, told_by_head, updated_by, validating, without_conditions
from steinmetz.cache.statistics import RouteCounts, Statistics
from steinmetz.clock import Clock, perf_ns
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

MAX_PASSED = 8_192
PASSED_S = 10.0
"""How long a URL whose answer could not be shared is not waited for by others."""
DISCONNECTED_S = 86_400.0
"""How long past its time an answer may be given where the origin cannot be reached and nothing forbids it."""

_SHARED = frozenset({MissReason.ABSENT, MissReason.EXPIRED, MissReason.VARY, MissReason.MUST_VALIDATE})


class OriginUnreachableError(Exception):
    """Raised by an application that is a proxy, before its response starts: its origin gave no answer.

    The gateway then gives a stale answer where it may, and else 502 or 504.
    """


class Asking:
    """All that becomes of a request for which no kept answer could be given."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        shelf: Shelf,
        answers: GatewayAnswers,
        statistics: Statistics,
        counts: RouteCounts,
        clock: Clock,
        max_entry_bytes: int,
        tasks: Tasks,
    ) -> None:
        self.app = app
        self.flights = SingleFlight(shelf.coherence)
        self._shelf = shelf
        self._answers = answers
        self._statistics = statistics
        self._counts = counts
        self._clock = clock
        self._max_entry_bytes = max_entry_bytes
        self._tasks = tasks
        self._passed: dict[bytes, float] = {}

    async def answer(self, asked: Demanded, miss: Revalidate | Miss, found: Found) -> bool:
        """Whether it was answered; if not, another look-up is worth while."""
        if asked.demands.only_if_cached:
            await self._answers.gateway_timeout(asked, FWD[miss.reason], "only-if-cached")
            return True
        if not self._may_share(asked, miss):
            return await self.fetch(asked, miss, found)
        boarded = self.flights.board(
            _flight_key(asked, found), single_flight.Asking(perf_ns(), 0.0, may_wait=False)
        )
        if isinstance(boarded, Join):
            return await self._follow(asked, boarded, miss, found)
        assert isinstance(boarded, Lead)  # a flight without a recording is never waited for
        return await self.fetch(asked, miss, found, boarded.flight)

    def refresh(self, asked: Demanded, entry: Entry) -> None:
        """Ask behind a stale answer, unless somebody does already."""
        if self.flights.is_under_way(entry.key):
            return
        flight = self.flights.lead(entry.key, self._shelf.coherence.begin())
        miss = Revalidate(entry, MissReason.EXPIRED)
        self._tasks.spawn("refresh", self.fetch(asked.behind(), miss, Found(entry), flight))

    # -- together

    def _may_share(self, asked: Demanded, miss: Revalidate | Miss) -> bool:
        """Whether others who ask the same now may have what this request brings."""
        is_passed = self._passed.get(asked.url, 0.0) > self._clock.monotonic_s()
        return asked.is_plain and miss.reason in _SHARED and not is_passed

    def _remember_passed(self, url: bytes) -> None:
        if len(self._passed) >= MAX_PASSED:
            self._passed.clear()
        self._passed[url] = self._clock.monotonic_s() + PASSED_S

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
            return await self.fetch(asked, miss, found)
        return False

    # -- alone

    async def fetch(
        self, asked: Demanded, miss: Revalidate | Miss, found: Found, flight: Flight | None = None
    ) -> bool:
        """Ask the application, with a condition where there is something to validate; answer from what comes."""
        headers: Headers = asked.headers
        conditional = None
        if asked.method == "GET" and (isinstance(miss, Revalidate) or (found.others and not asked.wants_part)):
            conditional = validating(asked.headers, found.entry, found.others)
        while True:
            exchange, keeping = self._exchange(asked, miss, found, flight, validates=conditional is not None)
            try:
                await exchange.run(self.app, headers if conditional is None else conditional)
                if await self._became(asked, exchange, keeping, miss, found, flight):
                    return True
            except OriginUnreachableError as error:
                if exchange.is_started:
                    raise
                await self._without_origin(asked, keeping, found.entry, miss, error)
                return True
            except Exception as error:
                spare = found.entry
                if exchange.is_started or spare is None or not self._is_spare(asked, keeping, spare):
                    raise
                log.error("The application failed; a stale answer is given", error=type(error).__name__)
                await self._give_spare(asked, spare)
                return True
            finally:
                self._count(asked, exchange)
                if flight is not None:
                    self.flights.end(flight)
            # The 304 speaks of nothing that is kept: ask for the whole.
            conditional, headers, flight = None, without_conditions(asked.headers), None

    async def _became(
        self,
        asked: Demanded,
        exchange: Exchange,
        keeping: Keeping,
        miss: Revalidate | Miss,
        found: Found,
        flight: Flight | None,
    ) -> bool:
        """Whether the request has been answered, now that the application has."""
        match exchange.outcome:
            case Outcome.SENT:
                return True
            case Outcome.ERROR:
                assert found.entry is not None
                if self._is_spare(asked, keeping, found.entry):
                    await self._give_spare(asked, found.entry)
                else:  # it was invalidated while the application failed
                    await self._answers.passed_on(asked, exchange.status, exchange.headers, FWD[miss.reason])
                return True
            case Outcome.NOT_MODIFIED:
                return await self._not_modified(asked, exchange.headers, keeping, found, FWD[miss.reason], flight)
            case _ as never:
                assert_never(never)

    def _exchange(
        self, asked: Demanded, miss: Revalidate | Miss, found: Found, flight: Flight | None, *, validates: bool
    ) -> tuple[Exchange, Keeping]:
        keeping = Keeping(asked, self._shelf, self._clock, self._max_entry_bytes)
        exchange = Exchange(
            asked,
            keeping,
            copy=Copy(self._max_entry_bytes),
            fwd=FWD[miss.reason],
            validates=validates,
            has_spare=found.entry is not None and self._is_spare(asked, keeping, found.entry),
            flight=flight,
            on_head=lambda said: self._head_said(asked, said, keeping),
        )
        return exchange, keeping

    def _count(self, asked: Demanded, exchange: Exchange) -> None:
        if exchange.refusal is None:
            return
        self._statistics.refusals[exchange.refusal] += 1
        if asked.is_plain and exchange.refusal is not Refusal.MOVED:
            self._remember_passed(asked.url)

    def _is_spare(self, asked: Demanded, keeping: Keeping, entry: Entry, *, disconnected_s: float = 0.0) -> bool:
        """Whether ``entry`` may stand in for an error of the origin: past its time, but not invalidated."""
        now_s = self._clock.monotonic_s()
        return not keeping.has_moved(entry) and may_be_given_for_error(
            entry, asked.demands, now_s, disconnected_s=disconnected_s
        )

    async def _give_spare(self, asked: Demanded, entry: Entry) -> None:
        self._counts.stale += 1
        await self._answers.kept(asked, entry, stale=True)

    async def _without_origin(
        self,
        asked: Demanded,
        keeping: Keeping,
        entry: Entry | None,
        miss: Revalidate | Miss,
        error: OriginUnreachableError,
    ) -> None:
        if entry is None:
            await self._answers.bad_gateway(asked, FWD[miss.reason], str(error))
        elif self._is_spare(asked, keeping, entry, disconnected_s=DISCONNECTED_S):
            await self._give_spare(asked, entry)
        else:
            # "if a cache is disconnected, the must-revalidate directive MUST cause the cache to generate an error
            # response rather than reuse the stale response ... SHOULD be a 504" (RFC 9111, 5.2.2.2).
            await self._answers.gateway_timeout(asked, FWD[miss.reason], str(error))

    async def _not_modified(
        self,
        asked: Demanded,
        said: HeaderList,
        keeping: Keeping,
        found: Found,
        fwd: str,
        flight: Flight | None,
    ) -> bool:
        """Answer from the kept answer that a 304 with the header ``said`` speaks of; False if it is of none."""
        own = asked.fields.get(b"if-none-match")
        candidates = [found.entry] if found.entry is not None else list(found.others)
        told = updated_by(candidates, said, self._clock.now().timestamp())
        if told is not None and (own is None or first_of(said, b"etag") is not None or found.entry is not None):
            entry, refusal = keeping.freshened(told, said)
            if refusal is None:
                if flight is not None:
                    flight.land(Landed(entry))
            else:
                self._statistics.refusals[refusal] += 1
                self._drop(told)
            await self._answers.validated(asked, entry, fwd, said, stored=refusal is None)
            return True
        if own is not None:
            await self._answers.passed_on(asked, 304, said, fwd)
            return True
        return False

    def _head_said(self, asked: Demanded, headers: HeaderList, keeping: Keeping) -> None:
        """What the 200 for a HEAD tells of the kept answer: if it agrees, that is fresh again; else dropped."""
        entry = self._shelf.find(asked.url, asked.headers).entry
        if entry is None or entry.status != 200:
            return
        match told_by_head(entry, headers):
            case HeadSays.SAME:
                if keeping.freshened(entry, headers)[1] is not None:
                    self._drop(entry)
            case HeadSays.OTHER:
                self._drop(entry)
            case HeadSays.NOTHING:
                pass
            case _ as never:
                assert_never(never)

    def _drop(self, entry: Entry) -> None:
        if self._shelf.discard(entry):
            self._statistics.revoked += 1


def _flight_key(asked: Demanded, found: Found) -> bytes:
    """Requests of one URL share a flight; where variants are known, those that select the same."""
    if found.entry is not None:
        return found.entry.key
    names = sorted({name for other in found.others for name in other.terms.vary})
    return asked.url + b"#" + repr(normalised(asked.headers, names)).encode() if names else asked.url
