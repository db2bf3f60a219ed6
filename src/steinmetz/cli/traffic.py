"""``steinmetz traffic``: simulated clerks at a running server, for a bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from steinmetz.erp.traffic.client import Plan
    from steinmetz.erp.traffic.report import Tally

MAX_DURATION_S = 24 * 3600
BUSIEST_ROUTES = 14


def traffic_command(
    url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:3000",
    clerks: Annotated[int, typer.Option(min=1, max=1000, help="How many people work.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same requests.")] = 1,
    duration_s: Annotated[
        float, typer.Option("--duration", min=1, max=MAX_DURATION_S, help="Seconds until they go home.")
    ] = 30.0,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Requests a second of one clerk.")] = 1.0,
    poll_s: Annotated[
        float, typer.Option("--poll", min=0, help="Seconds between polls of the overview, instead of listening.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, no display.")] = False,
    until_eof: Annotated[bool, typer.Option("--until-eof", help="Go home when standard input ends, too.")] = False,
) -> None:
    """Let simulated clerks work: nineteen reads and one write in twenty requests, one open screen each.

    Ends with status 1 if an answer was older than an acknowledged write or a request got no answer.
    """
    try:
        from steinmetz.erp.traffic.client import Plan
    except ModuleNotFoundError as error:
        raise _failed(f"traffic needs {error.name}: pip install 'steinmetz[erp,traffic]'") from error
    from steinmetz.erp.traffic.report import Tally

    plan = Plan(
        url=url,
        clerks=clerks,
        seed=seed,
        duration_s=duration_s,
        pause_s=1 / rate,
        screens=not poll_s,
        poll_s=poll_s or None,
    )
    tally = Tally()
    _run(plan, tally, quiet=as_json, until_eof=until_eof)
    if as_json:
        import orjson

        typer.echo(orjson.dumps(tally.summary(), option=orjson.OPT_INDENT_2).decode())
    if tally.ledger.stale or tally.ledger.backwards or tally.broken:
        raise typer.Exit(1)


def _failed(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)


def _run(plan: Plan, tally: Tally, *, quiet: bool, until_eof: bool) -> None:
    from rich.console import Console
    from rich.live import Live

    from steinmetz.erp.traffic.client import TrafficError, run

    work = run(plan, tally) if not until_eof else _until_eof(run(plan, tally))
    try:
        if quiet:
            asyncio.run(work)
            return
        with Live(get_renderable=lambda: view(plan, tally), console=Console(), refresh_per_second=4):
            asyncio.run(work)
    except KeyboardInterrupt:
        typer.echo("stopped early; the figures are of what was done", err=True)
    except TrafficError as error:
        raise _failed(str(error)) from None


async def _until_eof(work: Coroutine[Any, Any, None]) -> None:
    """``work``, cut off when whoever has started us ends, or closes our standard input."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def wait() -> None:
        sys.stdin.buffer.read()
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(task.cancel)

    threading.Thread(target=wait, daemon=True).start()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def view(plan: Plan, tally: Tally) -> RenderableType:
    """The figures so far, as a table."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    summary = tally.summary()
    table = Table("route", title=f"{plan.clerks} clerks at {plan.url}, seed {plan.seed}", title_justify="left")
    for column in ("requests", "hits", "an oracle's", "p50 ms", "p99 ms", "refused"):
        table.add_column(column, justify="right")
    busiest = sorted(summary["routes"].items(), key=lambda item: -item[1]["requests"])
    for name, route in busiest[:BUSIEST_ROUTES]:
        hits = route["xCache"].get("HIT", 0)
        latencies = (f"{route['p50']:.2f}", f"{route['p99']:.1f}")
        figures = (route["requests"], hits, route["oracleHits"], *latencies, route["refused"])
        table.add_row(name, *map(str, figures))
    heard = ", ".join(f"{count} {event}" for event, count in summary["events"].items()) or "no event"
    lines = [
        (
            f"{summary['requests']} requests ({summary['reads']} reads, {summary['writes']} writes), "
            f"{summary['refused']} refused, {summary['broken']} without answer"
        ),
        (
            f"reads {summary['readMs']['p50']:.2f} ms in the median, {summary['readMs']['p99']:.1f} ms p99; "
            f"hits {summary['hitRate']:.1%}, an oracle's {summary['oracleHitRate']:.1%}"
        ),
        f"heard {heard}" + (f"; {summary['polls']} polls" if summary["polls"] else ""),
    ]
    stale = summary["stale"] + summary["backwards"] + summary["eventsBackwards"]
    verdict = Text(f"{stale} stale answers in {summary['versionsChecked']} versions compared")
    verdict.stylize("bold red" if stale else "green")
    return Group(table, *map(Text, lines), verdict)
