"""Answers what no kept answer could: join a computation, wait for a commit, or compute and keep.

Stale -> send, compute anew behind it
Miss  -> board: join a flight | wait for a commit | lead
"""

from __future__ import annotations

import asyncio
from typing import assert_never

from steinmetz.cache.asgi.answers import is_unmodified, miss_headers, without_body
from steinmetz.cache.asgi.asked import Asked
from steinmetz.cache.asgi.capture import Capture
from steinmetz.cache.asgi.kept_answers import KeptAnswers
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message, Receive, Scope
from steinmetz.cache.asgi.sending import Sender
from steinmetz.cache.asgi.single_flight import Flight, Join, Landed, Lead, Lost, SingleFlight, Wait
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.reads import Recording, record
from steinmetz.cache.policy.consistency import STRONG
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import selected, storable_headers
from steinmetz.cache.policy.lookup import FWD, NO_DEMANDS, Hit, Miss, MissReason, Stale
from steinmetz.cache.policy.storable import Answer, Refusal, storable
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock, perf_ns
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.scope import ScopeKind
from steinmetz.tasks import Tasks

RECORDING = "steinmetz.recording"

MAX_ROUNDS = 4
"""How often a request starts over because the world moved or a leader failed, before it computes for itself."""

_ASKED_FOR_NEW = frozenset({MissReason.NO_CACHE, MissReason.TOO_OLD})
# Under a mark, or where a header field selects, what others have kept is no more use than our own.
_FETCHED = frozenset({MissReason.ABSENT, MissReason.EXPIRED})
# The application computes the whole answer; the conditions are ours to apply to it.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})


class Computing:
    """Runs ``app`` for answers, once for all who ask at the same time."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        kept: KeptAnswers,
        sender: Sender,
        statistics: Statistics,
        clock: Clock,
        max_entry_bytes: int,
        wait_s: float,
        tasks: Tasks,
        cluster: Cluster | None = None,
    ) -> None:
        self.app = app
        self.flights = SingleFlight(kept.coherence)
        self._kept = kept
        self._coherence: Coherence = kept.coherence
        self._sender = sender
        self._statistics = statistics
        self._clock = clock
        self._max_entry_bytes = max_entry_bytes
        self._wait_s = wait_s
        self._tasks = tasks
        self._cluster = cluster

    async def answer(self, asked: Asked, found: Hit | Stale | Miss) -> None:
        """Give, join, wait or compute, until the request is answered."""
        deadline_s = self._clock.monotonic_s() + self._wait_s
        for round_number in range(MAX_ROUNDS):
            if round_number:
                found = self._kept.look_up(asked.key, asked.demands, asked.headers)
            match found:
                case Hit(entry):
                    asked.target.counts.hits += 1
                    await self._sender.kept(asked.scope, asked.send, entry, asked.if_none_match)
                    return
                case Stale(entry):
                    asked.target.counts.stale += 1
                    self._refresh(asked)
                    await self._sender.kept(asked.scope, asked.send, entry, asked.if_none_match, stale=True)
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
            await self._sender.all(asked.scope, asked.send, 504, headers, b"")
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
                await self._sender.entry(asked.scope, asked.send, entry, headers, asked.if_none_match)
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
        if self._cluster is not None and reason in _FETCHED and await self._fetched(asked, flight):
            return
        kept: Entry | None = None
        is_known, over_ns = True, 0

        def consider(status: int, headers: HeaderList, body: bytes | None) -> tuple[Entry | None, Refusal | None]:
            nonlocal kept
            recording.response_started = True
            cost_ns = (over_ns or perf_ns()) - started_ns
            entry, refusal = self._consider(asked, recording, status, headers, body, cost_ns, is_known=is_known)
            if entry is not None and refusal is None:
                kept = entry
                if self._cluster is not None:
                    self._cluster.offer(entry)
            return entry, refusal

        def whole(status: int, headers: HeaderList, body: bytes) -> tuple[int, HeaderList, bytes]:
            entry, refusal = consider(status, headers, body)
            flight.land(Lost.OWN if entry is None else Landed(entry))
            detail = str(refusal) if refusal is not None else None
            added = miss_headers(FWD[reason], stored=refusal is None, detail=detail)
            if entry is None:
                return status, self._sender.finished(scope, status, [*headers, *added]), body
            if is_unmodified(entry, asked.if_none_match):
                self._statistics.not_modified += 1
                return 304, self._sender.finished(scope, 304, without_body([*entry.headers, *added])), b""
            return status, self._sender.finished(scope, status, [*entry.headers, *added]), body

        def starting(status: int, headers: HeaderList) -> HeaderList:
            recording.response_started = True
            flight.land(Lost.OWN)
            return self._sender.finished(scope, status, [*headers, *miss_headers(FWD[reason], detail="streaming")])

        def ended(status: int, headers: HeaderList, body: bytes | None) -> None:
            consider(status, headers, body)

        async def catch_up() -> None:
            # What was read may hold a commit of another process that we have not heard of: hear of it first.
            nonlocal is_known, over_ns
            assert self._cluster is not None
            over_ns = perf_ns()
            is_known = await self._cluster.caught_up(STRONG, None)

        limit = target.policy.max_bytes if target.policy.max_bytes is not None else self._max_entry_bytes
        before = None if self._cluster is None else catch_up
        capture = Capture(asked.send, limit, whole, starting, ended, before)
        with record(
            ScopeKind.REQUEST, f"GET {target.route.template}", flight.sequence, target.reads()
        ) as recording:
            flight.recording = recording
            scope[RECORDING] = recording
            started_ns = perf_ns()
            try:
                await self.app(_as_plain_get(scope), asked.receive, capture)
                await capture.flush()
            finally:
                self.flights.end(flight)
                if recording.wrote and kept is not None and self._kept.discard(kept):
                    self._statistics.revoked += 1

    async def _fetched(self, asked: Asked, flight: Flight) -> bool:
        """Whether another process had the answer, and it was given; followers have it, too."""
        assert self._cluster is not None
        found: Hit | Stale | Miss | None = None
        try:
            entry = await self._cluster.fetch(asked.key)
            if entry is not None and self._kept.keep(entry) is None:
                found = self._kept.look_up(asked.key, asked.demands, asked.headers)
                if isinstance(found, Hit):
                    flight.land(Landed(found.entry))
        except BaseException:
            self.flights.end(flight)
            raise
        if not isinstance(found, Hit):
            return False
        self.flights.end(flight)
        await self._sender.kept(asked.scope, asked.send, found.entry, asked.if_none_match)
        return True

    def _consider(
        self,
        asked: Asked,
        recording: Recording,
        status: int,
        headers: HeaderList,
        body: bytes | None,
        cost_ns: int,
        *,
        is_known: bool,
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
            terms=terms,
            cost_ns=cost_ns,
            valid_until_s=valid_until_s,
            variant=asked.variant,
            vary=selected(asked.headers, terms.vary),
            status=status,
        )
        refusal = self._kept.keep(entry) if is_known else Refusal.UNKNOWN_CLUSTER
        if refusal is not None:
            self._statistics.refusals[refusal] += 1
        return entry, refusal

    def _refresh(self, asked: Asked) -> None:
        """Compute anew behind a stale answer, unless somebody does already."""
        if self.flights.is_under_way(asked.key):
            return
        behind = Asked(
            dict(asked.scope), _nothing_more(), _nowhere, asked.target, asked.key, asked.variant, NO_DEMANDS, None
        )
        flight = self.flights.lead(asked.key, self._coherence.begin())
        self._tasks.spawn(f"refresh {asked.target.route.template}", self._lead(behind, flight, MissReason.EXPIRED))


def _as_plain_get(scope: Scope) -> Scope:
    """The request without its conditions, and a HEAD as the GET whose answer it shares."""
    headers = scope["headers"]
    if scope["method"] == "GET" and not any(name in _CONDITIONS for name, _ in headers):
        return scope
    return {**scope, "method": "GET", "headers": [line for line in headers if line[0] not in _CONDITIONS]}


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
