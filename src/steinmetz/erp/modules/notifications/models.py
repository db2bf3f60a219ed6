"""Notices, and who has read them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from steinmetz.erp.kit.columns import Base, Instant, one_of, word
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.notifications.rules import (
    MAX_LINK,
    MAX_MESSAGE,
    MAX_ONCE,
    MAX_TITLE,
    AudienceKind,
    Level,
)


class Notification(Base):
    """Said in both languages; what a person has written is the same in both."""

    __tablename__ = "notifications"
    __table_args__ = (
        one_of("audience", AudienceKind),
        one_of("level", Level),
        CheckConstraint(
            "(audience = 'role') = (role IS NOT NULL) AND (audience = 'user') = (user_id IS NOT NULL)",
            name="addressee",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    audience: Mapped[AudienceKind] = mapped_column(word(AudienceKind))
    role: Mapped[Role | None] = mapped_column(word(Role), default=None)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), default=None, index=True
    )
    level: Mapped[Level] = mapped_column(word(Level))
    title_en: Mapped[str] = mapped_column(String(MAX_TITLE))
    title_de: Mapped[str] = mapped_column(String(MAX_TITLE))
    message_en: Mapped[str] = mapped_column(String(MAX_MESSAGE))
    message_de: Mapped[str] = mapped_column(String(MAX_MESSAGE))
    link: Mapped[str | None] = mapped_column(String(MAX_LINK), default=None)
    """A path of our own pages."""
    at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    """From then on nobody is shown it."""
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), default=None)
    """None: the system itself."""
    once: Mapped[str | None] = mapped_column(String(MAX_ONCE), unique=True, default=None)
    """What must not be said twice, e.g. ``overdue:2026-03-02``."""


class NotificationRead(Base):
    __tablename__ = "notification_reads"

    notification_id: Mapped[int] = mapped_column(
        ForeignKey("notifications.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    at: Mapped[datetime] = mapped_column(Instant)
