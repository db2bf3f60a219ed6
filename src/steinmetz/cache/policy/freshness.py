"""How long an answer lives (RFC 9111, 4.2), and how old it is."""

from __future__ import annotations

from collections.abc import Mapping

from steinmetz.cache.policy.control import Control
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import Headers, delta_seconds, first_of
from steinmetz.cache.policy.http_date import http_date_s

HEURISTIC_SHARE = 0.1
MAX_HEURISTIC_S = 86_400.0

# "heuristically cacheable" (RFC 9110, 15.1), but for 206, which is only kept when it says for how long.
HEURISTICALLY_CACHEABLE = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})


def lifetime_s(route_ttl_s: float, directives: Mapping[str, str | None]) -> float:
    """The life of a new answer: the route's, cut short by ``s-maxage`` or else ``max-age`` of the response."""
    said = delta_seconds(directives, "s-maxage")
    if said is None:
        said = delta_seconds(directives, "max-age")
    return route_ttl_s if said is None else min(route_ttl_s, float(said))


def stated_lifetime_s(control: Control, headers: Headers, received_s: float) -> float | None:
    """The explicit lifetime in seconds of an answer received at the POSIX timestamp ``received_s``, or None.

    In the order of RFC 9111, 4.2.1: ``s-maxage``, ``max-age``, Expires minus Date.
    """
    for name in ("s-maxage", "max-age"):
        if (said := control.seconds(name)) is not None:
            return float(said)
    expires = first_of(headers, b"expires")
    if control.targeted or expires is None:
        return None
    # "A cache recipient MUST interpret invalid date formats, especially the value "0", as representing a time in
    # the past (i.e., "already expired")" (RFC 9111, 5.3).
    expires_s = http_date_s(expires, received_s)
    return 0.0 if expires_s is None else max(0.0, expires_s - date_s(headers, received_s))


def heuristic_lifetime_s(status: int, control: Control, headers: Headers, received_s: float) -> float:
    """ "a typical setting of this fraction might be 10%" of the time since Last-Modified (RFC 9111, 4.2.2)."""
    if (status not in HEURISTICALLY_CACHEABLE and "public" not in control) or control.is_whole("no-cache"):
        return 0.0
    modified_s = last_modified_s(headers, received_s)
    if modified_s is None:
        return 0.0
    return min(max(0.0, (date_s(headers, received_s) - modified_s) * HEURISTIC_SHARE), MAX_HEURISTIC_S)


def initial_age_s(headers: Headers, received_s: float, delay_s: float) -> float:
    """``corrected_initial_age`` (RFC 9111, 4.2.3): how old an answer already was when it came.

    ``delay_s`` is the time that its request took.
    """
    apparent_s = max(0.0, int(received_s) - date_s(headers, received_s))
    return max(apparent_s, said_age_s(headers) + delay_s)


def said_age_s(headers: Headers) -> int:
    """The Age that came along, or 0.

    "SHOULD use the first member of the field value ... If the field value is invalid, a cache SHOULD ignore the
    field" (RFC 9111, 5.1).
    """
    said = first_of(headers, b"age")
    first = b"" if said is None else said.partition(b",")[0].strip()
    return min(int(first), 2**31) if first.isdigit() else 0


def date_s(headers: Headers, received_s: float) -> float:
    """The POSIX timestamp of Date; without a valid one, of its arrival (RFC 9110, 6.6.1)."""
    said = first_of(headers, b"date")
    found = None if said is None else http_date_s(said, received_s)
    return float(int(received_s)) if found is None else found


def last_modified_s(headers: Headers, received_s: float) -> float | None:
    said = first_of(headers, b"last-modified")
    return None if said is None else http_date_s(said, received_s)


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
