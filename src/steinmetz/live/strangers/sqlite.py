"""Notices that another program has committed to the SQLite file.

A connection of its own is asked for ``PRAGMA data_version`` every `POLL_S`, on the event loop: it is a look into
shared memory, 2 µs. Our own commits are framed as `Versions` needs it, in the thread that commits them: four such
questions more, 15 µs for each transaction that writes, nothing for one that reads.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from steinmetz.cache.invalidation.strangers import Versions
from steinmetz.sql.blind_spots import hook_of
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import SqlHook
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.sql.transaction_observer import HearsOfLosses, TransactionObserver
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from steinmetz.cache import ResponseCache

log = structlog.get_logger("steinmetz.live")

POLL_S = 0.05
"""How long a stranger's commit may go unnoticed."""
CAUSE = "another program"

_writing: ContextVar[bool] = ContextVar("steinmetz_transaction_writes", default=False)


class SqliteStrangers:
    """For one engine on a SQLite file; to be made *before* the engine is hooked, whose COMMIT it stands behind.

    ``noticed`` counts how often somebody else had written, ``looks`` the polls.

    Raises `ValueError` for a database in memory, which nobody else can have, and for an engine that is hooked.
    """

    def __init__(self, engine: Engine | AsyncEngine, *, database: str = "main", poll_s: float = POLL_S) -> None:
        path = engine.url.database
        if engine.dialect.name != "sqlite" or path in (None, "", ":memory:"):
            raise ValueError("only a SQLite file can have other writers that are noticed here")
        self.noticed = 0
        self.looks = 0
        self._path = Path(path)
        self._anything = WriteSet(unknown=frozenset({database}))
        self._poll_s = poll_s
        self._lock = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self._versions = Versions(0)
        self._schema = 0
        self._cache: ResponseCache | None = None
        self._hook: SqlHook | None = None
        self._tasks: Tasks | None = None
        target = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
        if hook_of(target) is not None:
            raise ValueError("make SqliteStrangers before the engine is hooked: it stands behind its COMMIT")
        dialect: Any = target.dialect
        self._send = dialect.do_commit
        dialect.do_commit = self._do_commit

    def join(self, cache: ResponseCache, hook: SqlHook) -> None:
        self._cache, self._hook = cache, hook
        hook.observe_transactions(_Writing())

    def beside(self, observer: TransactionObserver) -> TransactionObserver:
        return _Neighbours(self, observer)

    # -- life

    async def start(self) -> None:
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            watcher = sqlite3.connect(uri, uri=True, timeout=0, check_same_thread=False, isolation_level=None)
            try:
                self._schema = _schema_version(watcher)
            except sqlite3.Error:
                watcher.close()
                raise
        except sqlite3.Error as error:
            log.warning("Commits of other programs will not be noticed", error=str(error))
            return
        with self._lock:
            self._versions, self._watcher = Versions(_version(watcher)), watcher
        self._tasks = Tasks("strangers")
        self._tasks.spawn("poll", self._poll())

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            self.look()

    # -- what is noticed

    def look(self) -> bool:
        """Look now, unless a commit of ours is under way (its frame looks); whether a stranger had written."""
        self.looks += 1
        if self._watcher is None or not self._lock.acquire(blocking=False):
            return False
        try:
            moved = self._versions.look(_version(self._watcher))
        finally:
            self._lock.release()
        if moved:
            self._found()
        return moved

    def _found(self) -> None:
        """Anything may have been written, and read by now: drop all that comes of this database."""
        self.noticed += 1
        say = log.info if self.noticed == 1 else log.debug
        say("Another program has written the database: what was kept of it is dropped", times=self.noticed)
        with open_scope(ScopeKind.COMMAND, CAUSE):
            if self._hook is not None and self._has_other_schema():
                self._hook.schema_changed()  # before the drop: what is learnt from now on is of the new schema
            if self._cache is not None:
                self._cache.invalidate_relations(self._anything)

    def _has_other_schema(self) -> bool:
        with self._lock:
            if self._watcher is None:
                return True
            try:
                schema = _schema_version(self._watcher)
            except sqlite3.Error:
                return True
            known, self._schema = self._schema, schema
            return known != schema

    # -- our own commits

    def _do_commit(self, connection: Any) -> None:
        driver = getattr(connection, "driver_connection", connection)
        if self._watcher is None or not _writing.get():
            self._send(connection)
        elif isinstance(driver, sqlite3.Connection):
            self._commit(driver)
        else:  # aiosqlite: in its thread, all with one way there and back
            await_only(driver._execute(self._commit, driver._conn))

    def _commit(self, raw: sqlite3.Connection) -> None:
        with self._lock:
            moved = self._versions.before(_version(self._watcher))
            own = _version(raw)
            raw.commit()
            # In this order: if nobody else had committed when our own connection is asked, nobody had before.
            version = _version(self._watcher)
            moved |= self._versions.after(version, alone=own is not None and own == _version(raw))
        if moved:
            self._found()

    # -- those of neighbours

    def neighbour_marked(self) -> Versions:
        """A neighbour is about to send COMMIT; what is returned is for `neighbour_ended`."""
        with self._lock:
            versions = self._versions
            moved = versions.neighbour_marked(_version(self._watcher)) and self._watcher is not None
        if moved:
            self._found()
        return versions

    def neighbour_ended(self, versions: Versions) -> None:
        with self._lock:
            versions.neighbour_ended(_version(self._watcher))


def _version(connection: sqlite3.Connection | None) -> int | None:
    """``PRAGMA data_version``; None if it cannot be asked."""
    try:
        return None if connection is None else int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.Error as error:
        log.debug("SQLite does not tell whether others have written", error=str(error))
        return None


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA schema_version").fetchone()[0])


class _Writing:
    """Says to `_do_commit` which transactions have written."""

    def mark(self, writes: WriteSet) -> object:
        _writing.set(True)
        return None

    def bump(self, token: object) -> None:
        _writing.set(False)

    def unmark(self, token: object) -> None:
        _writing.set(False)


class _Neighbours:
    """Passes on what neighbours tell, and frames their commits."""

    def __init__(self, strangers: SqliteStrangers, observer: TransactionObserver) -> None:
        self._strangers = strangers
        self._observer = observer

    def mark(self, writes: WriteSet) -> object:
        return self._strangers.neighbour_marked(), self._observer.mark(writes)

    def bump(self, token: Any) -> None:
        self._end(token, self._observer.bump)

    def unmark(self, token: Any) -> None:
        self._end(token, self._observer.unmark)

    def lost(self, token: Any) -> None:
        """It may be committed yet, and is then a stranger's."""
        observer = self._observer
        self._end(token, observer.lost if isinstance(observer, HearsOfLosses) else observer.bump)

    def _end(self, token: Any, tell: Callable[[object], None]) -> None:
        versions, inner = token
        try:
            tell(inner)
        finally:
            self._strangers.neighbour_ended(versions)
