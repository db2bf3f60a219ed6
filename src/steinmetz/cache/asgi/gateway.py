"""The cache as a gateway: in front of any ASGI application that speaks Cache-Control (RFC 9111, a shared cache).

request -> find -> judge -> Hit, Stale        -> send
                         -> Revalidate, Miss  -> join a flight, or `Exchange` with the application
                         -> Bypass            -> pass, and invalidate what an unsafe method changed
"""

from __future__ import annotations

from typing import assert_never

from steinmetz.cache.asgi.asking import Asking, OriginUnreachableError
from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.gateway_answers import GatewayAnswers
from steinmetz.cache.asgi.keeping import Copy, Keeping
from steinmetz.cache.asgi.kept_answers import Switch
from steinmetz.cache.asgi.passing_on import PassingOn
from steinmetz.cache.asgi.protocol import ASGIApp, Receive, Scope, Send
from steinmetz.cache.asgi.shelf import PARTIAL, Found, Shelf
from steinmetz.cache.asgi.single_flight import SingleFlight
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import first_of
from steinmetz.cache.policy.key import MAX_KEY_BYTES
from steinmetz.cache.policy.lookup import (
    Bypass,
    Hit,
    Miss,
    MissReason,
    Revalidate,
    Stale,
    judge,
    unanswerable,
)
from steinmetz.cache.policy.ranges import Part, part_of, said_part
from steinmetz.cache.statistics import RouteCounts, Statistics
from steinmetz.clock import Clock
from steinmetz.tasks import Tasks

MAX_ROUNDS = 4
"""How often a request starts over because a leader failed or the world moved, before it asks for itself."""

_METHOD = Bypass("method")
_FOR_THE_ORIGIN = (b"if-match", b"if-unmodified-since")


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
        self._shelf = shelf
        self._observer = observer
        self._statistics = statistics
        self._counts = counts
        self._clock = clock
        self._switch = switch
        self._max_entry_bytes = max_entry_bytes
        self._answers = GatewayAnswers(clock, statistics)
        self._asking = Asking(
            app,
            shelf=shelf,
            answers=self._answers,
            statistics=statistics,
            counts=counts,
            clock=clock,
            max_entry_bytes=max_entry_bytes,
            tasks=tasks,
        )

    @property
    def flights(self) -> SingleFlight:
        return self._asking.flights

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
                        self._asking.refresh(asked, entry)
                    await self._answers.kept(asked, entry, stale=True)
                    return
                case Revalidate() | Miss() as miss:
                    self._count_miss(asked, miss.reason)
                    if await self._asking.answer(asked, miss, found):
                        return
                case _ as never:
                    assert_never(never)
        await self._asking.fetch(asked, Miss(MissReason.ABSENT), Found(None))

    def _count_miss(self, asked: Demanded, reason: MissReason) -> None:
        if not asked.counted:
            asked.counted = True
            self._statistics.missed(self._counts, reason, asked.url)

    # -- deciding

    def _bypassed(self, asked: Demanded) -> Bypass | None:
        if asked.method not in ("GET", "HEAD"):
            return _METHOD
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

    # -- the application alone

    async def _pass(self, asked: Demanded, bypass: Bypass) -> None:
        self._counts.bypasses += 1
        self._statistics.bypasses[bypass.reason] += 1
        is_method = bypass == _METHOD
        fwd, detail = ("method", None) if is_method else ("bypass", bypass.reason)
        keeping = Keeping(asked, self._shelf, self._clock, self._max_entry_bytes)
        passing = PassingOn(asked, keeping, Copy(self._max_entry_bytes), self._observer, fwd, detail)
        try:
            await passing.run(self.app)
        except OriginUnreachableError as error:
            if passing.is_started:
                raise
            await self._answers.bad_gateway(asked, fwd, str(error))
