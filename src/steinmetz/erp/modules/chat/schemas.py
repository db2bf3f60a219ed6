"""Channels and messages as they look from outside, over HTTP and in socket events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from steinmetz.erp.kit.answers import Listing
from steinmetz.erp.kit.fields import Reference, Text, Version, left_out, unchanged
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.chat.rules import MAX_ID, MAX_KEY, MAX_NAME, MAX_TEXT, MAX_TOPIC, ROOM, ROOM_PREFIX
from steinmetz.realtime import Event
from steinmetz.realtime.events import Done

ChannelId = Annotated[Text, Field(min_length=1, max_length=MAX_ID, description="E.g. `general`")]
ChannelName = Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
Topic = Annotated[Text, Field(max_length=MAX_TOPIC)]
MessageText = Annotated[Text, Field(min_length=1, max_length=MAX_TEXT, description="Plain text")]
MessageKey = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=MAX_KEY,
        description="Made by the client: sent again with the same key, it is the same message, never a second one",
    ),
]


class Speaker(Schema):
    id: int | None
    """None: the user is no more."""
    name: str
    """As it was when the message was written."""


class MessageView(Schema):
    id: int
    channel: str
    user: Speaker
    text: str
    """Empty if deleted."""
    at: datetime
    edited_at: datetime | None
    deleted: bool
    version: int


class HeardMessage(Schema):
    """A message as its channel hears it; the same id again, edited or deleted, replaces it."""

    id: int
    channel: str
    user: Speaker
    text: str
    at: datetime
    edited_at: datetime | None = left_out()
    deleted: Literal[True] | None = left_out()


class HeardTyping(Schema):
    """Somebody types."""

    channel: str
    user: Speaker


class Said(Schema):
    """The acknowledgement of what was said: it is written."""

    ok: Literal[True] = True
    message: MessageView


class HeardPresence(Schema):
    """Somebody has come into a channel's room, or is gone from it for more than a moment."""

    channel: str
    user_id: int
    present: bool


class Present(Schema):
    """Who is in a channel's room, at whatever server."""

    ok: Literal[True] = True
    user_ids: list[int]


class ChannelView(Schema):
    id: str
    name: str
    topic: str
    is_private: bool
    room: str
    """The socket room to join for its events."""
    owner_id: int | None
    created_at: datetime
    archived_at: datetime | None
    version: int


class ChannelRow(ChannelView):
    """A channel as the caller has it before him."""

    unread: int
    """Messages of others that the caller has not read."""
    last_message: MessageView | None


class ChannelListing(Listing[ChannelRow]):
    """``unread`` is the sum over all channels of the list, on whatever page they are."""

    unread: int


class MemberView(Schema):
    user_id: int
    name: str
    added_at: datetime


class PersonView(Schema):
    """Somebody who can be let into a private channel."""

    id: int
    name: str


class ReadView(Schema):
    channel: str
    message_id: int
    """The newest message that counts as read; never an older one than before."""
    unread: int


class ChannelInput(Input):
    model_config = example(name="Vertrieb Süd", topic="Angebote und Aufträge", isPrivate=False)

    name: ChannelName
    topic: Topic = ""
    is_private: Annotated[bool, Field(strict=True)] = False


class ChannelPatch(Input):
    """What is left out stays as it is."""

    model_config = example(version=1, topic="Angebote, Aufträge und Messen")

    version: Version
    name: ChannelName = unchanged()
    topic: Topic = unchanged()


class ChannelStep(Input):
    """Archiving: nothing to say but which state is meant."""

    model_config = example(version=1)

    version: Version


class ChannelMessageInput(Input):
    """A message to the channel of the path."""

    model_config = example(text="Der Prüfstand ist wieder frei.", key="5b1f0c52-9f0e-4d1e-8f57-7a3a6a0e1c11")

    text: MessageText
    key: MessageKey | None = None


class MessageInput(ChannelMessageInput):
    """A message, over HTTP or as the socket event ``chat:message``."""

    model_config = example(
        channel="general", text="Der Prüfstand ist wieder frei.", key="5b1f0c52-9f0e-4d1e-8f57-7a3a6a0e1c11"
    )

    channel: ChannelId


class MessagePatch(Input):
    model_config = example(version=1, text="Der Prüfstand ist ab 14 Uhr wieder frei.")

    version: Version
    text: MessageText


class TypingInput(Input):
    """The socket events ``chat:typing`` and ``chat:here``."""

    model_config = example(channel="general")

    channel: ChannelId


class ReadInput(Input):
    model_config = example(messageId=1042)

    message_id: Reference


ROOMS = (ROOM, f"{ROOM_PREFIX}{{channel}}")
MESSAGE = Event("chat:message", HeardMessage, rooms=ROOMS, about="Something was said, edited or deleted")
TYPING = Event("chat:typing", HeardTyping, rooms=ROOMS, volatile=True, about="Somebody types in the channel")
SAY = Event("chat:message", MessageInput, ack=Said, about="Say something; acknowledged when it is written")
PRESENCE = Event(
    "chat:presence",
    HeardPresence,
    rooms=(f"{ROOM_PREFIX}{{channel}}",),
    about="The first socket of a user has entered the room, or the last one has left it",
)
HERE = Event("chat:here", TypingInput, ack=Present, about="Who else is in a channel whose room I have joined?")
TYPE = Event("chat:typing", TypingInput, ack=Done, about="I type, in a channel whose room I have joined")
