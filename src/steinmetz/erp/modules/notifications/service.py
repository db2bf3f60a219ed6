"""Notices to all, to a role or to one user. `notify` is the one door for other modules.

Who reads is taken from the database, not from his token: his language, his role and since when he is here are part
of the answer, so a kept answer falls when they change.

What a person writes or deletes is in the audit log. What another module announces is not: its cause is, in the
same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.kit.language import Language, language_of
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import Role, may_write

# Users are told of changes of their account, and whoever is told something is a user: these two know each other.
from steinmetz.erp.modules.auth import service as users
from steinmetz.erp.modules.notifications import repository, rules
from steinmetz.erp.modules.notifications.models import Notification
from steinmetz.erp.modules.notifications.repository import Reader
from steinmetz.erp.modules.notifications.rules import (
    Audience,
    AudienceKind,
    Level,
    ToAll,
    ToRole,
    ToUser,
    Wording,
)
from steinmetz.erp.modules.notifications.schemas import (
    NOTIFICATION,
    Notice,
    NotificationInput,
    NotificationRow,
    NotificationView,
)
from steinmetz.erp.modules.system.service import audit

__all__ = [
    "Audience",
    "Level",
    "ToAll",
    "ToRole",
    "ToUser",
    "Wording",
    "delete",
    "delete_old",
    "inbox",
    "mark_all_read",
    "mark_read",
    "notify",
    "send",
]


async def notify(
    unit: Unit,
    to: Audience,
    level: Level,
    title: Wording,
    message: Wording,
    *,
    values: Mapping[str, Any] | None = None,
    link: str | None = None,
    expires_at: datetime | None = None,
    once: str | None = None,
) -> int | None:
    """Write a notice and, after the commit, tell it to exactly those who may read it.

    ``values`` fill both phrases; a value that reads differently in each language is a function of `Language`.
    ``once`` names what must not be said twice, e.g. ``overdue:2026-03-02``.

    Returns its id; None if it was said already. Raises `NotFound` for a user who is not there.
    """
    said = values or {}
    language = rules.HOUSE_LANGUAGE
    if isinstance(to, ToUser):
        language = language_of((await users.user(unit, to.user_id)).locale)
    created = await repository.add(
        unit.session,
        {
            "audience": _kind(to),
            "role": to.role if isinstance(to, ToRole) else None,
            "user_id": to.user_id if isinstance(to, ToUser) else None,
            "level": level,
            "title_en": rules.worded(title, Language.EN, said, rules.MAX_TITLE),
            "title_de": rules.worded(title, Language.DE, said, rules.MAX_TITLE),
            "message_en": rules.worded(message, Language.EN, said, rules.MAX_MESSAGE),
            "message_de": rules.worded(message, Language.DE, said, rules.MAX_MESSAGE),
            "link": link,
            "at": unit.now,
            "expires_at": expires_at,
            "author_id": unit.actor.id,
            "once": once,
        },
    )
    if created is None:
        return None
    notice = Notice(
        id=created,
        level=level,
        title=rules.worded(title, language, said, rules.MAX_TITLE),
        message=rules.worded(message, language, said, rules.MAX_MESSAGE),
        at=unit.now,
    )
    unit.publish(announcement(NOTIFICATION, notice, rules.rooms_of(to)))
    return created


def _kind(to: Audience) -> AudienceKind:
    return {ToAll: AudienceKind.ALL, ToRole: AudienceKind.ROLE, ToUser: AudienceKind.USER}[type(to)]


def _view(notice: Notification, language: Language) -> NotificationView:
    fields = {name: getattr(notice, name) for name in NotificationView.model_fields.keys() - {"title", "message"}}
    is_german = language is Language.DE
    return NotificationView(
        title=notice.title_de if is_german else notice.title_en,
        message=notice.message_de if is_german else notice.message_en,
        **fields,
    )


async def _reader(unit: Unit) -> tuple[Reader, Language]:
    assert unit.actor.id is not None
    user = await users.user(unit, unit.actor.id)
    return Reader(user.id, user.role, user.created_at, unit.now), language_of(user.locale)


async def inbox(
    unit: Unit, paging: PageQuery, *, only_unread: bool
) -> tuple[list[NotificationRow], str | None, int, int, datetime | None]:
    """A page of what is addressed to the actor, newest first: rows, next cursor, total, how many are unread, and
    until when that is true if nobody writes."""
    reader, language = await _reader(unit)
    place = paging.after(int)
    rows, total = await repository.inbox(
        unit.session,
        reader,
        only_unread=only_unread,
        before=place[0] if place else None,
        limit=paging.limit + 1,
    )
    shown = [
        NotificationRow(
            **dict(_view(notice, language)),
            unread=rules.is_unread(notice.at, is_marked=is_marked, reader_since=reader.since),
        )
        for notice, is_marked in rows[: paging.limit]
    ]
    following = encode_cursor(shown[-1].id) if len(rows) > paging.limit else None
    unread = await repository.unread_count(unit.session, reader)
    return shown, following, total, unread, await repository.next_expiry(unit.session, reader)


async def send(unit: Unit, data: NotificationInput) -> NotificationView:
    """What a person has to say. Raises `Forbidden`, `Unprocessable`."""
    to = data.addressee
    needed = rules.needed_role(to)
    if not may_write(unit.actor.role, needed):
        raise Forbidden(needed)
    if data.expires_at is not None and data.expires_at <= unit.now:
        raise Unprocessable("It would have expired already.", "expiresAt")
    try:
        created = await notify(
            unit, to, data.level, data.title, data.message, link=data.link, expires_at=data.expires_at
        )
    except NotFound as nobody:
        raise Unprocessable(nobody.detail, "userId") from None
    assert created is not None
    notice = await repository.notification(unit.session, created)
    assert notice is not None
    audit.record(unit, "notification.create", "notification", created, data.title, after=_audited(notice))
    return _view(notice, rules.HOUSE_LANGUAGE)


def _audited(notice: Notification) -> dict[str, Any]:
    return {"audience": notice.audience, "role": notice.role, "userId": notice.user_id, "level": notice.level}


async def mark_read(unit: Unit, notification_id: int) -> tuple[int, int]:
    """Returns how many were marked (0 or 1) and how many are unread still.

    Raises `NotFound`, also for what is addressed to others.
    """
    reader, _ = await _reader(unit)
    if await repository.shown(unit.session, reader, notification_id) is None:
        raise NotFound("notification", notification_id)
    marked = await repository.mark(unit.session, reader, notification_id)
    return marked, await repository.unread_count(unit.session, reader)


async def mark_all_read(unit: Unit) -> int:
    """Returns how many were unread."""
    reader, _ = await _reader(unit)
    return await repository.mark_all(unit.session, reader)


async def delete(unit: Unit, notification_id: int) -> None:
    """For its author or an administrator. Raises `NotFound`, `Forbidden`."""
    notice = await repository.notification_to_change(unit.session, notification_id)
    is_author = notice is not None and notice.author_id is not None and notice.author_id == unit.actor.id
    may_delete = may_write(unit.actor.role, Role.ADMIN) or is_author
    if notice is None or not (may_delete or await _is_addressed(unit, notification_id)):
        raise NotFound("notification", notification_id)
    if not may_delete:
        raise Forbidden(Role.ADMIN, "Only its author or an administrator may delete a notification.")
    await repository.remove(unit.session, notification_id)
    before = {**_audited(notice), "title": notice.title_de}
    audit.record(unit, "notification.delete", "notification", notification_id, notice.title_de, before=before)


async def _is_addressed(unit: Unit, notification_id: int) -> bool:
    reader, _ = await _reader(unit)
    return await repository.shown(unit.session, reader, notification_id) is not None


async def delete_old(unit: Unit, before: datetime, limit: int) -> int:
    """Delete notices from before that instant, read or not; at most ``limit``."""
    return await repository.remove_old(unit.session, before, limit)
