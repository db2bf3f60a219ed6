"""The hook into one SQLAlchemy engine: every statement's facts, every transaction's true end.

What lives here: the overrides on the dialect *instance*, and who may listen. What a statement touches is asked of
a `Knowledge` (`sqlite.py`, `postgres.py`) and remembered in `statements.py`; how it is run and timed is in
`quick.py` and `runs.py`; the protocol mark -> COMMIT -> bump is in `commits.py` and `marks.py`. What follows from
all that is the observers' business.

Why not engine events: two empty listeners cost ten times as much as the override, set ``engine._has_events`` for
ever, and the engine's ``commit`` event fires before the COMMIT is sent. Where a dialect does not let itself be
overridden, `events.py` makes do with them.

What the hook cannot see, and what to do about it (trap T2): a raw driver connection (COPY through asyncpg), a
foreign ``do_execute`` event that returns True, a second engine on the same database that is not hooked
(`SqlHook.blind_spots` names what it can), and data kept in Python between requests.

Test suites that wrap every test in an outer transaction and roll it back never reach COMMIT (trap T6). They set
`SqlHook.bump_on_release`, so that the release of the outermost savepoint, which is what ``Session.commit`` does
there, counts; `steinmetz.sql.testing` is a fixture for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from steinmetz.sql import blind_spots, events, images
from steinmetz.sql.commits import Commits
from steinmetz.sql.definitions import SchemaObserver
from steinmetz.sql.execution import (
    NEVER_NS,
    Execution,
    ExecutionObserver,
    LagSource,
    PoolObserver,
    RunObserver,
    joined_turning,
)
from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.knowledge import Knowledge, NoKnowledge, Oracle
from steinmetz.sql.pool_wait import PoolWait
from steinmetz.sql.prepared import execute_prepared
from steinmetz.sql.privates import has_prepared_way
from steinmetz.sql.quick import lazy_execute, quick_execute, send_directly, worker_execute
from steinmetz.sql.runs import Runs
from steinmetz.sql.statements import ATTRIBUTE, Statements
from steinmetz.sql.transaction_observer import Grain, TransactionObserver
from steinmetz.sql.worker import is_timed_in_its_thread

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPICursor, Dialect, ExecutionContext

    from steinmetz.sql.attendant import Attendant
    from steinmetz.sql.transaction import ConnectionState

__all__ = ["Execution", "ExecutionObserver", "SqlHook", "hook"]

STATEMENTS = ("do_execute", "do_executemany", "do_execute_no_params")
TRANSACTIONS = (
    "do_begin", "do_commit", "do_rollback", "do_prepare_twophase", "do_commit_twophase", "do_rollback_twophase",
    "do_close", "do_terminate",
)  # fmt: skip
"""Savepoints come by as statements: the dialect's own methods send them through `do_execute`."""
LAG_LOOK_NS = 2_000_000
"""Awaited statements that took longer are compared with the blocks of their event loop."""

By = Literal["auto", "overrides", "events"]


class SqlHook:
    """The facts of one engine and the observers of its executions and transactions; made by `hook`.

    ``by`` tells how it is attached: "overrides", or "events" where the dialect cannot be overridden.
    """

    def __init__(self, engine: Engine, database: str, knowledge: Knowledge, by: By = "auto") -> None:
        self.engine = engine
        self.database = database
        self.knowledge = knowledge
        self._dialect: Dialect = engine.dialect
        self._is_lazy = steps_lazily(engine.dialect)
        self._original: dict[str, Callable[..., Any]] = {
            name: getattr(self._dialect, name) for name in (*STATEMENTS, *TRANSACTIONS)
        }
        self._statements = Statements(database, knowledge)
        self._commits = Commits(self._statements, self._original, is_async=engine.dialect.is_async)
        self._runs = Runs(
            self._statements,
            self._commits,
            database=database,
            is_async=engine.dialect.is_async,
            is_lazy=self._is_lazy,
        )
        self._runs.oracle = getattr(knowledge, "oracle", None)
        self._pool_wait = PoolWait(self._statements)
        without_parameters = self._original["do_execute_no_params"]
        self._run_bare = lambda cursor, statement, _, context: without_parameters(cursor, statement, context)
        self._renew()
        self._overrides: dict[str, Any] = {
            "do_execute": self._quick(),
            "do_executemany": self._do_executemany,
            "do_execute_no_params": self._do_execute_no_params,
            **{name: getattr(self._commits, name) for name in TRANSACTIONS},
            **knowledge.overrides,
            ATTRIBUTE: self,
        }
        self._listening: events.Listening | None = None
        self.by = self._attach(by)
        self._pool_wait.install(engine)

    def __repr__(self) -> str:
        return f"<SqlHook {self.database!r} on {self.engine.dialect.name} by {self.by}>"

    def _attach(self, by: By) -> Literal["overrides", "events"]:
        if by != "events":
            try:
                for name, override in self._overrides.items():
                    setattr(self._dialect, name, override)
            except (AttributeError, TypeError):
                if by == "overrides":
                    raise
                self._take_off()
            else:
                return "overrides"
        self._listening = events.Listening(self.engine, self._runs, self._commits, self._original)
        self._listening.start()
        return "events"

    def _take_off(self) -> None:
        attributes = getattr(self._dialect, "__dict__", {})
        for name, override in self._overrides.items():
            if attributes.get(name) == override:
                delattr(self._dialect, name)

    def _quick(self) -> Callable[..., None]:
        run = self._original["do_execute"]
        direct = getattr(run, "__func__", None) is DefaultDialect.do_execute
        if direct and self._dialect.driver == "aiosqlite" and is_timed_in_its_thread():
            self._runs.has_worker = True
            return worker_execute(self._runs, run)
        if direct and self._is_lazy:
            return lazy_execute(self._runs, run)
        if direct and self._dialect.driver == "asyncpg" and has_prepared_way():
            return quick_execute(self._runs, run, execute_prepared)
        return quick_execute(self._runs, run, send_directly if direct else None)

    def _do_executemany(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext | None = None
    ) -> None:
        self._runs.execute(self._original["do_executemany"], cursor, statement, parameters, True, context)

    def _do_execute_no_params(
        self, cursor: DBAPICursor, statement: str, context: ExecutionContext | None = None
    ) -> None:
        self._runs.execute(self._run_bare, cursor, statement, (), False, context)

    # -- for the other parts ------------------------------------------------------------------------------------

    def observe_transactions(self, observer: TransactionObserver) -> None:
        first = not self._commits.marks.observers
        self._commits.marks.observers = (*self._commits.marks.observers, observer)
        if first:
            self._renew()
            self._statements.write_anything()
            images.listen()

    def observe_schema(self, observer: SchemaObserver) -> None:
        """Tell ``observer`` DDL once it stands committed."""
        self._commits.schema.observers = (*self._commits.schema.observers, observer)

    def observe_executions(self, observer: ExecutionObserver) -> None:
        """Tell ``observer`` every run in full; `observe_runs` is for those who only count."""
        self._runs.execution_observers = (*self._runs.execution_observers, observer)
        self._renew()

    def observe_runs(self, observer: RunObserver) -> None:
        self._runs.observers = (*self._runs.observers, observer)
        self._renew()

    def observe_pool(self, observer: PoolObserver) -> None:
        self._pool_wait.observers = (*self._pool_wait.observers, observer)

    def unobserve(
        self, observer: TransactionObserver | SchemaObserver | ExecutionObserver | RunObserver | PoolObserver
    ) -> None:
        """Call ``observer`` no more; transactions under way still end for it."""
        self._commits.marks.observers = tuple(o for o in self._commits.marks.observers if o != observer)
        self._commits.schema.observers = tuple(o for o in self._commits.schema.observers if o != observer)
        self._runs.execution_observers = tuple(o for o in self._runs.execution_observers if o != observer)
        self._runs.observers = tuple(o for o in self._runs.observers if o != observer)
        self._pool_wait.observers = tuple(o for o in self._pool_wait.observers if o != observer)
        self._renew()

    @property
    def loop_lag(self) -> LagSource | None:
        """Who knows when the event loop was blocked, so that an awaited statement is not called slow for it."""
        return self._runs.lag

    @loop_lag.setter
    def loop_lag(self, source: LagSource | None) -> None:
        self._runs.lag = source
        self._renew()

    def renew(self) -> None:
        """Ask the observers anew for the meters of all statements, such as after their floors have changed."""
        self._renew()

    def settle(self) -> None:
        """Count the statements whose results were dropped unread; whoever reads figures calls it first."""
        self._runs.settle()

    def _renew(self) -> None:
        statements, runs = self._statements, self._runs
        statements.told = bool(self._commits.marks.observers) or runs.oracle is not None
        statements.observers = runs.observers
        runs.turning = joined_turning(runs.observers)
        looks = runs.lag is not None and self._dialect.is_async
        runs.look_ns = min((observer.look_ns for observer in runs.observers), default=NEVER_NS)
        statements.highest_floor_ns = min(LAG_LOOK_NS if looks else NEVER_NS, runs.look_ns)
        if runs.execution_observers:
            statements.highest_floor_ns = -1
        statements.renew()

    def facts_of(self, text: str) -> StatementFacts:
        """What is known of a statement text; unknown in all respects if it has not been executed yet."""
        return self._statements.facts_of(text)

    def schema_changed(self) -> None:
        """Forget all facts. The hook calls it for DDL that it sees; DDL of others is to be told (trap T4)."""
        self._statements.schema_changed()

    @property
    def grain(self) -> Grain:
        """How much the observers are told of what was written; for measuring what the finer grains save."""
        return self._commits.grain

    @grain.setter
    def grain(self, grain: Grain) -> None:
        self._commits.grain = grain

    def state_told(self, connection: Connection) -> ConnectionState | None:
        """The state of a connection if images of what is written through it are wanted."""
        if not self._commits.marks.observers or self._commits.grain is not Grain.IMAGES:
            return None
        return self._statements.state_of(connection.connection)

    @property
    def bump_on_release(self) -> bool:
        """Whether the release of the outermost savepoint counts as a commit (trap T6)."""
        return self._commits.bump_on_release

    @bump_on_release.setter
    def bump_on_release(self, counts: bool) -> None:
        self._commits.bump_on_release = counts

    @property
    def failpoint(self) -> Callable[[str], None] | None:
        """If set by a test, called with "marked" before COMMIT is sent and "committed" before the bump."""
        return self._commits.failpoint

    @failpoint.setter
    def failpoint(self, failpoint: Callable[[str], None] | None) -> None:
        self._commits.failpoint = failpoint

    def relearn(self) -> None:
        """Work out all facts anew at their next use: more is known of the same schema."""
        self._statements.relearn()

    @property
    def oracle(self) -> Oracle | None:
        """What compares, now and then, what was written with what was predicted; None to leave it."""
        return self._runs.oracle

    @oracle.setter
    def oracle(self, oracle: Oracle | None) -> None:
        self._runs.oracle = oracle
        self._renew()

    async def attend(self, *, narrow: bool = True) -> None:
        """Find out more about the database in the background, until cancelled; ends at once if there is nothing.

        On PostgreSQL: narrow what statements touch to what the server itself makes of them (``narrow``), and
        notice DDL of others. It has a connection of its own.
        """
        if (attendant := self.attendant(narrow=narrow)) is not None:
            await attendant.run()

    def attendant(self, *, narrow: bool = True, poll_s: float | None = None) -> Attendant | None:
        """What `attend` runs; None if this engine needs none. To be made on the running loop."""
        from steinmetz.sql.postgres import PostgresKnowledge

        if not isinstance(self.knowledge, PostgresKnowledge):
            return None
        from steinmetz.sql.attendant import SCHEMA_POLL_S, Attendant

        return Attendant(self, self.knowledge, narrow=narrow, poll_s=poll_s or SCHEMA_POLL_S)

    def prime_sync(self) -> None:
        """Read the database's catalogue now; to be called at start, after migrations. Sync engines only."""
        with self.engine.connect() as connection:
            self.knowledge.prime(connection.connection)

    async def prime(self) -> None:
        """`prime_sync` for async engines."""
        if self._dialect.is_async:
            await greenlet_spawn(self.prime_sync)
        else:
            await asyncio.to_thread(self.prime_sync)

    def blind_spots(self) -> list[str]:
        """Reasons why statements may pass this engine unseen; empty if there is none known."""
        return blind_spots.of(self)

    def replaced(self) -> list[str]:
        """The overrides that are not in their place any more."""
        attributes = getattr(self._dialect, "__dict__", {})
        names = (*STATEMENTS, *TRANSACTIONS)
        return [name for name in names if attributes.get(name) != self._overrides[name]]

    def remove(self) -> None:
        """Give the dialect its own methods back. Transactions under way are bumped no more."""
        self._take_off()
        self._pool_wait.remove()
        if self._listening is not None:
            self._listening.stop()
        blind_spots.forget(self)


def steps_lazily(dialect: Dialect) -> bool:
    """Whether the driver runs a query while its rows are fetched, so that ``execute`` says nothing of its time."""
    return dialect.name == "sqlite" and not dialect.is_async


def hook(engine: Engine | AsyncEngine, *, database: str = "main", by: By = "auto") -> SqlHook:
    """Hook ``engine``, whose database the other parts call ``database``; a second call returns the same hook.

    ``by="events"`` uses SQLAlchemy's official events alone. They cost some 1.3 µs a statement more, and a commit
    is known to stand only when its connection goes on or is given back; "auto" does so for a dialect that does not
    let itself be overridden.

    Raises `ValueError` if the engine is already hooked under another name of its database.
    """
    target: Engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    existing: SqlHook | None = blind_spots.hook_of(target)
    if existing is not None:
        if existing.database != database:
            raise ValueError(f"this engine is already hooked as {existing.database!r}, not {database!r}")
        return existing
    made = SqlHook(target, database, _knowledge_of(target, database), by)
    blind_spots.remember(made)
    return made


def _knowledge_of(engine: Engine, database: str) -> Knowledge:
    if engine.dialect.name == "sqlite":
        from steinmetz.sql.sqlite import SqliteKnowledge

        return SqliteKnowledge(database)
    if engine.dialect.name == "postgresql":
        from steinmetz.sql.postgres import PostgresKnowledge

        return PostgresKnowledge(database, engine.dialect)
    return NoKnowledge()
