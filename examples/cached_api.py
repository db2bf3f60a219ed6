"""The response cache alone, in front of an application that says nothing about caching.

Run it: uvicorn examples.cached_api:app   Then ask for /prices twice and look at X-Cache.
"""

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.cache import ResponseCache, cached
from steinmetz.sql import hook

engine = create_async_engine("sqlite+aiosqlite:///prices.db")
api = FastAPI()


@api.get("/prices")
@cached(ttl=300, public=True)
async def prices() -> list[int]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT cents FROM prices ORDER BY cents")))


@api.put("/prices/{cents}")
async def add_price(cents: int) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS prices (cents INTEGER)"))
        await connection.execute(text("INSERT INTO prices VALUES (:cents)"), {"cents": cents})


cache = ResponseCache()
hook(engine).observe_transactions(cache.observer)
app = cache.wrap(api)
