"""What system asks the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from steinmetz.erp import migrations
from steinmetz.erp.kit.queries import named
from steinmetz.erp.maintenance import SWITCH_ID
from steinmetz.erp.modules.system.models import AuditEntry, ChoreRun, Maintenance, RetentionTerm, SignInEntry
from steinmetz.erp.modules.system.rules import Outcome


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to leave in; None leaves in everything. ``since`` is included, ``until`` is not."""

    entity: str | None = None
    entity_id: str | None = None
    actor_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    request_id: str | None = None
    search: str | None = None
    """In summary, action, name of the actor or id of the record, wherever it stands there."""

    def apply(self, query: Select[Any]) -> Select[Any]:
        for column, wanted in (
            (AuditEntry.entity, self.entity),
            (AuditEntry.entity_id, self.entity_id),
            (AuditEntry.actor_id, self.actor_id),
            (AuditEntry.action, self.action),
            (AuditEntry.request_id, self.request_id),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if self.search:
            places = (AuditEntry.summary, AuditEntry.action, AuditEntry.actor_name, AuditEntry.entity_id)
            query = query.where(or_(*(place.icontains(self.search, autoescape=True) for place in places)))
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
async def audit_entry(session: AsyncSession, entry_id: int) -> AuditEntry | None:
    return await session.get(AuditEntry, entry_id)


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
async def last_audit_id(session: AsyncSession) -> int:
    """The id of the newest entry; 0 if there is none."""
    return await session.scalar(select(func.max(AuditEntry.id))) or 0


@named
async def audit_after(
    session: AsyncSession, wanted: AuditFilter, *, after_id: int, last_id: int, limit: int
) -> Sequence[AuditEntry]:
    """``limit`` entries, oldest first, with ids above ``after_id`` and up to ``last_id``."""
    span = wanted.apply(select(AuditEntry)).where(AuditEntry.id > after_id, AuditEntry.id <= last_id)
    return (await session.scalars(span.order_by(AuditEntry.id).limit(limit))).all()


@named
async def sign_ins(
    session: AsyncSession,
    *,
    user_id: int | None,
    outcome: Outcome | None,
    since: datetime | None,
    until: datetime | None,
    before_id: int | None,
    limit: int,
) -> tuple[Sequence[SignInEntry], int]:
    """The newest ``limit`` entries older than ``before_id``, and how many there are in all."""
    conditions: list[ColumnElement[bool]] = []
    if user_id is not None:
        conditions.append(SignInEntry.user_id == user_id)
    if outcome is not None:
        conditions.append(SignInEntry.outcome == outcome)
    if since is not None:
        conditions.append(SignInEntry.at >= since)
    if until is not None:
        conditions.append(SignInEntry.at < until)
    page = select(SignInEntry).where(*conditions).order_by(SignInEntry.id.desc()).limit(limit)
    if before_id is not None:
        page = page.where(SignInEntry.id < before_id)
    total = await session.scalar(select(func.count()).select_from(SignInEntry).where(*conditions))
    return (await session.scalars(page)).all(), total or 0


@named
async def delete_log_entries(
    session: AsyncSession, log: type[AuditEntry | SignInEntry], before: datetime, limit: int
) -> int:
    """The oldest ``limit`` entries from before that instant; nothing is written if there are none."""
    ids = (await session.scalars(select(log.id).where(log.at < before).order_by(log.at).limit(limit))).all()
    if ids:
        await session.execute(delete(log).where(log.id.in_(ids)).execution_options(synchronize_session=False))
    return len(ids)


@named
async def retention_term(session: AsyncSession, name: str) -> RetentionTerm | None:
    return await session.get(RetentionTerm, name)


@named
async def maintenance(session: AsyncSession) -> Maintenance | None:
    return await session.get(Maintenance, SWITCH_ID, populate_existing=True)


@named
async def chore_runs(session: AsyncSession) -> Sequence[ChoreRun]:
    return (await session.scalars(select(ChoreRun))).all()


@named
async def chore_run(session: AsyncSession, name: str) -> ChoreRun | None:
    return await session.get(ChoreRun, name)


@named
async def claim_chore(session: AsyncSession, name: str) -> bool:
    """Whether this transaction alone, of all processes, runs that chore; on SQLite it writes alone anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    lock = func.pg_try_advisory_xact_lock(func.hashtext(f"steinmetz.chore.{name}"))
    return bool(await session.scalar(select(lock)))


@named
async def guards(session: AsyncSession) -> set[str]:
    """The names of the triggers on the logs that are in force."""
    if session.get_bind().dialect.name == "postgresql":
        query = "SELECT tgname FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    return set(await session.scalars(text(query)))


@named
async def ask(connection: AsyncConnection) -> None:
    """Raises whatever the driver raises if nobody answers."""
    await connection.execute(text("SELECT 1"))


@named
async def revision(connection: AsyncConnection) -> str | None:
    """The revision of the schema; None for a database that was never migrated."""
    return await connection.run_sync(migrations.current)
