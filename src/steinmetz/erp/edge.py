"""The outermost layer: what belongs to one exchange and to no stored answer (trap T17).

A request id, CORS and security headers, the access log line and the counts are made here for every response, kept
or computed, and what is too much is refused: requests of an address, bytes of a body. `Edge.finish` is also given
to the cache, whose hits may leave by a door of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
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
from steinmetz.erp.kit.request_ids import RequestIds, sane
from steinmetz.erp.logging import CURRENT_REQUEST
from steinmetz.erp.passage import KeptPassage
from steinmetz.erp.rates import FORWARDED, RateLimits
from steinmetz.erp.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

log = structlog.get_logger("steinmetz.access")

REQUEST_ID = "steinmetz.request_id"
_INTERESTING = frozenset({b"x-request-id", b"content-length", b"content-type", b"user-agent"})

CONTENT_SECURITY_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
ALLOWED_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = b"Authorization, Content-Type, If-None-Match, Cache-Control, X-Request-Id, X-Consistency-Token"
EXPOSED_HEADERS = (
    b"X-Cache, Cache-Status, Age, ETag, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    b"X-Consistency-Token"
)
PREFLIGHT_S = b"600"


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of ``name`` (lower case), None if there is none."""
    for key, value in headers:
        if key == name:
            return value
    return None


class ResponseHeaders:
    """The headers of one exchange; ``cors_origins`` are the origins whose pages may read our answers."""

    def __init__(self, cors_origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origin.lower().encode() for origin in cors_origins)

    def allowed_origin(self, scope: Scope) -> bytes | None:
        """The request's Origin if it is on the list. Nothing else of it ever matters, so nobody mints variants."""
        if not self._origins:
            return None
        origin = header(scope["headers"], b"origin")
        return origin if origin is not None and origin.lower() in self._origins else None

    def finish(self, scope: Scope, status: int, headers: HeaderList) -> HeaderList:
        """``headers`` with what belongs to this one response; a second time changes nothing."""
        names = {name for name, _ in headers}
        if b"x-request-id" in names:
            return headers
        finished = list(headers)
        if request_id := scope.get(REQUEST_ID):
            finished.append((b"x-request-id", request_id.encode("ascii")))
        finished.extend(pair for pair in SECURITY_HEADERS if pair[0] not in names)
        if scope.get("scheme") == "https":
            finished.append(STRICT_TRANSPORT)
        if self._origins:
            finished.append((b"vary", b"Origin"))
            if (origin := self.allowed_origin(scope)) is not None:
                finished.append((b"access-control-allow-origin", origin))
                finished.append((b"access-control-allow-credentials", b"true"))
                finished.append((b"access-control-expose-headers", EXPOSED_HEADERS))
        return finished

    def preflight(self, scope: Scope) -> tuple[int, HeaderList] | None:
        """The answer to a CORS preflight; None if the request is none.

        "A CORS-preflight request is a CORS request that checks to see if the CORS protocol is understood"
        (Fetch, 3.2.2): an OPTIONS with Origin and Access-Control-Request-Method.
        """
        if scope["method"] != "OPTIONS" or header(scope["headers"], b"access-control-request-method") is None:
            return None
        if header(scope["headers"], b"origin") is None:
            return None
        if self.allowed_origin(scope) is None:
            return 403, []
        return 204, [
            (b"access-control-allow-methods", ALLOWED_METHODS),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", PREFLIGHT_S),
        ]


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


class Exchange:
    """One request on its way through: what came, what was answered, how large it was, how long it took."""

    __slots__ = (
        "_has_body",
        "_headers",
        "_scope",
        "_send",
        "_started_ns",
        "body",
        "cache",
        "given",
        "size",
        "status",
    )

    def __init__(self, scope: Scope, send: Send, headers: ResponseHeaders) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self._started_ns = perf_ns()
        self._has_body = scope["method"] != "HEAD"
        self.given = _of_interest(scope["headers"])
        self.body: BodyReader | None = None
        """What reads the request's body; None if it is not looked at."""
        self.status = 0
        self.size = 0
        self.cache = ""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = self._headers.finish(self._scope, self.status, list(message.get("headers", ())))
            self.cache = (header(headers, b"x-cache") or b"").decode("latin-1")
            message = {**message, "headers": headers}
        elif not self._has_body:
            message = {**message, "body": b""}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

    def duration_ms(self) -> float:
        return (perf_ns() - self._started_ns) / 1e6


async def _nothing(scope: Scope, receive: Any, send: Send) -> None:
    raise RuntimeError("the edge wraps nothing yet: set Edge.inside")


def _of_interest(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The first value of each field that the edge looks at, found in one pass."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _INTERESTING and name not in found:
            found[name] = value
    return found


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

    fields = _INTERESTING | {b"origin"} | FORWARDED
    """What it looks at in requests that are answered below ASGI."""

    def passage(self, leaving: Leaving) -> KeptPassage:
        """For a kept answer that leaves below ASGI (`steinmetz.cache.hits`)."""
        scope = leaving.scope
        given = _of_interest(scope["headers"])
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
        given = _of_interest(scope["headers"])
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
