"""``steinmetz migrate``, and how far a database is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import typer

from steinmetz.cli.outcome import plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.db import Database
    from steinmetz.erp.settings import Settings
    from steinmetz.live import Ringer

Advance = Callable[[str, int, int], None]


@contextmanager
def progress_bar() -> Iterator[Advance]:
    """A bar on standard error: call it with (what is done, how much is done, how much there is)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Preparing", total=None)

        def advance(label: str, done: int, total: int) -> None:
            bar.update(task, description=label, completed=done, total=total)

        yield advance


@contextmanager
def ringing(settings: Settings, command: str) -> Iterator[Ringer | None]:
    """For a command that commits by itself: give ``around_commit(ringer)`` to `in_transaction`.

    Live servers hear of what is committed before the command goes on; one that hangs is named on standard error.
    """
    from steinmetz.erp.neighbours import ringing

    with ringing(settings, f"steinmetz {command}", _warn) as ringer:
        yield ringer


@asynccontextmanager
async def opened(settings: Settings, command: str) -> AsyncIterator[Database]:
    """The database for a command that writes with units: live servers hear of each commit before it returns, drop
    what it concerns, move their screens, and say what the unit has published."""
    from steinmetz.erp.db import Database
    from steinmetz.erp.logging import configure_logging
    from steinmetz.erp.migrations.schema import schema
    from steinmetz.erp.neighbours import joined

    schema()  # a record may refer to the tables of modules that the command itself does not know
    configure_logging(settings.log_level, settings.log_format)  # standard output is the command's own
    with ringing(settings, command) as ringer:
        async with joined(Database(settings.database_address, pool_size=1), ringer) as database:
            yield database


def _warn(sentence: str) -> None:
    typer.echo(f"steinmetz: warning: {sentence}", err=True)


def revision(settings: Settings) -> str | None:
    """The schema revision of the database; None for one that was never migrated."""
    from steinmetz.erp import migrations
    from steinmetz.erp.migrations.transaction import in_transaction

    if settings.is_embedded and settings.url.database and not _exists(settings.url.database):
        return None
    return in_transaction(settings.url, migrations.current)


def _exists(path: str) -> bool:
    from pathlib import Path

    return Path(path).exists()


def migrate_command() -> None:
    from steinmetz.erp import migrations
    from steinmetz.erp.neighbours import around_commit
    from steinmetz.erp.settings import load_settings

    with plain_errors():
        settings = load_settings()
        if settings.is_embedded:
            settings.make_data_dir()
        stands = revision(settings)
        if stands == migrations.head():
            typer.echo(f"The database is at {stands}, the newest schema of this release.")
            return
        with ringing(settings, "migrate") as ringer, progress_bar() as advance:
            migrations.upgrade(settings.database_address, advance, around_commit=around_commit(ringer))
        typer.echo(f"The database went from {stands or 'nothing'} to {migrations.head()}.")
