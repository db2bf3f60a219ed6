"""What the cache counts. Every table is bounded: by a fixed set of reasons, or by the routes there are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.lookup import MissReason
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.stores.base import Gone


class RouteCounts:
    """The counts of one cached route."""

    __slots__ = ("bypasses", "hits", "misses", "stale", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self.hits = 0
        self.stale = 0
        self.misses = 0
        self.bypasses = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "route": self.template,
            "hits": self.hits,
            "stale": self.stale,
            "misses": self.misses,
            "bypasses": self.bypasses,
        }


class Statistics:
    """Counts since the start of the process. Hits are counted by route only and added up on demand."""

    def __init__(self) -> None:
        self.routes: dict[str, RouteCounts] = {}
        self.misses: Counter[MissReason] = Counter()
        self.bypasses: Counter[str] = Counter()
        self.refusals: Counter[Refusal] = Counter()
        self.let_go: Counter[Gone] = Counter()
        self.stored = 0
        self.revoked = 0
        self.collapsed = 0
        self.not_modified = 0

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
            "notModified": self.not_modified,
            "routes": [route.as_dict() for route in sorted(routes, key=lambda route: -route.hits)],
        }
