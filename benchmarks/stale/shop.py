"""An application that reads in every way and writes in every way, behind the cache, on SQLite or PostgreSQL.

Its database numbers the states of each register itself: a trigger writes every state into ``ledger`` in the very
transaction that makes it, whatever statement did. So the truth needs no bookkeeping of the application's, and a
raw UPDATE leaves the same trace as the ORM.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from sqlalchemy import ForeignKey, create_engine, event, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.stale.coordinator import Coordinator
from steinmetz.cache import Admission, Admitted, Principal, Refused, ResponseCache, cached
from steinmetz.cache.policy.consistency import Consistency
from steinmetz.live import Live, Place, install
from steinmetz.sql.engine import hook

ITEMS, GROUPS, PARENTS, USERS = 16, 4, 4, 8
CONFLICT = 409


class Base(DeclarativeBase):
    pass


class Group(Base):
    __tablename__ = "groups"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    version: Mapped[int]
    token: Mapped[str]


class Parent(Base):
    __tablename__ = "parents"
    id: Mapped[int] = mapped_column(primary_key=True)


class Child(Base):
    __tablename__ = "children"
    parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str]


class Life(Base):
    """Which life a parent is in: no answer reads it, its trigger numbers the states of the child."""

    __tablename__ = "lives"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    token: Mapped[str]


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    token: Mapped[str]


class Tally(Base):
    __tablename__ = "tally"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]


class Ledger(Base):
    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(primary_key=True)
    register: Mapped[str]
    number: Mapped[int]
    token: Mapped[str]
    group_id: Mapped[int | None]


_NOTES = {
    "items": "INSERT INTO ledger (register, number, token, group_id)"
    " VALUES ('item:' || NEW.id, NEW.version, NEW.token, NEW.group_id);",
    "lives": "INSERT INTO ledger (register, number, token) VALUES ('child:' || NEW.id, NEW.version, NEW.token);",
    "users": "INSERT INTO ledger (register, number, token) VALUES ('user:' || NEW.id, NEW.version, NEW.token);"
    " UPDATE tally SET n = n + 1 WHERE id = 1;",
}
_VIEW = "CREATE VIEW item_tokens AS SELECT id, token, group_id FROM items"


def triggers(dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER noted_{table} AFTER UPDATE ON {table} BEGIN {note} END"
            for table, note in _NOTES.items()
        ]
    made = []
    for table, note in _NOTES.items():
        head = f"CREATE FUNCTION note_{table}() RETURNS trigger LANGUAGE plpgsql AS"
        made.append(f"{head} $$BEGIN {note} RETURN NULL; END$$")
        made.append(
            f"CREATE TRIGGER noted_{table} AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION note_{table}()"
        )
    return made


def made_engine(url: str) -> AsyncEngine:
    if url.startswith("sqlite"):
        engine = create_async_engine(url, pool_size=8, max_overflow=8)
        event.listen(engine.sync_engine, "connect", _tuned)
        return engine
    return create_async_engine(url, pool_size=6, max_overflow=4)


def _tuned(connection: Any, _: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "foreign_keys=ON", "busy_timeout=4000"):
        connection.execute(f"PRAGMA {pragma}")


async def fill(engine: AsyncEngine) -> None:
    """Make the tables and the first state of everything."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text(_VIEW))
        for trigger in triggers(engine.dialect.name):
            await connection.execute(text(trigger.replace(":", "\\:")))
    async with AsyncSession(engine) as session, session.begin():
        session.add_all(Group(id=number, name=f"group {number}") for number in range(GROUPS))
        session.add_all(Parent(id=number) for number in range(PARENTS))
        session.add_all(User(id=number, version=0, token=f"u{number}") for number in range(USERS))
        session.add(Tally(id=1, n=0))
        await session.flush()
        session.add_all(
            Item(id=number, group_id=number % GROUPS, version=0, token=f"i{number}") for number in range(ITEMS)
        )
        session.add_all(Child(parent_id=number, token=f"c{number}") for number in range(PARENTS))
        session.add_all(Life(id=number, version=0, token=f"c{number}") for number in range(PARENTS))


class Pauses:
    """Failpoints: with ``chance``, whoever comes by waits a little, each hazard at its own place.

    On an event loop others go on meanwhile; a thread really sleeps. ``deadly`` names the place at which the next
    one to come kills this process.
    """

    def __init__(self, seed: int, chance: float, longest_s: float) -> None:
        self.chance = chance
        self.deadly = ""
        self._random = Random(seed)
        self._longest_s = longest_s

    def _drawn(self) -> float | None:
        return self._random.random() * self._longest_s if self._random.random() < self.chance else None

    async def here(self) -> None:
        pause_s = self._drawn()
        if pause_s is not None:
            await asyncio.sleep(pause_s)

    def in_commit(self, point: str) -> None:
        """For `SqlHook.failpoint`."""
        if point == self.deadly:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)
        pause_s = self._drawn()
        if pause_s is None:
            return
        if in_greenlet():
            await_only(asyncio.sleep(pause_s))
        else:
            time.sleep(pause_s)


class Callers:
    """``Authorization: Bearer <user id>``; what is known of a user is read from the database (H28)."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], pauses: Pauses) -> None:
        self._sessions = sessions
        self._pauses = pauses

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        return next((value for name, value in headers if name == b"authorization"), None)

    async def authenticate(self, credential: bytes) -> Admission:
        async with self._sessions() as session:
            user = await session.get(User, int(credential.removeprefix(b"Bearer ")))
        await self._pauses.here()
        if user is None:
            return Refused("unknown")
        return Admitted(Principal(str(user.id), "user", detail=user.token))


class Shop:
    """The routes, the engine, the cache in front: `app` is what to call."""

    def __init__(
        self,
        url: str,
        *,
        seed: int = 0,
        chance: float = 0.1,
        longest_s: float = 0.003,
        place: Place | None = None,
        consistency: Consistency | str = "session",
        cache: Callable[[Callers], ResponseCache] = lambda callers: ResponseCache(authenticator=callers),
    ) -> None:
        self.engine = made_engine(url)
        self._coordinator = Coordinator(self.engine, str(seed))
        self.pauses = Pauses(seed, chance, longest_s)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.cache = cache(Callers(self.sessions, self.pauses))
        self._consistency = consistency
        inner = Starlette(routes=self._routes(), lifespan=self._lifespan)
        self.live: Live = install(inner, engine=self.engine, cache=self.cache, place=place)
        self.live.hook.failpoint = self.pauses.in_commit
        self.app = self.live
        self._threaded = None
        if url.startswith("sqlite"):
            self._threaded = create_engine(url.replace("+aiosqlite", ""))
            event.listen(self._threaded, "connect", _tuned)
            sync = hook(self._threaded)
            sync.failpoint = self.pauses.in_commit
            sync.observe_transactions(self.cache.observer)
            if self.live.ringer is not None:
                sync.observe_transactions(self.live.ringer)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        await self.live.hook.prime()
        if self.engine.dialect.name == "postgresql":
            await self._coordinator.recover()
        yield
        await self.close()

    async def close(self) -> None:
        await self._coordinator.aclose()
        self.live.hook.remove()
        await self.engine.dispose()
        if self._threaded is not None:
            hook(self._threaded).remove()
            self._threaded.dispose()

    # -- reading

    def _routes(self) -> list[Route]:
        return [
            self._get("/item/{id:int}", self.item),
            self._get("/view/{id:int}", self.view),
            self._get("/group/{id:int}", self.group),
            self._get("/joined/{id:int}", self.joined),
            self._get("/total", self.total),
            self._get("/tally", self.tally),
            self._get("/child/{id:int}", self.child),
            self._get("/mine/{id:int}", self.mine, public=False),
            Route("/whoami", self.whoami),
            *(
                Route(f"/write/{name}/{{id:int}}/{{group:int}}/{{token}}", self._writing(write), methods=["POST"])
                for name, write in WRITES.items()
            ),
            Route("/deadly", self.make_deadly, methods=["POST"]),
            Route("/stats", self.stats),
        ]

    def _get(
        self, path: str, read: Callable[[AsyncSession, Request], Awaitable[Any]], *, public: bool = True
    ) -> Route:
        @cached(ttl=600, public=public, consistency=self._consistency)
        async def endpoint(request: Request) -> JSONResponse:
            async with self.sessions() as session:
                found = await read(session, request)
                await self.pauses.here()  # H1, H2: computed, and not kept yet
            return JSONResponse(found)

        return Route(path, endpoint)

    async def item(self, session: AsyncSession, request: Request) -> Any:
        return await session.scalar(select(Item.token).where(Item.id == request.path_params["id"]))

    async def view(self, session: AsyncSession, request: Request) -> Any:
        return await session.scalar(
            text("SELECT token FROM item_tokens WHERE id = :id"), {"id": request.path_params["id"]}
        )

    async def group(self, session: AsyncSession, request: Request) -> Any:
        found = await session.execute(
            select(Item.id, Item.token).where(Item.group_id == request.path_params["id"])
        )
        return {str(number): token for number, token in found}

    async def joined(self, session: AsyncSession, request: Request) -> Any:
        found = await session.execute(
            select(Item.id, Item.token)
            .join(Group, Group.id == Item.group_id)
            .where(Group.name == f"group {request.path_params['id']}")
        )
        return {str(number): token for number, token in found}

    async def total(self, session: AsyncSession, request: Request) -> Any:
        return int(await session.scalar(select(func.sum(Item.version))) or 0)

    async def tally(self, session: AsyncSession, request: Request) -> Any:
        return await session.scalar(select(Tally.n))

    async def child(self, session: AsyncSession, request: Request) -> Any:
        return await session.scalar(select(Child.token).where(Child.parent_id == request.path_params["id"]))

    async def mine(self, session: AsyncSession, request: Request) -> Any:
        token = await session.scalar(select(Item.token).where(Item.id == request.path_params["id"]))
        return {"user": request.scope["steinmetz.admission"].principal.subject, "token": token}

    async def whoami(self, request: Request) -> Response:
        """H28: not cached, but its caller's admission is."""
        principal = request.scope["steinmetz.admission"].principal
        return JSONResponse({"user": principal.subject, "token": principal.detail})

    # -- writing

    def _writing(self, write: Callable[..., Awaitable[None]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            asked = request.path_params
            try:
                await write(self, asked["id"], asked["group"], asked["token"])
            except (DBAPIError, RolledBack) as error:
                return JSONResponse(type(error).__name__, CONFLICT)
            return JSONResponse("done")

        return endpoint

    async def by_orm(self, number: int, group: int, token: str) -> None:
        async with self.sessions.begin() as session:
            item = await session.get(Item, number % ITEMS, with_for_update=True)
            assert item is not None
            item.version = Item.version + 1  # counted by the database
            item.token, item.group_id = token, group % GROUPS  # H25: it changes its list

    async def by_core(self, number: int, group: int, token: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(_update(number % ITEMS, token, group))

    async def by_text(self, number: int, group: int, token: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(
                text("UPDATE items SET version = version + 1, token = :token WHERE id = :id"),
                {"id": number % ITEMS, "token": token},
            )

    async def in_bulk(self, number: int, group: int, token: str) -> None:
        several = sorted({number % ITEMS, (number * 7 + 3) % ITEMS, (number * 5 + 1) % ITEMS})
        async with self.engine.begin() as connection:
            await connection.execute(
                update(Item).where(Item.id.in_(several)).values(version=Item.version + 1, token=token)
            )

    async def through_savepoints(self, number: int, group: int, token: str) -> None:
        """H6: the inner one is undone, the outer one stands."""
        async with self.sessions.begin() as session:
            await session.execute(_update(number % ITEMS, token, group))
            inner = await session.begin_nested()
            await session.execute(_update(number % ITEMS, f"undone-{token}", group))
            await inner.rollback()

    async def in_autocommit(self, number: int, group: int, token: str) -> None:
        """H12."""
        async with self.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(_update(number % ITEMS, token, group))

    async def in_a_thread(self, number: int, group: int, token: str) -> None:
        threaded = self._threaded
        if threaded is None:
            return await self.by_core(number, group, token)

        def write() -> None:
            with threaded.begin() as connection:
                connection.execute(_update(number % ITEMS, token, group))

        await asyncio.to_thread(write)
        return None

    async def in_two_phases(self, number: int, group: int, token: str) -> None:
        if self.engine.dialect.name == "sqlite":
            return await self.by_core(number, group, token)
        await self._coordinator.write(
            _update(number % ITEMS, token, group), lambda: self.pauses.in_commit("prepared")
        )
        return None

    async def undone(self, number: int, group: int, token: str) -> None:
        """H5: what was written is rolled back; half of the time by an error of the database."""
        async with self.sessions.begin() as session:
            await session.execute(_update(number % ITEMS, token, group))
            await self.pauses.here()
            if number % 2:
                await session.execute(text("INSERT INTO groups (id, name) VALUES (0, 'twice')"))
            raise RolledBack

    async def by_cascade(self, number: int, group: int, token: str) -> None:
        """H11: the child goes with its parent, and comes back with it."""
        number %= PARENTS
        async with self.sessions.begin() as session:
            life = update(Life).where(Life.id == number).values(version=Life.version + 1)
            await session.execute(life.values(token=token))  # locks it
            if await session.scalar(select(Parent.id).where(Parent.id == number)) is None:
                await session.execute(text("INSERT INTO parents (id) VALUES (:id)"), {"id": number})
                session.add(Child(parent_id=number, token=token))
            else:
                await session.execute(text("DELETE FROM parents WHERE id = :id"), {"id": number})

    async def of_a_user(self, number: int, group: int, token: str) -> None:
        """What an admission rests upon; its trigger moves the tally."""
        async with self.engine.begin() as connection:
            await connection.execute(
                update(User).where(User.id == number % USERS).values(version=User.version + 1, token=token)
            )

    # -- for the run

    async def make_deadly(self, request: Request) -> Response:
        self.pauses.deadly = request.query_params["point"]
        return Response()

    async def stats(self, request: Request) -> Response:
        return JSONResponse(self.cache.stats())


class RolledBack(Exception):  # noqa: N818  it is what was wanted
    """The transaction was undone on purpose."""


def _update(number: int, token: str, group: int) -> Any:
    row = update(Item).where(Item.id == number)
    return row.values(version=Item.version + 1, token=token, group_id=group % GROUPS)


WRITES: dict[str, Callable[..., Awaitable[None]]] = {
    "orm": Shop.by_orm,
    "core": Shop.by_core,
    "text": Shop.by_text,
    "bulk": Shop.in_bulk,
    "savepoint": Shop.through_savepoints,
    "autocommit": Shop.in_autocommit,
    "thread": Shop.in_a_thread,
    "two-phase": Shop.in_two_phases,
    "undone": Shop.undone,
    "cascade": Shop.by_cascade,
    "user": Shop.of_a_user,
}
