"""Notices, and who has read them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(20), nullable=False),
        sa.Column("role", sa.String(20), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("title_en", sa.String(length=120), nullable=False),
        sa.Column("title_de", sa.String(length=120), nullable=False),
        sa.Column("message_en", sa.String(length=2000), nullable=False),
        sa.Column("message_de", sa.String(length=2000), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("once", sa.String(length=80), nullable=True),
        sa.CheckConstraint("audience IN ('all', 'role', 'user')", name=op.f("ck_notifications_audience")),
        sa.CheckConstraint(
            "level IN ('info', 'success', 'warning', 'error')", name=op.f("ck_notifications_level")
        ),
        sa.CheckConstraint(
            "(audience = 'role') = (role IS NOT NULL) AND (audience = 'user') = (user_id IS NOT NULL)",
            name=op.f("ck_notifications_addressee"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notifications_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_notifications_author_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("once", name=op.f("uq_notifications_once")),
    )
    op.create_index(op.f("ix_notifications_user_id"), "notifications", ["user_id"])
    op.create_table(
        "notification_reads",
        sa.Column("notification_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notification_reads_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notification_reads_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notification_id", "user_id", name=op.f("pk_notification_reads")),
    )
    op.create_index(op.f("ix_notification_reads_user_id"), "notification_reads", ["user_id"])


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")
