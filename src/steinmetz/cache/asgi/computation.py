"""One run of the application for an answer that may be kept, and what becomes of what it says.

A small answer is whole before a byte goes out, so it is kept first and its header says so; a stream passes as it
comes. When computing fails, an answer that has only expired may stand in (RFC 5861, 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from steinmetz.cache.asgi.answers import miss_headers, stale_headers, unmodified, without_body
from steinmetz.cache.asgi.asked import Asked
from steinmetz.cache.asgi.capture import Capture
from steinmetz.cache.asgi.kept_answers import KeptAnswers
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message, Scope
from steinmetz.cache.asgi.sending import Sender
from steinmetz.cache.asgi.single_flight import Flight, Landed, Lost, SingleFlight
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.invalidation.reads import Recording, record
from steinmetz.cache.policy.consistency import STRONG
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import selected, storable_headers
from steinmetz.cache.policy.lookup import FWD, MissReason
from steinmetz.cache.policy.one_request import of_one_request
from steinmetz.cache.policy.storable import Answer, Refusal, storable
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock, perf_ns
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.scope import ScopeKind

log = structlog.get_logger("steinmetz.cache")

RECORDING = "steinmetz.recording"

OnKept = Callable[[Asked, Entry], None]
"""Hears of each answer that is kept, and of the request that it was computed for."""

# The application computes the whole answer; the conditions are ours to apply to it.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})


class Computation:
    """Of one request that leads a flight. ``is_orphan``: its caller has gone, its followers wait for it."""

    def __init__(
        self,
        asked: Asked,
        flight: Flight,
        reason: MissReason,
        *,
        flights: SingleFlight,
        kept: KeptAnswers,
        sender: Sender,
        statistics: Statistics,
        clock: Clock,
        max_entry_bytes: int,
        on_kept: OnKept | None,
        cluster: Cluster | None = None,
    ) -> None:
        self.is_orphan = False
        self._asked = asked
        self._flight = flight
        self._reason = reason
        self._flights = flights
        self._kept = kept
        self._sender = sender
        self._statistics = statistics
        self._clock = clock
        self._on_kept = on_kept
        self._cluster = cluster
        self._is_known = True
        """Whether we know what other processes have written."""
        self._over_ns = 0
        said = asked.target.policy.max_bytes
        self._limit = said if said is not None else max_entry_bytes
        self._started_ns = 0
        self._recording: Recording | None = None
        self._entry: Entry | None = None
        """What was kept."""
        self.answered: Entry | None = None
        """What may be given now, kept or not; None for what no cache could keep."""

    async def run(self, app: ASGIApp) -> None:
        """Run ``app``, keep its answer if that may be, and let the followers have it."""
        asked, flight = self._asked, self._flight
        before = None if self._cluster is None else self._catch_up
        capture = Capture(self._send, self._limit, self._whole, self._starting, self._ended, before)
        name = f"GET {asked.target.route.template}"
        with record(ScopeKind.REQUEST, name, flight.sequence, asked.target.reads()) as recording:
            self._recording = flight.recording = recording
            asked.scope[RECORDING] = recording
            self._started_ns = perf_ns()
            try:
                await app(plain_get(asked.scope), self._receive, capture)
                await capture.flush()
            except Exception as error:
                if capture.has_begun or not await self._give_expired(error):
                    raise
            finally:
                self._flights.end(flight)
                if recording.wrote and self._entry is not None and self._kept.discard(self._entry):
                    self._statistics.revoked += 1

    # -- the caller, who may be gone

    async def _send(self, message: Message) -> None:
        if not self.is_orphan:
            await self._asked.send(message)

    async def _receive(self) -> Message:
        if not self.is_orphan:
            message = await self._asked.receive()
            if message["type"] != "http.disconnect" or not self._flight.followers:
                return message
        for_ever: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await for_ever  # to those who wait for the answer nobody has gone

    # -- what the application says

    def _whole(self, status: int, headers: HeaderList, body: bytes) -> tuple[int, HeaderList, bytes]:
        scope = self._asked.scope
        if status >= 500 and (expired := self._expired()) is not None:
            self._flight.land(Lost.ERROR)
            return self._standing_in(expired)
        entry, refusal = self._consider(status, headers, body)
        self._flight.land(Lost.OWN if entry is None else Landed(entry))
        detail = str(refusal) if refusal is not None else None
        added = miss_headers(FWD[self._reason], stored=refusal is None, detail=detail)
        if entry is None:
            return status, self._sender.finished(scope, status, [*headers, *added]), body
        return self._as_asked(entry, [*entry.headers, *added])

    def _starting(self, status: int, headers: HeaderList) -> HeaderList:
        assert self._recording is not None
        self._recording.response_started = True
        self._flight.land(Lost.OWN)
        added = miss_headers(FWD[self._reason], detail="streaming")
        return self._sender.finished(self._asked.scope, status, [*headers, *added])

    def _ended(self, status: int, headers: HeaderList, body: bytes | None) -> None:
        self._consider(status, headers, body)

    def _as_asked(self, entry: Entry, headers: HeaderList) -> tuple[int, HeaderList, bytes]:
        """``entry`` whole, or as "not modified"."""
        scope = self._asked.scope
        if (etag := unmodified(entry, self._asked.if_none_match, scope["headers"])) is not None:
            self._statistics.not_modified += 1
            return 304, self._sender.finished(scope, 304, without_body(headers, etag)), b""
        return entry.status, self._sender.finished(scope, entry.status, headers), entry.body

    # -- an error

    def _expired(self) -> Entry | None:
        """What may be given because computing has failed: expired, but not invalidated."""
        if self._reason is not MissReason.EXPIRED:
            return None
        return self._kept.on_error(self._asked.key, self._asked.headers)

    def _standing_in(self, expired: Entry) -> tuple[int, HeaderList, bytes]:
        self._statistics.stale_on_error += 1
        return self._as_asked(expired, stale_headers(expired, self._clock.monotonic_s()))

    async def _give_expired(self, error: Exception) -> bool:
        """Whether an expired answer could be given in place of ``error``."""
        expired = self._expired()
        if expired is None:
            return False
        self._flight.land(Lost.ERROR)
        log.error(
            "Computing an answer failed; the expired one was given",
            route=self._asked.target.route.template,
            error=type(error).__name__,
            exc_info=error,
        )
        status, headers, body = self._standing_in(expired)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
        return True

    # -- keeping

    async def _catch_up(self) -> None:
        # What was read may hold a commit of another process that we have not heard of: hear of it first.
        assert self._cluster is not None
        self._over_ns = perf_ns()
        self._is_known = await self._cluster.caught_up(STRONG, None)

    def _consider(
        self, status: int, headers: HeaderList, body: bytes | None
    ) -> tuple[Entry | None, Refusal | None]:
        """Keep the answer if that may be: (entry, None) if kept, (entry, refusal) if it may only be given now."""
        recording, target = self._recording, self._asked.target
        assert recording is not None
        recording.response_started = True
        cost_ns = (self._over_ns or perf_ns()) - self._started_ns
        reads = recording.close()
        self._flights.learn(self._asked.key, reads, cost_ns)
        terms, valid_until_s = self._terms(status, headers, body, reads, recording)
        if isinstance(terms, Refusal):
            self._statistics.refusals[terms] += 1
            return None, terms
        assert body is not None
        entry = Entry(
            key=self._asked.key,
            path=target.path,
            route=target.route.template,
            headers=storable_headers(headers),
            body=body,
            read_set=reads,
            sequence=recording.sequence,
            stored_at_s=self._clock.monotonic_s(),
            terms=terms,
            cost_ns=cost_ns,
            valid_until_s=valid_until_s,
            variant=self._asked.variant,
            vary=selected(self._asked.headers, terms.vary),
            status=status,
            compress=target.policy.compress,
            limits=target.policy.limits_of(target.route.template),
            is_ahead=self._asked.is_ahead,
        )
        self.answered = entry
        refusal = self._kept.keep(entry) if self._is_known else Refusal.UNKNOWN_CLUSTER
        if refusal is not None:
            self._statistics.refused(entry, refusal)
        else:
            self._entry = entry
            if self._cluster is not None:
                self._cluster.offer(entry)
            if self._on_kept is not None:
                self._on_kept(self._asked, entry)
        return entry, refusal

    def _terms(
        self, status: int, headers: HeaderList, body: bytes | None, reads: ReadSet, recording: Recording
    ) -> tuple[Terms | Refusal, float | None]:
        """The terms of the answer, and the POSIX time at which it becomes untrue, if it said so."""
        length = None if body is None or len(body) > self._limit else len(body)
        terms = storable(Answer(status, headers, reads, recording.wrote, length), self._asked.target.policy)
        if isinstance(terms, Terms) and of_one_request(headers) is not None:
            return Refusal.ONE_REQUEST, None
        if recording.valid_until is None:
            return terms, None
        valid_until_s = recording.valid_until.timestamp()
        if valid_until_s <= self._clock.now().timestamp() and isinstance(terms, Terms):
            return Refusal.NO_LIFE, None
        return terms, valid_until_s


def plain_get(scope: Scope) -> Scope:
    """The request without its conditions, and a HEAD as the GET whose answer it shares."""
    headers = scope["headers"]
    if scope["method"] == "GET" and not any(name in _CONDITIONS for name, _ in headers):
        return scope
    return {**scope, "method": "GET", "headers": [line for line in headers if line[0] not in _CONDITIONS]}
