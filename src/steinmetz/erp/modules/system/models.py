"""The audit log, the log of sign-ins, the maintenance switch, and when the chores were done.

Both logs are append-only in the database itself: triggers refuse every UPDATE, and every DELETE of what is younger
than the term that `RetentionTerm` holds for the log (migration 0007).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from steinmetz.erp.kit.columns import Base, Instant, one_of, word
from steinmetz.erp.modules.system.rules import Outcome


class AuditEntry(Base):
    """Who changed what, when, from what to what; in the same commit as the change."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_entity_entity_id", "entity", "entity_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    """None: the system itself (scheduler, command line)."""
    actor_name: Mapped[str] = mapped_column(String(120), default="")
    action: Mapped[str] = mapped_column(String(40))
    """Verb in the module's words, e.g. ``invoice.pay``."""
    entity: Mapped[str] = mapped_column(String(40))
    entity_id: Mapped[str] = mapped_column(String(255))
    summary: Mapped[str] = mapped_column(String(300), default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    request_id: Mapped[str] = mapped_column(String(40), default="", index=True)


class SignInEntry(Base):
    """Who signed in, or tried to. A table of its own: what every sign-in writes no screen reads (trap T15)."""

    __tablename__ = "sign_in_entries"
    __table_args__ = (one_of("outcome", Outcome),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None, index=True)
    """None: no user has the e-mail address that was tried."""
    user_name: Mapped[str] = mapped_column(String(120), default="")
    outcome: Mapped[Outcome] = mapped_column(word(Outcome))
    detail: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")


class RetentionTerm(Base):
    """How many days the triggers keep a log's entries from being deleted; 0 or no row: for ever."""

    __tablename__ = "retention_terms"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    days: Mapped[int]


class Maintenance(Base):
    """The one switch; no row means that it was never on."""

    __tablename__ = "maintenance"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_enabled: Mapped[bool]
    message: Mapped[str] = mapped_column(String(500), default="")
    until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    since: Mapped[datetime] = mapped_column(Instant)
    """When it was last switched on or off."""
    by: Mapped[str] = mapped_column(String(120))


class ChoreRun(Base):
    """The last run of one chore; shared by all processes on this database."""

    __tablename__ = "chore_runs"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    tried_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    """None: it has never succeeded."""
    duration_ms: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    """Records changed by the last run that succeeded."""
    failures: Mapped[int] = mapped_column(default=0)
    """Runs that have failed since then."""
    error: Mapped[str] = mapped_column(String(300), default="")
