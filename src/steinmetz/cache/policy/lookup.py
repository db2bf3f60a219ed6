"""What becomes of a request: Hit, Stale, Revalidate, Miss or Bypass, each its own type with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import age_s, is_fresh, is_outlived, remaining_s
from steinmetz.cache.policy.headers import Headers, cache_control, delta_seconds, selected
from steinmetz.cache.policy.key import MAX_KEY_BYTES
from steinmetz.cache.policy.variants import NoVariant
from steinmetz.sql.effects import ReadSet


class MissReason(StrEnum):
    """Why no kept answer was given; the value is the ``fwd`` parameter's detail."""

    ABSENT = "absent"
    EXPIRED = "expired"
    SUSPENDED = "suspended by a commit under way"
    VARY = "another request header selected the kept answer"
    NO_CACHE = "the request asked for a new answer"
    TOO_OLD = "the request asked for a younger answer"
    MUST_VALIDATE = "the kept answer said no-cache"


# RFC 9211, 2.2: why the request went forward.
FWD = {
    MissReason.ABSENT: "uri-miss",
    MissReason.EXPIRED: "stale",
    MissReason.SUSPENDED: "stale",
    MissReason.VARY: "vary-miss",
    MissReason.NO_CACHE: "request",
    MissReason.TOO_OLD: "request",
    MissReason.MUST_VALIDATE: "stale",
}


@dataclass(frozen=True, slots=True)
class Hit:
    entry: Entry


@dataclass(frozen=True, slots=True)
class Stale:
    """The answer is past its time but may be given.

    ``refresh``: while a new one is computed; otherwise the request itself allowed it (max-stale).
    """

    entry: Entry
    refresh: bool = True


@dataclass(frozen=True, slots=True)
class Revalidate:
    """There is an answer, but the origin is to be asked whether it still holds. Only a gateway says so."""

    entry: Entry
    reason: MissReason


@dataclass(frozen=True, slots=True)
class Miss:
    """To be computed, and kept if it may be.

    ``suspended`` is what the suspended answer was computed from: when no commit concerns it any more, it is worth
    another look.
    """

    reason: MissReason
    suspended: ReadSet | None = None


@dataclass(frozen=True, slots=True)
class Bypass:
    """To be computed by the application alone: nothing is looked up, nothing is kept."""

    reason: str


Lookup = Hit | Stale | Revalidate | Miss | Bypass


@dataclass(frozen=True, slots=True)
class Demands:
    """What the request's Cache-Control asks of a cache (RFC 9111, 5.2.1)."""

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age_s: int | None = None
    min_fresh_s: int | None = None
    max_stale_s: float | None = None
    stale_if_error_s: int = 0


NO_DEMANDS = Demands()


def demands(control: bytes | None, pragma: bytes | None = None) -> Demands:
    """The demands of ``Cache-Control``; ``Pragma: no-cache`` counts only where that is absent (RFC 9111, 5.4)."""
    if control is None:
        return Demands(no_cache=True) if pragma is not None and b"no-cache" in pragma.lower() else NO_DEMANDS
    said = cache_control(control)
    return Demands(
        no_cache="no-cache" in said,
        no_store="no-store" in said,
        only_if_cached="only-if-cached" in said,
        max_age_s=delta_seconds(said, "max-age"),
        min_fresh_s=delta_seconds(said, "min-fresh"),
        max_stale_s=_max_stale_s(said),
        stale_if_error_s=delta_seconds(said, "stale-if-error") or 0,
    )


def _max_stale_s(said: Mapping[str, str | None]) -> float | None:
    # "If no value is assigned to max-stale, then the client will accept a stale response of any age" (5.2.1.2).
    if "max-stale" not in said:
        return None
    return inf if said["max-stale"] is None else float(delta_seconds(said, "max-stale") or 0) or None


def unanswerable(interesting: Mapping[bytes, bytes]) -> str | None:
    """Why a GET with these header fields is none that a kept answer fits, or None."""
    if b"upgrade" in interesting:
        return "upgrade"
    if b"expect" in interesting:
        return "expect"
    if b"transfer-encoding" in interesting or interesting.get(b"content-length", b"0").strip() not in (b"0", b""):
        return "body"
    if b"range" in interesting:
        # The last one: whoever can cut a kept answer knows that nothing else is in the way.
        return "range"
    return None


def bypassed(
    variant: bytes | NoVariant,
    key_bytes: int,
    interesting: Mapping[bytes, bytes],
    asked: Demands,
    *,
    enabled: bool,
) -> Bypass | None:
    """Why this request by-passes the cache, or None. ``key_bytes`` is the length of its key."""
    if not enabled:
        return Bypass("switched off")
    if isinstance(variant, NoVariant):
        return Bypass(variant.reason)
    if asked.no_store:
        return Bypass("the request said no-store")
    if key_bytes > MAX_KEY_BYTES:
        return Bypass("the key is too long")
    reason = unanswerable(interesting) if interesting else None
    return None if reason is None else Bypass(reason)


def look_up(
    entry: Entry | None,
    asked: Demands,
    headers: Headers,
    now_s: float,
    wall_s: float | None,
) -> Hit | Stale | Miss:
    """What to do with the ``entry`` found under the request's key.

    ``wall_s`` may be None only if the entry has no end of validity.
    """
    if asked.no_cache:
        return Miss(MissReason.NO_CACHE)
    if entry is None:
        return Miss(MissReason.ABSENT)
    if wall_s is not None and is_outlived(entry, wall_s):
        return Miss(MissReason.EXPIRED)
    if entry.vary and selected(headers, [name for name, _ in entry.vary]) != entry.vary:
        return Miss(MissReason.VARY)
    if asked.max_age_s is not None and (asked.max_age_s == 0 or age_s(entry, now_s) > asked.max_age_s):
        return Miss(MissReason.TOO_OLD)
    if asked.min_fresh_s is not None and remaining_s(entry, now_s) < asked.min_fresh_s:
        return Miss(MissReason.TOO_OLD)
    if is_fresh(entry, now_s):
        return Hit(entry)
    if now_s < entry.expires_s + entry.terms.stale_while_revalidate_s:
        return Stale(entry)
    return Miss(MissReason.EXPIRED)


def judge(entry: Entry, asked: Demands, now_s: float) -> Hit | Stale | Revalidate:
    """As `look_up`, for an answer that a gateway selected: if it may not be given, the origin is asked about it.

    "A cache MUST NOT generate a stale response if it is prohibited by an explicit in-protocol directive"
    (RFC 9111, 4.2.4).
    """
    if asked.no_cache:
        return Revalidate(entry, MissReason.NO_CACHE)
    if entry.terms.no_cache:
        return Revalidate(entry, MissReason.MUST_VALIDATE)
    if asked.max_age_s is not None and (asked.max_age_s == 0 or age_s(entry, now_s) > asked.max_age_s):
        return Revalidate(entry, MissReason.TOO_OLD)
    if asked.min_fresh_s is not None and remaining_s(entry, now_s) < asked.min_fresh_s:
        return Revalidate(entry, MissReason.TOO_OLD)
    if is_fresh(entry, now_s):
        return Hit(entry)
    if not entry.terms.must_revalidate:
        if asked.max_stale_s is not None and now_s - entry.expires_s <= asked.max_stale_s:
            return Stale(entry, refresh=False)
        if now_s < entry.expires_s + entry.terms.stale_while_revalidate_s:
            return Stale(entry)
    return Revalidate(entry, MissReason.EXPIRED)


def may_be_given_for_error(entry: Entry, asked: Demands, now_s: float, *, disconnected_s: float = 0.0) -> bool:
    """Whether the stale ``entry`` may stand in for an error (RFC 5861, 4), or for an origin that is not there.

    ``disconnected_s`` is how long past its time an answer may be given where the origin cannot be reached
    (RFC 9111, 4.2.4); 0 if it answered.
    """
    if entry.terms.must_revalidate or isinstance(judge(entry, asked, now_s), Hit):
        return False
    # "the client ... does not want a stored response used without successful validation" (RFC 9111, 5.2.1.4).
    if asked.no_cache or asked.max_age_s is not None or asked.min_fresh_s is not None:
        return False
    allowed_s = max(entry.terms.stale_if_error_s, asked.stale_if_error_s, disconnected_s)
    return now_s < entry.expires_s + allowed_s
