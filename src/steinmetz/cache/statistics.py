"""What the cache counts. Every table is bounded: by a fixed set of reasons, or by the routes there are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.lookup import MissReason
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.worth import Worth
from steinmetz.cache.stores.base import Gone
from steinmetz.clock import Clock, SystemClock

WRITTEN_TOO_OFTEN = "written more often than read"
NOT_THE_SAME = "not the same for all who were to share it"


class RouteCounts:
    """The counts of one cached route, and whether it by-passes itself: ``resting`` says why, or is empty."""

    __slots__ = ("bypasses", "collapsed", "hits", "leaks", "misses", "resting", "stale", "template", "worth")

    def __init__(self, template: str) -> None:
        self.template = template
        self.hits = 0
        self.stale = 0
        self.misses = 0
        self.bypasses = 0
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

    def as_dict(self) -> dict[str, Any]:
        return {
            "route": self.template,
            "hits": self.hits,
            "stale": self.stale,
            "misses": self.misses,
            "bypasses": self.bypasses,
            "collapsed": self.collapsed,
            "leaks": self.leaks,
            "resting": self.resting or None,
            "pauses": self.worth.pauses,
        }


class Statistics:
    """Counts since the start of the process. Hits are counted by route only and added up on demand."""

    def __init__(self, clock: Clock | None = None, *, judges_worth: bool = True) -> None:
        self._clock = clock or SystemClock()
        self._judges_worth = judges_worth
        self.routes: dict[str, RouteCounts] = {}
        self.misses: Counter[MissReason] = Counter()
        self.bypasses: Counter[str] = Counter()
        self.refusals: Counter[Refusal] = Counter()
        self.let_go: Counter[Gone] = Counter()
        self.stored = 0
        self.revoked = 0
        self.collapsed = 0
        self.not_modified = 0
        self.adopted = 0
        self.refreshes = 0
        self.stale_on_error = 0
        self.compared = 0

    def of(self, template: str) -> RouteCounts:
        counts = self.routes.get(template)
        if counts is None:
            counts = self.routes[template] = RouteCounts(template)
        return counts

    def kept(self, entry: Entry) -> None:
        """``entry`` is kept from now on."""
        self.stored += 1

    def gone(self, entry: Entry, why: Gone) -> None:
        """A store let go of ``entry``; called under its lock."""
        self.let_go[why] += 1
        if why is Gone.DROPPED and not entry.hits:
            self._spoilt(entry)

    def refused(self, entry: Entry, why: Refusal) -> None:
        """``entry`` was computed but not kept."""
        self.refusals[why] += 1
        if why is Refusal.MOVED:
            self._spoilt(entry)

    def _spoilt(self, entry: Entry) -> None:
        counts = self.routes.get(entry.route)
        if counts is not None and self._judges_worth:
            counts.spoilt(self._clock.monotonic_s())

    def as_dict(self) -> dict[str, Any]:
        routes = list(self.routes.values())
        hits, stale = sum(route.hits for route in routes), sum(route.stale for route in routes)
        misses = sum(self.misses.values())
        asked = hits + stale + misses
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
            "staleRefused": self.refusals[Refusal.MOVED],
            "revoked": self.revoked,
            "collapsed": self.collapsed,
            "adopted": self.adopted,
            "refreshes": self.refreshes,
            "staleOnError": self.stale_on_error,
            "compared": self.compared,
            "leaks": sum(route.leaks for route in routes),
            "notModified": self.not_modified,
            "routes": [route.as_dict() for route in sorted(routes, key=lambda route: -route.hits)],
        }
