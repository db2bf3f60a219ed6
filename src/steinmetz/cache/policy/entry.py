"""One kept answer: what came from inside the application, and when it ceases to be true."""

from __future__ import annotations

from hashlib import blake2b

from steinmetz.cache.policy.codings import Coding, encoded_etag, is_compressible
from steinmetz.cache.policy.headers import value_of, vary_names
from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.policy.placed import Placed
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.policy.weight import (
    ENCODED_BYTES,
    ENTRY_BYTES,
    weight_of_headers,
    weight_of_path,
    weight_of_reads,
)
from steinmetz.sql.effects import ReadSet

_ACCEPT_ENCODING = b"Accept-Encoding"


class Encoded:
    """The same answer in another content coding, with a validator of its own (RFC 9110, 8.8.3.3)."""

    __slots__ = ("__weakref__", "body", "coding", "etag", "headers", "shown", "shown_age_s", "weight")

    def __init__(self, entry: Entry, coding: Coding, body: bytes) -> None:
        self.coding = coding
        self.body = body
        self.etag = encoded_etag(entry.etag, coding)
        self.headers = (*_as_encoded(entry.headers, self.etag, len(body)), (b"content-encoding", coding.value))
        self.shown: tuple[tuple[bytes, bytes], ...] = ()
        self.shown_age_s = -1
        self.weight = ENCODED_BYTES + len(body)


class Entry(Placed):
    """A complete response together with what it was computed from.

    Times are seconds: ``stored_at_s`` and ``expires_s`` on the monotonic clock, ``valid_until_s`` (or None) on the
    wall clock as a POSIX timestamp, for it means midnight and not a duration. ``sequence`` is the epoch at which
    the request that computed it began. ``variant`` tells whose answer it is; ``vary`` holds the request header
    values the response was selected by (RFC 9111, 4.1). ``headers`` are those from inside, without anything that
    belongs to one response only, and with ``as_is`` nothing is added to them; ``shown`` is what
    `steinmetz.cache.asgi.answers` made of them at ``shown_age_s``.
    ``cost_ns`` is how long it took to compute. ``alive`` turns false when a store lets go of it, for whoever has
    kept it in hand (trap T20).

    ``is_ahead`` says that it was computed before anybody asked.

    ``is_compressible`` says whether it is offered in other content codings too, and so varies by Accept-Encoding.
    ``encoded`` holds those that there are; None stands for one that is being made or was not worth its bytes.
    ``wanted`` counts the requests that would have had one.
    """

    __slots__ = (
        "__weakref__",
        "alive",
        "body",
        "encoded",
        "etag",
        "expires_s",
        "headers",
        "hits",
        "is_ahead",
        "is_compressible",
        "key",
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
        "wanted",
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
        as_is: bool = False,
        compress: bool = False,
        limits: Limits | None = None,
        is_ahead: bool = False,
    ) -> None:
        super().__init__(path, cost_ns, limits)
        self.key = key
        self.route = route
        own_etag = value_of(headers, b"etag")
        self.is_compressible = False
        if as_is:
            # A gateway adds nothing to what the origin said: no tag that the origin does not know.
            self.etag, self.headers = own_etag or b"", headers
        else:
            self.etag = own_etag if own_etag is not None else body_etag(body)
            # An application that selects by Accept-Encoding itself has done what there is to do.
            own_choice = _ACCEPT_ENCODING.lower() in terms.vary
            self.is_compressible = compress and not own_choice and is_compressible(headers, len(body))
            if self.is_compressible:
                headers = varying(headers, _ACCEPT_ENCODING)
            self.headers = with_defaults(headers, self.etag, len(body))
        self.body = body
        self.read_set = read_set
        self.sequence = sequence
        self.stored_at_s = stored_at_s
        self.terms = terms
        self.expires_s = stored_at_s + terms.ttl_s - terms.age_s
        self.status = status
        self.alive = True
        self.valid_until_s = valid_until_s
        self.variant = variant
        self.vary = vary
        self.hits = 0
        self.is_ahead = is_ahead
        self.shown: tuple[tuple[bytes, bytes], ...] = ()
        self.shown_age_s = -1
        self.encoded: dict[Coding, Encoded | None] = {}
        self.wanted = 0
        self.weight = (
            ENTRY_BYTES
            + len(key)
            + len(body)
            + len(variant)
            + weight_of_headers(self.headers)
            + weight_of_headers((name, value or b"") for name, value in vary)
            + weight_of_path(path, route)
            + weight_of_reads(read_set)
        )

    def add(self, encoded: Encoded) -> None:
        """Offer it in this coding too; it weighs more from now on, which its store is to be told."""
        self.encoded[encoded.coding] = encoded
        self.weight += encoded.weight

    def in_coding(self, coding: Coding) -> Entry | Encoded:
        """What is sent for ``coding``: header lines and body that go together; itself if it has no such form."""
        return self.encoded.get(coding) or self

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


def varying(headers: tuple[tuple[bytes, bytes], ...], name: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """``headers`` whose Vary names ``name`` too; itself if it does already."""
    said = value_of(headers, b"vary")
    if name.lower() in (vary_names(said) or ()):
        return headers
    others = tuple(line for line in headers if line[0] != b"vary")
    return (*others, (b"vary", name if said is None else b"%b, %b" % (said, name)))


def _as_encoded(
    headers: tuple[tuple[bytes, bytes], ...], etag: bytes, length: int
) -> tuple[tuple[bytes, bytes], ...]:
    """The header lines of another coding. Ranges are of identity only, so nothing says that they are accepted."""
    own = {b"etag": etag, b"content-length": b"%d" % length}
    left_out = (b"accept-ranges", b"content-encoding")
    return tuple((name, own.get(name, value)) for name, value in headers if name not in left_out)
