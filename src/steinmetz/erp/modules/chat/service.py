"""Channels, and who is in the private ones.

Every act goes the same way: lock the channel, ask whether the actor sees it, ask the rules, change, say so after
the commit. Messages are in `messages`, how far they were read in `reading`.

Changes of channels and members are in the audit log, without what is private of them.
"""

from __future__ import annotations

import secrets
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit import patches
from steinmetz.erp.kit.announcements import Departure
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import Role, may_write
from steinmetz.erp.modules.auth import service as users
from steinmetz.erp.modules.chat import access, messages, reading, repository, rules, texts
from steinmetz.erp.modules.chat.models import ChatChannel, ChatMember, ChatMessage
from steinmetz.erp.modules.chat.schemas import ChannelInput, ChannelPatch, ChannelRow, MemberView, PersonView
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.erp.modules.system.service import audit


async def may_enter(unit: Unit, room: str) -> bool:
    """Whether the actor may hear what is said in a channel's room."""
    channel_id = rules.channel_of(room)
    return channel_id is not None and await access.sees(unit, await repository.channel(unit.session, channel_id))


async def channels(
    unit: Unit, paging: PageQuery, *, is_archived: bool
) -> tuple[list[ChannelRow], str | None, int, int]:
    """A page of the channels that the actor sees, the next cursor, how many there are, and what is unread."""
    rows, total = await repository.channels(
        unit.session,
        access.as_member(unit.actor),
        is_archived=is_archived,
        after=paging.after(str, str),
        limit=paging.limit + 1,
    )
    shown = rows[: paging.limit]
    last = await repository.messages_with(unit.session, [newest for _, newest in shown if newest is not None])
    unread = {} if is_archived else await reading.unread_by_channel(unit)
    listed = [
        _row(channel, unread.get(channel.id, 0), last.get(newest) if newest is not None else None)
        for channel, newest in shown
    ]
    has_next = len(rows) > paging.limit
    following = encode_cursor(listed[-1].name, listed[-1].id) if has_next else None
    return listed, following, total, sum(unread.values())


def _row(channel: ChatChannel, unread: int, last: ChatMessage | None) -> ChannelRow:
    return ChannelRow(
        **dict(access.view(channel)), unread=unread, last_message=messages.told(last) if last else None
    )


async def channel(unit: Unit, channel_id: str) -> ChannelRow:
    """Raises `NotFound`."""
    return await _as_row(unit, await access.seen(unit, channel_id))


async def _as_row(unit: Unit, channel: ChatChannel) -> ChannelRow:
    newest = await repository.newest_id(unit.session, channel.id)
    last = None if newest is None else await repository.message(unit.session, newest)
    unread = {} if channel.archived_at is not None else await reading.unread_by_channel(unit, channel.id)
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
    taken = await repository.channel_named(unit.session, rules.name_key(name), access.as_member(unit.actor))
    if taken is not None and taken.id != own_id:
        raise Conflict(f"There is a channel {taken.name} already; choose another name.", access.current(taken))


def _audited_name(channel: ChatChannel) -> str:
    """What a private channel is called is known to its members alone; the log has other readers."""
    return "" if channel.is_private else channel.name


def _audited(channel: ChatChannel) -> dict[str, Any]:
    told = {"isPrivate": channel.is_private, "archived": channel.archived_at is not None}
    return told if channel.is_private else {**told, "name": channel.name, "topic": channel.topic}


async def _to_administer(unit: Unit, channel_id: str, version: int) -> ChatChannel:
    """The channel, locked, as the caller has read it. Raises `NotFound`, `Forbidden`, `Conflict`."""
    channel = await access.seen_to_change(unit, channel_id)
    _require_administration(unit, channel)
    if channel.version != version:
        raise Conflict("The channel was changed meanwhile.", access.current(channel))
    return channel


def _require_administration(unit: Unit, channel: ChatChannel) -> None:
    if not rules.may_administer(unit.actor, channel.owner_id):
        raise Forbidden(Role.MANAGER, "Only the channel's owner or a manager may do this.")


async def change_channel(unit: Unit, channel_id: str, patch: ChannelPatch) -> ChannelRow:
    """Another name or topic; the id stays. Raises `NotFound`, `Forbidden`, `Conflict`."""
    changed = await _to_administer(unit, channel_id, patch.version)
    wanted = patches.wanted_by(patch)
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
        raise Conflict("The general channel is everybody's and stays open.", access.current(archived))
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


async def _members_channel(unit: Unit, channel: ChatChannel | None, channel_id: str) -> ChatChannel:
    """A manager may say who is in a private channel even if he is not in it himself: somebody must let others in
    when its owner has left. What was said there he reads only as a member."""
    is_overseer = may_write(unit.actor.role, Role.MANAGER)
    if channel is None or not (is_overseer or await access.sees(unit, channel)):
        raise NotFound("channel", channel_id)
    if not channel.is_private:
        raise Conflict("A public channel has no members: everybody is in it.", access.current(channel))
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
