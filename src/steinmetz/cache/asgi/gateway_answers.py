"""Sends what the gateway itself answers: a kept answer whole, as a 304, a part or a head; and its errors."""

from __future__ import annotations

from steinmetz.cache.asgi.demanded import Demanded
from steinmetz.cache.asgi.protocol import HeaderList
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import age_s
from steinmetz.cache.policy.headers import Headers, cache_status
from steinmetz.cache.policy.http_date import http_date
from steinmetz.cache.policy.representation import represented
from steinmetz.cache.statistics import Statistics
from steinmetz.clock import Clock


class GatewayAnswers:
    def __init__(self, clock: Clock, statistics: Statistics) -> None:
        self._clock = clock
        self._statistics = statistics

    async def kept(self, asked: Demanded, entry: Entry, *, stale: bool = False) -> None:
        """A kept answer, with its age."""
        entry.hits += 1
        now_s = self._clock.monotonic_s()
        status = cache_status(hit=True, ttl_s=int((entry.expires_s - now_s) // 1))
        outcome = b"STALE" if stale else b"HIT"
        await self._entry(asked, entry, [(b"x-cache", outcome), (b"cache-status", status)])

    async def collapsed(self, asked: Demanded, entry: Entry, fwd: str) -> None:
        """What another request for the same has just brought."""
        await self._entry(
            asked, entry, [(b"x-cache", b"MISS"), (b"cache-status", cache_status(fwd=fwd, collapsed=True))]
        )

    async def validated(
        self, asked: Demanded, entry: Entry, fwd: str, not_modified: Headers, *, stored: bool
    ) -> None:
        """A kept answer that the origin has just said still holds."""
        # A cookie is for this client alone, and so it is passed on and not kept.
        cookies = [line for line in not_modified if line[0] == b"set-cookie"]
        status = cache_status(fwd=fwd, fwd_status=304, stored=stored)
        await self._entry(asked, entry, [*cookies, (b"x-cache", b"MISS"), (b"cache-status", status)])

    async def _entry(self, asked: Demanded, entry: Entry, added: HeaderList) -> None:
        now_s, wall_s = self._clock.monotonic_s(), self._clock.now().timestamp()
        # "A cache MUST generate an Age header field, replacing any present ... equal to the stored response's
        # current_age" (RFC 9111, 4).
        headers = [*entry.headers, (b"age", b"%d" % age_s(entry, now_s)), *added]
        sent = represented(entry, headers, asked.method, asked.fields, wall_s)
        if sent.status == 304:
            self._statistics.not_modified += 1
        await self._send(asked, sent.status, sent.headers, sent.body)

    async def passed_on(self, asked: Demanded, status: int, headers: Headers, fwd: str) -> None:
        """The origin's answer without a body, to a condition of the client's own."""
        added = [(b"x-cache", b"MISS"), (b"cache-status", cache_status(fwd=fwd, fwd_status=status))]
        await self._send(asked, status, [*headers, *added], b"")

    async def gateway_timeout(self, asked: Demanded, fwd: str, detail: str) -> None:
        """504: "only-if-cached" without a kept answer (RFC 9111, 5.2.1.7), or nothing that may be given."""
        await self._error(asked, 504, fwd, detail)

    async def bad_gateway(self, asked: Demanded, fwd: str, detail: str) -> None:
        await self._error(asked, 502, fwd, detail)

    async def _error(self, asked: Demanded, status: int, fwd: str, detail: str) -> None:
        headers = [
            (b"content-length", b"0"),
            (b"date", http_date(self._clock.now().timestamp())),
            (b"x-cache", b"BYPASS" if fwd == "method" else b"MISS"),
            (b"cache-status", cache_status(fwd=fwd, detail=detail)),
        ]
        await self._send(asked, status, headers, b"")

    @staticmethod
    async def _send(asked: Demanded, status: int, headers: HeaderList, body: bytes) -> None:
        await asked.send({"type": "http.response.start", "status": status, "headers": headers})
        await asked.send({"type": "http.response.body", "body": body})
