"""Channels, who is in the private ones, what was said, and how far everybody has read.

A message carries the name that its author had: reading a channel asks no other module's table.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from steinmetz.erp.kit.columns import Base, Instant
from steinmetz.erp.modules.chat.rules import MAX_ID, MAX_KEY, MAX_NAME, MAX_NAME_KEY, MAX_TEXT, MAX_TOPIC

_PUBLIC = text("NOT is_private")


class ChatChannel(Base):
    __tablename__ = "chat_channels"
    __table_args__ = (
        # Of public channels only: that a private one is called so must not show.
        Index(
            "uq_chat_channels_name_key", "name_key", unique=True, sqlite_where=_PUBLIC, postgresql_where=_PUBLIC
        ),
    )

    id: Mapped[str] = mapped_column(String(MAX_ID), primary_key=True)
    """A slug of the first name, or random characters for a private one; also names the room."""
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    name_key: Mapped[str] = mapped_column(String(MAX_NAME_KEY))
    topic: Mapped[str] = mapped_column(String(MAX_TOPIC), default="")
    is_private: Mapped[bool] = mapped_column(default=False)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), default=None)
    created_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    """Since then it is read only."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ChatMember(Base):
    """Who is in a private channel. A public one has no members: everybody is in it."""

    __tablename__ = "chat_members"

    channel_id: Mapped[str] = mapped_column(ForeignKey("chat_channels.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    added_at: Mapped[datetime] = mapped_column(Instant)


class ChatMessage(Base):
    __tablename__ = "chat_messages"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_chat_messages_channel_id_id", "channel_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    """Rises within a channel in the order of the commits: its row is locked while an id is taken."""
    channel_id: Mapped[str] = mapped_column(ForeignKey("chat_channels.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), default=None)
    user_name: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(MAX_TEXT))
    """Empty once deleted."""
    at: Mapped[datetime] = mapped_column(Instant)
    key: Mapped[str | None] = mapped_column(String(MAX_KEY), default=None)
    """Made by the client: the same key of the same user is the same message, however often it is sent."""
    edited_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ChatRead(Base):
    """The newest message that a user has read in a channel; it only ever moves forward."""

    __tablename__ = "chat_reads"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    channel_id: Mapped[str] = mapped_column(ForeignKey("chat_channels.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[int]
