"""The coordinator that two-phase commits on PostgreSQL need.

A prepared transaction "continues to hold locks" (PREPARE TRANSACTION, Notes) until it is ended, whatever became
of the client, the connection and the process that prepared it. So whoever prepares ends what is left over, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from sqlalchemy import Connection, Executable, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

LOOKS = 20
PAUSE_S = 0.1
"""A transaction given up may be prepared a moment later: it is looked for 20 times, 0.1 s apart."""

_LEFT_OVER = text(
    "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND starts_with(gid, :prefix)"
)


class Coordinator:
    """``name`` is that of this process, after its restart too."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = f"shop-{name}-"
        self._numbers = count()
        self._ending: set[asyncio.Task[None]] = set()

    async def write(self, statement: Executable, prepared: Callable[[], None]) -> None:
        """``statement`` in two phases; ``prepared`` is called between them. Rolled back if it is given up."""
        xid = f"{self._name}{next(self._numbers)}-"  # no name begins another

        def both(connection: Connection) -> None:
            transaction = connection.begin_twophase(xid)
            connection.execute(statement)
            transaction.prepare()
            prepared()
            transaction.commit()

        try:
            async with self._engine.connect() as connection:
                await connection.run_sync(both)
        except BaseException:
            task = asyncio.create_task(self._end(xid))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            raise

    async def recover(self) -> None:
        """Roll back what this process had prepared before it died."""
        await self._roll_back(self._name)

    async def aclose(self) -> None:
        """Wait until what was given up has ended."""
        await asyncio.gather(*self._ending)

    async def _end(self, xid: str) -> None:
        for _ in range(LOOKS):
            if await self._roll_back(xid):
                return
            await asyncio.sleep(PAUSE_S)

    async def _roll_back(self, prefix: str) -> int:
        """How many there were. One that its own connection is about to end counts for none."""
        ended = 0
        async with self._engine.connect() as connection:
            for xid in (await connection.scalars(_LEFT_OVER, {"prefix": prefix})).all():
                with suppress(DBAPIError):
                    await connection.run_sync(Connection.rollback_prepared, xid, recover=True)
                    ended += 1
        return ended
