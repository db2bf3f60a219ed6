"""What the edge does for a kept answer that leaves below ASGI: the same as for every other, in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.cache.native.passage import Client, Leaving, header_lines
from steinmetz.clock import perf_ns
from steinmetz.erp.access import AccessLog, KeptLine
from steinmetz.erp.kit.request_ids import RequestIds, sane
from steinmetz.erp.rates import RateLimits

if TYPE_CHECKING:
    from steinmetz.erp.edge import ResponseHeaders, Traffic


class KeptPassage:
    """Implements the cache's `Passage`. What cannot differ between equal requests is worked out once."""

    __slots__ = ("_access", "_counted", "_given_id", "_ids", "_leaving", "_line", "_lines", "_rates", "_traffic")

    def __init__(
        self,
        leaving: Leaving,
        line: KeptLine,
        *,
        headers: ResponseHeaders,
        given_id: bytes | None,
        ids: RequestIds,
        rates: RateLimits,
        traffic: Traffic,
        access: AccessLog | None,
    ) -> None:
        self._leaving = leaving
        self._line = line
        self._given_id = given_id.decode("ascii") if given_id is not None and sane(given_id) else None
        self._ids = ids
        self._rates = rates
        self._traffic = traffic
        self._access = access
        self._counted = traffic.kind(leaving.scope["method"], leaving.status)
        # The scope has no request id, so what is added is the same for all.
        kept = len(leaving.headers)
        self._lines = header_lines(headers.finish(leaving.scope, leaving.status, leaving.headers)[kept:])

    def take(self, client: Client, started_ns: int) -> bytes | None:
        leaving = self._leaving
        leaving.scope["client"] = client
        if not self._rates.passes(leaving.scope, leaving.principal):
            return None
        request_id = self._given_id or self._ids.new()
        duration_ms = (perf_ns() - started_ns) / 1e6
        traffic = self._traffic
        traffic.requests[self._counted] += 1
        traffic.seconds += duration_ms / 1000
        if self._access is not None:
            address = None if client is None else client[0]
            self._access.write_kept(self._line, duration_ms, address, request_id)
        return b"%bx-request-id: %b\r\n" % (self._lines, request_id.encode())
