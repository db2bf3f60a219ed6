"""Other caches before the same 4 KB answer; ``python hits_peers.py NAME PORT`` in the peer's own environment.

Each as its documentation shows it, in memory, behind uvicorn on httptools and uvloop with its access log.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

BODY = {
    "success": True,
    "data": [
        {"id": number, "title": f"function number {number}", "area": "finance", "isActive": True}
        for number in range(51)
    ],
}
TTL_S = 3600


def litestar() -> Any:
    web = import_module("litestar")
    return web.Litestar([web.get("/public", cache=TTL_S, sync_to_thread=False)(plain)])


def fastapi_cache2() -> Any:
    app = import_module("fastapi").FastAPI()
    backend = import_module("fastapi_cache.backends.inmemory").InMemoryBackend()
    import_module("fastapi_cache").FastAPICache.init(backend)
    app.get("/public")(import_module("fastapi_cache.decorator").cache(expire=TTL_S)(answer))
    return app


def cashews() -> Any:
    app, cache = import_module("fastapi").FastAPI(), import_module("cashews").cache
    cache.setup("mem://")
    app.get("/public")(cache(ttl=TTL_S)(answer))
    return app


def aiocache() -> Any:
    web = import_module("fastapi")
    app, kept = web.FastAPI(), import_module("aiocache").cached(ttl=TTL_S)(as_json)

    async def public() -> Any:
        return web.Response(await kept(), media_type="application/json")

    app.get("/public", response_model=None)(public)
    return app


def plain() -> dict[str, Any]:
    return BODY


async def answer() -> dict[str, Any]:
    return BODY


async def as_json() -> bytes:
    return json.dumps(BODY).encode()


def main(name: str, port: int) -> None:
    uvicorn = import_module("uvicorn")
    made = {"litestar": litestar, "fastapi-cache2": fastapi_cache2, "cashews": cashews, "aiocache": aiocache}
    uvicorn.run(made[name](), host="127.0.0.1", port=port, http="httptools", loop="uvloop", log_level="info")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
