"""The header lines with which an answer goes out: what was kept, and what is true of this one response."""

from __future__ import annotations

from steinmetz.cache.asgi.protocol import HeaderList
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import CACHE_NAME, cache_status, matches

HIT = (b"x-cache", b"HIT")
MISS = (b"x-cache", b"MISS")
STALE = (b"x-cache", b"STALE")
BYPASS = (b"x-cache", b"BYPASS")

_HIT_STATUS = CACHE_NAME.encode() + b"; hit; ttl=%d"

# "The server generating a 304 response MUST generate any of the following header fields that would have been sent
# in a 200 (OK) response" (RFC 9110, 15.4.5); length and type of a body that is not sent stay away.
_ONLY_WITH_BODY = frozenset({b"content-length", b"content-type", b"content-encoding", b"content-language"})


def hit_headers(entry: Entry, now_s: float) -> HeaderList:
    """The header of a hit, made once a second; a list of its own, for whoever stands outside may add to it."""
    age_s = int(now_s - entry.stored_at_s)
    if age_s != entry.shown_age_s:
        entry.shown = _with_age(entry, age_s, HIT)
        entry.shown_age_s = age_s
    return list(entry.shown)


def stale_headers(entry: Entry, now_s: float) -> HeaderList:
    return list(_with_age(entry, int(now_s - entry.stored_at_s), STALE))


def _with_age(entry: Entry, age_s: int, outcome: tuple[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    left = (b"cache-status", _HIT_STATUS % (int(entry.terms.ttl_s) - age_s))
    return (*entry.headers, (b"age", b"%d" % age_s), outcome, left)


def bypass_headers(reason: str) -> HeaderList:
    return [BYPASS, (b"cache-status", cache_status(fwd="bypass", detail=reason))]


def miss_headers(
    fwd: str, *, stored: bool = False, collapsed: bool = False, detail: str | None = None
) -> HeaderList:
    return [MISS, (b"cache-status", cache_status(fwd=fwd, stored=stored, collapsed=collapsed, detail=detail))]


def is_unmodified(entry: Entry, if_none_match: bytes | None) -> bool:
    # "A server MUST ignore all received preconditions if its response to the same request without those conditions
    # ... would have been a status code other than a 2xx (Successful) or 412" (RFC 9110, 13.2.1).
    return if_none_match is not None and entry.status < 300 and matches(entry.etag, if_none_match)


def without_body(headers: HeaderList) -> HeaderList:
    """The header of a 304 in place of a 200 with ``headers``."""
    return [line for line in headers if line[0] not in _ONLY_WITH_BODY]
