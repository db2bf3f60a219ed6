"""Conditions of a request, asked of a stored answer (RFC 9110, 13; RFC 9111, 4.3.2)."""

from __future__ import annotations

from collections.abc import Mapping

from steinmetz.cache.policy.headers import Headers, first_of, matches
from steinmetz.cache.policy.http_date import http_date_s

STRONG_AFTER_S = 60.0


def is_not_modified(fields: Mapping[bytes, bytes], headers: Headers, etag: bytes, now_s: float) -> bool:
    """Whether the client of a request with ``fields`` has the very answer with ``headers`` and ``etag``.

    "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field"
    (RFC 9110, 13.1.3). ``now_s`` is a POSIX timestamp.
    """
    if_none_match = fields.get(b"if-none-match")
    if if_none_match is not None:
        return if_none_match.strip() == b"*" or (etag != b"" and matches(etag, if_none_match))
    if_modified_since = fields.get(b"if-modified-since")
    if if_modified_since is None:
        return False
    since_s = http_date_s(if_modified_since, now_s)
    # "If the stored response does not contain a Last-Modified, its Date is used" (after RFC 9111, 4.3.2).
    said = first_of(headers, b"last-modified") or first_of(headers, b"date")
    modified_s = None if said is None else http_date_s(said, now_s)
    return since_s is not None and modified_s is not None and modified_s <= since_s


def may_be_cut(fields: Mapping[bytes, bytes], headers: Headers, etag: bytes, now_s: float) -> bool:
    """Whether If-Range lets the Range of a request with ``fields`` be applied (RFC 9110, 13.1.5)."""
    if_range = fields.get(b"if-range")
    if if_range is None:
        return True
    if_range = if_range.strip()
    if if_range.startswith((b'"', b"W/")):
        # "the strong comparison": "two entity tags are equivalent if both are not weak" (RFC 9110, 8.8.3.2).
        return if_range == etag and not etag.startswith(b"W/")
    modified = first_of(headers, b"last-modified")
    return (
        modified is not None
        and if_range == modified.strip()
        and http_date_s(if_range, now_s) is not None
        and is_strong_date(headers, now_s)
    )


def is_strong_date(headers: Headers, now_s: float) -> bool:
    """Whether Last-Modified lies so long before Date that it is a strong validator (RFC 9110, 8.8.2.2)."""
    modified, date = first_of(headers, b"last-modified"), first_of(headers, b"date")
    modified_s = None if modified is None else http_date_s(modified, now_s)
    date_s = None if date is None else http_date_s(date, now_s)
    return modified_s is not None and date_s is not None and date_s - modified_s >= STRONG_AFTER_S
