"""What auth asks the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.auth.models import Session, SessionRevocation, User


@named
async def user(session: AsyncSession, user_id: int, *, lock: bool = False) -> User | None:
    return await session.get(User, user_id, with_for_update=lock or None)


@named
async def user_by_email(session: AsyncSession, email: str) -> User | None:
    return await session.scalar(select(User).where(User.email == email))


@named
async def users_with(session: AsyncSession, ids: Sequence[int]) -> Sequence[User]:
    return (await session.scalars(select(User).where(User.id.in_(ids)))).all()


@named
async def is_revoked(session: AsyncSession, session_id: str) -> bool:
    return await session.get(SessionRevocation, session_id) is not None


@named
async def revoked_among(session: AsyncSession, session_ids: Sequence[str]) -> set[str]:
    found = await session.scalars(
        select(SessionRevocation.session_id).where(SessionRevocation.session_id.in_(session_ids))
    )
    return set(found)


@named
async def sign_in(session: AsyncSession, session_id: str) -> Session | None:
    """The sign-in, locked against a second renewal at the same time."""
    return await session.get(Session, session_id, with_for_update=True)


@named
async def sign_ins_of(session: AsyncSession, user_id: int) -> Sequence[str]:
    """The ids of the user's sign-ins that are not revoked."""
    found = await session.scalars(
        select(Session.id)
        .outerjoin(SessionRevocation, SessionRevocation.session_id == Session.id)
        .where(Session.user_id == user_id, SessionRevocation.session_id.is_(None))
        .order_by(Session.id)
    )
    return found.all()


@named
async def forget_ended_sign_ins(session: AsyncSession, user_id: int, now: datetime) -> None:
    await session.execute(delete(Session).where(Session.user_id == user_id, Session.expires_at <= now))


@named
async def forget_revocations(session: AsyncSession, user_id: int, before: datetime) -> None:
    """Those whose sign-in could not be renewed any more anyway."""
    await session.execute(
        delete(SessionRevocation).where(
            SessionRevocation.user_id == user_id, SessionRevocation.revoked_at < before
        )
    )


@named
async def delete_ended_sign_ins(session: AsyncSession, before: datetime, limit: int) -> int:
    """At most ``limit`` of those that ended before that instant; nothing is written if there are none."""
    ids = (await session.scalars(select(Session.id).where(Session.expires_at < before).limit(limit))).all()
    if ids:
        await session.execute(delete(Session).where(Session.id.in_(ids)))
    return len(ids)


@named
async def delete_revocations(session: AsyncSession, before: datetime, now: datetime, limit: int) -> int:
    """At most ``limit`` of those from before that instant whose sign-in is gone or has ended.

    Nothing is written if there are none: every admission reads this table.
    """
    can_be_renewed = (
        select(Session.id).where(Session.id == SessionRevocation.session_id, Session.expires_at > now).exists()
    )
    old = select(SessionRevocation.session_id).where(SessionRevocation.revoked_at < before, ~can_be_renewed)
    ids = (await session.scalars(old.limit(limit))).all()
    if ids:
        await session.execute(delete(SessionRevocation).where(SessionRevocation.session_id.in_(ids)))
    return len(ids)


@named
async def administrators(session: AsyncSession) -> Sequence[int]:
    """The ids of those who can administrate, locked: two demotions at once must see each other."""
    found = await session.scalars(
        select(User.id)
        .where(User.role == Role.ADMIN, User.is_active, User.password_hash.is_not(None))
        .order_by(User.id)
        .with_for_update()
    )
    return found.all()


def _matching(search: str | None, role: Role | None, is_active: bool | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(User.name.icontains(search, autoescape=True), User.email.icontains(search, autoescape=True))
        )
    if role is not None:
        conditions.append(User.role == role)
    if is_active is not None:
        conditions.append(User.is_active == is_active)
    return conditions


@named
async def people(
    session: AsyncSession,
    *,
    search: str,
    roles: Sequence[Role],
    after: tuple[Any, ...] | None,
    limit: int,
) -> tuple[Sequence[tuple[int, str]], int]:
    """Id and name of ``limit`` active users of these roles by name, after the (name, id) given; and how many there
    are. Searched by name alone: by e-mail, a caller could find out letter by letter what he is not told."""
    matching = [User.is_active, User.role.in_(roles)]
    if search:
        matching.append(User.name.icontains(search, autoescape=True))
    page = select(User.id, User.name).where(*matching).order_by(User.name, User.id).limit(limit)
    if after is not None:
        page = page.where(tuple_(User.name, User.id) > tuple_(*after))
    rows = [(user_id, name) for user_id, name in await session.execute(page)]
    total = await session.scalar(select(func.count()).select_from(User).where(*matching))
    return rows, total or 0


@named
async def users(
    session: AsyncSession,
    *,
    search: str | None,
    role: Role | None,
    is_active: bool | None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> tuple[Sequence[tuple[User, datetime | None]], int]:
    """``limit`` users by name with their last sign-in, after the (name, id) given; and how many there are."""
    latest = select(func.max(Session.created_at)).where(Session.user_id == User.id).scalar_subquery()
    matching = _matching(search, role, is_active)
    page = select(User, latest).where(*matching).order_by(User.name, User.id).limit(limit)
    if after is not None:
        page = page.where(tuple_(User.name, User.id) > tuple_(*after))
    rows = [(user, signed_in) for user, signed_in in await session.execute(page)]
    total = await session.scalar(select(func.count()).select_from(User).where(*matching))
    return rows, total or 0
