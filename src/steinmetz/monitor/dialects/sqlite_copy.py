"""A private copy of a SQLite database in memory, on which indexes come and go and statements are really run.

Work is counted in steps of SQLite's virtual machine by a progress handler: the same statement on the same data
takes the same number of steps on every machine and on every day, and counting costs nothing that can be measured
(https://www.sqlite.org/c3ref/progress_handler.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.pool import SingletonThreadPool, StaticPool

from steinmetz.clock import perf_ns
from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.dialects.base import CannotExplain, Work, is_many, refuse_unless_runnable
from steinmetz.monitor.dialects.index_set import IndexSet, Standing
from steinmetz.monitor.dialects.sqlite_schema import found_tables, index_texts

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_COPY_MB = 256
"""A database up to this size is copied whole; of a larger one the large tables are sampled."""
SAMPLED_ROWS = 50_000
"""Rows kept of each table of a database that is too large; SQLite copies about a million rows a second."""
MAX_STEPS = 50_000_000
"""A statement that takes more steps is broken off: about a second."""
COARSE = 100
"""Steps between two looks at a long statement; what it is counted too low by, at most."""
FINE_BELOW = 20_000
"""Statements below this many steps are run once more and counted step by step."""


PAUSE_S = 0.05
PAUSES = 100
"""Before copying is given up because somebody writes without end: five seconds."""


class Patience:
    """Hears how copying goes on. The standard library would try for ever while the database is locked."""

    def __init__(self) -> None:
        self._pauses = 0

    def __call__(self, status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            self._pauses += 1
            if self._pauses > PAUSES:
                raise CannotExplain(
                    "the database cannot be copied: a transaction that writes is open all the time"
                )


class Source(Protocol):
    """The database that is copied, behind whatever driver."""

    def rows(self, sql: str) -> Iterable[Sequence[Any]]: ...

    def backup(self, target: sqlite3.Connection) -> None: ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A database opened by the standard library."""

    connection: sqlite3.Connection

    def rows(self, sql: str) -> Iterable[Sequence[Any]]:
        return self.connection.execute(sql)

    def backup(self, target: sqlite3.Connection) -> None:
        self.connection.backup(target, progress=Patience(), sleep=PAUSE_S)


@dataclass(frozen=True, slots=True)
class EngineSource:
    """A database behind a SQLAlchemy connection, pysqlite or aiosqlite."""

    connection: Connection

    def rows(self, sql: str) -> Iterable[Sequence[Any]]:
        return self.connection.exec_driver_sql(sql)

    def backup(self, target: sqlite3.Connection) -> None:
        driver: Any = self.connection.connection.dbapi_connection
        run_async = getattr(driver, "run_async", None)
        # An application may begin with BEGIN IMMEDIATE, and of a connection that writes there is no backup. Where
        # the pool shares one connection, what is open on it is another's.
        is_ours = not isinstance(self.connection.engine.pool, StaticPool | SingletonThreadPool)
        if run_async is None:
            if is_ours:
                driver.rollback()
            driver.backup(target, progress=Patience(), sleep=PAUSE_S)
            return

        async def work(theirs: Any) -> None:
            if is_ours:
                await theirs.rollback()
            await theirs.backup(target, progress=Patience(), sleep=PAUSE_S)

        # aiosqlite's connection belongs to its own thread, which does the work.
        run_async(work)


class SqliteCopy:
    """The data in memory, with the indexes that were asked for last.

    Used by one thread at a time, whichever. ``is_sample`` says that large tables hold a part of their rows;
    ``scale`` is by how much such a table is larger in truth.
    """

    def __init__(self, source: Source, *, max_mb: float = MAX_COPY_MB, max_steps: int = MAX_STEPS) -> None:
        self.max_steps = max_steps
        self.scale: dict[str, float] = {}
        self.raw = in_memory()
        ((pages,),) = source.rows("PRAGMA page_count")
        ((page_bytes,),) = source.rows("PRAGMA page_size")
        ((foreign_keys,),) = source.rows("PRAGMA foreign_keys")
        self.is_sample = pages * page_bytes > max_mb * 1_000_000
        if self.is_sample:
            copy_schema(source.rows(SCHEMA), self.raw)
            self._copy_sample(source)
        else:
            source.backup(self.raw)
            self.raw.execute("PRAGMA journal_mode = MEMORY")
        self.raw.execute("ANALYZE")
        self.raw.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        self.indexes = sqlite_indexes(
            self.raw, lambda index: self.raw.execute(f"ANALYZE {_name(index.shown_name)}")
        )

    def close(self) -> None:
        self.raw.close()

    def run(
        self,
        sql: str,
        values: Any,
        *,
        adding: Sequence[Index] = (),
        without: Sequence[Index] = (),
        max_steps: int | None = None,
    ) -> Work:
        """Run one statement with these indexes and undo what it writes.

        After ``max_steps`` it is broken off, and its work is so much. Raises `CannotExplain` where SQLite refuses.
        """
        refuse_unless_runnable(sql)
        self.indexes.use(adding, without)
        limit = max_steps or self.max_steps
        work = self._counted(sql, values, COARSE, limit)
        if work.steps <= FINE_BELOW and not work.is_broken_off:
            fine = self._counted(sql, values, 1, FINE_BELOW + COARSE)
            work = Work(fine.steps, min(work.duration_ms, fine.duration_ms), fine.rows)
        return work

    def _counted(self, sql: str, values: Any, every: int, limit: int) -> Work:
        calls = 0

        def step() -> int:
            nonlocal calls
            calls += 1
            return calls * every > limit

        self.raw.execute("SAVEPOINT proof")
        self.raw.set_progress_handler(step, every)
        started = perf_ns()
        try:
            rows = _execute(self.raw, sql, values)
        except sqlite3.Error as error:
            if calls * every <= limit:
                raise refusal(error) from None
            rows = 0
        finally:
            self.raw.set_progress_handler(None, 0)
            duration_ms = (perf_ns() - started) / 1e6
            self.raw.execute("ROLLBACK TO proof")
            self.raw.execute("RELEASE proof")
        if calls * every > limit:
            return Work(float(limit), duration_ms, rows, is_broken_off=True)
        return Work(float(calls * every), duration_ms, rows)

    def _copy_sample(self, source: Source) -> None:
        self.raw.execute("PRAGMA foreign_keys = OFF")
        triggers = self.raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            self.raw.execute(f"DROP TRIGGER {_name(name)}")
        listed = self.raw.execute(
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        )
        self.raw.execute("BEGIN")
        for table, without_rowid in listed.fetchall():
            if table.startswith("sqlite_"):
                continue
            ((rows,),) = source.rows(f"SELECT count(*) FROM {_name(table)}")
            names = self.raw.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
            columns, marks = ", ".join(_name(name) for (name,) in names), ", ".join("?" * len(names))
            chosen = source.rows(
                f"SELECT {columns} FROM {sample_of(table, rows, SAMPLED_ROWS, not without_rowid)}"
            )
            insert = f"INSERT OR IGNORE INTO {_name(table)} ({columns}) VALUES ({marks})"
            kept = self.raw.executemany(insert, (tuple(row) for row in chosen)).rowcount
            if rows > SAMPLED_ROWS:
                self.scale[table] = rows / max(kept, 1)
        self.raw.execute("COMMIT")
        for _, sql in triggers:
            self.raw.execute(sql)


def sqlite_indexes(connection: sqlite3.Connection, created: Callable[[Index], Any]) -> IndexSet:
    """The indexes of a private database."""

    def execute(statement: str, name: str) -> None:
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            raise refusal(error, f"the index {name}") from None

    found = {index.name: index for table in found_tables(connection) for index in table.indexes}
    original = {
        name: Standing(found[name], text) for name, text in index_texts(connection).items() if name in found
    }
    return IndexSet(original, execute, created)


SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"


def in_memory() -> sqlite3.Connection:
    """An empty database that any thread may use, one at a time; transactions are ours.

    No statement is kept from its last run: it would go on counting steps where it stopped, and a kept EXPLAIN does
    not see that an index was dropped.
    """
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=0)


def copy_schema(rows: Iterable[Sequence[Any]], target: sqlite3.Connection) -> None:
    """Make tables, indexes, views and triggers anew, empty.

    What needs a function or a module that only the application has registered stays away.
    """
    made = set[str]()
    order = {"table": 0, "index": 1, "view": 2, "trigger": 3}
    for kind, name, sql in sorted(rows, key=lambda row: order[row[0]]):
        # A virtual table brings its shadow tables itself.
        if name.startswith("sqlite_") or name in made:
            continue
        try:
            target.execute(sql)
        except sqlite3.Error:
            continue
        if kind == "table":
            made.update(each for (each,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def sample_of(table: str, rows: int, wanted: int, has_rowid: bool) -> str:
    """What follows FROM to see about ``wanted`` of ``rows``, always the same ones.

    They are chosen by a hash of the rowid, for neighbours, or multiples of ten, are often of one kind.
    """
    name = _name(table)
    if rows <= wanted:
        return name
    share = f"% 1000003 * 48271 % 65537 < {65537 * wanted // rows + 1}"
    if has_rowid:
        return f"(SELECT rowid AS rowid, * FROM {name} WHERE rowid {share})"
    return f"(SELECT * FROM (SELECT *, row_number() OVER () AS place FROM {name}) WHERE place {share})"


def refusal(error: sqlite3.Error, what: str = "the statement") -> CannotExplain:
    """SQLite's refusal without the values that its own words may hold."""
    message = str(error)
    shown = message if message.startswith(_HARMLESS) else ""
    code = getattr(error, "sqlite_errorname", type(error).__name__)
    return CannotExplain(f"SQLite refuses {what}: {code}{': ' + shown if shown else ''}")


_HARMLESS = (
    "no such table",
    "no such function",
    "no such collation",
    "no such module",
    "UNIQUE constraint failed",
    "NOT NULL constraint failed",
    "FOREIGN KEY constraint failed",
    "non-deterministic functions",
)


def _execute(connection: sqlite3.Connection, sql: str, values: Any) -> int:
    if is_many(values):
        return connection.executemany(sql, values).rowcount
    cursor = connection.execute(sql, values or ())
    if cursor.description is None:
        return max(cursor.rowcount, 0)
    return sum(1 for _ in cursor)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
