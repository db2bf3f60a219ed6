"""What the cache counts. Every table is bounded: by a fixed set of reasons, or by the routes there are."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from steinmetz.cache.departures import REMEMBERED, Departure, Departures
from steinmetz.cache.invalidation.causes import Invalidation
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.lookup import MissReason
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.worth import Worth
from steinmetz.cache.stores.base import Gone
from steinmetz.cache.warming.wanted import MAX_WANTED, Wanted, wanted
from steinmetz.clock import Clock, SystemClock

WRITTEN_TOO_OFTEN = "written more often than read"
NOT_THE_SAME = "not the same for all who were to share it"

FIRST = "never asked before, or long ago"


class RouteCounts:
    """The counts of one cached route, and whether it by-passes itself: ``resting`` says why, or is empty.

    ``bytes_served`` and ``saved_ns`` are of answers that are gone; those of the answers still kept are added when
    somebody asks (`Statistics.as_dict`).
    """

    __slots__ = (
        "bypasses", "bytes_served", "collapsed", "dropped", "hits", "leaks", "missed_because", "misses",
        "needless", "resting", "saved_ns", "stale", "stored", "template", "unused", "worth",
    )  # fmt: skip

    def __init__(self, template: str) -> None:
        self.template = template
        self.hits = 0
        self.stale = 0
        self.misses = 0
        self.bypasses = 0
        self.stored = 0
        self.dropped = 0
        self.needless = 0
        self.unused = 0
        self.bytes_served = 0
        self.saved_ns = 0
        self.missed_because: Counter[str] = Counter()
        self.collapsed = 0
        self.leaks = 0
        self.resting = ""
        self.worth = Worth()

    @property
    def uses(self) -> int:
        """How often somebody was given an answer that another request had computed."""
        return self.hits + self.stale + self.collapsed

    def spoilt(self, now_s: float) -> None:
        """An answer was kept for nothing."""
        if not self.resting and self.worth.spoilt(self.uses, now_s):
            self.resting = WRITTEN_TOO_OFTEN

    def leaked(self) -> None:
        """An answer was not the same for two callers who were to share it; there is no way back from that."""
        self.leaks += 1
        self.resting = NOT_THE_SAME

    def rests(self, now_s: float) -> bool:
        """Whether the route still by-passes itself; to be asked only if ``resting``."""
        if self.resting == WRITTEN_TOO_OFTEN and self.worth.is_over(now_s, self.uses):
            self.resting = ""
        return bool(self.resting)

    def served(self, entry: Entry) -> tuple[int, int]:
        """What the hits of ``entry`` were worth: bytes sent without computing them, nanoseconds not computed."""
        return entry.hits * len(entry.body), entry.hits * entry.cost_ns

    def as_dict(self, bytes_served: int = 0, saved_ns: int = 0) -> dict[str, Any]:
        asked = self.hits + self.stale + self.misses
        return {
            "route": self.template,
            "hits": self.hits,
            "stale": self.stale,
            "misses": self.misses,
            "bypasses": self.bypasses,
            "hitRate": round((self.hits + self.stale) / asked, 4) if asked else 0.0,
            "missedBecause": dict(self.missed_because.most_common()),
            "collapsed": self.collapsed,
            "stored": self.stored,
            "dropped": self.dropped,
            "needless": self.needless,
            "unused": self.unused,
            "bytesServed": self.bytes_served + bytes_served,
            "savedMs": round((self.saved_ns + saved_ns) / 1e6, 3),
            "leaks": self.leaks,
            "resting": self.resting or None,
            "pauses": self.worth.pauses,
        }


class Statistics:
    """Counts since the start of the process. Hits are counted by route only and added up on demand."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        judges_worth: bool = True,
        departures_remembered: int = REMEMBERED,
    ) -> None:
        self._clock = clock or SystemClock()
        self._judges_worth = judges_worth
        self.routes: dict[str, RouteCounts] = {}
        self.misses: Counter[MissReason] = Counter()
        self.bypasses: Counter[str] = Counter()
        self.refusals: Counter[Refusal] = Counter()
        self.departures = Departures(departures_remembered)
        self.let_go: Counter[Gone] = Counter()
        self.stored = 0
        self.revoked = 0
        self.collapsed = 0
        self.not_modified = 0
        self.adopted = 0
        self.refreshes = 0
        self.stale_on_error = 0
        self.compared = 0
        self.worth_gone: OrderedDict[bytes, Wanted] = OrderedDict()
        """What the hits of answers that are gone were worth; the last ones of a bounded number of keys."""
        self._falling = threading.local()

    def of(self, template: str) -> RouteCounts:
        counts = self.routes.get(template)
        if counts is None:
            counts = self.routes[template] = RouteCounts(template)
        return counts

    # -- what happens to answers

    def missed(self, counts: RouteCounts, reason: MissReason, key: bytes) -> None:
        """A request at the route of ``counts`` found nothing to be given under ``key``."""
        counts.misses += 1
        self.misses[reason] += 1
        because: str = reason
        if reason is MissReason.ABSENT:
            departure = self.departures.why(key)
            because = FIRST if departure is None else departure.why
        counts.missed_because[because] += 1

    def kept(self, entry: Entry) -> None:
        """``entry`` is kept from now on."""
        self.stored += 1
        counts = self.of(entry.route)
        counts.stored += 1
        before = self.departures.returned(entry.key) if entry.alive else None
        if before is not None and before.invalidation is not None and before.etag == entry.etag:
            before.invalidation.needless += 1
            counts.needless += 1

    @contextmanager
    def attributed(self, invalidation: Invalidation) -> Iterator[None]:
        """What this thread lets go of inside is the doing of ``invalidation``."""
        self._falling.by = invalidation
        try:
            yield
        finally:
            self._falling.by = None

    def gone(self, entry: Entry, why: Gone) -> None:
        """A store let go of ``entry``; called under its lock."""
        self.let_go[why] += 1
        counts = self.of(entry.route)
        bytes_served, saved_ns = counts.served(entry)
        counts.bytes_served += bytes_served
        counts.saved_ns += saved_ns
        if entry.hits:
            self._remember_worth(entry)
        if why is Gone.REPLACED:
            return
        if not entry.hits:
            counts.unused += 1
        invalidation: Invalidation | None = None
        if why is Gone.DROPPED:
            counts.dropped += 1
            invalidation = getattr(self._falling, "by", None)
            if invalidation is not None:
                invalidation.routes[entry.route] += 1
            if not entry.hits:
                self._spoilt(entry)
        self.departures.left(entry.key, Departure(why, entry.etag, invalidation))

    def _remember_worth(self, entry: Entry) -> None:
        """What is written often is seldom kept when somebody looks, and is worth warming all the same."""
        for one in wanted([entry]):
            before = self.worth_gone.pop(entry.key, None)
            self.worth_gone[entry.key] = one if before is None else replace(one, worth=one.worth + before.worth)
            if len(self.worth_gone) > 2 * MAX_WANTED:
                self.worth_gone.popitem(last=False)

    def refused(self, entry: Entry, why: Refusal) -> None:
        """``entry`` was computed but not kept."""
        self.refusals[why] += 1
        if why is Refusal.MOVED:
            self._spoilt(entry)

    def _spoilt(self, entry: Entry) -> None:
        # What was computed ahead says nothing of how the route is asked for.
        counts = None if entry.is_ahead else self.routes.get(entry.route)
        if counts is not None and self._judges_worth:
            counts.spoilt(self._clock.monotonic_s())

    # -- looking in

    def as_dict(self, kept: Iterable[Entry] = ()) -> dict[str, Any]:
        """``kept`` are the answers still there, whose hits count, too."""
        worth: dict[str, tuple[int, int]] = {}
        for entry in kept:
            if entry.hits:
                bytes_served, saved_ns = self.of(entry.route).served(entry)
                before = worth.get(entry.route, (0, 0))
                worth[entry.route] = before[0] + bytes_served, before[1] + saved_ns
        routes = sorted(self.routes.values(), key=lambda route: -route.hits)
        hits, stale = sum(route.hits for route in routes), sum(route.stale for route in routes)
        misses = sum(self.misses.values())
        asked = hits + stale + misses
        listed = [route.as_dict(*worth.get(route.template, (0, 0))) for route in routes]
        return {
            "hits": hits,
            "stale": stale,
            "misses": misses,
            "hitRate": round((hits + stale) / asked, 4) if asked else 0.0,
            "missReasons": {str(reason): count for reason, count in self.misses.items()},
            "bypasses": sum(self.bypasses.values()),
            "bypassReasons": dict(self.bypasses),
            "stored": self.stored,
            "notStored": sum(self.refusals.values()),
            "notStoredReasons": {str(reason): count for reason, count in self.refusals.items()},
            "letGo": {str(why): count for why, count in self.let_go.items()},
            "staleRefused": self.refusals[Refusal.MOVED],
            "revoked": self.revoked,
            "collapsed": self.collapsed,
            "adopted": self.adopted,
            "refreshes": self.refreshes,
            "staleOnError": self.stale_on_error,
            "compared": self.compared,
            "leaks": sum(route.leaks for route in routes),
            "notModified": self.not_modified,
            "needless": sum(route.needless for route in routes),
            "unused": sum(route.unused for route in routes),
            "bytesServed": sum(route["bytesServed"] for route in listed),
            "savedMs": round(sum(route["savedMs"] for route in listed), 3),
            "routes": listed,
        }
