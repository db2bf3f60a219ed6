"""Jobs, their figures, their items, and what came of those."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from steinmetz.erp.kit.columns import Base, Instant, one_of, word
from steinmetz.erp.modules.batch.rules import MAX_ERROR_CHARS, JobStatus


class BatchJob(Base):
    __tablename__ = "batch_jobs"
    __table_args__ = (one_of("status", JobStatus),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    status: Mapped[JobStatus] = mapped_column(word(JobStatus), default=JobStatus.QUEUED, index=True)
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), default=None, index=True
    )
    owner_name: Mapped[str] = mapped_column(String(120), default="")
    """As whom its items act in the audit log."""
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What was asked for; of an import only the figures, once its rows are items."""
    is_cancelling: Mapped[bool] = mapped_column(default=False)
    """Cancelled, while an item was still being worked on."""
    error: Mapped[str] = mapped_column(String(MAX_ERROR_CHARS), default="")
    """Why it has failed as a whole; the items have their own."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class BatchProgress(Base):
    """The figures of a job. They change with each item, which must not concern whoever only counts jobs.

    The row is the lock under which a job is decided about; whoever wants the job's own row takes it after this.
    """

    __tablename__ = "batch_progress"

    job_id: Mapped[int] = mapped_column(ForeignKey("batch_jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(default=1)
    """1, and one more with each retry: only within an attempt do the figures never fall."""
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)


class BatchItem(Base):
    __tablename__ = "batch_items"
    __table_args__ = (
        one_of("status", JobStatus),
        Index("ix_batch_items_job_id_status_position", "job_id", "status", "position"),
        Index("ix_batch_items_job_id_position", "job_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("batch_jobs.id", ondelete="CASCADE"))
    position: Mapped[int]
    status: Mapped[JobStatus] = mapped_column(word(JobStatus), default=JobStatus.QUEUED)
    """Never ``running``: whoever works on an item holds its row, and a lock dies with its holder."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str] = mapped_column(String(MAX_ERROR_CHARS), default="")


class BatchAttempt(Base):
    """How often an item was begun: committed before its effects, so that a death in between is counted."""

    __tablename__ = "batch_attempts"

    item_id: Mapped[int] = mapped_column(ForeignKey("batch_items.id", ondelete="CASCADE"), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=1)


class BatchResult(Base):
    """An item's piece of the job's file, written in the commit that marks the item done."""

    __tablename__ = "batch_results"

    item_id: Mapped[int] = mapped_column(ForeignKey("batch_items.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class BatchOrigin(Base):
    """By what an imported record is recognised when it comes again, e.g. ``customer number 4711``."""

    __tablename__ = "batch_origins"

    key: Mapped[str] = mapped_column(String(450), primary_key=True)
    record_id: Mapped[int]
