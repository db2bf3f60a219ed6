"""The gateway steps aside: methods that are not looked up, and requests that no kept answer may be given to.

What an unsafe method changed is dropped before its answer goes out (RFC 9111, 4.4; RFC 9875, 3).
"""

from __future__ import annotations

from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.keeping import Copy, Keeping
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.groups import invalidated
from steinmetz.cache.policy.headers import cache_status
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.terms import Terms


class PassingOn:
    """The ``send`` of one request that passes by. The answer to a POST may be kept for later GETs."""

    def __init__(
        self, asked: Demanded, keeping: Keeping, copy: Copy, observer: WriteObserver, fwd: str, detail: str | None
    ) -> None:
        self._asked = asked
        self._keeping = keeping
        self._copy = copy
        self._observer = observer
        self._fwd = fwd
        self._detail = detail
        self._headers: HeaderList = []
        self.is_started = False
        self._terms: Terms | None = None

    async def run(self, app: ASGIApp) -> None:
        await app(self._asked.scope, self._asked.receive, self)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = self._started(message)
        elif message["type"] == "http.response.body":
            self._body(message)
        else:
            self._terms = None
        await self._asked.send(message)

    def _started(self, message: Message) -> Message:
        asked = self._asked
        headers = self._keeping.arrived(message)
        has_moved = self._keeping.has_moved()
        writes = invalidated(asked.method, message["status"], headers, asked.url, asked.origin)
        if writes:
            self._observer.move(writes)
            self._keeping.begin_again()
        if asked.method == "POST" and message["status"] == 200 and not has_moved and not message.get("trailers"):
            terms = self._keeping.terms(200, headers)
            self._terms = None if isinstance(terms, Refusal) else terms
        self._headers, self.is_started = headers, True
        stored = self._terms is not None
        status = (b"cache-status", cache_status(fwd=self._fwd, stored=stored, detail=self._detail))
        return {**message, "headers": [*headers, (b"x-cache", b"BYPASS"), status]}

    def _body(self, message: Message) -> None:
        if self._terms is None:
            return
        if not self._copy.take(message.get("body", b"")):
            self._terms = None
        elif not message.get("more_body", False):
            self._keeping.kept(200, self._headers, self._copy.whole(), self._terms)
