"""Logs that can only grow, the maintenance switch, and the chores' last runs.

``audit_entries`` and ``sign_in_entries`` refuse UPDATE, and DELETE of every entry that is younger than its term in
``retention_terms`` (no row, or 0: of every entry), by the clock of the database's machine. PostgreSQL's refuse
TRUNCATE; SQLite's refuse an ``INSERT OR REPLACE`` onto an entry, which would delete it without firing a trigger.
A rebuild of one of these tables on SQLite (``batch_alter_table``) drops its triggers: make them
again with `guard`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LOGS = {"audit_entries": "audit", "sign_in_entries": "sign-ins"}
"""Table -> its term."""
DEFAULT_DAYS = {"audit": 3_650, "sign-ins": 180}
"""Those of the settings. The daily retention brings the terms to what the settings say, and audits it."""


def upgrade() -> None:
    # Users are never deleted, so no entry ever loses its actor: an action could only contradict the trigger.
    with op.batch_alter_table("audit_entries") as audit:
        audit.drop_constraint("fk_audit_entries_actor_id_users", type_="foreignkey")
        audit.create_foreign_key("fk_audit_entries_actor_id_users", "users", ["actor_id"], ["id"])
    op.create_index("ix_audit_entries_request_id", "audit_entries", ["request_id"])
    op.create_table(
        "sign_in_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(120), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("detail", sa.String(200), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(200), nullable=False),
        sa.Column("request_id", sa.String(40), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('signed_in', 'refused', 'signed_out', 'reused')", name=op.f("ck_sign_in_entries_outcome")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_entries_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_entries")),
    )
    op.create_index(op.f("ix_sign_in_entries_at"), "sign_in_entries", ["at"])
    op.create_index(op.f("ix_sign_in_entries_user_id"), "sign_in_entries", ["user_id"])
    op.create_table(
        "retention_terms",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_retention_terms")),
    )
    for log, days in DEFAULT_DAYS.items():
        op.execute(
            sa.text("INSERT INTO retention_terms (name, days) VALUES (:log, :days)").bindparams(log=log, days=days)
        )
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_table(
        "chore_runs",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chore_runs")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(APPEND_ONLY)
    for log, term in LOGS.items():
        guard(log, term)


def guard(log: str, term: str) -> None:
    """Make the triggers of one log."""
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement.format(log=log, term=term).replace(":", r"\:")))


APPEND_ONLY = """
    CREATE FUNCTION steinmetz_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE kept integer;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            SELECT days INTO kept FROM retention_terms WHERE name = TG_ARGV[0];
            IF kept > 0 AND OLD.at < clock_timestamp() - make_interval(days => kept) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION '% can only grow, % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END $$
"""

GUARDS = {
    "postgresql": (
        """
        CREATE TRIGGER {log}_append_only BEFORE UPDATE OR DELETE ON {log}
        FOR EACH ROW EXECUTE FUNCTION steinmetz_append_only('{term}')
        """,
        """
        CREATE TRIGGER {log}_no_truncate BEFORE TRUNCATE ON {log}
        FOR EACH STATEMENT EXECUTE FUNCTION steinmetz_append_only('{term}')
        """,
    ),
    "sqlite": (
        """
        CREATE TRIGGER {log}_no_update BEFORE UPDATE ON {log} BEGIN
            SELECT RAISE(ABORT, '{log} can only grow, UPDATE is refused');
        END
        """,
        """
        CREATE TRIGGER {log}_no_delete BEFORE DELETE ON {log}
        WHEN NOT EXISTS (
            SELECT 1 FROM retention_terms WHERE name = '{term}' AND days > 0
            AND old.at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || days || ' days')
        ) BEGIN
            SELECT RAISE(ABORT, '{log} can only grow, DELETE is refused');
        END
        """,
        """
        CREATE TRIGGER {log}_no_replace BEFORE INSERT ON {log}
        WHEN EXISTS (SELECT 1 FROM {log} WHERE id = new.id) BEGIN
            SELECT RAISE(ABORT, '{log} can only grow, REPLACE is refused');
        END
        """,
    ),
}


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")
