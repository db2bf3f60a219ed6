"""Balances of accounts are summed from an index alone: its rows hold the amounts, too."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_transactions_account_id_date_amount_cents", "transactions", ["account_id", "date", "amount_cents"]
    )
    op.drop_index("ix_transactions_account_id_date", "transactions")


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")
