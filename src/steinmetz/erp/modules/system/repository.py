"""What system asks the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from steinmetz.erp import migrations
from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.system.models import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to leave in; None leaves in everything. ``since`` is included, ``until`` is not."""

    entity: str | None = None
    entity_id: str | None = None
    actor_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def apply(self, query: Select[Any]) -> Select[Any]:
        for column, wanted in (
            (AuditEntry.entity, self.entity),
            (AuditEntry.entity_id, self.entity_id),
            (AuditEntry.actor_id, self.actor_id),
            (AuditEntry.action, self.action),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if self.since is not None:
            query = query.where(AuditEntry.at >= self.since)
        if self.until is not None:
            query = query.where(AuditEntry.at < self.until)
        return query


@named
async def audit(
    session: AsyncSession, wanted: AuditFilter, *, before_id: int | None, limit: int
) -> tuple[Sequence[AuditEntry], int]:
    """The newest ``limit`` entries older than ``before_id``, and how many there are in all."""
    page = wanted.apply(select(AuditEntry)).order_by(AuditEntry.id.desc()).limit(limit)
    if before_id is not None:
        page = page.where(AuditEntry.id < before_id)
    entries = (await session.scalars(page)).all()
    total = await session.scalar(wanted.apply(select(func.count()).select_from(AuditEntry)))
    return entries, total or 0


@named
async def latest(
    session: AsyncSession, limit: int, entities: Collection[str] | None = None
) -> Sequence[AuditEntry]:
    """The newest ``limit`` entries, only those on ``entities`` if given."""
    newest = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if entities is not None:
        newest = newest.where(AuditEntry.entity.in_(entities))
    return (await session.scalars(newest)).all()


@named
async def ask(connection: AsyncConnection) -> None:
    """Raises whatever the driver raises if nobody answers."""
    await connection.execute(text("SELECT 1"))


@named
async def revision(connection: AsyncConnection) -> str | None:
    """The revision of the schema; None for a database that was never migrated."""
    return await connection.run_sync(migrations.current)
