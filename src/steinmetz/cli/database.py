"""``steinmetz migrate``, and how far a database is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from steinmetz.cli.outcome import plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.settings import Settings

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
    from steinmetz.erp.settings import load_settings

    with plain_errors():
        settings = load_settings()
        if settings.is_embedded:
            settings.make_data_dir()
        stands = revision(settings)
        if stands == migrations.head():
            typer.echo(f"The database is at {stands}, the newest schema of this release.")
            return
        with progress_bar() as advance:
            migrations.upgrade(settings.database_address, advance)
        typer.echo(f"The database went from {stands or 'nothing'} to {migrations.head()}.")
