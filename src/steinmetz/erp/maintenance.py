"""The door that every writing unit goes through: while maintenance is on, nobody but the system itself writes.

`Database.unit` asks `admit` as the first statement of the transaction that will write, so that no route, event or
service can forget it, and no write slips in after the switch. On SQLite the transaction holds the only pen
already. On PostgreSQL it takes an advisory lock first, shared with all other writers; the switch takes it alone
(`take_switch`) and so waits for the writers under way: once ``maintenance on`` has returned, none commits any
more. The lock and the question are two statements: one alone would see the row as it was before it waited.

The advisory lock is in memory only, where ``FOR SHARE`` on the row would write it for every writer.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Integer, String, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.errors import UnderMaintenance
from steinmetz.erp.kit.columns import Instant

SWITCH_ID = 1
"""The one row of ``maintenance``."""
PATIENCE = "20s"
"""How long the switch waits for writers under way; longer, and it is refused as unavailable."""

_SWITCH = table(
    "maintenance",
    column("id", Integer),
    column("is_enabled", Boolean),
    column("message", String),
    column("until", Instant),
)
_STATE = select(_SWITCH.c.message, _SWITCH.c.until).where(_SWITCH.c.id == SWITCH_ID, _SWITCH.c.is_enabled)
_LOCK = func.hashtext("steinmetz.maintenance")
_SHARE = select(func.pg_advisory_xact_lock_shared(_LOCK))
_TAKE = select(func.pg_advisory_xact_lock(_LOCK))


async def admit(session: AsyncSession, now: datetime) -> None:
    """Raises `UnderMaintenance`. Without it, maintenance stays off until the end of this transaction."""
    await share_switch(session)
    state = (await session.execute(_STATE)).first()
    if state is not None:
        raise UnderMaintenance(state.message, state.until, now)


async def share_switch(session: AsyncSession) -> None:
    """The state, read after this, stands until the end of the transaction."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(_SHARE)


async def take_switch(session: AsyncSession) -> None:
    """Wait for all who write, and hold back all who want to, until the end of the transaction.

    Raises `DBAPIError` (lock not available) after `PATIENCE`.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.set_config("lock_timeout", PATIENCE, True)))
        await session.execute(_TAKE)
