"""Whether a computed answer may be kept; each refusal is a reason of its own (RFC 9111, 3, and the epoch rule)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from steinmetz.cache.policy.freshness import lifetime_s
from steinmetz.cache.policy.headers import Headers, cache_control, value_of, vary_names
from steinmetz.cache.policy.route import CachePolicy
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet


class Refusal(StrEnum):
    """Why an answer was not kept. All but `MOVED` also forbid giving it to anybody but the caller."""

    STATUS = "no answer of this status is kept"
    SET_COOKIE = "sets a cookie"
    NO_STORE = "response says no-store"
    PRIVATE = "response says private"
    NO_CACHE = "response says no-cache"
    VARY_ANY = "varies on everything"
    ONE_REQUEST = "a header line belongs to this one request"
    PARTIAL = "body is not as long as its header says"
    TOO_LARGE = "body is above the limit"
    WROTE = "the request wrote"
    UNCERTAIN = "what was read is not certain"
    NO_LIFE = "no time to live"
    MOVED = "something it read was written meanwhile"
    AUTHORIZATION = "the request was authorized, and the response does not say that others may have it"
    METHOD = "the response to this method is not one to GET"
    NO_RANGE = "a partial body that does not say which part it is"
    DISABLED = "the cache was switched off meanwhile"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as the application gave it, and what is known of how it came about."""

    status: int
    headers: Headers
    read_set: ReadSet
    wrote: bool
    length: int | None = None
    """The body's length in bytes; None if it was above the limit."""


def storable(answer: Answer, policy: CachePolicy) -> Terms | Refusal:
    """Whether ``answer`` may be kept as far as it alone can tell; the epochs have the last word."""
    route_ttl_s = policy.ttl_of(answer.status)
    if route_ttl_s is None:
        return Refusal.STATUS
    if answer.length is None:
        return Refusal.TOO_LARGE
    said = value_of(answer.headers, b"content-length")
    if said is not None and said.strip() != str(answer.length).encode():
        return Refusal.PARTIAL
    if any(name.lower() == b"set-cookie" for name, _ in answer.headers):
        return Refusal.SET_COOKIE
    directives = cache_control(value_of(answer.headers, b"cache-control") or b"")
    if "no-store" in directives:
        return Refusal.NO_STORE
    if "private" in directives:
        return Refusal.PRIVATE
    if "no-cache" in directives:
        return Refusal.NO_CACHE
    vary = vary_names(value_of(answer.headers, b"vary"))
    if vary is None:
        return Refusal.VARY_ANY
    if answer.wrote:
        return Refusal.WROTE
    if not answer.read_set.is_certain:
        return Refusal.UNCERTAIN
    ttl_s = lifetime_s(route_ttl_s, directives)
    if ttl_s <= 0:
        return Refusal.NO_LIFE
    return Terms(
        ttl_s,
        vary,
        stale_while_revalidate_s=policy.stale_while_revalidate_s,
        stale_if_error_s=policy.stale_if_error_s,
        # "must not be used ... once it has become stale": whoever says so gets neither stale rule (5.2.2.2).
        must_revalidate=not _MUST_REVALIDATE.isdisjoint(directives),
        early=policy.early,
    )


_MUST_REVALIDATE = {"must-revalidate", "proxy-revalidate"}
