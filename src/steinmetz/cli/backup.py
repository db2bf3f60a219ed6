"""``steinmetz backup``: one verified file, while the server keeps running."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steinmetz.cli.database import progress_bar
from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.backup import Manifest
    from steinmetz.erp.backup.archive import Progress
    from steinmetz.erp.settings import Settings


def backup_command(
    path: Annotated[Path, typer.Argument(help="The file to make.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is in it as JSON.")] = False,
) -> None:
    """Copy the database into one file; the server may keep running.

    The copy is one consistent state, and is verified before the file gets its name. It holds personal data and
    password hashes, but no secret of the data folder.
    """
    with plain_errors():
        from steinmetz.erp.settings import load_settings

        settings = load_settings()
        if path.is_dir() or not path.absolute().parent.is_dir():
            fail(f"{path} is no name for a file in a folder that exists")
        if path.exists() and not force:
            fail(f"{path} exists; say --force to replace it")
        with progress_bar() as advance:
            manifest = back_up(settings, path, advance, force=force)
        report(manifest, path, as_json=as_json, done="Backed up")


def report(manifest: Manifest, path: Path, *, as_json: bool, done: str, **more: Any) -> None:
    told = {"path": str(path), **manifest.as_dict(), **more}
    if as_json:
        import orjson

        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    rows = manifest.contents.rows
    size = path.stat().st_size / 1e6
    typer.echo(
        f"{done} {sum(rows.values()):,} rows in {len(rows)} tables (schema {manifest.contents.revision}, "
        f"{manifest.engine}); {path}, {size:,.1f} MB, of {told['createdAt']}."
    )


def back_up(settings: Settings, path: Path, progress: Progress, *, force: bool) -> Manifest:
    """Make the backup ``path``. Raises `BackupError`; then there is no file, or still the former one."""
    from steinmetz import __version__
    from steinmetz.clock import SystemClock
    from steinmetz.erp.backup import BackupError, Manifest, write_archive
    from steinmetz.erp.backup.archive import digest_of, draft_folder

    with draft_folder(path.absolute()) as folder:
        copy = folder / "copy"
        created_at = SystemClock().now()
        if settings.is_embedded:
            import sqlite3

            from steinmetz.erp.backup import sqlite
            from steinmetz.erp.backup.manifest import refuse_what_differs

            source = Path(str(settings.url.database))
            if not source.is_file():
                raise BackupError(f"there is no database {source}")
            try:
                contents = sqlite.copy_of(source, copy, progress)
            except sqlite3.DatabaseError as error:
                raise BackupError(f"{source} cannot be read: {error}") from None
            progress("Verifying", 0, 1)
            refuse_what_differs(sqlite.verified(copy), contents, "the copy")
            server = f"SQLite {sqlite3.sqlite_version}"
        else:
            import asyncio

            from steinmetz.erp.backup import postgres

            contents, server = asyncio.run(postgres.copy_of(settings.url, copy, progress))
            asyncio.run(postgres.verified(settings.url, copy, contents, progress))
        size = copy.stat().st_size
        digest = digest_of(copy, lambda done: progress("Verifying", done, size))
        manifest = Manifest(
            release=__version__,
            engine=settings.url.get_backend_name(),
            server=server,
            created_at=created_at,
            contents=contents,
            size_bytes=size,
            sha256=digest,
        )
        draft = folder / "archive"
        write_archive(draft, manifest, copy, progress)
        if force:
            draft.replace(path)
        else:
            try:
                os.link(draft, path)  # which never replaces a file that came meanwhile
            except FileExistsError:
                raise BackupError(f"{path} exists; say --force to replace it") from None
    return manifest
