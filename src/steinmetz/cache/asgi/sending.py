"""Sends an answer to one client: kept or just computed, whole or as "not modified"."""

from __future__ import annotations

from collections.abc import Mapping

from steinmetz.cache.asgi.answers import hit_headers, stale_headers, unmodified, without_body
from steinmetz.cache.asgi.encodings import Encodings
from steinmetz.cache.asgi.protocol import Finish, HeaderList, Message, Scope, Send
from steinmetz.cache.policy.entry import Encoded, Entry
from steinmetz.cache.policy.headers import value_of
from steinmetz.cache.policy.representation import represented
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock


class Sender:
    """``finish`` adds what belongs to one response only (trap T17). Without ``encodings`` all goes as identity."""

    def __init__(
        self, finish: Finish | None, clock: Clock, statistics: Statistics, encodings: Encodings | None = None
    ) -> None:
        self._finish = finish
        self._clock = clock
        self._statistics = statistics
        self._encodings = encodings

    def finished(self, scope: Scope, status: int, headers: HeaderList) -> HeaderList:
        return headers if self._finish is None else list(self._finish(scope, status, headers))

    async def kept(
        self,
        scope: Scope,
        send: Send,
        entry: Entry,
        if_none_match: bytes | None,
        accept_encoding: bytes | None = None,
        *,
        stale: bool = False,
    ) -> None:
        """A kept answer; written out, for this is the path that must be short.

        ``accept_encoding`` is looked for in the scope if it is not given.
        """
        entry.hits += 1
        now_s = self._clock.monotonic_s()
        if if_none_match is not None and (etag := unmodified(entry, if_none_match, scope["headers"])) is not None:
            self._statistics.not_modified += 1
            headers = stale_headers(entry, now_s) if stale else hit_headers(entry, now_s)
            await self.all(scope, send, 304, without_body(headers, etag), b"")
            return
        form: Entry | Encoded = entry
        if entry.is_compressible and self._encodings is not None:
            accepted = accept_encoding or value_of(scope["headers"], b"accept-encoding")
            form = self._encodings.form_for(entry, accepted)
        headers = stale_headers(entry, now_s, form) if stale else hit_headers(entry, now_s, form)
        if self._finish is not None:
            headers = list(self._finish(scope, entry.status, headers))
        await send({"type": "http.response.start", "status": entry.status, "headers": headers})
        await send({"type": "http.response.body", "body": form.body if scope["method"] == "GET" else b""})

    async def selected(self, scope: Scope, send: Send, entry: Entry, fields: Mapping[bytes, bytes]) -> None:
        """A kept answer to a request with conditions or a range: whole, as 304, or a part (206, 416)."""
        entry.hits += 1
        headers = hit_headers(entry, self._clock.monotonic_s())
        sent = represented(entry, headers, scope["method"], fields, self._clock.now().timestamp())
        if sent.status == 304:
            self._statistics.not_modified += 1
        await self.all(scope, send, sent.status, sent.headers, sent.body)

    async def entry(
        self, scope: Scope, send: Send, entry: Entry, headers: HeaderList, if_none_match: bytes | None
    ) -> None:
        if (etag := unmodified(entry, if_none_match, scope["headers"])) is not None:
            self._statistics.not_modified += 1
            await self.all(scope, send, 304, without_body(headers, etag), b"")
        else:
            body = b"" if scope["method"] == "HEAD" else entry.body
            await self.all(scope, send, entry.status, headers, body)

    async def all(self, scope: Scope, send: Send, status: int, headers: HeaderList, body: bytes) -> None:
        if self._finish is not None:
            headers = list(self._finish(scope, status, headers))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def headless(send: Send) -> Send:
    """The ``send`` of a HEAD request whose answer is computed as that of GET."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending
