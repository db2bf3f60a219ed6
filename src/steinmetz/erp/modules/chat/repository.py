"""What chat asks of the database, alike on SQLite and PostgreSQL; decides nothing.

Who writes into a channel, or changes who is in it, locks the channel's row first (`channel_to_change`): so
messages get their ids in the order of the commits, and nobody writes into a channel that he was just taken out of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, false, func, or_, select, true, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.chat.models import ChatChannel, ChatMember, ChatMessage, ChatRead


def _insert(session: AsyncSession) -> Any:
    """The engine's own INSERT that knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _seen_by(member_id: int | None) -> ColumnElement[bool]:
    """Public channels, and private ones that ``member_id`` is in (None: public ones only)."""
    if member_id is None:
        return ChatChannel.is_private.is_(false())
    is_member = (
        select(ChatMember.user_id)
        .where(ChatMember.channel_id == ChatChannel.id, ChatMember.user_id == member_id)
        .exists()
    )
    return or_(ChatChannel.is_private.is_(false()), is_member)


# Channels


@named
async def channel(session: AsyncSession, channel_id: str) -> ChatChannel | None:
    return await session.get(ChatChannel, channel_id)


@named
async def channel_to_change(session: AsyncSession, channel_id: str) -> ChatChannel | None:
    """The channel, its row locked until the end of the unit; messages may still refer to it meanwhile."""
    return await session.get(ChatChannel, channel_id, with_for_update={"key_share": True}, populate_existing=True)


@named
async def is_member(session: AsyncSession, channel_id: str, user_id: int) -> bool:
    found = select(ChatMember.user_id).where(ChatMember.channel_id == channel_id, ChatMember.user_id == user_id)
    return await session.scalar(found) is not None


@named
async def channels(
    session: AsyncSession, member_id: int | None, *, is_archived: bool, after: Sequence[Any] | None, limit: int
) -> tuple[Sequence[tuple[ChatChannel, int | None]], int]:
    """``limit`` channels by name with the id of their last message; and how many there are."""
    newest = select(func.max(ChatMessage.id)).where(ChatMessage.channel_id == ChatChannel.id).scalar_subquery()
    wanted = [_seen_by(member_id), ChatChannel.archived_at.is_not(None) == is_archived]
    statement = select(ChatChannel, newest).where(*wanted).order_by(ChatChannel.name, ChatChannel.id).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(ChatChannel.name, ChatChannel.id) > tuple_(*after))
    rows = [(found, message_id) for found, message_id in await session.execute(statement)]
    total = await session.scalar(select(func.count()).select_from(ChatChannel).where(*wanted))
    return rows, total or 0


@named
async def channel_named(session: AsyncSession, name_key: str, member_id: int | None) -> ChatChannel | None:
    """A channel of that name among those that ``member_id`` sees."""
    statement = select(ChatChannel).where(ChatChannel.name_key == name_key, _seen_by(member_id)).limit(1)
    return await session.scalar(statement)


@named
async def is_taken(session: AsyncSession, channel_id: str) -> bool:
    return await session.scalar(select(ChatChannel.id).where(ChatChannel.id == channel_id)) is not None


# Members


@named
async def members(
    session: AsyncSession, channel_id: str, *, after: int | None, limit: int
) -> tuple[Sequence[ChatMember], int]:
    """``limit`` members by user id, and how many there are."""
    statement = select(ChatMember).where(ChatMember.channel_id == channel_id)
    counted = select(func.count()).select_from(ChatMember).where(ChatMember.channel_id == channel_id)
    if after is not None:
        statement = statement.where(ChatMember.user_id > after)
    found = await session.scalars(statement.order_by(ChatMember.user_id).limit(limit))
    return found.all(), await session.scalar(counted) or 0


@named
async def member(session: AsyncSession, channel_id: str, user_id: int) -> ChatMember | None:
    return await session.get(ChatMember, (channel_id, user_id))


@named
async def remove_member(session: AsyncSession, channel_id: str, user_id: int) -> None:
    await session.execute(
        delete(ChatMember).where(ChatMember.channel_id == channel_id, ChatMember.user_id == user_id)
    )


# Messages


@named
async def message(session: AsyncSession, message_id: int) -> ChatMessage | None:
    return await session.get(ChatMessage, message_id)


@named
async def message_to_change(session: AsyncSession, message_id: int) -> ChatMessage | None:
    """The message, its row locked until the end of the unit."""
    return await session.get(ChatMessage, message_id, with_for_update=True, populate_existing=True)


@named
async def message_by_key(session: AsyncSession, user_id: int | None, key: str) -> ChatMessage | None:
    return await session.scalar(select(ChatMessage).where(ChatMessage.user_id == user_id, ChatMessage.key == key))


@named
async def add_message(session: AsyncSession, values: Mapping[str, Any]) -> int | None:
    """The id of the new message; None if its author has one with this key already.

    Whoever brings the same key at the same time waits here until the other's fate is known.
    """
    statement = (
        _insert(session)(ChatMessage)
        .values(version=1, **values)
        .on_conflict_do_nothing(index_elements=[ChatMessage.user_id, ChatMessage.key])
        .returning(ChatMessage.id)
    )
    found: int | None = (await session.execute(statement)).scalar_one_or_none()
    return found


@named
async def messages_of(
    session: AsyncSession, channel_id: str, *, before: int | None, after: int | None, limit: int
) -> tuple[Sequence[ChatMessage], int]:
    """``limit`` messages, newest first, or with ``after`` those that came later, oldest first; and the total."""
    wanted = [ChatMessage.channel_id == channel_id]
    order: ColumnElement[Any] = ChatMessage.id.desc()
    if after is not None:
        wanted.append(ChatMessage.id > after)
        order = ChatMessage.id.asc()
    statement = select(ChatMessage).where(*wanted)
    if before is not None:
        statement = statement.where(ChatMessage.id < before if after is None else ChatMessage.id > before)
    found = await session.scalars(statement.order_by(order).limit(limit))
    return found.all(), await session.scalar(select(func.count()).select_from(ChatMessage).where(*wanted)) or 0


@named
async def recent_messages(
    session: AsyncSession, member_id: int | None, *, search: str, before: int | None, limit: int
) -> tuple[Sequence[ChatMessage], int]:
    """``limit`` messages of all channels that ``member_id`` sees, newest first; and how many there are."""
    # One walk by id, asking each message's channel, beats a range for each channel and a sort; to count without
    # reading any text it is the other way round (200,000 messages on SQLite: 0.1 ms and 8 ms; searched, 40 each).
    in_sight = select(ChatChannel.id).where(ChatChannel.id == ChatMessage.channel_id, _seen_by(member_id)).exists()
    statement = select(ChatMessage).where(in_sight).order_by(ChatMessage.id.desc()).limit(limit)
    counted = select(func.count()).select_from(ChatMessage)
    if search:
        says = ChatMessage.text.icontains(search, autoescape=True)
        statement, counted = statement.where(says), counted.where(in_sight, says)
    else:
        counted = counted.where(ChatMessage.channel_id.in_(select(ChatChannel.id).where(_seen_by(member_id))))
    if before is not None:
        statement = statement.where(ChatMessage.id < before)
    return (await session.scalars(statement)).all(), await session.scalar(counted) or 0


@named
async def messages_with(session: AsyncSession, ids: Sequence[int]) -> dict[int, ChatMessage]:
    found = await session.scalars(select(ChatMessage).where(ChatMessage.id.in_(ids)))
    return {each.id: each for each in found}


@named
async def newest_id(session: AsyncSession, channel_id: str) -> int | None:
    return await session.scalar(select(func.max(ChatMessage.id)).where(ChatMessage.channel_id == channel_id))


# How far everybody has read


@named
async def unread(
    session: AsyncSession, user_id: int, since: datetime, *, channel_id: str | None = None
) -> dict[str, int]:
    """Messages of others since ``since`` that the user has not read, by channel: of all that he sees, or one."""
    wanted = [
        ChatMessage.id > func.coalesce(ChatRead.message_id, 0),
        ChatMessage.user_id.is_distinct_from(user_id),
        ChatMessage.deleted_at.is_(None),
        ChatMessage.at >= since,
        ChatChannel.archived_at.is_(None) if channel_id is None else true(),
        _seen_by(user_id) if channel_id is None else ChatChannel.id == channel_id,
    ]
    statement = (
        select(ChatChannel.id, func.count())
        .outerjoin(ChatRead, (ChatRead.channel_id == ChatChannel.id) & (ChatRead.user_id == user_id))
        .join(ChatMessage, ChatMessage.channel_id == ChatChannel.id)
        .where(*wanted)
        .group_by(ChatChannel.id)
    )
    return dict((await session.execute(statement)).all())


@named
async def read_up_to(session: AsyncSession, user_id: int, channel_id: str, message_id: int) -> None:
    """Move the mark forward; a mark that is further stays where it is."""
    statement = _insert(session)(ChatRead).values(user_id=user_id, channel_id=channel_id, message_id=message_id)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ChatRead.user_id, ChatRead.channel_id],
            set_={"message_id": statement.excluded.message_id},
            where=ChatRead.message_id < statement.excluded.message_id,
        )
    )


@named
async def read_mark(session: AsyncSession, user_id: int, channel_id: str) -> int:
    """The newest message that the user has read; 0 for none."""
    found = await session.scalar(
        select(ChatRead.message_id).where(ChatRead.user_id == user_id, ChatRead.channel_id == channel_id)
    )
    return found or 0
