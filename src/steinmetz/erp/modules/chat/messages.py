"""What is said in channels.

A change and a deletion are in the audit log, without the words that were said: what is private stays private. A
message is not: it is its own record of who said what when, and an entry for each would make every screen that
shows the log compute anew.
"""

from __future__ import annotations

from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, Forbidden, NotFound
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.chat import access, repository, rules
from steinmetz.erp.modules.chat.models import ChatChannel, ChatMessage
from steinmetz.erp.modules.chat.schemas import (
    MESSAGE,
    HeardMessage,
    MessageInput,
    MessagePatch,
    MessageView,
    Speaker,
)
from steinmetz.erp.modules.system.service import audit


def told(message: ChatMessage) -> MessageView:
    return MessageView(
        id=message.id,
        channel=message.channel_id,
        user=Speaker(id=message.user_id, name=message.user_name),
        text=message.text,
        at=message.at,
        edited_at=message.edited_at,
        deleted=message.deleted_at is not None,
        version=message.version,
    )


def _announce(unit: Unit, view: MessageView) -> None:
    """``{id, channel, user, text, at}``; the same id again, with ``editedAt`` or ``deleted``, replaces it."""
    heard = HeardMessage(
        id=view.id,
        channel=view.channel,
        user=view.user,
        text=view.text,
        at=view.at,
        edited_at=view.edited_at,
        deleted=True if view.deleted else None,
    )
    unit.publish(announcement(MESSAGE, heard, (rules.room_of(view.channel),)))


async def history(
    unit: Unit, channel_id: str, paging: PageQuery, *, after: int | None
) -> tuple[list[MessageView], str | None, int]:
    """What was said, newest first; with ``after`` what came later than that message, oldest first.

    Raises `NotFound`.
    """
    seen = await access.seen(unit, channel_id)
    place = paging.after(int)
    rows, total = await repository.messages_of(
        unit.session, seen.id, before=place[0] if place else None, after=after, limit=paging.limit + 1
    )
    return *_page(rows, paging.limit), total


async def recent(unit: Unit, paging: PageQuery, *, search: str) -> tuple[list[MessageView], str | None, int]:
    """What was said in all channels that the actor sees, newest first; with ``search`` where that occurs."""
    place = paging.after(int)
    rows, total = await repository.recent_messages(
        unit.session,
        access.as_member(unit.actor),
        search=search,
        before=place[0] if place else None,
        limit=paging.limit + 1,
    )
    return *_page(rows, paging.limit), total


def _page(rows: Any, limit: int) -> tuple[list[MessageView], str | None]:
    shown = [told(each) for each in rows[:limit]]
    return shown, encode_cursor(shown[-1].id) if len(rows) > limit else None


async def say(unit: Unit, data: MessageInput) -> MessageView:
    """A message to a channel. A key that the actor has used before gives the message of then, and nothing more.

    Raises `NotFound`, `Conflict` for an archived channel.
    """
    heard_in = await access.seen_to_change(unit, data.channel)
    if data.key is not None:
        said = await repository.message_by_key(unit.session, unit.actor.id, data.key)
        if said is not None:
            return told(said)
    _require_open(heard_in)
    message_id = await repository.add_message(
        unit.session,
        {
            "channel_id": heard_in.id,
            "user_id": unit.actor.id,
            "user_name": unit.actor.name,
            "text": data.text,
            "at": unit.now,
            "key": data.key,
        },
    )
    if message_id is None:  # the same key was at work in another channel at the same time
        assert data.key is not None
        said = await repository.message_by_key(unit.session, unit.actor.id, data.key)
        assert said is not None
        return told(said)
    said = await repository.message(unit.session, message_id)
    assert said is not None
    view = told(said)
    _announce(unit, view)
    return view


def _require_open(channel: ChatChannel) -> None:
    if channel.archived_at is not None:
        raise Conflict("The channel is archived: nothing more is said in it.", access.current(channel))


async def _message_to_change(unit: Unit, message_id: int) -> tuple[ChatMessage, ChatChannel]:
    """Channel first, then the message: one order of locks. Raises `NotFound`."""
    found = await repository.message(unit.session, message_id)
    if found is None:
        raise NotFound("message", message_id)
    channel = await repository.channel_to_change(unit.session, found.channel_id)
    locked = await repository.message_to_change(unit.session, message_id)
    if channel is None or locked is None or not await access.sees(unit, channel):
        raise NotFound("message", message_id)
    return locked, channel


async def change_message(unit: Unit, message_id: int, patch: MessagePatch) -> MessageView:
    """Other words for one's own message, while it is young.

    Raises `NotFound`, `Forbidden`, `Conflict`.
    """
    changed, channel = await _message_to_change(unit, message_id)
    current = told(changed).model_dump(mode="json", by_alias=True)
    if changed.user_id != unit.actor.id:
        raise Forbidden(Role.CLERK, "Only the author may change a message.")
    if changed.version != patch.version:
        raise Conflict("The message was changed meanwhile.", current)
    if changed.deleted_at is not None:
        raise Conflict("The message was deleted.", current)
    _require_open(channel)
    if not rules.is_editable(changed.at, unit.now):
        minutes = rules.EDIT_WINDOW.seconds // 60
        raise Conflict(f"A message can be changed for {minutes} minutes; this one is older.", current)
    if changed.text != patch.text:
        changed.text = patch.text
        changed.edited_at = unit.now
        await unit.session.flush()
        audit.record(unit, "chat.message.change", "chat_message", changed.id, after={"channel": channel.id})
        _announce(unit, told(changed))
    return told(changed)


async def delete_message(unit: Unit, message_id: int) -> MessageView:
    """Take back one's own message, or as a manager anybody's. Its words are gone, its place stays.

    Once more changes nothing. Raises `NotFound`, `Forbidden`.
    """
    deleted, channel = await _message_to_change(unit, message_id)
    if not rules.may_delete(unit.actor, deleted.user_id):
        raise Forbidden(Role.MANAGER, "Only the author or a manager may delete a message.")
    if deleted.deleted_at is None:
        deleted.text = ""
        deleted.deleted_at = unit.now
        await unit.session.flush()
        before = {"channel": channel.id, "userId": deleted.user_id, "at": deleted.at}
        audit.record(unit, "chat.message.delete", "chat_message", deleted.id, deleted.user_name, before=before)
        _announce(unit, told(deleted))
    return told(deleted)
