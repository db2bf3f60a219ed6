"""What becomes of a request at a cached route: one of four types, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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


# RFC 9211, 2.2: why the request went forward.
FWD = {
    MissReason.ABSENT: "uri-miss",
    MissReason.EXPIRED: "stale",
    MissReason.SUSPENDED: "stale",
    MissReason.VARY: "vary-miss",
    MissReason.NO_CACHE: "request",
    MissReason.TOO_OLD: "request",
}


@dataclass(frozen=True, slots=True)
class Hit:
    entry: Entry


@dataclass(frozen=True, slots=True)
class Stale:
    """The answer is past its time but may be given while a new one is computed."""

    entry: Entry


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


Lookup = Hit | Stale | Miss | Bypass


@dataclass(frozen=True, slots=True)
class Demands:
    """What the request's Cache-Control asks of a cache (RFC 9111, 5.2.1)."""

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age_s: int | None = None
    min_fresh_s: int | None = None


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
    )


def unanswerable(interesting: Mapping[bytes, bytes]) -> str | None:
    """Why a GET with these header fields is none that a kept answer fits, or None."""
    if b"range" in interesting:
        return "range"
    if b"upgrade" in interesting:
        return "upgrade"
    if b"expect" in interesting:
        return "expect"
    if b"transfer-encoding" in interesting or interesting.get(b"content-length", b"0").strip() not in (b"0", b""):
        return "body"
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
