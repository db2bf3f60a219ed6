"""Cache, monitor and live events around a FastAPI application of your own.

Run it: uvicorn examples.all_three:app   Then: curl -i localhost:8000/notes   and POST to the same path.
Clients hear of every commit: socket.on("live:update", show).emit("live:subscribe", {path: "/notes"}, show)
"""

from fastapi import FastAPI
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.cache import Principal, ResponseCache, cached
from steinmetz.live import install
from steinmetz.monitor import QueryMonitor
from steinmetz.realtime import Config, Server

engine = create_async_engine("sqlite+aiosqlite:///notes.db")
notes = Table("notes", MetaData(), Column("id", Integer, primary_key=True), Column("text", String))
api, io, monitor = FastAPI(), Server(Config(require_auth=False)), QueryMonitor()
io.on("connection", lambda socket: socket.join("readers"))


@api.get("/notes")
@cached(ttl=300, public=True, live=True)
async def read_notes() -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(select(notes.c.text).order_by(notes.c.id)))


@api.post("/notes", status_code=201)
async def write_note(text: str) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(notes.metadata.create_all)
        await connection.execute(insert(notes).values(text=text))


app = install(api, engine=engine, io=io, cache=ResponseCache(), monitor=monitor)
app.bind("/notes", room="readers", event="notes:update", principal=Principal("system", "reader", None))
