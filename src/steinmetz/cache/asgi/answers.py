"""The header lines with which an answer goes out: what was kept, and what is true of this one response."""

from __future__ import annotations

from steinmetz.cache.asgi.protocol import HeaderList
from steinmetz.cache.policy.codings import (
    ONLY_IDENTITY,
    Coding,
    acceptable,
    encoded_etag,
    without_codings,
)
from steinmetz.cache.policy.entry import Encoded, Entry
from steinmetz.cache.policy.headers import CACHE_NAME, Headers, cache_status, matches, value_of

HIT = (b"x-cache", b"HIT")
MISS = (b"x-cache", b"MISS")
STALE = (b"x-cache", b"STALE")
BYPASS = (b"x-cache", b"BYPASS")

_HIT_STATUS = CACHE_NAME.encode() + b"; hit; ttl=%d"

# "The server generating a 304 response MUST generate any of the following header fields that would have been sent
# in a 200 (OK) response" (RFC 9110, 15.4.5); length and type of a body that is not sent stay away.
_ONLY_WITH_BODY = frozenset({b"content-length", b"content-type", b"content-encoding", b"content-language"})


def hit_headers(entry: Entry, now_s: float, form: Entry | Encoded | None = None) -> HeaderList:
    """The header of a hit, made once a second; a list of its own, for whoever stands outside may add to it.

    ``form`` is the entry itself or what `Entry.in_coding` gave; the header goes with ``form.body``.
    """
    if form is None:
        form = entry
    age_s = int(now_s - entry.stored_at_s)
    if age_s != form.shown_age_s:
        form.shown = _with_age(entry, form, age_s, HIT)
        form.shown_age_s = age_s
    return list(form.shown)


def stale_headers(entry: Entry, now_s: float, form: Entry | Encoded | None = None) -> HeaderList:
    return list(_with_age(entry, form or entry, int(now_s - entry.stored_at_s), STALE))


def _with_age(
    entry: Entry, form: Entry | Encoded, age_s: int, outcome: tuple[bytes, bytes]
) -> tuple[tuple[bytes, bytes], ...]:
    left = (b"cache-status", _HIT_STATUS % (int(entry.terms.ttl_s) - age_s))
    return (*form.headers, (b"age", b"%d" % age_s), outcome, left)


def bypass_headers(reason: str) -> HeaderList:
    return [BYPASS, (b"cache-status", cache_status(fwd="bypass", detail=reason))]


def miss_headers(
    fwd: str, *, stored: bool = False, collapsed: bool = False, detail: str | None = None
) -> HeaderList:
    return [MISS, (b"cache-status", cache_status(fwd=fwd, stored=stored, collapsed=collapsed, detail=detail))]


def unmodified(entry: Entry, if_none_match: bytes | None, headers: Headers) -> bytes | None:
    """The validator that ``If-None-Match`` names, for a 304; None if the answer is to be sent.

    Only those of representations that this request would accept count: a cache behind us asks for one client with
    the validators of all forms that it has, and gives that client the one which the 304 names.
    """
    # "A server MUST ignore all received preconditions if its response to the same request without those conditions
    # ... would have been a status code other than a 2xx (Successful) or 412" (RFC 9110, 13.2.1).
    if if_none_match is None or entry.status >= 300:
        return None
    codings: tuple[Coding, ...] = ONLY_IDENTITY
    if entry.is_compressible:
        codings = acceptable(value_of(headers, b"accept-encoding")) or ONLY_IDENTITY
    etags = (encoded_etag(entry.etag, coding) for coding in codings)
    return next((etag for etag in etags if matches(etag, if_none_match)), None)


def without_body(headers: HeaderList, etag: bytes) -> HeaderList:
    """The header of a 304 with ``etag`` in place of a 200 with ``headers``."""
    return [(name, etag if name == b"etag" else value) for name, value in headers if name not in _ONLY_WITH_BODY]


def in_own_words(headers: HeaderList) -> HeaderList:
    """The header of a request whose ``If-Match`` names validators as the application gave them."""
    if not any(name == b"if-match" for name, _ in headers):
        return headers
    return [(name, without_codings(value) if name == b"if-match" else value) for name, value in headers]
