"""Files that nodes of the catalogue come from.

Columns are added without a rebuild of ``function_nodes``: on SQLite a rebuild would drop the triggers of its
search index.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("function_nodes", sa.Column("source", sa.String(200), nullable=True))
    op.add_column("function_nodes", sa.Column("source_key", sa.String(1024), nullable=True))
    op.create_table(
        "catalog_sources",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_catalog_sources")),
    )


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")
