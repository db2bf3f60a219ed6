"""What the edge does for a kept answer that leaves below ASGI: the same as for every other, in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.addresses import is_local
from steinmetz.cache.asgi.protocol import HeaderList
from steinmetz.cache.hits.passage import Client, Leaving, header_lines
from steinmetz.clock import perf_ns
from steinmetz.erp.access import AccessLog, KeptLine, address_json
from steinmetz.erp.kit.request_ids import RequestIds, sane
from steinmetz.erp.rates import RateLimits, is_forwarded

if TYPE_CHECKING:
    from steinmetz.erp.edge import Traffic
    from steinmetz.erp.response_headers import ResponseHeaders


class KeptPassage:
    """Implements the cache's `Passage`. What cannot differ between equal requests is worked out once."""

    __slots__ = (
        "_access",
        "_counted",
        "_given_id",
        "_headers",
        "_ids",
        "_is_forwarded",
        "_leaving",
        "_line",
        "_lines",
        "_rates",
        "_traffic",
    )

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
        self._headers = headers.finish(leaving.scope, leaving.status, leaving.headers)
        self._lines = header_lines(self._headers[len(leaving.headers) :]) + b"x-request-id: "
        self._is_forwarded = is_forwarded(leaving.scope["headers"])

    def take(self, client: Client, started_ns: int) -> bytes | None:
        request_id = self._pass(client, started_ns)
        return None if request_id is None else b"%b%b\r\n\r\n" % (self._lines, request_id.encode())

    def take_fields(self, client: Client, started_ns: int) -> HeaderList | None:
        request_id = self._pass(client, started_ns)
        return None if request_id is None else [*self._headers, (b"x-request-id", request_id.encode())]

    def _pass(self, client: Client, started_ns: int) -> str | None:
        """The id of a request that may pass; then it has been charged, counted and logged."""
        leaving, noted = self._leaving, client.noted
        if noted is None:
            noted = client.noted = self._noted(client)
        if not noted.is_free or self._is_forwarded:
            leaving.scope["client"] = client.address
            if not self._rates.passes(leaving.scope, leaving.principal):
                return None
        request_id = self._given_id or self._ids.new()
        duration_ms = (perf_ns() - started_ns) / 1e6
        traffic = self._traffic
        traffic.requests[self._counted] += 1
        traffic.seconds += duration_ms / 1000
        if self._access is not None:
            self._access.write_kept(self._line, duration_ms, noted.address, request_id)
        return request_id

    def _noted(self, client: Client) -> _Noted:
        host = client.address[0] if client.address is not None else ""
        return _Noted(address_json(host or None), self._rates.are_off or is_local(host))


class _Noted:
    """Of a client: its address as the log says it, and whether it may ask as much as it likes."""

    __slots__ = ("address", "is_free")

    def __init__(self, address: str, is_free: bool) -> None:
        self.address = address
        self.is_free = is_free
