"""Channels and their messages over HTTP.

What somebody reads here depends on who he is: private channels, and what he has not read yet. So answers are kept
by user; only who can be let in is the same for all.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from steinmetz.cache import cached
from steinmetz.erp.dependencies import Reading, SignedIn, Writing, writes_as
from steinmetz.erp.kit.answers import Answer, Listing, answer
from steinmetz.erp.kit.fields import MAX_RECORD_ID, RecordId, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.chat import messages, reading, service
from steinmetz.erp.modules.chat.rules import MAX_ID
from steinmetz.erp.modules.chat.schemas import (
    ChannelInput,
    ChannelListing,
    ChannelMessageInput,
    ChannelPatch,
    ChannelRow,
    ChannelStep,
    MemberView,
    MessageInput,
    MessagePatch,
    MessageView,
    PersonView,
    ReadInput,
    ReadView,
)
from steinmetz.erp.openapi import refuses
from steinmetz.erp.state import state_of

router = APIRouter(prefix="/api/chat", tags=["chat"])

ChannelPath = Annotated[Text, Path(max_length=MAX_ID, description="E.g. `general`")]


async def in_pace(request: Request, actor: SignedIn) -> None:
    """Raises `TooManyRequests`, before a transaction begins."""
    state = state_of(request)
    state.chat_pace.speak(actor.id, state.clock.monotonic_s())


WRITES = [writes_as(Role.CLERK)]
SPEAKS = [writes_as(Role.CLERK), Depends(in_pace)]


def _listing(page: tuple[Any, str | None, int]) -> dict[str, Any]:
    rows, following, total = page
    return {"success": True, "data": rows, "page": {"next": following, "total": total}}


@router.get("/channels", response_model=ChannelListing)
@cached(ttl=300, vary_on="user", live=True)
async def list_channels(
    unit: Reading,
    paging: Paging,
    archived: Annotated[bool, Query(description="The archived ones instead of the open ones")] = False,
) -> Any:
    """My channels by name, each with its last message and how much in it I have not read."""
    rows, following, total, unread = await service.channels(unit, paging, is_archived=archived)
    return {**_listing((rows, following, total)), "unread": unread}


@router.post("/channels", response_model=Answer[ChannelRow], status_code=201, dependencies=SPEAKS)
async def create_channel(unit: Writing, data: ChannelInput) -> Any:
    """Open a channel for everybody, or a private one for those whom I let in."""
    return answer(await service.create_channel(unit, data))


@router.get("/channels/{channel_id}", response_model=Answer[ChannelRow])
@cached(ttl=300, vary_on="user", live=True)
async def get_channel(unit: Reading, channel_id: ChannelPath) -> Any:
    """What is this channel about, and what is new in it?"""
    return answer(await service.channel(unit, channel_id))


@router.patch("/channels/{channel_id}", response_model=Answer[ChannelRow], dependencies=WRITES)
async def change_channel(unit: Writing, channel_id: ChannelPath, patch: ChannelPatch) -> Any:
    """Rename my channel or give it another topic; its id and its room stay."""
    return answer(await service.change_channel(unit, channel_id, patch))


@router.post("/channels/{channel_id}/archive", response_model=Answer[ChannelRow], dependencies=WRITES)
async def archive_channel(unit: Writing, channel_id: ChannelPath, step: ChannelStep) -> Any:
    """Close a channel: it can still be read and searched, and nothing more is said in it."""
    return answer(await service.archive_channel(unit, channel_id, step.version))


@router.get("/channels/{channel_id}/members", response_model=Listing[MemberView])
@cached(ttl=300, vary_on="user")
@refuses(409)
async def list_members(unit: Reading, channel_id: ChannelPath, paging: Paging) -> Any:
    """Who is in this private channel?"""
    return _listing(await service.members(unit, channel_id, paging))


@router.put("/channels/{channel_id}/members/{user_id}", response_model=Answer[MemberView], dependencies=WRITES)
async def add_member(unit: Writing, channel_id: ChannelPath, user_id: RecordId) -> Any:
    """Let somebody into a private channel; he is told so."""
    return answer(await service.add_member(unit, channel_id, user_id))


@router.delete("/channels/{channel_id}/members/{user_id}", response_model=Answer[None], dependencies=WRITES)
async def remove_member(unit: Writing, channel_id: ChannelPath, user_id: RecordId) -> Any:
    """Take somebody out of a private channel, or leave it: from this moment it does not exist for him."""
    await service.remove_member(unit, channel_id, user_id)
    return answer(None)


@router.get("/people", response_model=Listing[PersonView])
@cached(ttl=300, shared=True)
async def list_people(
    unit: Reading,
    paging: Paging,
    q: Annotated[Text, Query(max_length=100, description="Part of the name")] = "",
) -> Any:
    """Whom can I let into a private channel? By name, and nothing but the name."""
    return _listing(await service.people(unit, paging, search=q.strip()))


@router.get("/channels/{channel_id}/messages", response_model=Listing[MessageView])
@cached(ttl=300, vary_on="user")
async def list_channel_messages(
    unit: Reading,
    channel_id: ChannelPath,
    paging: Paging,
    after: Annotated[
        int | None,
        Query(ge=0, le=MAX_RECORD_ID, description="Only what came later than this message, oldest first"),
    ] = None,
) -> Any:
    """What was said here, newest first; or what did I miss since the message `after`?"""
    return _listing(await messages.history(unit, channel_id, paging, after=after))


@router.post(
    "/channels/{channel_id}/messages", response_model=Answer[MessageView], status_code=201, dependencies=SPEAKS
)
async def say_in_channel(unit: Writing, channel_id: ChannelPath, data: ChannelMessageInput) -> Any:
    """Say something here. Sent again with the same `key`, it is said once."""
    said = MessageInput.model_construct(channel=channel_id, text=data.text, key=data.key)
    return answer(await messages.say(unit, said))


@router.post("/channels/{channel_id}/read", response_model=Answer[ReadView], dependencies=WRITES)
async def mark_read(unit: Writing, channel_id: ChannelPath, data: ReadInput) -> Any:
    """I have read everything up to this message."""
    return answer(await reading.mark_read(unit, channel_id, data.message_id))


@router.get("/messages", response_model=Listing[MessageView])
@cached(ttl=300, vary_on="user")
async def list_messages(
    unit: Reading,
    paging: Paging,
    q: Annotated[Text, Query(max_length=100, description="Part of what was said")] = "",
) -> Any:
    """What was said lately in all my channels, or where was something mentioned?"""
    return _listing(await messages.recent(unit, paging, search=q.strip()))


@router.post("/messages", response_model=Answer[MessageView], status_code=201, dependencies=SPEAKS)
@refuses(404)
async def say(unit: Writing, data: MessageInput) -> Any:
    """Say something in a channel. Sent again with the same `key`, it is said once."""
    return answer(await messages.say(unit, data))


@router.patch("/messages/{message_id}", response_model=Answer[MessageView], dependencies=SPEAKS)
async def change_message(unit: Writing, message_id: RecordId, patch: MessagePatch) -> Any:
    """Correct what I have said, within 15 minutes."""
    return answer(await messages.change_message(unit, message_id, patch))


@router.delete("/messages/{message_id}", response_model=Answer[MessageView], dependencies=SPEAKS)
async def delete_message(unit: Writing, message_id: RecordId) -> Any:
    """Take back what I have said, or as a manager what anybody has; an empty message stays in its place."""
    return answer(await messages.delete_message(unit, message_id))
