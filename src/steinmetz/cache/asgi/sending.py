"""Sends an answer to one client: kept or just computed, whole or as "not modified"."""

from __future__ import annotations

from steinmetz.cache.asgi.answers import hit_headers, is_unmodified, stale_headers, without_body
from steinmetz.cache.asgi.protocol import Finish, HeaderList, Message, Scope, Send
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.policy.consistency import CONSISTENCY_TOKEN
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock


class Sender:
    """``finish`` adds what belongs to one response only (trap T17)."""

    def __init__(self, finish: Finish | None, clock: Clock, statistics: Statistics) -> None:
        self._finish = finish
        self._clock = clock
        self._statistics = statistics

    def finished(self, scope: Scope, status: int, headers: HeaderList) -> HeaderList:
        return headers if self._finish is None else list(self._finish(scope, status, headers))

    async def kept(
        self, scope: Scope, send: Send, entry: Entry, if_none_match: bytes | None, *, stale: bool = False
    ) -> None:
        """A kept answer; written out, for this is the path that must be short."""
        entry.hits += 1
        now_s = self._clock.monotonic_s()
        headers = stale_headers(entry, now_s) if stale else hit_headers(entry, now_s)
        if if_none_match is not None:
            await self.entry(scope, send, entry, headers, if_none_match)
            return
        if self._finish is not None:
            headers = list(self._finish(scope, 200, headers))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = entry.body if scope["method"] == "GET" else b""
        await send({"type": "http.response.body", "body": body})

    async def entry(
        self, scope: Scope, send: Send, entry: Entry, headers: HeaderList, if_none_match: bytes | None
    ) -> None:
        if if_none_match is not None and is_unmodified(entry, if_none_match):
            self._statistics.not_modified += 1
            await self.all(scope, send, 304, without_body(headers), b"")
        else:
            await self.all(scope, send, 200, headers, b"" if scope["method"] == "HEAD" else entry.body)

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


def with_token(send: Send, cluster: Cluster) -> Send:
    """The ``send`` of a response that says how new it may be, so that its client reads nothing older elsewhere."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and (token := cluster.token()):
            message = {**message, "headers": [*message["headers"], (CONSISTENCY_TOKEN, token)]}
        await send(message)

    return sending
