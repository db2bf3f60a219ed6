"""``steinmetz cache``: look into a running server's cache, drop from it and warm it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    help="The response cache of the running server: how it does, what it holds, dropping and warming.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=500)]
ASK_S = 30


class By(StrEnum):
    HITS = "hits"
    SAVED = "saved"
    BYTES = "bytes"
    NEWEST = "newest"


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Hits, misses and why, what was saved; by route."""
    told = _ask("stats")
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(
        f"{told['hits']} hits, {told['misses']} misses ({told['hitRate']:.1%} hits), {told['bypasses']} past it; "
        f"{told['entries']} answers in {told['bytes'] / 1e6:.1f} of {told['budgetBytes'] / 1e6:.0f} MB"
    )
    typer.echo(
        f"saved {told['savedMs'] / 1000:.1f} s of computing; {told['bytesServed'] / 1e6:.1f} MB served; "
        f"{told['invalidated']} dropped by {told['commits']} commits, {told['needless']} of them needlessly"
    )
    table = _table(
        "route", "hits", "rate", "misses", "dropped", "needless", "saved s", "most often missed because"
    )
    for route in told["routes"][:40]:
        because = next(iter(route["missedBecause"]), "")
        table.add_row(
            route["route"], str(route["hits"]), f"{route['hitRate']:.0%}", str(route["misses"]),
            str(route["dropped"]), str(route["needless"]), f"{route['savedMs'] / 1000:.1f}", because,
        )  # fmt: skip
    _print(table)


@app.command()
def entries(limit: Limit = 20, by: Annotated[By, typer.Option(help="What comes first.")] = By.HITS) -> None:
    """What is kept; never the answers themselves."""
    table = _table("key", "hits", "bytes", "age s", "ttl s", "cost ms", "saved ms")
    for entry in _ask("entries", limit=limit, order=by.value):
        table.add_row(
            entry["key"], str(entry["hits"]), str(entry["bytes"]), str(entry["ageSeconds"]),
            str(entry["ttlSeconds"]), f"{entry['costMs']:.1f}", f"{entry['savedMs']:.0f}",
        )  # fmt: skip
    _print(table)


@app.command()
def invalidations(limit: Limit = 20) -> None:
    """Who dropped what, newest first."""
    table = _table("at", "cause", "user", "relations", "dropped", "needless")
    for one in _ask("invalidations", limit=limit):
        table.add_row(
            one["at"], one["cause"], one["user"] or "", ", ".join(one["relations"][:5]), str(one["dropped"]),
            str(one["needless"]),
        )  # fmt: skip
    _print(table)


@app.command()
def invalidate(
    path: Annotated[str | None, typer.Argument(help="A path: with all queries and everything below it.")] = None,
    tag: Annotated[str | None, typer.Option(help="Answers that carry this tag.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Like /api/invoices/*/pdf; ** ends it for the rest.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
) -> None:
    """Drop answers; the next request for each computes it anew."""
    if [path, tag, pattern].count(None) != (3 if everything else 2):
        fail("name one thing to drop: a path, --tag, --pattern or --all")
    wanted = {"path": path, "tag": tag, "pattern": pattern, "everything": everything}
    drop = {name: value for name, value in wanted.items() if value}
    typer.echo(f"{_ask('invalidate', drop=drop)['dropped']} answers dropped.")


@app.command()
def warm() -> None:
    """Compute the answers that were worth most, before anybody asks; shows how far it is."""
    import time

    from rich.progress import Progress

    total = _ask("warm")["answers"]
    if not total:
        typer.echo("Nothing is known to be worth it yet: answers count once they have been asked for again.")
        return
    with Progress(transient=True) as bar:
        task = bar.add_task("Warming", total=total)
        while True:
            progress = _ask("stats")["warming"]
            bar.update(task, completed=progress["kept"] + progress["failed"])
            if not progress["running"]:
                break
            time.sleep(0.2)
    typer.echo(f"{progress['kept']} answers are warm, {progress['failed']} could not be kept.")


@app.command()
def watch_table(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables, as SQL names them.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Watch them no more.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the watched tables.")] = False,
) -> None:
    """Have PostgreSQL tell what other programs write to a table; only for tables that others do write."""
    from sqlalchemy import Connection

    from steinmetz.cli.database import ringing
    from steinmetz.erp.migrations.transaction import in_transaction
    from steinmetz.erp.neighbours import around_commit
    from steinmetz.erp.settings import load_settings
    from steinmetz.live.strangers.triggers import table_named, unwatch, watch, watched

    names = tables or []
    if listing is bool(names) or (listing and remove):
        fail("name the tables, or --list alone")
    with plain_errors():
        settings = load_settings()
        if settings.is_embedded:
            typer.echo("Not needed on SQLite: the server itself asks whether others have written.")
            return
        if listing:
            for name in in_transaction(settings.url, watched):
                typer.echo(name)
            return

        def change(connection: Connection) -> list[str]:
            found = [table_named(connection, name) for name in names]
            for table in found:
                (unwatch if remove else watch)(connection, table)
            return [str(table) for table in found]

        with ringing(settings, "cache watch-table") as ringer:
            changed = in_transaction(settings.url, change, around_commit=around_commit(ringer))
    for name in changed:
        typer.echo(f"{name} is watched no more." if remove else f"{name} is watched.")
    if not remove:
        typer.echo("Running servers begin to listen within 5 s (STEINMETZ_FOREIGN_WRITERS).")


def _ask(command: str, **wanted: Any) -> Any:
    """What the running server of these settings says to a command, or one line that says why not."""
    from http.client import HTTPConnection, HTTPException

    from steinmetz.erp.settings import load_settings

    with plain_errors():
        settings = load_settings()
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host
    headers = {"Content-Type": "application/json"}
    if settings.metrics_token is not None:
        headers["Authorization"] = f"Bearer {settings.metrics_token.get_secret_value()}"
    connection = HTTPConnection(host, settings.port, timeout=ASK_S)
    try:
        connection.request("POST", f"/api/cache/commands/{command}", body=json.dumps(wanted), headers=headers)
        response = connection.getresponse()
        told = json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        fail(f"no server answers at {host}:{settings.port}: start it with `steinmetz serve`")
    finally:
        connection.close()
    if response.status >= 400:
        fail(str(told.get("detail", f"the server refuses with status {response.status}")))
    return told["data"]


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)
