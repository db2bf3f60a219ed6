"""Notices as they look from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from steinmetz.erp.kit.answers import Listing
from steinmetz.erp.kit.fields import Moment, Reference, Text
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.notifications.rules import (
    MAX_LINK,
    MAX_MESSAGE,
    MAX_TITLE,
    Audience,
    AudienceKind,
    Level,
    ToAll,
    ToRole,
    ToUser,
)
from steinmetz.realtime import Event
from steinmetz.realtime.events import EVERYBODY


class NotificationView(Schema):
    id: int
    audience: AudienceKind
    role: Role | None
    user_id: int | None
    level: Level
    title: str
    message: str
    """Title and message in the reader's language."""
    link: str | None
    at: datetime
    expires_at: datetime | None


class NotificationRow(NotificationView):
    """A notice as one of its readers has it before him."""

    unread: bool


class Inbox(Listing[NotificationRow]):
    """``unreadCount`` counts all that is unread, on whatever page and whatever is filtered."""

    unread_count: int = Field(alias="unreadCount")


class ReadCount(Schema):
    read: int
    """How many were unread before."""
    unread_count: int


class DeletedNotification(Schema):
    deleted: int


class NotificationInput(Input):
    model_config = example(
        audience="role",
        role="clerk",
        level="info",
        title="Inventur am Freitag",
        message="Ab 12 Uhr bleibt das Lager geschlossen.",
        expiresAt="2026-03-06T18:00:00Z",
    )

    audience: AudienceKind
    role: Role | None = None
    user_id: Reference | None = None
    level: Level = Level.INFO
    title: Annotated[Text, Field(min_length=1, max_length=MAX_TITLE)]
    message: Annotated[Text, Field(min_length=1, max_length=MAX_MESSAGE)]
    link: Annotated[
        Text | None,
        Field(
            max_length=MAX_LINK, pattern=r"^/([^/\s\\\x00][^\s\\\x00]*)?$", description="A path of our own pages"
        ),
    ] = None
    expires_at: Moment | None = None

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if (self.audience is AudienceKind.ROLE) != (self.role is not None):
            raise ValueError('role is given with the audience "role", and only then')
        if (self.audience is AudienceKind.USER) != (self.user_id is not None):
            raise ValueError('userId is given with the audience "user", and only then')
        return self

    @property
    def addressee(self) -> Audience:
        if self.role is not None:
            return ToRole(self.role)
        return ToAll() if self.user_id is None else ToUser(self.user_id)


class Notice(Schema):
    """A notification as it is heard: to one user in his language, to several in German."""

    id: int
    level: Level
    title: str
    message: str
    at: datetime


NOTIFICATION = Event(
    "system:notification", Notice, rooms=(EVERYBODY, "role:{role}", "user:{id}"), about="A notice was written"
)
