"""``steinmetz restore``: a backup in the place of the database, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steinmetz.cli.backup import report
from steinmetz.cli.database import progress_bar, ringing
from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.backup import Archive
    from steinmetz.erp.backup.archive import Progress
    from steinmetz.erp.settings import Settings
    from steinmetz.live import Ringer

PATIENCE_S = 60.0
"""How long an SQLite file that others write to is waited for."""


def restore_command(
    path: Annotated[Path, typer.Argument(help="The backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="PostgreSQL: empty the database first.")] = False,
    even_in_use: Annotated[
        bool, typer.Option("--even-in-use", help="Although a server or another program uses the database.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was restored as JSON.")] = False,
) -> None:
    """Put a backup in the place of the database.

    The backup is verified first. A former SQLite file is kept beside; a PostgreSQL database must be empty, or
    --replace is given. If anything goes wrong the database stays as it was.
    """
    with plain_errors():
        from steinmetz.erp import migrations
        from steinmetz.erp.backup import Archive
        from steinmetz.erp.backup.manifest import BackupError, refuse_what_does_not_fit
        from steinmetz.erp.settings import load_settings

        settings = load_settings()
        with Archive(path) as archive, ringing(settings, "restore") as ringer:
            manifest = archive.manifest
            try:
                refuse_what_does_not_fit(manifest, settings.url.get_backend_name(), migrations.head())
            except BackupError as error:
                fail(f"{path} cannot be restored: {error}")
            servers = ringer.neighbours() if ringer is not None else []
            if servers and not even_in_use:
                running = ", ".join(servers)
                fail(f"a server uses the database (process {running}): stop it first, or say --even-in-use")
            with progress_bar() as advance:
                kept = _restore(settings, archive, ringer, advance, replace=replace, even_in_use=even_in_use)
        report(manifest, path, as_json=as_json, done="Restored", kept=str(kept) if kept else None)
        if kept is not None:
            typer.echo(f"The former database is kept as {kept}.", err=True)
        if manifest.contents.revision != migrations.head():
            way = "the next start migrates it" if settings.is_embedded else "run `steinmetz migrate`"
            typer.echo(
                f"Its schema is {manifest.contents.revision}, this release needs {migrations.head()}: {way}.",
                err=True,
            )


def _restore(
    settings: Settings,
    archive: Archive,
    ringer: Ringer | None,
    progress: Progress,
    *,
    replace: bool,
    even_in_use: bool,
) -> Path | None:
    """Returns where the former database is kept. Raises `BackupError`; then nothing has changed."""
    from contextlib import nullcontext

    from steinmetz.erp.backup.archive import draft_folder
    from steinmetz.erp.neighbours import around_commit

    in_commit = around_commit(ringer) or nullcontext
    if settings.is_embedded:
        from steinmetz.erp.backup import sqlite
        from steinmetz.erp.backup.manifest import refuse_what_differs

        settings.make_data_dir()
        target = Path(str(settings.url.database)).absolute()
        with draft_folder(target) as folder:
            copy = folder / "copy"
            archive.extract(copy, progress)
            progress("Verifying", 0, 1)
            refuse_what_differs(sqlite.verified(copy), archive.manifest.contents, "its copy")
            progress("Replacing", 0, 1)
            with in_commit():
                if even_in_use and target.exists():
                    return sqlite.put_into(copy, target, _patience())
                return sqlite.put_in_place(copy, target)
    import asyncio

    from steinmetz.erp.backup import postgres

    settings.make_data_dir()
    with draft_folder(settings.data_dir.absolute() / "restore") as folder:
        copy = folder / "copy"
        archive.extract(copy, progress)
        restoring = postgres.restore(
            settings.url,
            copy,
            archive.manifest.contents,
            progress,
            replace=replace,
            even_in_use=even_in_use,
            around_commit=in_commit,
        )
        asyncio.run(restoring)
    return None


def _patience() -> Callable[[], None]:
    """Called while others hold the lock; raises when that has lasted too long."""
    from steinmetz.clock import SystemClock
    from steinmetz.erp.backup import BackupError

    clock = SystemClock()
    give_up_s = clock.monotonic_s() + PATIENCE_S

    def give_up() -> None:
        if clock.monotonic_s() > give_up_s:
            raise BackupError(f"others have kept the database locked for {PATIENCE_S:.0f} s: stop them first")

    return give_up
