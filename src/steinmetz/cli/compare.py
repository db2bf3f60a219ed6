"""``steinmetz compare``: mark a change, and see what came of it and of all others."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from rich.console import Console

    from steinmetz.monitor.changes.change import Entry, StatementChange
    from steinmetz.monitor.changes.watch import Changes

app = typer.Typer(
    help="Before and after: mark a change, and see whether queries became faster or slower by it.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def mark(
    note: Annotated[str, typer.Argument(help="What is changed now, in a few words.")],
    author: Annotated[str, typer.Option(help="Who changes it; without, the user of this machine.")] = "",
    table: Annotated[
        list[str] | None, typer.Option(help="A table that the change concerns; may be repeated. All without.")
    ] = None,
) -> None:
    """Say that something is changed now. The hour before is compared with the hour after.

    Changes of the schema and new releases are marked by the server itself.
    """
    with plain_errors():
        try:
            change_id = asyncio.run(_mark(note, author or _user(), tuple(table or ())))
        except ValueError as error:
            fail(str(error))
        typer.echo(f"Marked as {change_id[:8]}. `steinmetz compare show` tells what came of it.")


@app.command()
def show(
    change: Annotated[str, typer.Argument(help="The first characters of its id; without, the newest.")] = "",
    as_json: AsJson = False,
) -> None:
    """What came of a change: each statement before and after, with a verdict."""
    with plain_errors():
        entries = asyncio.run(_entries())
    found = [entry for entry in entries if entry.change.id.startswith(change)]
    if not found:
        fail("there is no such change" if change else "no change is known yet: `steinmetz compare mark NOTE`")
    if len(found) > 1 and change:
        fail(f"{len(found)} changes begin with {change!r}; give more of its id")
    if as_json:
        _echo_json([found[0]])
    else:
        _show(found[0])


@app.command()
def log(
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """All changes, newest first: note, author, DDL and verdict."""
    with plain_errors():
        entries = asyncio.run(_entries())[:limit]
    if as_json:
        _echo_json(entries)
    elif not entries:
        typer.echo("No change is known yet.")
    else:
        print_log(entries)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@asynccontextmanager
async def _changes() -> AsyncIterator[Changes]:
    """The changes of the database of the settings, judged by the figures that servers have written down."""
    from steinmetz.clock import SystemClock
    from steinmetz.erp.history import figures_engine
    from steinmetz.erp.settings import load_settings
    from steinmetz.monitor.changes.log import DatabaseChangeLog
    from steinmetz.monitor.changes.watch import Changes, histories_of
    from steinmetz.monitor.stores.database import DatabaseShelf
    from steinmetz.monitor.stores.shared import SharedStore

    clock = SystemClock()
    settings = load_settings()
    settings.make_data_dir()
    store = SharedStore(clock, DatabaseShelf(engine := figures_engine(settings), owned=True))
    try:
        await store.refresh()
        yield Changes(clock, histories_of(lambda: store), change_log=DatabaseChangeLog(engine))
    finally:
        await store.shelf.aclose()


async def _mark(note: str, author: str, tables: tuple[str, ...]) -> str:
    async with _changes() as changes:
        return (await changes.mark(note, author, tables)).id


async def _entries() -> list[Entry]:
    async with _changes() as changes:
        await changes.review()
        return await changes.entries(1_000)


def _echo_json(entries: list[Entry]) -> None:
    import orjson

    from steinmetz.monitor.changes.change import shown

    typer.echo(orjson.dumps([shown(entry) for entry in entries], option=orjson.OPT_INDENT_2).decode())


def wide_console() -> Console:
    """Standard output; as wide as the tables need where it is no terminal."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)


def print_log(entries: Sequence[Entry]) -> None:
    """A line for each change."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("id", "when (UTC)", "verdict", "cause", "what", "by")
    for entry in entries:
        change = entry.change
        table.add_row(
            change.id[:8],
            f"{change.at:%Y-%m-%d %H:%M}",
            _verdict(entry.outcome.verdict.value, settled=entry.outcome.settled),
            change.cause.value,
            escape(change.note or change.ddl),
            escape(change.author),
        )
    wide_console().print(table)


def _show(entry: Entry) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = wide_console()
    change, outcome = entry.change, entry.outcome
    console.print(f"[bold]{escape(change.note or change.ddl)}[/bold]  ({change.cause.value} {change.id[:8]})")
    console.print(f"{change.at:%Y-%m-%d %H:%M:%S} UTC{', ' + escape(change.author) if change.author else ''}")
    console.print(f"Verdict: {_verdict(outcome.verdict.value, settled=outcome.settled)}")
    if not outcome.statements:
        console.print("Nothing ran both in the hour before and in the hour after it.")
        return
    table = Table("statement", "", "runs", "p95 before", "after", "slow tail", "verdict")
    for statement in outcome.statements:
        table.add_row(*_row(statement))
    console.print(table)


def _row(statement: StatementChange) -> tuple[str, ...]:
    comparison = statement.comparison
    interval = f"x {comparison.ratio:.2f} ({comparison.low:.2f}-{comparison.high:.2f})"
    return (
        statement.name,
        "writes" if statement.writes else "",
        f"{statement.before.count:,} / {statement.after.count:,}",
        f"{statement.before.p95_ms:,.2f} ms",
        f"{statement.after.p95_ms:,.2f} ms",
        interval if comparison.verdict.value != "too_few" else "",
        _verdict(comparison.verdict.value),
    )


def _verdict(verdict: str, *, settled: bool = True) -> str:
    colour = {"improved": "green", "regressed": "red", "undecided": "yellow"}.get(verdict, "dim")
    return f"[{colour}]{verdict.replace('_', ' ')}[/{colour}]{'' if settled else ' so far'}"
