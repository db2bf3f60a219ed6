"""One question to the application behind the gateway: its answer streams to the client while a copy is kept.

Nothing is held back: the header goes out when it comes, and each piece of the body, until the last one: before
that goes out, the copy is on the shelf, so that whoever has the whole answer can ask for it again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.keeping import WITHOUT_BODY, Copy, Keeping
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message
from steinmetz.cache.asgi.single_flight import Flight, Landed, Lost
from steinmetz.cache.policy.headers import Headers, cache_status, first_of
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.terms import Terms

# "an error is any situation that would result in a 500, 502, 503, or 504" (RFC 5861, 4).
ERRORS = frozenset({500, 502, 503, 504})


class Outcome(Enum):
    """What became of the answer."""

    SENT = "it went to the client"
    NOT_MODIFIED = "a 304 to our own condition, held back"
    ERROR = "an error, held back for a stale answer"


OnHead = Callable[[HeaderList], None]
"""(header of the 200 for a HEAD): what it tells of a kept answer."""


class Exchange:
    """The ``send`` that the application is given, and what it brought.

    ``validates``: the request carries a condition of ours, so that a 304 is for us. ``has_spare``: a stale answer
    is at hand, and an error is held back for it. ``flight``: who waits for the same.
    """

    def __init__(
        self,
        asked: Demanded,
        keeping: Keeping,
        *,
        copy: Copy,
        fwd: str,
        validates: bool,
        has_spare: bool,
        flight: Flight | None,
        on_head: OnHead,
    ) -> None:
        self._asked = asked
        self._keeping = keeping
        self._copy = copy
        self._fwd = fwd
        self._validates = validates
        self._has_spare = has_spare
        self._flight = flight
        self._on_head = on_head
        self._terms: Terms | None = None
        self.status = 0
        self.headers: HeaderList = []
        self.outcome = Outcome.SENT
        self.refusal: Refusal | None = None
        self.is_started = False

    async def run(self, app: ASGIApp, headers: Headers) -> None:
        """Ask ``app`` with the request's header ``headers``; whatever it raises is raised."""
        scope = self._asked.scope
        if headers is not self._asked.headers:
            scope = {**scope, "headers": list(headers)}
        await app(scope, self._asked.receive, self)

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            await self._start(message)
        elif self.outcome is not Outcome.SENT:
            return
        elif kind == "http.response.body":
            self._body(message)
            await self._asked.send(message)
        else:
            # A file that the server sends by itself, trailers: nothing that could be kept.
            self._terms = None
            self._land_own()
            await self._asked.send(message)

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        self.headers = self._keeping.arrived(message)
        if self.status == 304 and self._validates:
            self.outcome = Outcome.NOT_MODIFIED
            return
        if self.status in ERRORS and self._has_spare:
            self.outcome = Outcome.ERROR
            return
        self.is_started = True
        if self._asked.method == "HEAD":
            if self.status == 200:
                self._on_head(self.headers)
        else:
            self._decide(has_trailers=bool(message.get("trailers")))
        status = cache_status(
            fwd=self._fwd,
            fwd_status=self.status if self._validates else None,
            stored=self._terms is not None,
            detail=None if self.refusal is None else str(self.refusal),
        )
        shown = [line for line in self.headers if line[0] != b"x-cache"]
        await self._asked.send({**message, "headers": [*shown, (b"x-cache", b"MISS"), (b"cache-status", status)]})

    def _decide(self, *, has_trailers: bool) -> None:
        terms = self._keeping.terms(self.status, self.headers)
        if isinstance(terms, Refusal):
            self._refuse(terms)
        elif not has_trailers:
            self._terms = terms
        if first_of(self.headers, b"content-length") is None and self.status not in WITHOUT_BODY:
            # Nobody knows when it ends: the others do not wait for that.
            self._land_own()

    def _body(self, message: Message) -> None:
        if self._terms is None:
            return
        if not self._copy.take(message.get("body", b"")):
            self._refuse(Refusal.TOO_LARGE)
        elif not message.get("more_body", False):
            entry, self.refusal = self._keeping.kept(self.status, self.headers, self._copy.whole(), self._terms)
            if entry is not None and self._flight is not None:
                self._flight.land(Landed(entry))

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal, self._terms = refusal, None
        self._land_own()

    def _land_own(self) -> None:
        if self._flight is not None:
            self._flight.land(Lost.OWN)
