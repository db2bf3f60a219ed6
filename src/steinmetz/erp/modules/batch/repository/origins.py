"""Which records came from which line of which file, so that a file that comes twice makes them once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named, upsert
from steinmetz.erp.modules.batch.models import BatchOrigin


@named
async def take_origins(session: AsyncSession, keys: Iterable[str]) -> set[str]:
    """Which of ``keys`` are new. They are ours until the end of the unit: whoever comes with one of them waits."""
    taken = set()
    for key in sorted(keys):
        statement = (
            upsert(session)(BatchOrigin)
            .values(key=key, record_id=0)
            .on_conflict_do_nothing(index_elements=[BatchOrigin.key])
            .returning(BatchOrigin.key)
        )
        if (await session.execute(statement)).first() is not None:
            taken.add(key)
    return taken


@named
async def record_of_origin(session: AsyncSession, keys: Sequence[str]) -> int | None:
    """The record that one of ``keys`` leads to."""
    statement = select(func.max(BatchOrigin.record_id)).where(BatchOrigin.key.in_(keys))
    return await session.scalar(statement) or None


@named
async def set_origins(session: AsyncSession, keys: Sequence[str], record_id: int) -> None:
    statement = update(BatchOrigin).where(BatchOrigin.key.in_(keys)).values(record_id=record_id)
    await session.execute(statement.execution_options(synchronize_session=False))
