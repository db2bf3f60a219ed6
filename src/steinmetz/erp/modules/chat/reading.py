"""How far everybody has read; that is nobody else's business, so no log holds it."""

from __future__ import annotations

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.roles import Role, may_write
from steinmetz.erp.modules.auth import service as users
from steinmetz.erp.modules.chat import access, repository
from steinmetz.erp.modules.chat.schemas import ReadView


async def unread_by_channel(unit: Unit, channel_id: str | None = None) -> dict[str, int]:
    """What was said before a user was there is no news to him; who cannot mark as read has nothing unread."""
    if unit.actor.id is None or not may_write(unit.actor.role, Role.CLERK):
        return {}
    reader = await users.user(unit, unit.actor.id)
    return await repository.unread(unit.session, reader.id, reader.created_at, channel_id=channel_id)


async def mark_read(unit: Unit, channel_id: str, message_id: int) -> ReadView:
    """Everything up to this message is read; an older one than before changes nothing.

    Raises `NotFound`, `Unprocessable` for a message of another channel.
    """
    seen = await access.seen(unit, channel_id)
    message = await repository.message(unit.session, message_id)
    if message is None or message.channel_id != seen.id:
        raise Unprocessable(f"There is no message {message_id} in this channel.", "messageId")
    assert unit.actor.id is not None
    if await repository.read_mark(unit.session, unit.actor.id, seen.id) < message_id:
        await repository.read_up_to(unit.session, unit.actor.id, seen.id, message_id)
    mark = await repository.read_mark(unit.session, unit.actor.id, seen.id)
    unread = (await unread_by_channel(unit, seen.id)).get(seen.id, 0)
    return ReadView(channel=seen.id, message_id=mark, unread=unread)
