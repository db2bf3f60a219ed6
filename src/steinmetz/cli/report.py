"""``steinmetz report``: the review of the last days."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.monitor.changes.weekly import NameReview, Review

LONGEST_DAYS = 8
"""Hours are kept for so long."""


def report_command(since: str, *, as_json: bool) -> None:
    """Print the review of ``since`` (``7d``, ``24h``) until now."""
    found = re.fullmatch(r"(\d{1,3})([dh])", since.strip().lower())
    hours = int(found[1]) * (24 if found[2] == "d" else 1) if found else 0
    if not 1 <= hours <= LONGEST_DAYS * 24:
        fail(f"--since: {since!r} is no stretch like 7d or 24h, at most {LONGEST_DAYS}d")
    with plain_errors():
        result = asyncio.run(_review(timedelta(hours=hours)))
    if as_json:
        import orjson

        from steinmetz.monitor.changes.weekly import as_json as document

        typer.echo(orjson.dumps(document(result), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(result)


async def _review(stretch: timedelta) -> Review:
    from steinmetz.clock import SystemClock
    from steinmetz.erp.history import figures_engine
    from steinmetz.erp.settings import load_settings
    from steinmetz.monitor.changes.log import DatabaseChangeLog
    from steinmetz.monitor.changes.weekly import review
    from steinmetz.monitor.stores.database import DatabaseShelf

    until = SystemClock().now()
    settings = load_settings()
    settings.make_data_dir()
    shelf = DatabaseShelf(engine := figures_engine(settings), owned=True)
    try:
        await shelf.open()
        periods = await shelf.periods(until - stretch)
        return review(periods, await DatabaseChangeLog(engine).entries(), until - stretch, until)
    finally:
        await shelf.aclose()


def _print(found: Review) -> None:
    from rich.table import Table

    from steinmetz.cli.compare import print_log, wide_console

    console = wide_console()
    console.print(
        f"[bold]{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC[/bold]: "
        f"{found.queries:,} queries, {found.total_s:,.1f} s, {found.slow:,} slow, {found.errors:,} failed"
    )
    if not found.queries:
        console.print("No query was counted. A server with STEINMETZ_MONITOR_HISTORY=on writes them down.")
    for title, names in (("Where the time went", found.names), ("What moved on the last day", found.moved)):
        if names:
            table = Table("query", "runs", "time", "share", "p95", "slow", "last day", title=title)
            for each in names:
                table.add_row(*_row(each))
            console.print(table)
    if found.changes:
        console.print("Changes")
        print_log(found.changes)


def _row(each: NameReview) -> tuple[str, ...]:
    comparison = each.comparison
    moved = comparison.verdict.value in ("regressed", "improved")
    last_day = f"{comparison.verdict.value}, x {comparison.ratio:.2f}" if moved else ""
    return (
        each.name,
        f"{each.summary.count:,}",
        f"{each.total_s:,.1f} s",
        f"{each.share:.1%}",
        f"{each.summary.p95_ms:,.2f} ms",
        f"{each.slow:,}",
        "new" if each.is_new else last_day,
    )
