"""The outermost layer: what belongs to one exchange and to no stored answer (trap T17).

A request id, CORS and security headers, the access log line and the counts are made here for every response, kept
or computed, and what is too much is refused: requests of an address, bytes of a body. `Edge.finish` is also given
to the cache, whose hits may leave by a door of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from pydantic_core import to_json

from steinmetz.cache.hits.asgi import AsgiHits
from steinmetz.cache.hits.passage import Leaving
from steinmetz.clock import Clock, perf_ns
from steinmetz.erp.access import (
    MAX_AGENT_CHARS,
    MAX_PATH_CHARS,
    AccessLog,
    KeptLine,
    request_line,
    short_address,
    shortened,
)
from steinmetz.erp.bodies import BodyReader, announced_length, is_json, max_bytes, too_large
from steinmetz.erp.errors import PROBLEM_JSON, Problem, document, log_unexpected, problem_of
from steinmetz.erp.exchange import INTERESTING, Exchange, Receive, Send, of_interest
from steinmetz.erp.kit.request_ids import RequestIds, sane
from steinmetz.erp.logging import CURRENT_REQUEST
from steinmetz.erp.passage import KeptPassage
from steinmetz.erp.rates import FORWARDED, RateLimits
from steinmetz.erp.response_headers import REQUEST_ID, HeaderList, ResponseHeaders, Scope
from steinmetz.erp.settings import Settings

ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("steinmetz.access")


class Traffic:
    """Counts for /metrics: by method and status class, so their number is bounded whatever clients send."""

    METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        self.seconds = 0.0
        self.in_flight = 0

    def kind(self, method: str, status: int) -> tuple[str, str]:
        """What a request counts as."""
        return method if method in self.METHODS else "other", f"{status // 100}xx"

    def count(self, method: str, status: int, duration_ms: float) -> None:
        self.requests[self.kind(method, status)] += 1
        self.seconds += duration_ms / 1000


async def _nothing(scope: Scope, receive: Any, send: Send) -> None:
    raise RuntimeError("the edge wraps nothing yet: set Edge.inside")


class Edge:
    """Wraps the whole application. Paths that begin with one of ``passed`` (the sockets) go through untouched."""

    def __init__(
        self,
        settings: Settings,
        traffic: Traffic,
        rates: RateLimits,
        clock: Clock,
        *,
        passed: tuple[str, ...] = ("/socket.io/",),
    ) -> None:
        self.inside: ASGIApp = _nothing
        """What it wraps; set once the rest has been built, which needs `finish`."""
        self.kept: AsgiHits | None = None
        """The short way of a hit, before everything that one does not need; None without a cache."""
        self._headers = ResponseHeaders(settings.cors_origins)
        self.finish = self._headers.finish
        self._traffic = traffic
        self._rates = rates
        self._ids = RequestIds()
        self._access = AccessLog(clock) if settings.access_log else None
        self._max_body = settings.max_body_bytes
        self._passed = passed

    fields = INTERESTING | {b"origin"} | FORWARDED
    """What it looks at in requests that are answered below ASGI."""

    def passage(self, leaving: Leaving) -> KeptPassage:
        """For a kept answer that leaves below ASGI (`steinmetz.cache.hits`)."""
        scope = leaving.scope
        given = of_interest(scope["headers"])
        fields = request_line(
            method=scope["method"],
            route=leaving.route,
            path=scope["path"],
            status=leaving.status,
            duration_ms=0.0,
            size=leaving.size,
            bytes_in=0,
            cache="HIT",
            user=leaving.principal.subject if leaving.principal is not None else None,
            address=None,
            agent=given.get(b"user-agent", b"").decode("latin-1"),
            request_id="",
        )
        return KeptPassage(
            leaving,
            KeptLine(fields),
            headers=self._headers,
            given_id=given.get(b"x-request-id"),
            ids=self._ids,
            rates=self._rates,
            traffic=self._traffic,
            access=self._access,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith(self._passed):
            await self.inside(scope, receive, send)
            return
        if (
            self.kept is not None
            and scope["type"] == "http"
            and (taken := self.kept.take(scope, perf_ns())) is not None
        ):
            status, headers, body = taken
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["type"] == "websocket":
            await self._refuse_websocket(scope, receive, send)
            return
        exchange = Exchange(scope, send, self._headers)
        scope[REQUEST_ID] = request_id = self._request_id(exchange.given.get(b"x-request-id"))
        # "All general-purpose servers MUST support the methods GET and HEAD" (RFC 9110, 9.1).
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        self._traffic.in_flight += 1
        named = CURRENT_REQUEST.set(request_id)
        try:
            self._rates.charge_address(scope)
            if (preflight := self._headers.preflight(scope)) is not None:
                await self._answer(exchange, *preflight)
            else:
                await self.inside(asked, self._bounded(scope, exchange, receive), exchange.send)
        except Problem as problem:
            await self._refuse(scope, exchange, problem)
        except Exception as error:
            await self._failed(asked, exchange, error)
        finally:
            self._traffic.in_flight -= 1
            self._note(asked, scope["method"], exchange)
            CURRENT_REQUEST.reset(named)

    def _bounded(self, scope: Scope, exchange: Exchange, receive: Receive) -> Receive:
        """Raises `Problem` for a body that is announced to be too long."""
        given = exchange.given
        announced = given.get(b"content-length")
        if announced is None and scope["method"] in {"GET", "HEAD"}:
            return receive
        limit = max_bytes(scope["path"], self._max_body)
        if announced is not None and announced_length(announced) > limit:
            raise too_large(limit)
        exchange.body = BodyReader(scope, receive, limit, is_json=is_json(given.get(b"content-type", b"")))
        return exchange.body

    async def _failed(self, scope: Scope, exchange: Exchange, error: Exception) -> None:
        if scope.get("steinmetz.logged") is not error:
            log_unexpected(error, scope[REQUEST_ID], scope["method"], scope["path"])
        if exchange.status:
            # The answer has begun: whoever reads it must see that it broke off, so the server is told.
            if scope.get("steinmetz.logged") is error:
                return
            raise error
        await self._refuse(scope, exchange, problem_of(error))

    async def _refuse(self, scope: Scope, exchange: Exchange, problem: Problem) -> None:
        body = to_json(document(problem, instance=scope["path"], request_id=scope[REQUEST_ID]))
        headers = [(b"content-type", PROBLEM_JSON.encode()), (b"cache-control", b"no-store")]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        await self._answer(exchange, problem.status, headers, body)

    @staticmethod
    async def _answer(exchange: Exchange, status: int, headers: HeaderList, body: bytes = b"") -> None:
        headers = headers if status == 204 else [*headers, (b"content-length", str(len(body)).encode())]
        await exchange.send({"type": "http.response.start", "status": status, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": body})

    async def _refuse_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """404 to a WebSocket that wants to be opened where there is none."""
        await receive()
        given = of_interest(scope["headers"])
        request_id = self._request_id(given.get(b"x-request-id"))
        if self._access is not None:
            log.info(
                "WebSocket refused",
                path=shortened(scope["path"], MAX_PATH_CHARS),
                status=404,
                address=_address(scope),
                agent=shortened(given.get(b"user-agent", b"").decode("latin-1"), MAX_AGENT_CHARS),
                request_id=request_id,
            )
        if "websocket.http.response" not in scope.get("extensions", ()):
            await send({"type": "websocket.close"})
            return
        detail = f"There is no WebSocket at {scope['path']}; sockets are at /socket.io/."
        elsewhere = Problem(404, "Not Found", detail)
        body = to_json(document(elsewhere, instance=scope["path"], request_id=request_id))
        headers = [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode("ascii")),
        ]
        await send({"type": "websocket.http.response.start", "status": elsewhere.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})

    def _note(self, scope: Scope, method: str, exchange: Exchange) -> None:
        duration_ms = exchange.duration_ms()
        # 499: the caller went away before there was an answer.
        status = exchange.status or 499
        self._traffic.count(method, status, duration_ms)
        if self._access is None:
            return
        given = exchange.given
        announced = given.get(b"content-length", b"")
        principal = getattr(scope.get("steinmetz.admission"), "principal", None)
        client = scope.get("client")
        self._access.write(
            request_line(
                method=method,
                route=scope.get("steinmetz.route"),
                path=scope["path"],
                status=status,
                duration_ms=round(duration_ms, 3),
                size=exchange.size,
                bytes_in=exchange.body.size if exchange.body is not None else int(announced or 0),
                cache=exchange.cache or None,
                user=principal.subject if principal is not None else None,
                address=client[0] if client else None,
                agent=given.get(b"user-agent", b"").decode("latin-1"),
                request_id=scope[REQUEST_ID],
            )
        )

    def _request_id(self, given: bytes | None) -> str:
        """The caller's own if it is sane, else a new one."""
        return given.decode("ascii") if given is not None and sane(given) else self._ids.new()


def _address(scope: Scope) -> str | None:
    """Where the request comes from; behind a trusted proxy uvicorn has put the client's own address there."""
    client = scope.get("client")
    return short_address(client[0]) if client else None
