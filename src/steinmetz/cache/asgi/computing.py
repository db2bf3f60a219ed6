"""Answers what no kept answer could: join a computation, wait for a commit, or compute and keep.

Stale -> send, compute anew behind it
Miss  -> board: join a flight | wait for a commit | queue for the next flight | lead

The leader's computation runs in a task of its own. If its caller is cancelled while others wait for the answer, it
goes on for them: starting over would let each of them wait for the same once more. If nobody else waits, it is
cancelled with its caller, who waits for its end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, assert_never

from steinmetz.cache.asgi.answers import miss_headers, stale_headers
from steinmetz.cache.asgi.asked import Asked, Target
from steinmetz.cache.asgi.computation import RECORDING, Computation, OnKept
from steinmetz.cache.asgi.kept_answers import KeptAnswers
from steinmetz.cache.asgi.protocol import ASGIApp, Message, Receive, Scope
from steinmetz.cache.asgi.sending import Sender
from steinmetz.cache.asgi.single_flight import Asking, Flight, Join, Landed, Lead, Lost, Queue, SingleFlight, Wait
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.policy.early import is_due
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import selected
from steinmetz.cache.policy.lookup import FWD, NO_DEMANDS, Hit, Miss, MissReason, Stale
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock, perf_ns
from steinmetz.sql.effects import ReadSet
from steinmetz.tasks import Tasks

__all__ = ["RECORDING", "Computing", "Draw"]

Draw = Callable[[], float]
"""Numbers from 0 to 1, 1 left out, evenly."""

MAX_ROUNDS = 6
"""How often a request starts over because the world moved or a leader failed, before it computes for itself."""

_ASKED_FOR_NEW = frozenset({MissReason.NO_CACHE, MissReason.TOO_OLD})
# Under a mark, or where a header field selects, what others have kept is no more use than our own.
_FETCHED = frozenset({MissReason.ABSENT, MissReason.EXPIRED})


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
        draw: Draw = random.random,
        on_kept: OnKept | None = None,
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
        self._draw = draw
        self._on_kept = on_kept

    async def answer(self, asked: Asked, found: Hit | Stale | Miss) -> None:
        """Give, join, wait or compute, until the request is answered."""
        since_ns, deadline_s = perf_ns(), self._clock.monotonic_s() + self._wait_s
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
                    self.refresh(asked)
                    await self._sender.kept(asked.scope, asked.send, entry, asked.if_none_match, stale=True)
                    return
                case Miss():
                    patience_s = deadline_s - self._clock.monotonic_s()
                    asking = Asking(since_ns, patience_s, may_wait=patience_s > 0 and not round_number)
                    if await self._answer_miss(asked, found, asking):
                        return
                case _ as never:
                    assert_never(never)
        await self._lead(asked, self.flights.lead(asked.key, self._coherence.begin()), MissReason.ABSENT)

    async def _answer_miss(self, asked: Asked, miss: Miss, asking: Asking) -> bool:
        """Whether it was answered; if not, something has changed and the look-up is worth another try."""
        reason = miss.reason
        self._count_miss(asked, reason)
        if asked.demands.only_if_cached:
            # "SHOULD either respond using a stored response consistent with the other constraints of the request
            # or respond with a 504 (Gateway Timeout) status code" (RFC 9111, 5.2.1.7).
            headers = [(b"content-length", b"0"), *miss_headers(FWD[reason], detail="only-if-cached")]
            await self._sender.all(asked.scope, asked.send, 504, headers, b"")
            return True
        if miss.suspended is not None and await self._has_settled(miss.suspended, asking):
            return False
        if reason in _ASKED_FOR_NEW:
            await self._lead(asked, self.flights.lead(asked.key, self._coherence.begin()), reason)
            return True
        boarded = self.flights.board(asked.key, asking)
        match boarded:
            case Join():
                return await self._follow(asked, boarded, reason)
            case Lead(flight):
                await self._lead(asked, flight, reason)
                return True
            case Queue(flight):
                await flight.ended_within(asking.patience_s)
                return False
            case Wait(reads):
                if await self._has_settled(reads, asking):
                    return False
                await self._lead(asked, self.flights.lead(asked.key, self._coherence.begin()), reason)
                return True
            case _ as never:
                assert_never(never)

    async def _has_settled(self, reads: ReadSet, asking: Asking) -> bool:
        """Whether the commits under way came to their end while there was patience left (trap T10).

        Only those that the request met: on a hot table there is always one more.
        """
        return asking.may_wait and await self._coherence.settled(reads, asking.patience_s)

    async def _follow(self, asked: Asked, join: Join, reason: MissReason) -> bool:
        landing = await join.flight.landing()
        if isinstance(landing, Landed):
            entry = landing.entry
            if selected(asked.headers, [name for name, _ in entry.vary]) == entry.vary and self.flights.may_have(
                landing, join
            ):
                self._statistics.collapsed += 1
                asked.target.counts.collapsed += 1
                headers = [*entry.headers, *miss_headers(FWD[reason], collapsed=True)]
                await self._sender.entry(asked.scope, asked.send, entry, headers, asked.if_none_match)
                return True
            return False
        if landing is Lost.OWN:
            await self._lead(asked, Flight(asked.key, self._coherence.begin()), reason)
            return True
        if landing is Lost.ERROR and reason is MissReason.EXPIRED:
            expired = self._kept.on_error(asked.key, asked.headers)
            if expired is not None:
                self._statistics.stale_on_error += 1
                headers = stale_headers(expired, self._clock.monotonic_s())
                await self._sender.entry(asked.scope, asked.send, expired, headers, asked.if_none_match)
                return True
        return False

    def _count_miss(self, asked: Asked, reason: MissReason) -> None:
        if not asked.counted:
            asked.counted = True
            self._statistics.missed(asked.target.counts, reason, asked.key)

    # -- computing

    async def _lead(self, asked: Asked, flight: Flight, reason: MissReason) -> None:
        """Compute, in a task of its own that a cancelled caller leaves to those who wait for it."""
        if self._cluster is not None and reason in _FETCHED and await self._fetched(asked, flight):
            return
        computation = self._computation(asked, flight, reason)
        task = asyncio.get_running_loop().create_task(computation.run(self.app))
        # A task that is cancelled before its first step never comes to its own `finally`.
        task.add_done_callback(lambda _: self.flights.end(flight))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                raise
            if flight.followers:
                computation.is_orphan = True
                self._statistics.adopted += 1
                if self._spawned(f"finish {asked.target.route.template}", _end_of(task)):
                    raise
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(task, return_exceptions=True)
            raise

    def _computation(self, asked: Asked, flight: Flight, reason: MissReason) -> Computation:
        return Computation(
            asked,
            flight,
            reason,
            flights=self.flights,
            kept=self._kept,
            sender=self._sender,
            statistics=self._statistics,
            clock=self._clock,
            max_entry_bytes=self._max_entry_bytes,
            on_kept=self._on_kept,
            cluster=self._cluster,
        )

    async def anew(self, asked: Asked) -> Computation:
        """Compute for a caller within the process; who asks for the same meanwhile may wait for it."""
        computation = self._computation(
            asked, self.flights.lead(asked.key, self._coherence.begin()), MissReason.ABSENT
        )
        await computation.run(self.app)
        return computation

    async def _fetched(self, asked: Asked, flight: Flight) -> bool:
        """Whether another process had the answer, and it was given; followers have it, too."""
        assert self._cluster is not None
        found: Hit | Stale | Miss | None = None
        try:
            entry = await self._cluster.fetch(asked.key)
            if entry is not None:
                entry.limits = asked.target.policy.limits_of(asked.target.route.template)
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

    # -- computing behind an answer

    def refresh_if_due(self, entry: Entry, asked: Callable[[], Asked]) -> None:
        """Compute ``entry`` anew before its time if this request draws the lot (`policy.early`)."""
        if is_due(entry, self._clock.monotonic_s(), 1.0 - self._draw()):
            self.refresh(asked())

    def refresh(self, asked: Asked) -> None:
        """Compute anew behind an answer that is given now, unless somebody does already."""
        if self.flights.is_under_way(asked.key):
            return
        behind = _behind(dict(asked.scope), asked.target, asked.key, asked.variant)
        flight = self.flights.lead(asked.key, self._coherence.begin())
        self._statistics.refreshes += 1
        leading = self._lead(behind, flight, MissReason.EXPIRED)
        task = self._spawned(f"refresh {asked.target.route.template}", leading)
        if task is None:
            self.flights.end(flight)
        else:
            # Cancelled before its first step it would leave those waiting who have boarded meanwhile.
            task.add_done_callback(lambda _: self.flights.end(flight))

    async def anew_behind(self, scope: Scope, target: Target, key: bytes, variant: bytes) -> bool:
        """Compute what nobody waits for, unless somebody does already; whether it is kept now.

        Raises what the application raises.
        """
        asked = _behind(scope, target, key, variant)
        asked.is_ahead = True
        found = self._kept.look_up(key, asked.demands, asked.headers)
        if isinstance(found, Miss) and not self.flights.is_under_way(key):
            await self._lead(asked, self.flights.lead(key, self._coherence.begin()), found.reason)
            found = self._kept.look_up(key, asked.demands, asked.headers)
        return isinstance(found, Hit)

    def _spawned(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        try:
            return self._tasks.spawn(name, work)
        except RuntimeError:  # the cache has been closed; requests may still be on their way out
            return None


def _behind(scope: Scope, target: Target, key: bytes, variant: bytes) -> Asked:
    """The request of a computation that nobody waits for."""
    return Asked(scope, _nothing_more(), _nowhere, target, key, variant, NO_DEMANDS, None)


async def _end_of(task: asyncio.Task[None]) -> None:
    await task


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
