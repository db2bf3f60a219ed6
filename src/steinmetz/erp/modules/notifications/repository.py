"""What notifications asks of the database, alike on SQLite and PostgreSQL; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Result, delete, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.notifications.models import Notification, NotificationRead
from steinmetz.erp.modules.notifications.rules import AudienceKind


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and when."""

    user_id: int
    role: Role
    since: datetime
    """What was said before is no news to him."""
    now: datetime

    def shown(self) -> ColumnElement[bool]:
        """What is addressed to him and still stands."""
        addressed = or_(
            Notification.audience == AudienceKind.ALL,
            Notification.role == self.role,
            Notification.user_id == self.user_id,
        )
        return addressed & or_(Notification.expires_at.is_(None), Notification.expires_at > self.now)

    def is_marked(self) -> ColumnElement[bool]:
        return (
            select(NotificationRead.user_id)
            .where(NotificationRead.notification_id == Notification.id, NotificationRead.user_id == self.user_id)
            .exists()
        )

    def is_unread(self) -> ColumnElement[bool]:
        """`rules.is_unread` as the database says it."""
        return ~self.is_marked() & (Notification.at >= self.since)


def _insert(session: AsyncSession) -> Any:
    """The engine's own INSERT that knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _touched(result: Result[Any]) -> int:
    """How many rows a statement has written."""
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


@named
async def inbox(
    session: AsyncSession, reader: Reader, *, only_unread: bool, before: int | None, limit: int
) -> tuple[Sequence[tuple[Notification, bool]], int]:
    """``limit`` notices, newest first, each with whether it is marked as read; and how many there are."""
    wanted = [reader.shown(), *([reader.is_unread()] if only_unread else [])]
    statement = (
        select(Notification, reader.is_marked()).where(*wanted).order_by(Notification.id.desc()).limit(limit)
    )
    if before is not None:
        statement = statement.where(Notification.id < before)
    rows = [(found, bool(is_marked)) for found, is_marked in await session.execute(statement)]
    return rows, await session.scalar(select(func.count()).select_from(Notification).where(*wanted)) or 0


@named
async def unread_count(session: AsyncSession, reader: Reader) -> int:
    counted = select(func.count()).select_from(Notification).where(reader.shown(), reader.is_unread())
    return await session.scalar(counted) or 0


@named
async def next_expiry(session: AsyncSession, reader: Reader) -> datetime | None:
    """When the first of the reader's notices ceases to be shown."""
    return await session.scalar(select(func.min(Notification.expires_at)).where(reader.shown()))


@named
async def shown(session: AsyncSession, reader: Reader, notification_id: int) -> Notification | None:
    """The notice, if the reader is shown it."""
    return await session.scalar(select(Notification).where(Notification.id == notification_id, reader.shown()))


@named
async def notification_to_change(session: AsyncSession, notification_id: int) -> Notification | None:
    return await session.get(Notification, notification_id, with_for_update=True, populate_existing=True)


@named
async def add(session: AsyncSession, values: Mapping[str, Any]) -> int | None:
    """The id of the new notice; None if its ``once`` was said already."""
    statement = (
        _insert(session)(Notification)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[Notification.once])
        .returning(Notification.id)
    )
    found: int | None = (await session.execute(statement)).scalar_one_or_none()
    return found


@named
async def notification(session: AsyncSession, notification_id: int) -> Notification | None:
    return await session.get(Notification, notification_id)


@named
async def mark(session: AsyncSession, reader: Reader, notification_id: int) -> int:
    """1, or 0 if it was marked before."""
    statement = _insert(session)(NotificationRead).values(
        notification_id=notification_id, user_id=reader.user_id, at=reader.now
    )
    return _touched(await session.execute(statement.on_conflict_do_nothing()))


@named
async def mark_all(session: AsyncSession, reader: Reader) -> int:
    """Mark what is unread; how many that were."""
    at = literal(reader.now, NotificationRead.at.type)
    unread = select(Notification.id, literal(reader.user_id), at).where(reader.shown(), reader.is_unread())
    statement = (
        _insert(session)(NotificationRead)
        .from_select(["notification_id", "user_id", "at"], unread)
        .on_conflict_do_nothing()
    )
    return _touched(await session.execute(statement))


@named
async def remove(session: AsyncSession, notification_id: int) -> None:
    await session.execute(delete(Notification).where(Notification.id == notification_id))


@named
async def remove_old(session: AsyncSession, before: datetime, limit: int) -> int:
    """At most ``limit`` from before that instant; nothing is written if there are none."""
    ids = (await session.scalars(select(Notification.id).where(Notification.at < before).limit(limit))).all()
    if ids:
        await session.execute(delete(Notification).where(Notification.id.in_(ids)))
    return len(ids)
