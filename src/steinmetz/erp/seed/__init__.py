"""A plausible company in an empty database: a maker of drives with its customers, books, people and hours.

Deterministic: the same scale, seed and day give the same rows on both engines, but for the salt of password
hashes.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from steinmetz.erp import migrations
from steinmetz.erp.migrations import Progress
from steinmetz.erp.migrations.transaction import AroundCommit, in_transaction
from steinmetz.erp.seed.company import phases
from steinmetz.erp.seed.load import load, writer
from steinmetz.erp.seed.people import LOGINS, PASSWORD, Login, PasswordHasher
from steinmetz.erp.seed.rows import STANDING, TABLES
from steinmetz.erp.seed.scale import DEMO, LARGE, SCALES, TINY, Scale

__all__ = [
    # .scale
    "DEMO",
    "LARGE",
    # .people
    "LOGINS",
    "PASSWORD",
    "SCALES",
    "TINY",
    "Login",
    # here
    "NotEmptyError",
    "NotMigratedError",
    "PasswordHasher",
    "Scale",
    "is_empty",
    "seed",
]


class NotEmptyError(RuntimeError):
    """The database holds data already; a seed only ever fills an empty one."""


class NotMigratedError(RuntimeError):
    """The database has no tables yet, or those of another release: migrate first."""


def seed(
    url: str,
    *,
    scale: Scale,
    seed: int = 1,
    today: date,
    password_hasher: PasswordHasher,
    progress: Progress | None = None,
    around_commit: AroundCommit | None = None,
) -> None:
    """Fill the empty, migrated database at ``url``, in one transaction: all of it or nothing.

    ``today`` is the company's date: the books end on the day before. ``progress`` hears (phase, rows done, rows
    expected). Blocks: async code calls it in a thread. ``around_commit`` as in `in_transaction`.

    Raises `NotMigratedError` and `NotEmptyError`.
    """

    def fill(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('steinmetz.seed'))"))
        _refuse_what_is_not_empty(connection)
        for table in sorted(STANDING):
            connection.execute(text(f"DELETE FROM {table}"))
        into = writer(connection)
        for phase in phases(scale, seed, today, password_hasher):

            def written(count: int, label: str = phase.label, expected: int = phase.expected) -> None:
                if progress is not None:
                    progress(label, min(count, expected), expected)

            load(into, phase.rows(), written)
            written(phase.expected)
        into.finish()

    in_transaction(url, fill, around_commit=around_commit)


def is_empty(connection: Connection) -> bool:
    """Whether no table that a seed fills holds a row of anybody's. The database must be migrated."""
    return _first_filled_table(connection) is None


def _refuse_what_is_not_empty(connection: Connection) -> None:
    if (stands := migrations.current(connection)) != migrations.head():
        raise NotMigratedError(
            f"the database is at revision {stands or 'none'}, this release needs {migrations.head()}: "
            "run `steinmetz migrate` first"
        )
    if (table := _first_filled_table(connection)) is not None:
        raise NotEmptyError(
            f"the database holds data already (table {table}): seed only fills an empty one. Name another "
            "database in STEINMETZ_DATABASE_URL or another folder in STEINMETZ_DATA_DIR, or remove this one first"
        )


_THERE_FROM_THE_FIRST_DAY = {"chat_channels": "id = 'general'"}
"""Rows that the migrations have written."""


def _first_filled_table(connection: Connection) -> str | None:
    for table in TABLES.values():
        if table in STANDING:
            continue
        given = _THERE_FROM_THE_FIRST_DAY.get(table, "1 = 0")
        if connection.execute(text(f"SELECT 1 FROM {table} WHERE NOT ({given}) LIMIT 1")).first() is not None:
            return table
    return None
