"""One route and one write behind another cache: ``python stale_peer.py NAME PORT DATABASE``, in its own venv.

Each cache as its documentation recommends it, with its own invalidation after the commit and before the answer.
Readers and writers pause now and then at the places at which ours do.
"""

from __future__ import annotations

import asyncio
import random
import sys
from importlib import import_module
from typing import Any

import aiosqlite
import uvicorn

NAME, PORT, DATABASE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
READ, WRITE = "/item/{number}", "/write/core/{number}/{group}/{token}"
CHANCE, LONGEST_S, TTL_S = 0.2, 0.01, 600
CONNECTIONS: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()


async def opened() -> None:
    for _ in range(8):
        connection = await aiosqlite.connect(DATABASE, isolation_level=None)
        await connection.execute("PRAGMA busy_timeout=4000")
        CONNECTIONS.put_nowait(connection)


async def pause() -> None:
    if random.random() < CHANCE:
        await asyncio.sleep(random.random() * LONGEST_S)


async def run(statement: str, *values: Any) -> Any:
    connection = await CONNECTIONS.get()
    try:
        async with connection.execute(statement, values) as cursor:
            return await cursor.fetchone()
    finally:
        CONNECTIONS.put_nowait(connection)


async def read(number: int) -> str:
    found = await run("SELECT token FROM items WHERE id = ?", number)
    await pause()
    return str(found[0])


async def write(number: int, group: int, token: str) -> None:
    await run("UPDATE items SET version = version + 1, token = ?, group_id = ? WHERE id = ?", token, group, number)
    await pause()


# Imported by name: none of them is there where the types of this file are checked.


def fastapi_cache2() -> Any:
    module = import_module("fastapi_cache")
    memory = import_module("fastapi_cache.backends.inmemory")
    decorator = import_module("fastapi_cache.decorator")
    app = import_module("fastapi").FastAPI(on_startup=[opened])
    module.FastAPICache.init(memory.InMemoryBackend())

    async def core(number: int, group: int, token: str) -> str:
        await write(number % 16, group, token)
        await module.FastAPICache.clear(namespace="items")
        return "done"

    app.get(READ)(decorator.cache(expire=TTL_S, namespace="items")(read))
    app.post(WRITE)(core)
    return app


def cashews() -> Any:
    cache = import_module("cashews").cache
    app = import_module("fastapi").FastAPI(on_startup=[opened])
    cache.setup("mem://")

    async def core(number: int, group: int, token: str) -> str:
        await write(number % 16, group, token)
        await cache.delete_tags("items")
        return "done"

    app.get(READ)(cache(ttl=TTL_S, key="item:{number}", tags=["items"])(read))
    app.post(WRITE)(core)
    return app


def aiocache() -> Any:
    module = import_module("aiocache")
    app = import_module("fastapi").FastAPI(on_startup=[opened])
    item = module.cached(ttl=TTL_S, key_builder=lambda function, number: f"item:{number}")(read)

    async def core(number: int, group: int, token: str) -> str:
        await write(number % 16, group, token)
        await item.cache.delete(f"item:{number % 16}")
        return "done"

    app.get(READ)(item)
    app.post(WRITE)(core)
    return app


def litestar() -> Any:
    module = import_module("litestar")

    async def item(number: int) -> str:
        return f'"{await read(number)}"'  # a text is not encoded again

    async def core(request: Any, number: int, group: int, token: str) -> Any:
        await write(number % 16, group, token)
        await request.app.response_cache_config.get_store_from_app(request.app).delete(f"/item/{number % 16}")
        return ["done"]

    core.__annotations__["request"] = module.Request
    typed_read, typed_write = READ.replace("number", "number:int"), WRITE
    for name, kind in (("number", "int"), ("group", "int"), ("token", "str")):
        typed_write = typed_write.replace(f"{{{name}}}", f"{{{name}:{kind}}}")
    reading = module.get(
        typed_read, cache=TTL_S, cache_key_builder=lambda request: request.url.path, media_type="application/json"
    )
    writing = module.post(typed_write, status_code=200)
    return module.Litestar([reading(item), writing(core)], on_startup=[opened])


APPLICATIONS = {"fastapi-cache2": fastapi_cache2, "cashews": cashews, "aiocache": aiocache, "litestar": litestar}

if __name__ == "__main__":
    uvicorn.run(APPLICATIONS[NAME](), host="127.0.0.1", port=PORT, log_level="warning", access_log=False)
