"""The schema's history, and the three questions about it: what is the newest, where are we, bring me there.

`head` and `current` do without Alembic, so that a server that is up to date starts without importing it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from steinmetz.erp.migrations.transaction import AroundCommit, in_transaction

__all__ = ["Progress", "current", "head", "upgrade"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_HEAD = "0009"
"""The newest file in versions/; a test compares."""


def head() -> str:
    """The revision that this release needs."""
    return _HEAD


def current(connection: Connection) -> str | None:
    """The revision of the connected database; None for one that was never migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if revision is None else str(revision)


def upgrade(url: str, progress: Progress | None = None, *, around_commit: AroundCommit | None = None) -> None:
    """Bring the database at ``url`` to `head`, in one transaction; nothing happens if it is there already.

    ``url`` may name the async driver of the application or none. Two processes that upgrade at once do so one
    after the other. Blocks: async code calls it in a thread. Raises `RuntimeError` for a database that is newer
    than this release.
    """
    in_transaction(url, lambda connection: _upgrade(connection, progress), around_commit=around_commit)


def _upgrade(connection: Connection, progress: Progress | None) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('steinmetz.migrations'))"))
    stands = current(connection)
    if stands == _HEAD:
        return
    if stands is not None and stands > _HEAD:
        raise RuntimeError(
            f"the database is at revision {stands}, newer than this release's {_HEAD}: "
            "install the newer release, or restore a backup from before its migration"
        )

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, progress=progress)
    command.upgrade(config, "head")
