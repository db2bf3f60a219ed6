"""Channels, what is said in them, and how far everybody has read.

A channel that somebody may not see does not exist for him, nor does anything that was said in it. Every act goes
the same way: lock the channel, ask whether the actor sees it, ask the rules, change, say so after the commit.

Edits, deletions and changes of channels and members are in the audit log, without the words that were said: what
is private stays private. A message is not: it is its own record of who said what when, and an entry for each would
make every screen that shows the log compute anew. Nor is what somebody has read: that is nobody else's business.
"""

from __future__ import annotations

import secrets
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit.announcements import Departure, announcement
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import Actor, Role, may_write
from steinmetz.erp.modules.auth import service as users
from steinmetz.erp.modules.chat import repository, rules, texts
from steinmetz.erp.modules.chat.models import ChatChannel, ChatMember, ChatMessage
from steinmetz.erp.modules.chat.schemas import (
    MESSAGE,
    ChannelInput,
    ChannelPatch,
    ChannelRow,
    ChannelView,
    HeardMessage,
    MemberView,
    MessageInput,
    MessagePatch,
    MessageView,
    PersonView,
    ReadView,
    Speaker,
)
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.erp.modules.system import service as audit

# What the actor sees


def _as_member(actor: Actor) -> int | None:
    """As whom the actor is looked for among the members of private channels; None: he can be in none."""
    return None if actor.role is Role.AUDITOR else actor.id


async def _sees(unit: Unit, channel: ChatChannel | None) -> bool:
    if channel is None:
        return False
    member_id = _as_member(unit.actor)
    is_member = (
        channel.is_private
        and member_id is not None
        and await repository.is_member(unit.session, channel.id, member_id)
    )
    return rules.may_see(unit.actor, is_private=channel.is_private, is_member=is_member)


async def _seen(unit: Unit, channel_id: str) -> ChatChannel:
    """Raises `NotFound`, also for a channel that the actor does not see."""
    channel = await repository.channel(unit.session, channel_id)
    if channel is None or not await _sees(unit, channel):
        raise NotFound("channel", channel_id)
    return channel


async def _seen_to_change(unit: Unit, channel_id: str) -> ChatChannel:
    """The same, its row locked; who sees it is asked after the lock, so that nobody is taken out meanwhile."""
    channel = await repository.channel_to_change(unit.session, channel_id)
    if channel is None or not await _sees(unit, channel):
        raise NotFound("channel", channel_id)
    return channel


async def may_enter(unit: Unit, room: str) -> bool:
    """Whether the actor may hear what is said in a channel's room."""
    channel_id = rules.channel_of(room)
    return channel_id is not None and await _sees(unit, await repository.channel(unit.session, channel_id))


# Channels


async def channels(
    unit: Unit, paging: PageQuery, *, is_archived: bool
) -> tuple[list[ChannelRow], str | None, int, int]:
    """A page of the channels that the actor sees, the next cursor, how many there are, and what is unread."""
    rows, total = await repository.channels(
        unit.session,
        _as_member(unit.actor),
        is_archived=is_archived,
        after=paging.after(str, str),
        limit=paging.limit + 1,
    )
    shown = rows[: paging.limit]
    last = await repository.messages_with(unit.session, [newest for _, newest in shown if newest is not None])
    unread = {} if is_archived else await _unread(unit)
    listed = [
        _row(channel, unread.get(channel.id, 0), last.get(newest) if newest is not None else None)
        for channel, newest in shown
    ]
    has_next = len(rows) > paging.limit
    following = encode_cursor(listed[-1].name, listed[-1].id) if has_next else None
    return listed, following, total, sum(unread.values())


async def _unread(unit: Unit, channel_id: str | None = None) -> dict[str, int]:
    """What was said before a user was there is no news to him; who cannot mark as read has nothing unread."""
    if unit.actor.id is None or not may_write(unit.actor.role, Role.CLERK):
        return {}
    reader = await users.user(unit, unit.actor.id)
    return await repository.unread(unit.session, reader.id, reader.created_at, channel_id=channel_id)


def _row(channel: ChatChannel, unread: int, last: ChatMessage | None) -> ChannelRow:
    return ChannelRow(**dict(_view(channel)), unread=unread, last_message=_told(last) if last else None)


def _view(channel: ChatChannel) -> ChannelView:
    fields = {name: getattr(channel, name) for name in ChannelView.model_fields.keys() - {"room"}}
    return ChannelView(room=rules.room_of(channel.id), **fields)


async def channel(unit: Unit, channel_id: str) -> ChannelRow:
    """Raises `NotFound`."""
    return await _as_row(unit, await _seen(unit, channel_id))


async def _as_row(unit: Unit, channel: ChatChannel) -> ChannelRow:
    newest = await repository.newest_id(unit.session, channel.id)
    last = None if newest is None else await repository.message(unit.session, newest)
    unread = {} if channel.archived_at is not None else await _unread(unit, channel.id)
    return _row(channel, unread.get(channel.id, 0), last)


async def create_channel(unit: Unit, data: ChannelInput) -> ChannelRow:
    """A new channel of the actor's. Raises `Conflict` if a channel that he sees is called so."""
    await _keep_name_unique(unit, data.name)
    created = ChatChannel(
        id=await _new_id(unit, data),
        name_key=rules.name_key(data.name),
        owner_id=unit.actor.id,
        created_at=unit.now,
        **data.model_dump(),
    )
    unit.session.add(created)
    await unit.session.flush()
    if created.is_private and unit.actor.id is not None:
        unit.session.add(ChatMember(channel_id=created.id, user_id=unit.actor.id, added_at=unit.now))
        await unit.session.flush()
    audit.record(
        unit, "chat.channel.create", "chat_channel", created.id, _audited_name(created), after=_audited(created)
    )
    return await _as_row(unit, created)


async def _new_id(unit: Unit, data: ChannelInput) -> str:
    if data.is_private:
        return rules.private_id(secrets.token_hex(8))
    attempt = 1
    while await repository.is_taken(unit.session, candidate := rules.public_id(data.name, attempt)):
        attempt += 1  # left behind by a channel that is called otherwise now
    return candidate


async def _keep_name_unique(unit: Unit, name: str, own_id: str | None = None) -> None:
    taken = await repository.channel_named(unit.session, rules.name_key(name), _as_member(unit.actor))
    if taken is not None and taken.id != own_id:
        raise Conflict(f"There is a channel {taken.name} already; choose another name.", _current(taken))


def _current(channel: ChatChannel) -> dict[str, Any]:
    return _view(channel).model_dump(mode="json", by_alias=True)


def _audited_name(channel: ChatChannel) -> str:
    """What a private channel is called is known to its members alone; the log has other readers."""
    return "" if channel.is_private else channel.name


def _audited(channel: ChatChannel) -> dict[str, Any]:
    told = {"isPrivate": channel.is_private, "archived": channel.archived_at is not None}
    return told if channel.is_private else {**told, "name": channel.name, "topic": channel.topic}


async def _to_administer(unit: Unit, channel_id: str, version: int) -> ChatChannel:
    """The channel, locked, as the caller has read it. Raises `NotFound`, `Forbidden`, `Conflict`."""
    channel = await _seen_to_change(unit, channel_id)
    _require_administration(unit, channel)
    if channel.version != version:
        raise Conflict("The channel was changed meanwhile.", _current(channel))
    return channel


def _require_administration(unit: Unit, channel: ChatChannel) -> None:
    if not rules.may_administer(unit.actor, channel.owner_id):
        raise Forbidden(Role.MANAGER, "Only the channel's owner or a manager may do this.")


async def change_channel(unit: Unit, channel_id: str, patch: ChannelPatch) -> ChannelRow:
    """Another name or topic; the id stays. Raises `NotFound`, `Forbidden`, `Conflict`."""
    changed = await _to_administer(unit, channel_id, patch.version)
    wanted = patch.model_dump(exclude_unset=True, exclude={"version"})
    before = _audited(changed)
    if "name" in wanted:
        await _keep_name_unique(unit, wanted["name"], changed.id)
        changed.name_key = rules.name_key(wanted["name"])
    for name, value in wanted.items():
        setattr(changed, name, value)
    if unit.session.is_modified(changed):
        await unit.session.flush()
        audit.record(
            unit,
            "chat.channel.change",
            "chat_channel",
            changed.id,
            _audited_name(changed),
            before,
            _audited(changed),
        )
    return await _as_row(unit, changed)


async def archive_channel(unit: Unit, channel_id: str, version: int) -> ChannelRow:
    """From now on it is read only. Raises `NotFound`, `Forbidden`, `Conflict`."""
    archived = await _to_administer(unit, channel_id, version)
    if archived.id == rules.GENERAL:
        raise Conflict("The general channel is everybody's and stays open.", _current(archived))
    if archived.archived_at is None:
        before = _audited(archived)
        archived.archived_at = unit.now
        await unit.session.flush()
        audit.record(
            unit,
            "chat.channel.archive",
            "chat_channel",
            archived.id,
            _audited_name(archived),
            before,
            _audited(archived),
        )
    return await _as_row(unit, archived)


# Members of private channels


async def _members_channel(unit: Unit, channel: ChatChannel | None, channel_id: str) -> ChatChannel:
    """A manager may say who is in a private channel even if he is not in it himself: somebody must let others in
    when its owner has left. What was said there he reads only as a member."""
    is_overseer = may_write(unit.actor.role, Role.MANAGER)
    if channel is None or not (is_overseer or await _sees(unit, channel)):
        raise NotFound("channel", channel_id)
    if not channel.is_private:
        raise Conflict("A public channel has no members: everybody is in it.", _current(channel))
    return channel


async def members(unit: Unit, channel_id: str, paging: PageQuery) -> tuple[list[MemberView], str | None, int]:
    """Who is in a private channel, by user id. Raises `NotFound`, `Conflict`."""
    found = await _members_channel(unit, await repository.channel(unit.session, channel_id), channel_id)
    place = paging.after(int)
    rows, total = await repository.members(
        unit.session, found.id, after=place[0] if place else None, limit=paging.limit + 1
    )
    shown = rows[: paging.limit]
    known = await users.users_with(unit, [each.user_id for each in shown])
    listed = [
        MemberView(user_id=each.user_id, name=known[each.user_id].name, added_at=each.added_at) for each in shown
    ]
    return listed, encode_cursor(shown[-1].user_id) if len(rows) > paging.limit else None, total


async def people(unit: Unit, paging: PageQuery, *, search: str) -> tuple[list[PersonView], str | None, int]:
    """Who can be let into a private channel, by name: whoever may sign in and is no auditor."""
    roles = [role for role in Role if role is not Role.AUDITOR]
    rows, following, total = await users.people(unit, paging, search=search, roles=roles)
    return [PersonView(id=user_id, name=name) for user_id, name in rows], following, total


async def _members_to_change(unit: Unit, channel_id: str) -> ChatChannel:
    channel = await repository.channel_to_change(unit.session, channel_id)
    return await _members_channel(unit, channel, channel_id)


async def add_member(unit: Unit, channel_id: str, user_id: int) -> MemberView:
    """Let a user in; what was said before does not count as unread. Once more changes nothing.

    Raises `NotFound`, `Forbidden`, `Conflict`, `Unprocessable` for an auditor or who may not sign in.
    """
    entered = await _members_to_change(unit, channel_id)
    _require_administration(unit, entered)
    added = await users.user(unit, user_id)
    member = await repository.member(unit.session, entered.id, user_id)
    if member is None:
        if added.role is Role.AUDITOR:
            raise Unprocessable("An auditor reads public channels only.", "userId")
        if not added.is_active:
            raise Unprocessable(f"{added.name} is disabled.", "userId")
        member = ChatMember(channel_id=entered.id, user_id=user_id, added_at=unit.now)
        unit.session.add(member)
        await unit.session.flush()
        if (newest := await repository.newest_id(unit.session, entered.id)) is not None:
            await repository.read_up_to(unit.session, user_id, entered.id, newest)
        audit.record(unit, "chat.member.add", "chat_channel", entered.id, added.name, after={"userId": user_id})
        if user_id != unit.actor.id:
            await notifications.notify(
                unit,
                notifications.ToUser(user_id),
                notifications.Level.INFO,
                texts.ADDED_TITLE,
                texts.ADDED,
                values={"by": unit.actor.name, "channel": entered.name},
            )
    return MemberView(user_id=user_id, name=added.name, added_at=member.added_at)


async def remove_member(unit: Unit, channel_id: str, user_id: int) -> None:
    """Take a user out of a private channel, or leave it oneself; his sockets leave the room with the commit.

    Raises `NotFound`, `Forbidden`, `Conflict`.
    """
    left = await _members_to_change(unit, channel_id)
    if user_id != unit.actor.id:
        _require_administration(unit, left)
    if await repository.member(unit.session, left.id, user_id) is None:
        raise NotFound("member", user_id)
    await repository.remove_member(unit.session, left.id, user_id)
    audit.record(unit, "chat.member.remove", "chat_channel", left.id, before={"userId": user_id})
    unit.publish(Departure(rules.user_room(user_id), rules.room_of(left.id)))


# Messages


def _told(message: ChatMessage) -> MessageView:
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
    seen = await _seen(unit, channel_id)
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
        _as_member(unit.actor),
        search=search,
        before=place[0] if place else None,
        limit=paging.limit + 1,
    )
    return *_page(rows, paging.limit), total


def _page(rows: Any, limit: int) -> tuple[list[MessageView], str | None]:
    shown = [_told(each) for each in rows[:limit]]
    return shown, encode_cursor(shown[-1].id) if len(rows) > limit else None


async def say(unit: Unit, data: MessageInput) -> MessageView:
    """A message to a channel. A key that the actor has used before gives the message of then, and nothing more.

    Raises `NotFound`, `Conflict` for an archived channel.
    """
    heard_in = await _seen_to_change(unit, data.channel)
    if data.key is not None:
        said = await repository.message_by_key(unit.session, unit.actor.id, data.key)
        if said is not None:
            return _told(said)
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
        return _told(said)
    said = await repository.message(unit.session, message_id)
    assert said is not None
    view = _told(said)
    _announce(unit, view)
    return view


def _require_open(channel: ChatChannel) -> None:
    if channel.archived_at is not None:
        raise Conflict("The channel is archived: nothing more is said in it.", _current(channel))


async def _message_to_change(unit: Unit, message_id: int) -> tuple[ChatMessage, ChatChannel]:
    """Channel first, then the message: one order of locks. Raises `NotFound`."""
    found = await repository.message(unit.session, message_id)
    if found is None:
        raise NotFound("message", message_id)
    channel = await repository.channel_to_change(unit.session, found.channel_id)
    locked = await repository.message_to_change(unit.session, message_id)
    if channel is None or locked is None or not await _sees(unit, channel):
        raise NotFound("message", message_id)
    return locked, channel


async def change_message(unit: Unit, message_id: int, patch: MessagePatch) -> MessageView:
    """Other words for one's own message, while it is young.

    Raises `NotFound`, `Forbidden`, `Conflict`.
    """
    changed, channel = await _message_to_change(unit, message_id)
    current = _told(changed).model_dump(mode="json", by_alias=True)
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
        _announce(unit, _told(changed))
    return _told(changed)


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
        _announce(unit, _told(deleted))
    return _told(deleted)


# How far everybody has read


async def mark_read(unit: Unit, channel_id: str, message_id: int) -> ReadView:
    """Everything up to this message is read; an older one than before changes nothing.

    Raises `NotFound`, `Unprocessable` for a message of another channel.
    """
    seen = await _seen(unit, channel_id)
    message = await repository.message(unit.session, message_id)
    if message is None or message.channel_id != seen.id:
        raise Unprocessable(f"There is no message {message_id} in this channel.", "messageId")
    assert unit.actor.id is not None
    if await repository.read_mark(unit.session, unit.actor.id, seen.id) < message_id:
        await repository.read_up_to(unit.session, unit.actor.id, seen.id, message_id)
    mark = await repository.read_mark(unit.session, unit.actor.id, seen.id)
    unread = (await _unread(unit, seen.id)).get(seen.id, 0)
    return ReadView(channel=seen.id, message_id=mark, unread=unread)
