"""``steinmetz catalog import``: files of a catalogue into the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.cli.database import Advance
    from steinmetz.erp.modules.catalog.importing import SourceFile
    from steinmetz.erp.modules.catalog.schemas import FileReport, ImportFindingView

REFUSED = 1
MAX_FILES = 1_000


def import_command(paths: Sequence[Path], *, dry_run: bool, as_json: bool) -> None:
    with plain_errors():
        files = [_file(path) for path in _found(paths)]
        reports = _import(files, dry_run=dry_run)
    if as_json:
        from steinmetz.erp.modules.catalog.schemas import ImportView

        view = ImportView(dry_run=dry_run, files=reports)
        typer.echo(view.model_dump_json(by_alias=True, indent=2))
    else:
        for report in reports:
            for line in _told(report, dry_run=dry_run):
                typer.echo(line)
    if any(report.refused is not None for report in reports):
        raise typer.Exit(REFUSED)


def _found(paths: Sequence[Path]) -> list[Path]:
    """The files that are named, and those of a catalogue in the folders that are named."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = sorted(each for each in path.rglob("*") if each.is_file() and _is_of_a_catalogue(each))
            if not below:
                fail(f"{path}: there is no .md, .jsonl or rules file in this folder")
            found += below
        elif path.exists():
            found.append(path)
        else:
            fail(f"{path}: there is no such file or folder")
    if len(found) > MAX_FILES:
        fail(f"{len(found)} files are too many at once; {MAX_FILES} are allowed")
    return found


def _is_of_a_catalogue(path: Path) -> bool:
    """In a folder, other files may lie beside the catalogue."""
    from steinmetz.erp.modules.catalog.formats.reading import Format, format_of

    return path.suffix.lower() in {".md", ".jsonl", ".json"} and format_of(path.name) is not Format.UNKNOWN


def _file(path: Path) -> SourceFile:
    """No more of it than shows that it is too large."""
    from steinmetz.erp.modules.catalog.formats.lines import MAX_FILE_BYTES
    from steinmetz.erp.modules.catalog.importing import SourceFile, source_name

    try:
        with path.open("rb") as opened:
            return SourceFile(source_name(path.name) or "?", opened.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        fail(f"{path}: {error.strerror}")


def _import(files: list[SourceFile], *, dry_run: bool) -> list[FileReport]:
    from steinmetz.cli.database import opened, revision
    from steinmetz.erp import migrations
    from steinmetz.erp.kit.roles import SYSTEM
    from steinmetz.erp.logging import configure_logging
    from steinmetz.erp.modules.catalog.importing import import_files
    from steinmetz.erp.settings import load_settings

    settings = load_settings(log_level="error")
    configure_logging(settings.log_level, settings.log_format)  # to standard error: --json has the other
    if (stands := revision(settings)) != migrations.head():
        fail(f"the database is at {stands or 'nothing'}, not at {migrations.head()}: run `steinmetz migrate`")

    async def run(advance: Advance | None) -> list[FileReport]:
        async with opened(settings, "catalog import") as database:
            return await import_files(database, SYSTEM, files, dry_run=dry_run, advance=advance)

    with _progress() as advance:
        return asyncio.run(run(advance))


@contextmanager
def _progress() -> Iterator[Advance | None]:
    """A bar for people; nothing where standard error is written to a file."""
    if not sys.stderr.isatty():
        yield None
        return
    from steinmetz.cli.database import progress_bar

    with progress_bar() as advance:
        yield advance


def _told(report: FileReport, *, dry_run: bool) -> Iterator[str]:
    if report.refused is not None:
        yield f"{report.name}: refused, nothing of it was changed"
    elif report.format == "rules":
        yield f"{report.name}: rules, {_rules_state(report, dry_run)}"
    else:
        counted = f"{report.nodes} nodes, {report.malformed} malformed branches"
        yield f"{report.name}: {counted}; {_changes(report, dry_run)}"
    for finding in report.findings:
        yield f"  {_place(report.name, finding)}: {finding.code}: {finding.reason}{_text(finding)}"
    unsaid = sum(report.finding_counts.values()) - len(report.findings)
    if unsaid:
        yield f"  and {unsaid} more findings of the same kinds"


def _rules_state(report: FileReport, dry_run: bool) -> str:
    if "second-rules" in report.finding_counts:
        return "set aside"
    if not report.changed:
        return "0 changes"
    return "would be in force" if dry_run else "in force now"


def _changes(report: FileReport, dry_run: bool) -> str:
    counts = {
        kind: getattr(report, kind) for kind in ("created", "changed", "moved", "deleted") if getattr(report, kind)
    }
    if not counts:
        return "0 changes"
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"would be {said}" if dry_run else said


def _place(name: str, finding: ImportFindingView) -> str:
    return f"{name}:{finding.line}" if finding.line else name


def _text(finding: ImportFindingView) -> str:
    return f" [{finding.text}]" if finding.text else ""
