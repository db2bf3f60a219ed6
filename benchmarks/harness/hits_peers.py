"""Other caches before the same 4 KB answer; ``python hits_peers.py NAME PORT`` in the peer's own environment.

Each as its documentation shows it, in memory, behind uvicorn on httptools and uvloop with its access log.
"""

from __future__ import annotations

import json
import sys
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
    from litestar import Litestar, get

    @get("/public", cache=TTL_S, sync_to_thread=False)
    def public() -> dict[str, Any]:
        return BODY

    return Litestar([public])


def fastapi_cache2() -> Any:
    from fastapi import FastAPI
    from fastapi_cache import FastAPICache
    from fastapi_cache.backends.inmemory import InMemoryBackend
    from fastapi_cache.decorator import cache

    app = FastAPI()
    FastAPICache.init(InMemoryBackend())

    @app.get("/public")
    @cache(expire=TTL_S)
    async def public() -> dict[str, Any]:
        return BODY

    return app


def cashews() -> Any:
    from cashews import cache
    from fastapi import FastAPI

    app = FastAPI()
    cache.setup("mem://")

    @app.get("/public")
    @cache(ttl=TTL_S)
    async def public() -> dict[str, Any]:
        return BODY

    return app


def aiocache() -> Any:
    from aiocache import cached
    from fastapi import FastAPI, Response

    app = FastAPI()

    @cached(ttl=TTL_S)
    async def answer() -> bytes:
        return json.dumps(BODY).encode()

    @app.get("/public")
    async def public() -> Response:
        return Response(await answer(), media_type="application/json")

    return app


def main(name: str, port: int) -> None:
    import uvicorn

    made = {"litestar": litestar, "fastapi-cache2": fastapi_cache2, "cashews": cashews, "aiocache": aiocache}
    uvicorn.run(made[name](), host="127.0.0.1", port=port, http="httptools", loop="uvloop", log_level="info")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
