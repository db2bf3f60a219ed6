"""Figures of jobs, results and attempts of items, and by what imported records are recognised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _jobs()
    _figures()
    _items()
    _origins()


def _jobs() -> None:
    op.add_column("batch_jobs", sa.Column("owner_name", sa.String(120), nullable=False, server_default=""))
    op.add_column(
        "batch_jobs", sa.Column("is_cancelling", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("batch_jobs", sa.Column("error", sa.String(500), nullable=False, server_default=""))
    op.create_index("ix_batch_jobs_owner_id", "batch_jobs", ["owner_id"])
    op.execute(
        "UPDATE batch_jobs SET owner_name = (SELECT name FROM users WHERE users.id = batch_jobs.owner_id)"
        " WHERE owner_id IS NOT NULL"
    )


def _figures() -> None:
    """They change with every item, so they leave the table that says which jobs there are."""
    op.create_table(
        "batch_progress",
        sa.Column("job_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("attempt", "total", "done", "failed")),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["batch_jobs.id"], name=op.f("fk_batch_progress_job_id_batch_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_batch_progress")),
    )
    op.execute(
        "INSERT INTO batch_progress (job_id, attempt, total, done, failed, cancelled)"
        " SELECT id, 1, total, done, failed, CASE WHEN status = 'cancelled' THEN total - done - failed ELSE 0 END"
        " FROM batch_jobs"
    )
    # Without rebuilding the table: SQLite would drop the old one, and with it the items that hang on it.
    for name in ("total", "done", "failed"):
        op.drop_column("batch_jobs", name)


def _items() -> None:
    op.drop_index("ix_batch_items_job_id_status", "batch_items")
    op.create_index("ix_batch_items_job_id_status_position", "batch_items", ["job_id", "status", "position"])
    op.create_index("ix_batch_items_job_id_position", "batch_items", ["job_id", "position"])
    op.create_table(
        "batch_attempts",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["batch_items.id"], name=op.f("fk_batch_attempts_item_id_batch_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_batch_attempts")),
    )
    op.create_table(
        "batch_results",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["batch_items.id"], name=op.f("fk_batch_results_item_id_batch_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_batch_results")),
    )


def _origins() -> None:
    op.create_table(
        "batch_origins",
        sa.Column("key", sa.String(450), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_batch_origins")),
    )


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")
