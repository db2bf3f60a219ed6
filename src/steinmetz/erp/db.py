"""One request, one transaction, one commit edge.

A `Unit` is the unit of work of one request, job or command. Its session is committed exactly once, at the edge
(`Unit.commit`), and only then are its announcements published: nothing is said to the world before the commit
stands, and nothing on rollback.

On SQLite the driver's own transaction handling is switched off (it would begin only at the first write, so that
two readings of one request could see two states): ``BEGIN`` is sent for readers, ``BEGIN IMMEDIATE`` for writers,
who then wait for each other instead of failing half-way. On PostgreSQL readers get one snapshot
(``REPEATABLE READ``, read only).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from steinmetz.clock import Clock, SystemClock
from steinmetz.erp import maintenance
from steinmetz.erp.kit.announcements import Publication as Publication
from steinmetz.erp.kit.roles import SYSTEM, Actor
from steinmetz.erp.recall import Recall
from steinmetz.sql.scope import ScopeKind, current_scope

DATABASE_NAME = "main"
"""The name of the ERP's database in read and write sets."""

BUSY_S = 5
"""How long a writer waits for SQLite's pen."""

PAGES_KIB = 500
"""So much of the database each SQLite connection keeps, a quarter of SQLite's own figure: there are ten
connections and more, and a commit of one makes void what the others keep."""

Publisher = Callable[[Publication], None]

P = ParamSpec("P")
T = TypeVar("T")

_writes: ContextVar[bool] = ContextVar("steinmetz_unit_writes", default=True)


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for ``sqlite+aiosqlite`` or ``postgresql+asyncpg``, its transactions as described above.

    Its errors do not tell what was bound to the statement: whoever logs one cannot log a secret.
    """
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, hide_parameters=True
        )
        _prepare_postgres(engine)
        return engine
    # Who came back last goes out first: each connection has a thread, and memory, that few need at the same time.
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"isolation_level": None},
    )
    _prepare_sqlite(engine)
    return engine


def _prepare_postgres(engine: AsyncEngine) -> None:
    dialect = engine.sync_engine.dialect
    connect = dialect.connect

    def connect_or_say(*arguments: Any, **options: Any) -> Any:
        try:
            return connect(*arguments, **options)
        except OSError as error:
            # A server that is not there is an error of the operating system, which SQLAlchemy lets pass as it is.
            raise dialect.loaded_dbapi.OperationalError(f"no connection ({type(error).__name__})") from error

    dialect.connect = connect_or_say  # type: ignore[method-assign]


def _prepare_sqlite(engine: AsyncEngine) -> None:
    dialect = engine.sync_engine.dialect

    def do_begin(dbapi_connection: Any) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if _writes.get() and not _is_monitors() else "BEGIN")
        cursor.close()

    dialect.do_begin = do_begin  # type: ignore[method-assign]

    # A listener on the pool, not on the engine: an engine listener would tax every statement for ever.
    @event.listens_for(engine.sync_engine.pool, "connect")
    def configure(dbapi_connection: Any, record: Any) -> None:
        cursor = dbapi_connection.cursor()
        for pragma in (
            "foreign_keys=ON",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"busy_timeout={1000 * BUSY_S}",
            f"cache_size=-{PAGES_KIB}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


@dataclass(slots=True)
class Unit:
    """The unit of work: a session, who acts, and what will be announced."""

    session: AsyncSession
    actor: Actor
    now: datetime
    """The instant of this unit; all its writes carry the same."""
    request_id: str
    publisher: Publisher
    writes: bool
    recall: Recall | None = None
    """Where figures are kept between units; None where they are to be asked for."""
    _outbox: list[Publication | Callable[[], None]] = field(default_factory=list)

    def publish(self, publication: Publication) -> None:
        """Say this after the commit; forget it on rollback."""
        self._outbox.append(publication)

    def afterwards(self, act: Callable[[], None]) -> None:
        """Do this, in its turn among what is said, after the commit; forget it on rollback."""
        self._outbox.append(act)

    async def recalled(
        self, figure: Callable[Concatenate[Unit, P], Awaitable[T]], *values: P.args, **named: P.kwargs
    ) -> T:
        """``figure(unit, ...)``, from memory if nothing that it was read from has been written since.

        A commit that comes in between may show in some figures of an answer and not in others. Such an answer is
        given only to those who asked while it was under way, and not kept.
        """
        if self.recall is None:
            return await figure(self, *values, **named)
        return await self.recall(figure, self, *values, **named)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail alone: if the block raises, what it wrote and meant to say is taken back."""
        said = len(self._outbox)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self._outbox[said:]
            raise

    async def commit(self) -> None:
        """The one edge. A cancellation waits until the fate of the COMMIT is known (trap T7)."""
        edge = asyncio.ensure_future(self._commit_and_publish())
        try:
            await asyncio.shield(edge)
        except asyncio.CancelledError:
            await asyncio.wait([edge])
            raise

    async def _commit_and_publish(self) -> None:
        await self.session.commit()
        outbox, self._outbox = self._outbox, []
        for publication in outbox:
            if callable(publication):
                publication()
            else:
                self.publisher(publication)


def _is_asked_for() -> bool:
    """Whether somebody outside waits for what happens now."""
    scope = current_scope()
    return scope is not None and scope.kind in (ScopeKind.REQUEST, ScopeKind.EVENT)


def _is_monitors() -> bool:
    """Whether the monitor asks for itself: it keeps no writer waiting."""
    scope = current_scope()
    return scope is not None and scope.kind is ScopeKind.MONITOR


class Database:
    """The engine with its sessions and units.

    ``publisher`` is called on the event loop, once per publication of a committed unit, in order.
    """

    def __init__(self, url: str, *, clock: Clock | None = None, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.engine = make_engine(url, pool_size=pool_size)
        self.clock: Clock = clock or SystemClock()
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.publisher: Publisher = lambda publication: None
        self.recall: Recall | None = None
        self._pen = asyncio.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def unit(
        self,
        *,
        actor: Actor = SYSTEM,
        writes: bool = True,
        request_id: str = "",
        despite_maintenance: bool = False,
        recalls: bool = False,
    ) -> AsyncIterator[Unit]:
        """A unit of work that commits when the block ends well and rolls back when it raises.

        While maintenance is on, a unit that writes is refused (`UnderMaintenance`) unless it is the system's own:
        of the scheduler, a worker, a command. Whatever a request or a socket's event asks for is not the system's,
        whoever acts; ``despite_maintenance`` is for signing in and out, and for the switch itself. With
        ``recalls`` it may be given figures that are kept between units (`Unit.recalled`).
        """
        async with self._turn(writes=writes), self.sessions() as session:
            await self._begin(session, writes=writes)
            if writes and not despite_maintenance and (actor != SYSTEM or _is_asked_for()):
                await maintenance.admit(session, self.clock.now())
            recall = self.recall if recalls else None
            unit = Unit(session, actor, self.clock.now(), request_id, self.publisher, writes, recall)
            yield unit
            await unit.commit()

    @asynccontextmanager
    async def _turn(self, *, writes: bool) -> AsyncIterator[None]:
        """Writers of one process get SQLite's one pen in the order in which they came.

        Left to itself SQLite lets each ask again after pauses that grow to 100 ms, and gives it to whoever asks at
        the right moment: one that writes without a pause, such as a batch job, lets the others wait for seconds.
        """
        if not (writes and self.is_sqlite):
            yield
            return
        try:
            async with asyncio.timeout(BUSY_S):
                await self._pen.acquire()
        except TimeoutError:
            raise PoolTimeoutError(f"no turn to write within {BUSY_S} s") from None
        try:
            yield
        finally:
            self._pen.release()

    async def _begin(self, session: AsyncSession, *, writes: bool) -> None:
        if self.is_sqlite:
            token = _writes.set(writes)
            try:
                await session.connection()
            finally:
                _writes.reset(token)
        elif not writes:
            await session.connection(
                execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )

    async def close(self) -> None:
        await self.engine.dispose()
