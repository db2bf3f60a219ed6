"""Which channels the actor sees.

A channel that somebody may not see does not exist for him, nor does anything that was said in it.
"""

from __future__ import annotations

from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import NotFound
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.chat import repository, rules
from steinmetz.erp.modules.chat.models import ChatChannel
from steinmetz.erp.modules.chat.schemas import ChannelView


def as_member(actor: Actor) -> int | None:
    """As whom the actor is looked for among the members of private channels; None: he can be in none."""
    return None if actor.role is Role.AUDITOR else actor.id


async def sees(unit: Unit, channel: ChatChannel | None) -> bool:
    if channel is None:
        return False
    member_id = as_member(unit.actor)
    is_member = (
        channel.is_private
        and member_id is not None
        and await repository.is_member(unit.session, channel.id, member_id)
    )
    return rules.may_see(unit.actor, is_private=channel.is_private, is_member=is_member)


async def seen(unit: Unit, channel_id: str) -> ChatChannel:
    """Raises `NotFound`, also for a channel that the actor does not see."""
    channel = await repository.channel(unit.session, channel_id)
    if channel is None or not await sees(unit, channel):
        raise NotFound("channel", channel_id)
    return channel


async def seen_to_change(unit: Unit, channel_id: str) -> ChatChannel:
    """The same, its row locked; who sees it is asked after the lock, so that nobody is taken out meanwhile."""
    channel = await repository.channel_to_change(unit.session, channel_id)
    if channel is None or not await sees(unit, channel):
        raise NotFound("channel", channel_id)
    return channel


def view(channel: ChatChannel) -> ChannelView:
    fields = {name: getattr(channel, name) for name in ChannelView.model_fields.keys() - {"room"}}
    return ChannelView(room=rules.room_of(channel.id), **fields)


def current(channel: ChatChannel) -> dict[str, Any]:
    return view(channel).model_dump(mode="json", by_alias=True)
