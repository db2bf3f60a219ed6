"""Keeps answers until the very commit that changes them, and gives them before any routing.

cache = ResponseCache(authenticator=...)
hook(engine).observe_transactions(cache.observer)

@app.get("/api/invoices")
@cached(ttl=300)
async def invoices(...): ...

app = cache.wrap(app)
"""

from __future__ import annotations

from steinmetz.cache.asgi.admission import Admission, Admitted, Authenticator, Principal, Refused
from steinmetz.cache.asgi.middleware import CacheMiddleware
from steinmetz.cache.asgi.protocol import Finish
from steinmetz.cache.asgi.routes import Route, RouteTable, cached, invalidates
from steinmetz.cache.gateway import Gateway, OriginUnreachableError
from steinmetz.cache.invalidation.causes import Invalidation
from steinmetz.cache.invalidation.reads import Recording, valid_until
from steinmetz.cache.policy.consistency import Bounded, Session, Strong
from steinmetz.cache.policy.route import CachePolicy, KeyRequest, VaryOn
from steinmetz.cache.response_cache import CacheConfig, ResponseCache
from steinmetz.cache.stores.base import Store
from steinmetz.cache.stores.memory import MemoryStore

__all__ = [  # noqa: RUF022  grouped by file
    # .asgi.admission
    "Admission",
    "Admitted",
    "Authenticator",
    "Principal",
    "Refused",
    # .asgi.middleware
    "CacheMiddleware",
    # .asgi.protocol
    "Finish",
    # .asgi.routes
    "Route",
    "RouteTable",
    "cached",
    "invalidates",
    # .gateway
    "Gateway",
    "OriginUnreachableError",
    # .invalidation.causes
    "Invalidation",
    # .invalidation.reads
    "Recording",
    "valid_until",
    # .policy.consistency
    "Bounded",
    "Session",
    "Strong",
    # .policy.route
    "CachePolicy",
    "KeyRequest",
    "VaryOn",
    # .response_cache
    "CacheConfig",
    "ResponseCache",
    # .stores
    "MemoryStore",
    "Store",
]
