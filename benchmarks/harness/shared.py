"""One cached answer of 4 KB, alone or shared over a Redis: ``SHARED_REDIS_URL`` says which, if any."""

from __future__ import annotations

import os
from typing import Any

import orjson

from steinmetz.cache import CacheMiddleware, ResponseCache, cached
from steinmetz.cache.asgi.protocol import Receive, Scope, Send

URL = os.environ.get("SHARED_REDIS_URL")
BODY = orjson.dumps([{"id": number, "name": f"customer {number}", "cents": number * 7} for number in range(80)])


def make_cache() -> ResponseCache:
    if URL is None:
        return ResponseCache()
    from steinmetz.cache.stores.redis import redis_cluster

    return ResponseCache(cluster=redis_cluster(URL, prefix="bench"))


class Place:
    def __init__(self, path: str, endpoint: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.methods = frozenset({"GET"})


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


@cached(ttl=3_600, public=True, consistency="strong")
async def strong(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(scope, receive, send)


@cached(ttl=3_600, public=True)
async def session(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(scope, receive, send)


async def figures(scope: Scope, receive: Receive, send: Send) -> None:
    """What the cache has counted."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": orjson.dumps(cache.stats())})


class Application:
    routes = (Place("/strong", strong), Place("/session", session), Place("/figures", figures))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for place in self.routes:
            if scope["type"] == "http" and scope["path"] == place.path:
                await place.endpoint(scope, receive, send)


cache = make_cache()
app: CacheMiddleware = cache.wrap(Application())
