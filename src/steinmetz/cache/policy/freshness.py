"""How long an answer lives (RFC 9111, 4.2), and how old it is."""

from __future__ import annotations

from collections.abc import Mapping

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import delta_seconds


def lifetime_s(route_ttl_s: float, directives: Mapping[str, str | None]) -> float:
    """The life of a new answer: the route's, cut short by ``s-maxage`` or else ``max-age`` of the response."""
    said = delta_seconds(directives, "s-maxage")
    if said is None:
        said = delta_seconds(directives, "max-age")
    return route_ttl_s if said is None else min(route_ttl_s, float(said))


def age_s(entry: Entry, now_s: float) -> int:
    """Whole seconds since the answer was made, never negative."""
    return max(0, int(now_s - entry.stored_at_s + entry.terms.age_s))


def remaining_s(entry: Entry, now_s: float) -> int:
    return int(entry.expires_s - now_s)


def is_fresh(entry: Entry, now_s: float) -> bool:
    """``freshness_lifetime > current_age`` (RFC 9111, 4.2): at the very end it is no longer fresh."""
    return now_s < entry.expires_s


def is_outlived(entry: Entry, wall_s: float) -> bool:
    """Whether the instant has come from which the answer is untrue; not even a stale answer may cross it."""
    return entry.valid_until_s is not None and wall_s >= entry.valid_until_s


def may_stand_in(entry: Entry, now_s: float, wall_s: float) -> bool:
    """Whether the answer may be given in place of an error.

    "the cached response MAY be used ... if an error is encountered", up to so many seconds after it became stale
    (RFC 5861, 4).
    """
    if entry.terms.must_revalidate or is_outlived(entry, wall_s):
        return False
    return now_s < entry.expires_s + entry.terms.stale_if_error_s
