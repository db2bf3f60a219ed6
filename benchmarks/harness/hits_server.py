"""One 4 KB answer behind the product's own edge and cache; ``python -m benchmarks.harness.hits_server MODE PORT``.

``native`` and ``asgi`` are the product's two doors, with its limits, request ids, security headers and access log.
``raw`` is the least that an ASGI application can do for the same: the same header lines and a log line of its own.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson
import uvicorn

from steinmetz.cache import Admission, Admitted, Principal, ResponseCache, cached
from steinmetz.cache.hits.asgi import AsgiHits
from steinmetz.cache.hits.native import NativeHits
from steinmetz.clock import SystemClock, perf_ns
from steinmetz.erp.edge import Edge, Traffic
from steinmetz.erp.logging import configure_logging
from steinmetz.erp.rates import RateLimits
from steinmetz.erp.settings import Settings
from steinmetz.gcra import Rate
from steinmetz.live.native import protocol_class

BODY = orjson.dumps(
    {
        "success": True,
        "data": [
            {"id": number, "title": f"function number {number}", "area": "finance", "isActive": True}
            for number in range(51)
        ],
    }
)
LENGTH = (b"content-length", b"%d" % len(BODY))
KIND = (b"content-type", b"application/json")


class Route:
    def __init__(self, path: str, endpoint: Any) -> None:
        self.path, self.endpoint, self.methods = path, endpoint, frozenset({"GET"})


async def everybody(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [KIND, LENGTH]})
    await send({"type": "http.response.body", "body": BODY})


async def colleagues(scope: Any, receive: Any, send: Any) -> None:
    await everybody(scope, receive, send)


class Company:
    """``/public`` is open to anybody; ``/roles`` is one answer a role."""

    def __init__(self) -> None:
        self.routes = [
            Route("/public", cached(public=True, ttl=3600)(everybody)),
            Route("/roles", cached(vary_on="role", ttl=3600)(colleagues)),
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await everybody(scope, receive, send)


class Bearer:
    """An authenticator that knows everybody."""

    credential_fields = frozenset({b"authorization"})

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        for name, value in headers:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                return value[7:].strip()
        return None

    async def authenticate(self, credential: bytes) -> Admission:
        return Admitted(Principal("user:7", "clerk"))


def product(settings: Settings) -> tuple[Edge, NativeHits]:
    clock = SystemClock()
    rates = RateLimits(clock, address=Rate(100_000, 1e-5), user=Rate(100_000, 1e-5))
    edge = Edge(settings, Traffic(), rates, clock)
    cache = ResponseCache(
        clock=clock, authenticator=Bearer(), version="bench", finish=edge.finish, on_admitted=rates.charge_user
    )
    front = cache.wrap(Company())
    edge.inside, edge.kept = front, AsgiHits(front, edge)
    return edge, NativeHits(front, edge)


class Raw:
    """What an answer of the product has in its header, sent by hand."""

    HEADERS = (
        KIND,
        LENGTH,
        (b"etag", b'"b8bd3a6d8bd6e44b1cb1e0f1"'),
        (b"cache-control", b"private, no-cache"),
        (b"age", b"3"),
        (b"x-cache", b"HIT"),
        (b"cache-status", b"SteinmetZ; hit; ttl=3597"),
        (b"x-request-id", b"0123456789abcdef0123"),
        (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; object-src 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        started_ns = perf_ns()
        await send({"type": "http.response.start", "status": 200, "headers": list(self.HEADERS)})
        await send({"type": "http.response.body", "body": BODY})
        sys.stderr.write(f"{scope['method']} {scope['path']} 200 {(perf_ns() - started_ns) / 1e6:.3f}\n")


def main(mode: str, port: int) -> None:
    configure_logging("info", "json")
    http: Any = "httptools"
    if mode == "raw":
        app: Any = Raw()
    else:
        settings = Settings(_env_file=None, access_log=True)  # type: ignore[call-arg]
        app, hits = product(settings)
        if mode == "native":
            http = protocol_class(None, hits=hits)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        http=http,
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
