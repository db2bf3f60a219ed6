"""Versions of departments, entitlement to vacation, cancelled leave, and a guard that keeps time entries apart.

That no two time entries of an employee overlap is decided by the service, under a lock on the employee. The guard
beside the table catches what gets past it, such as SQL by hand:

- SQLite: two triggers.
- PostgreSQL: an exclusion constraint. Equality of whole numbers would need the extension ``btree_gist`` there, so
  the employee, the day and the minutes are laid out on one line of numbers, where entries are ranges.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("departments", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("employees", sa.Column("vacation_days", sa.Integer(), nullable=False, server_default="30"))
    with op.batch_alter_table("leave_requests") as table:
        table.add_column(sa.Column("reason", sa.String(300), nullable=False, server_default=""))
        table.drop_constraint(op.f("ck_leave_requests_status"), type_="check")
        table.create_check_constraint(
            op.f("ck_leave_requests_status"), "status IN ('requested', 'approved', 'rejected', 'cancelled')"
        )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in GUARD_SQLITE if is_sqlite else GUARD_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")


_APART_SQLITE = """
BEGIN
    SELECT RAISE(ABORT, 'time entries of an employee overlap')
    FROM time_entries
    WHERE employee_id = new.employee_id AND date = new.date AND id IS NOT new.id
        AND start_minute < new.end_minute AND end_minute > new.start_minute;
END
"""

GUARD_SQLITE = (
    f"CREATE TRIGGER time_entries_apart_insert BEFORE INSERT ON time_entries {_APART_SQLITE}",
    f"""
    CREATE TRIGGER time_entries_apart_update
    BEFORE UPDATE OF employee_id, date, start_minute, end_minute ON time_entries {_APART_SQLITE}
    """,
)

_DAY = "(employee_id::bigint * 4000000 + (date - date '0001-01-01')) * 1440"
"""Minutes: 4,000,000 days are more than a calendar has, so employees do not touch each other."""

GUARD_POSTGRESQL = (
    # SP-GiST: a row costs half of what it does with GiST, and a sixth of that with ranges of ``numeric``.
    f"""
    ALTER TABLE time_entries ADD CONSTRAINT ex_time_entries_apart
    EXCLUDE USING spgist (int8range({_DAY} + start_minute, {_DAY} + end_minute) WITH &&)
    """,
)
