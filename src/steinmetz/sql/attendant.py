"""What is found out about a PostgreSQL database in the background: what waits to be narrowed, and others' DDL.

One connection of its own, made like those of the engine's pool and counted by nobody; on the caller's way nothing
is ever waited for. The schema's fingerprint is looked at every `SCHEMA_POLL_S` (0.5 ms of the server for 40
tables, 4.6 ms for 1,000), so a trigger made by psql is known after that time at the latest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.util import greenlet_spawn

from steinmetz.sql.postgres_catalogue import schema_fingerprint, session_beginning
from steinmetz.sql.probe import ask
from steinmetz.sql.session import BEGINNING

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.engine import SqlHook
    from steinmetz.sql.postgres import PostgresKnowledge

log = structlog.get_logger("steinmetz.sql")

SCHEMA_POLL_S = 5.0
"""How long DDL of others may go unnoticed."""
BATCH = 50
"""Statements that are asked about in one go."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 60.0
"""What was found is put to use by learning all statements anew, after pauses that double: new ones never end."""


class Attendant:
    """Works for one hook until it is cancelled. ``narrow`` false leaves the looking after the schema.

    ``looks`` counts the looks at the schema.
    """

    def __init__(
        self, hook: SqlHook, knowledge: PostgresKnowledge, *, narrow: bool = True, poll_s: float = SCHEMA_POLL_S
    ) -> None:
        self.looks = 0
        self._turned = asyncio.Event()
        self._hook = hook
        self._knowledge = knowledge
        self._narrow = narrow
        self._poll_s = poll_s
        self._pool = hook.engine.pool.recreate()
        self._connection: PoolProxiedConnection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._wake = asyncio.Event()
        self._beginning: str | None = None
        self._found = False  # something that is not in use yet
        self._pause_s = FIRST_PAUSE_S

    async def run(self) -> None:
        """Work until cancelled; an unreachable database is tried again at the next look."""
        loop = asyncio.get_running_loop()
        narrowing = self._knowledge.narrowing

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake.set)

        try:
            next_look_s = next_use_s = loop.time()
            while True:
                self._wake.clear()
                if loop.time() >= next_look_s:
                    await self._aside(self._look)
                    next_look_s = loop.time() + self._poll_s
                if self._narrow and not narrowing.is_attended and await self._aside(self._may_narrow):
                    narrowing.attended_by(wake)
                    self._hook.relearn()  # what has been learnt by now was offered to nobody
                while await self._aside(self._narrow_some):
                    pass
                if self._found and loop.time() >= next_use_s:
                    self._use()
                    next_use_s = loop.time() + self._pause_s
                    self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
                self._turned.set()
                next_s = min(next_look_s, next_use_s) if self._found else next_look_s
                # wait_for of Python 3.11 loses a cancellation that comes together with the waking.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, next_s - loop.time())):
                        await self._wake.wait()
        finally:
            narrowing.attended_by(None)
            with contextlib.suppress(Exception):
                await self._elsewhere(self._close)

    def _use(self) -> None:
        self._found = False
        self._hook.relearn()

    async def settled(self) -> None:
        """Wait until all that waits now has been asked about, and put it to use; `run` must be running."""
        while True:
            self._turned.clear()
            self._wake.set()
            await self._turned.wait()
            if not self._knowledge.narrowing.is_pending:
                self._use()
                return

    async def look(self) -> None:
        """Look at the schema now; for tests and for tools that have changed it elsewhere."""
        await self._aside(self._look)

    async def _aside(self, work: Callable[[PoolProxiedConnection], bool]) -> bool:
        try:
            async with self._one_at_a_time:
                return await self._elsewhere(lambda: self._on_connection(work))
        except Exception as error:
            log.warning("The database could not be asked about its schema", error=type(error).__name__)
            return False

    async def _elsewhere(self, work: Callable[[], bool]) -> bool:
        if self._hook.engine.dialect.is_async:
            return bool(await greenlet_spawn(work))
        return await asyncio.to_thread(work)

    def _on_connection(self, work: Callable[[PoolProxiedConnection], bool]) -> bool:
        if self._connection is None:
            self._connection = self._pool.connect()
        try:
            return work(self._connection)
        except Exception:
            connection, self._connection = self._connection, None
            connection.invalidate()
            raise

    def _close(self) -> bool:
        if self._connection is not None:
            self._connection.close()
        self._pool.dispose()
        return True

    # -- on the connection --------------------------------------------------------------------------------------

    def _look(self, connection: PoolProxiedConnection) -> bool:
        """Whether the schema is another than it was; all that was known is then forgotten and read again."""
        try:
            now = schema_fingerprint(connection)
            self._watch_beginning(connection)
            changed = bool(self._knowledge.fingerprint) and now != self._knowledge.fingerprint
            if changed:
                log.info("The schema has been changed by others; what was known of statements is learnt anew")
                self._hook.schema_changed()
            if self._knowledge.catalogue is None:
                self._knowledge.prime(connection)
            return changed
        finally:
            self.looks += 1
            connection.rollback()

    def _watch_beginning(self, connection: PoolProxiedConnection) -> None:
        """New connections may begin with another search_path than old ones; names are then clear on none."""
        now = session_beginning(connection)
        if self._beginning is not None and now != self._beginning:
            self._stop_narrowing("the search_path that connections begin with has been changed; restart to resume")
        self._beginning = now

    def _may_narrow(self, connection: PoolProxiedConnection) -> bool:
        events = self._hook.engine.pool.dispatch
        if events.checkout or events.checkin or events.reset:
            self._stop_narrowing("listeners of the pool's checkout, checkin or reset may change what names mean")
            return False
        try:
            ask(connection, "SELECT 1", BEGINNING)
        except Exception as error:
            self._stop_narrowing(f"the server does not allow it: {_told(error)}")
            return False
        return True

    def _stop_narrowing(self, reason: str) -> None:
        log.warning("Statements are not narrowed to what the server makes of them", reason=reason)
        self._narrow = False
        self._knowledge.narrowing.attended_by(None)
        self._knowledge.narrowing.forget()
        self._hook.relearn()

    def _narrow_some(self, connection: PoolProxiedConnection) -> bool:
        """Ask about what waits, one after the other; whether there may be more."""
        narrowing = self._knowledge.narrowing
        for _ in range(BATCH):
            question = narrowing.next()
            if question is None:
                return False
            try:
                facts = self._knowledge.narrowed(question, ask(connection, question.text, question.session))
            except Exception as error:
                if self._hook.engine.dialect.is_disconnect(error, connection.dbapi_connection, None):  # type: ignore[arg-type]
                    narrowing.again(question)
                    raise
                facts = None
                log.debug(
                    "A statement was not narrowed", statement=question.shape.text[:200], error=repr(error)[:500]
                )
            self._found = narrowing.answered(question, facts) or self._found
        return True


def _told(error: Exception) -> str:
    """What the server says of a statement; its first line shows no value."""
    return (str(error).splitlines() or [""])[0][:200]
