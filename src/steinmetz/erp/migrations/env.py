"""Alembic's way in: on the connection that `steinmetz.erp.migrations.upgrade` gives, or from the command line.

From the command line (``alembic revision --autogenerate``) the database is ``STEINMETZ_DATABASE_URL``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from steinmetz.erp.migrations.schema import is_of_the_models, schema
from steinmetz.erp.migrations.transaction import in_transaction


def migrate(connection: Connection) -> None:
    progress = context.config.attributes.get("progress")
    scripts = ScriptDirectory.from_config(context.config)
    done = 0

    def applied(
        ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
    ) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(f"Schema {step.up_revision_id}", done, total)

    context.configure(
        connection=connection,
        target_metadata=schema(),
        # Alembic takes SQLite for an engine without transactional DDL; ours begins by itself (see transaction.py).
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
        include_object=is_of_the_models,
        on_version_apply=applied,
    )
    stands = context.get_context().get_current_revision()
    total = sum(1 for _ in scripts.iterate_revisions("head", stands or "base"))
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
elif context.is_offline_mode():
    raise SystemExit("SQL scripts are not offered: each engine's search index is made by running the migration")
elif "STEINMETZ_DATABASE_URL" in os.environ:
    in_transaction(os.environ["STEINMETZ_DATABASE_URL"], migrate)
else:
    raise SystemExit("set STEINMETZ_DATABASE_URL, e.g. sqlite+aiosqlite:///data/steinmetz.sqlite3")
