"""One kept answer: what came from inside the application, and when it ceases to be true."""

from __future__ import annotations

from hashlib import blake2b

from steinmetz.cache.policy.headers import value_of
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet

# Python's own cost of one entry beside its bytes (objects, slots in the index and the queues), measured by
# filling a store with empty answers; per tag the cost of one membership.
ENTRY_BYTES = 1_500
TAG_BYTES = 150


class Entry:
    """A complete response together with what it was computed from.

    Times are seconds: ``stored_at_s`` and ``expires_s`` on the monotonic clock, ``valid_until_s`` (or None) on the
    wall clock as a POSIX timestamp, for it means midnight and not a duration. ``sequence`` is the epoch at which
    the request that computed it began. ``variant`` tells whose answer it is; ``vary`` holds the request header
    values the response was selected by (RFC 9111, 4.1). ``headers`` are those from inside, without anything that
    belongs to one response only; ``shown`` is what `steinmetz.cache.asgi.answers` made of them at ``shown_age_s``.
    ``cost_ns`` is how long it took to compute. ``alive`` turns false when a store lets go of it, for whoever has
    kept it in hand (trap T20).
    """

    __slots__ = (
        "__weakref__",
        "alive",
        "body",
        "cost_ns",
        "etag",
        "expires_s",
        "headers",
        "hits",
        "key",
        "path",
        "read_set",
        "route",
        "sequence",
        "shown",
        "shown_age_s",
        "status",
        "stored_at_s",
        "terms",
        "valid_until_s",
        "variant",
        "vary",
        "weight",
    )

    def __init__(
        self,
        *,
        key: bytes,
        path: str,
        route: str,
        headers: tuple[tuple[bytes, bytes], ...],
        body: bytes,
        read_set: ReadSet,
        sequence: int,
        stored_at_s: float,
        terms: Terms,
        status: int = 200,
        cost_ns: int = 0,
        valid_until_s: float | None = None,
        variant: bytes = b"",
        vary: tuple[tuple[bytes, bytes | None], ...] = (),
    ) -> None:
        self.key = key
        self.path = path
        self.route = route
        own_etag = value_of(headers, b"etag")
        self.etag = own_etag if own_etag is not None else body_etag(body)
        self.headers = with_defaults(headers, self.etag, len(body))
        self.body = body
        self.read_set = read_set
        self.sequence = sequence
        self.stored_at_s = stored_at_s
        self.terms = terms
        self.expires_s = stored_at_s + terms.ttl_s - terms.age_s
        self.status = status
        self.cost_ns = cost_ns
        self.alive = True
        self.valid_until_s = valid_until_s
        self.variant = variant
        self.vary = vary
        self.hits = 0
        self.shown: tuple[tuple[bytes, bytes], ...] = ()
        self.shown_age_s = -1
        self.weight = (
            ENTRY_BYTES
            + len(key)
            + len(path)
            + len(body)
            + sum(len(name) + len(value) + 120 for name, value in self.headers)
            + TAG_BYTES * len(read_set.tags())
        )

    def __repr__(self) -> str:
        return f"<Entry {self.key!r} {len(self.body)} bytes>"


def body_etag(body: bytes) -> bytes:
    """A strong validator made from the bytes alone, so that every process gives the same one."""
    return b'"%b"' % blake2b(body, digest_size=12).hexdigest().encode()


def with_defaults(
    headers: tuple[tuple[bytes, bytes], ...], etag: bytes, length: int
) -> tuple[tuple[bytes, bytes], ...]:
    """``headers`` with ETag, length and, unless the application said otherwise, the demand to ask us again.

    Without a Cache-Control a browser may reuse the answer unasked, and no invalidation reaches a browser.
    """
    present = {name for name, _ in headers}
    added = []
    if b"content-length" not in present:
        added.append((b"content-length", str(length).encode()))
    if b"etag" not in present:
        added.append((b"etag", etag))
    if b"cache-control" not in present:
        added.append((b"cache-control", b"private, no-cache"))
    return (*headers, *added)
