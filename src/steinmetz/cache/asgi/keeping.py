"""Makes a kept answer of what came from the origin: a new one, or one made fresh again by a 304 or a HEAD."""

from __future__ import annotations

from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.protocol import HeaderList, Message
from steinmetz.cache.asgi.shelf import PARTIAL, Shelf
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.groups import group_reads, groups_of, is_at_target, url_reads
from steinmetz.cache.policy.headers import Headers, first_of, normalised, storable_headers
from steinmetz.cache.policy.http_date import http_date
from steinmetz.cache.policy.ranges import said_part
from steinmetz.cache.policy.selection import selected_key
from steinmetz.cache.policy.shared import Received, storable_as_shared
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.policy.validation import merged
from steinmetz.clock import Clock, perf_ns
from steinmetz.sql.effects import ReadSet

ROUTE = "(gateway)"
WITHOUT_BODY = frozenset({204, 304})


class Keeping:
    """One question to the origin, from before it is asked. ``limit_bytes`` bounds a body."""

    def __init__(self, asked: Demanded, shelf: Shelf, clock: Clock, limit_bytes: int) -> None:
        self._asked = asked
        self._shelf = shelf
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._sequence = shelf.coherence.begin()
        self._began_s = clock.monotonic_s()
        self._began_ns = perf_ns()
        self._received_s = 0.0
        self._received_wall_s = 0.0

    def arrived(self, message: Message) -> HeaderList:
        """The header of an answer that comes just now: names in lower case, with a Date."""
        self._received_s = self._clock.monotonic_s()
        self._received_wall_s = self._clock.now().timestamp()
        headers: HeaderList = [(name.lower(), value) for name, value in message.get("headers", ())]
        if first_of(headers, b"date") is None:
            # "A recipient with a clock that receives a response message without a Date header field MUST record
            # the time it was received and append a corresponding Date header field" (RFC 9110, 6.6.1).
            headers.append((b"date", http_date(self._received_wall_s)))
        return headers

    def terms(self, status: int, headers: Headers) -> Terms | Refusal:
        """Whether the answer may be kept, as far as its header tells."""
        is_post = self._asked.method == "POST"
        if is_post and not is_at_target(headers, self._asked.url, self._asked.origin):
            return Refusal.METHOD
        length = first_of(headers, b"content-length")
        if length is not None and length.isdigit() and int(length) > self._limit_bytes:
            return Refusal.TOO_LARGE
        return self._terms(status, headers, guessable=not is_post)

    def _terms(self, status: int, headers: Headers, *, guessable: bool = True) -> Terms | Refusal:
        fields = self._asked.fields
        return storable_as_shared(
            Received(
                status,
                headers,
                self._received_wall_s,
                self._received_s - self._began_s,
                authorized=b"authorization" in fields,
                personal=b"cookie" in fields,
                guessable=guessable,
            )
        )

    def has_moved(self, entry: Entry | None = None) -> bool:
        """Whether something was invalidated since the question was asked: the target, or ``entry``."""
        coherence = self._shelf.coherence
        reads = ReadSet(url_reads(self._asked.url)) if entry is None else entry.read_set
        return not coherence.was_unmoved(self._sequence, reads, coherence.moment())

    def begin_again(self) -> None:
        """What the answer itself has invalidated does not count against it."""
        self._sequence = self._shelf.coherence.begin()

    def kept(
        self, status: int, headers: HeaderList, body: bytes, terms: Terms
    ) -> tuple[Entry | None, Refusal | None]:
        """The whole answer, kept if that may be: (entry, None) if kept, (entry, why) if only good for now."""
        said = first_of(headers, b"content-length")
        if said is not None and said.strip() != str(len(body)).encode():
            return None, Refusal.PARTIAL
        url = self._asked.url
        if status == 206:
            if said_part(first_of(headers, b"content-range"), len(body)) is None:
                return None, Refusal.NO_RANGE
            url += PARTIAL
        stored = storable_headers(headers)
        if said is None and status not in WITHOUT_BODY:
            stored = (*stored, (b"content-length", str(len(body)).encode()))
        entry = self._entry(url, stored, body, status, terms)
        return entry, self._shelf.keep(url, entry)

    def freshened(self, entry: Entry, new: HeaderList) -> tuple[Entry, Refusal | None]:
        """``entry`` with the ``new`` header of a 304, or of a HEAD, and a new life; kept if that may be."""
        headers = merged(entry.headers, new)
        # Its age is that of the new answer, and it is not kept as a field.
        ages = [line for line in new if line[0] == b"age"]
        terms = self._terms(entry.status, [*headers, *ages])
        if isinstance(terms, Refusal):
            spent = Terms(0.0, entry.terms.vary)
            return self._entry(self._asked.url, headers, entry.body, entry.status, spent), terms
        fresh = self._entry(self._asked.url, headers, entry.body, entry.status, terms)
        return fresh, self._shelf.keep(self._asked.url, fresh)

    def _entry(
        self, url: bytes, headers: tuple[tuple[bytes, bytes], ...], body: bytes, status: int, terms: Terms
    ) -> Entry:
        asked = self._asked
        groups = group_reads(asked.origin, groups_of(headers, b"cache-groups"))
        return Entry(
            key=selected_key(url, terms.vary, asked.headers),
            path=asked.scope["path"],
            route=ROUTE,
            headers=tuple(line for line in headers if line[0] not in terms.withheld),
            body=body,
            read_set=ReadSet(url_reads(asked.url) | groups),
            sequence=self._sequence,
            stored_at_s=self._received_s,
            terms=terms,
            cost_ns=perf_ns() - self._began_ns,
            vary=normalised(asked.headers, terms.vary),
            status=status,
            as_is=True,
        )


class Copy:
    """The body of an answer that streams by, up to a limit."""

    __slots__ = ("_chunks", "_limit_bytes", "_size")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._chunks: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes) -> bool:
        """Whether it still fits; the copy is of no use any more if not."""
        self._size += len(piece)
        if self._size > self._limit_bytes:
            self._chunks.clear()
            return False
        self._chunks.append(bytes(piece))
        return True

    def whole(self) -> bytes:
        return b"".join(self._chunks)
