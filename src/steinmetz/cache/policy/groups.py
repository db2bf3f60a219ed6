"""Cache groups: answers of one origin that are invalidated together (RFC 9875); and the URLs themselves.

Both are read and written like tables, in brackets that no engine's hook may use.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from steinmetz.cache.policy.headers import Headers, first_of, value_of
from steinmetz.cache.policy.structured_fields import NotStructuredError, parse_list
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation

URLS = "(url)"
GROUPS = "(group)"

# "Implementations MUST support at least 32 groups per field value, with up to at least 32 characters in each
# member" (RFC 9875, 2). Longer lists are cut, longer names as well as shorter ones are kept whole.
MAX_GROUPS = 128
MAX_GROUP_LENGTH = 256

# "safe" in the registry of methods (RFC 9110, 16.1). "A cache MUST invalidate the target URI when it receives a
# non-error status code in response to an unsafe request method (including methods whose safety is unknown)".
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY", "PRI"})

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def groups_of(headers: Headers, name: bytes) -> tuple[str, ...]:
    """The Strings of a group field; none if it is no list of Strings (RFC 9651, 4.2)."""
    said = value_of(headers, name)
    if said is None:
        return ()
    try:
        members = parse_list(said)
    except NotStructuredError:
        return ()
    if not all(isinstance(member, str) for member in members):
        return ()
    return tuple(str(member) for member in members[:MAX_GROUPS] if len(str(member)) <= MAX_GROUP_LENGTH)


def url_reads(url: bytes) -> frozenset[Relation]:
    return frozenset({Relation(URLS, url.decode("latin-1"))})


def group_reads(origin: bytes, groups: Iterable[str]) -> frozenset[Relation]:
    """ "two groups are the same if they have the same name and origin" (RFC 9875, 2)."""
    return frozenset(Relation(GROUPS, f"{origin.decode('latin-1')} {group}") for group in groups)


def invalidated(method: str, status: int, headers: Headers, url: bytes, origin: bytes) -> WriteSet:
    """What the answer to ``method`` at ``url`` invalidates (RFC 9111, 4.4; RFC 9875, 3); empty if nothing."""
    if method in SAFE_METHODS or not 200 <= status < 400:
        return WriteSet()
    urls = {url}
    for name in (b"location", b"content-location"):
        said = first_of(headers, name)
        if said is not None and (other := _same_origin(said, url, origin)) is not None:
            urls.add(other)
    relations: frozenset[Relation] = frozenset().union(*map(url_reads, urls))
    return WriteSet(relations | group_reads(origin, groups_of(headers, b"cache-group-invalidation")))


def is_at_target(headers: Headers, url: bytes, origin: bytes) -> bool:
    """Whether Content-Location says that this answer is the one that GET at ``url`` would give.

    "Responses to POST requests are only cacheable when they include explicit freshness information and a
    Content-Location header field that has the same value as the POST's target URI" (RFC 9110, 9.3.3).
    """
    said = first_of(headers, b"content-location")
    return said is not None and _same_origin(said, url, origin) == url


def url_of(scheme: str, host: bytes, target: bytes) -> tuple[bytes, bytes]:
    """The URL that a request is for, and its origin."""
    authority = host.strip().lower().removesuffix(_DEFAULT_PORTS.get(scheme, "").encode() or b"\n")
    origin = scheme.encode() + b"://" + authority
    return origin + target, origin


def _same_origin(reference: bytes, url: bytes, origin: bytes) -> bytes | None:
    try:
        parts = urlsplit(urljoin(url.decode("latin-1"), reference.decode("latin-1").strip()))
    except ValueError:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    other, its_origin = url_of(parts.scheme, parts.netloc.encode("latin-1"), target.encode("latin-1"))
    # "a cache MUST NOT invalidate if the origin differs from that of the target URI" (RFC 9111, 4.4).
    return other if its_origin == origin else None
