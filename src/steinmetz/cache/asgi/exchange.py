"""One question to the application behind the gateway: its answer streams to the client while a copy is kept.

Nothing is held back: the header goes out when it comes, and each piece of the body, until the last one: before
that goes out, the copy is on the shelf, so that whoever has the whole answer can ask for it again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message
from steinmetz.cache.asgi.shelf import PARTIAL, Shelf
from steinmetz.cache.asgi.single_flight import Flight, Landed, Lost
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.groups import group_reads, groups_of, url_reads
from steinmetz.cache.policy.headers import Headers, cache_status, first_of, normalised, storable_headers
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

# "an error is any situation that would result in a 500, 502, 503, or 504" (RFC 5861, 4).
_ERRORS = frozenset({500, 502, 503, 504})
_WITHOUT_BODY = frozenset({204, 304})


class Outcome(Enum):
    """What became of the answer."""

    SENT = "it went to the client"
    NOT_MODIFIED = "a 304 to our own condition, held back"
    ERROR = "an error, held back for a stale answer"


class Exchange:
    """The ``send`` that the application is given, and what it brought."""

    def __init__(
        self,
        asked: Demanded,
        headers: Headers,
        *,
        shelf: Shelf,
        clock: Clock,
        limit_bytes: int,
        fwd: str,
        is_ours_to_validate: bool,
        spare: bool,
        flight: Flight | None,
        on_head: Callable[[Headers], Entry | None],
    ) -> None:
        self._asked = asked
        self._request_headers = headers
        self._shelf = shelf
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._fwd = fwd
        self._is_ours_to_validate = is_ours_to_validate
        self._spare = spare
        self._flight = flight
        self._on_head = on_head
        self._sequence = shelf.coherence.begin()
        self._began_s = clock.monotonic_s()
        self._began_ns = perf_ns()
        self._received_s = 0.0
        self._received_wall_s = 0.0
        self._terms: Terms | None = None
        self._chunks: list[bytes] | None = []
        self._size = 0
        self.status = 0
        self.headers: HeaderList = []
        self.outcome = Outcome.SENT
        self.refusal: Refusal | None = None
        self.is_started = False
        self.was_shared = True
        """Whether others could have what came, as far as its header told."""

    async def run(self, app: ASGIApp) -> None:
        """Ask ``app``; whatever it raises is raised."""
        scope = self._asked.scope
        if self._request_headers is not self._asked.headers:
            scope = {**scope, "headers": list(self._request_headers)}
        await app(scope, self._asked.receive, self)

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            await self._start(message)
        elif self.outcome is not Outcome.SENT:
            return
        elif kind == "http.response.body":
            await self._body(message)
        else:
            self._chunks = None
            await self._asked.send(message)

    # -- the header

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        self._received_s = self._clock.monotonic_s()
        self._received_wall_s = self._clock.now().timestamp()
        self.headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        if first_of(self.headers, b"date") is None:
            # "A recipient with a clock that receives a response message without a Date header field MUST record
            # the time it was received and append a corresponding Date header field" (RFC 9110, 6.6.1).
            self.headers.append((b"date", http_date(self._received_wall_s)))
        if self.status == 304 and self._is_ours_to_validate:
            self.outcome = Outcome.NOT_MODIFIED
            return
        if self.status in _ERRORS and self._spare:
            self.outcome = Outcome.ERROR
            return
        self.is_started = True
        self._decide()
        if self._asked.method == "HEAD" and self.status == 200:
            self._told_by_head()
        if message.get("trailers"):
            self._chunks = None
        fwd_status = self.status if self._is_ours_to_validate else None
        status = cache_status(
            fwd=self._fwd,
            fwd_status=fwd_status,
            stored=self._terms is not None,
            detail=str(self.refusal) if self.refusal is not None else None,
        )
        shown = [line for line in self.headers if line[0] != b"x-cache"]
        added = [(b"x-cache", b"MISS"), (b"cache-status", status)]
        await self._asked.send({**message, "headers": [*shown, *added]})

    def _decide(self) -> None:
        if self._asked.method == "HEAD":
            return
        terms = storable_as_shared(self._received(self.headers))
        length = first_of(self.headers, b"content-length")
        if length is not None and length.isdigit() and int(length) > self._limit_bytes:
            terms = Refusal.TOO_LARGE
        if isinstance(terms, Refusal):
            self._refuse(terms)
            return
        self._terms = terms
        if length is None and self.status not in _WITHOUT_BODY:
            # Nobody knows when it ends: the others do not wait for that.
            self._land(Lost.OWN)

    def _received(self, headers: Headers) -> Received:
        fields = self._asked.fields
        return Received(
            self.status if self.outcome is Outcome.SENT else 200,
            headers,
            self._received_wall_s,
            self._received_s - self._began_s,
            authorized=b"authorization" in fields,
            personal=b"cookie" in fields,
        )

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal, self._terms, self._chunks = refusal, None, None
        self.was_shared = False
        self._land(Lost.OWN)

    def _land(self, lost: Lost) -> None:
        if self._flight is not None:
            self._flight.land(lost)

    def _told_by_head(self) -> None:
        entry = self._on_head(self.headers)
        if entry is not None:
            self.freshened(entry)

    # -- the body

    async def _body(self, message: Message) -> None:
        if self._terms is not None:
            self._take(message.get("body", b""))
            if not message.get("more_body", False):
                self._ended()
        await self._asked.send(message)

    def _take(self, body: bytes) -> None:
        if self._chunks is None:
            return
        self._size += len(body)
        if self._size > self._limit_bytes:
            self._refuse(Refusal.TOO_LARGE)
        else:
            self._chunks.append(bytes(body))

    def _ended(self) -> None:
        if self._terms is None or self._chunks is None:
            return
        body = b"".join(self._chunks)
        said = first_of(self.headers, b"content-length")
        if said is not None and said.strip() != str(len(body)).encode():
            self._refuse(Refusal.PARTIAL)
            return
        url = self._asked.url
        if self.status == 206:
            if said_part(first_of(self.headers, b"content-range"), len(body)) is None:
                self._refuse(Refusal.NO_RANGE)
                return
            url += PARTIAL
        headers = storable_headers(self.headers)
        if said is None and self.status not in _WITHOUT_BODY:
            headers = (*headers, (b"content-length", str(len(body)).encode()))
        entry = self._entry(url, headers, body, self.status, self._terms)
        self.refusal = self._shelf.keep(url, entry)
        if self._flight is not None:
            self._flight.land(Landed(entry))

    def _entry(
        self, url: bytes, headers: tuple[tuple[bytes, bytes], ...], body: bytes, status: int, terms: Terms
    ) -> Entry:
        asked = self._asked
        kept = tuple(line for line in headers if line[0] not in terms.withheld) if terms.withheld else headers
        groups = group_reads(asked.origin, groups_of(headers, b"cache-groups"))
        return Entry(
            key=selected_key(url, terms.vary, asked.headers),
            path=asked.scope["path"],
            route=ROUTE,
            headers=kept,
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

    # -- what a 304, or the answer to a HEAD, makes of a kept answer

    def freshened(self, entry: Entry) -> tuple[Entry, Refusal | None]:
        """``entry`` with the new header and a new life, kept if that may be; else why it is not."""
        headers = merged(entry.headers, self.headers)
        said_age = [line for line in self.headers if line[0] == b"age"]
        terms = storable_as_shared(
            Received(
                entry.status,
                [*headers, *said_age],
                self._received_wall_s,
                self._received_s - self._began_s,
                authorized=b"authorization" in self._asked.fields,
                personal=b"cookie" in self._asked.fields,
            )
        )
        if isinstance(terms, Refusal):
            aged = Terms(0.0, entry.terms.vary)
            return self._entry(self._asked.url, headers, entry.body, entry.status, aged), terms
        fresh = self._entry(self._asked.url, headers, entry.body, entry.status, terms)
        refusal = self._shelf.keep(self._asked.url, fresh)
        if self._flight is not None:
            self._flight.land(Landed(fresh))
        return fresh, refusal
