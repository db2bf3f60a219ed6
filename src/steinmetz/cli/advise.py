"""``steinmetz advise``: which indexes the workload of the running server wants, with the proof."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from rich.console import RenderableType
    from sqlalchemy.ext.asyncio import AsyncEngine

    from steinmetz.erp.settings import Settings
    from steinmetz.monitor.advisor.advice import Advice, Gain
    from steinmetz.monitor.advisor.workload import Workload

ASK_S = 10.0
REJECTED_SHOWN = 8
HELPED_SHOWN = 4
HOW_TO_GET_ONE = (
    "start `steinmetz serve`, let people work with it for a while (or `steinmetz traffic`), and ask again; "
    "or name a file with --workload"
)


def advise_command(
    verify: Annotated[
        bool, typer.Option("--verify", help="Run every statement with and without the indexes, on a copy.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    database_url: Annotated[
        str | None,
        typer.Option(
            help="Ask this database, a clone of the server's; with --verify statements are run there.",
            metavar="URL",
        ),
    ] = None,
    workload: Annotated[
        Path | None, typer.Option(help="Take the workload from this file; else ask the running server.")
    ] = None,
    alembic: Annotated[
        Path | None, typer.Option(help="Write the advice into this new file, as a revision for Alembic.")
    ] = None,
) -> None:
    """Say which indexes to make and to drop for what the running server has been asked.

    Nothing is changed. Without --verify the gain is what the planner estimates.
    """
    from steinmetz.cli.database import progress_bar
    from steinmetz.erp.db import make_engine
    from steinmetz.erp.settings import load_settings
    from steinmetz.monitor.advisor.advisor import advise_on
    from steinmetz.monitor.dialects.base import CannotExplain
    from steinmetz.monitor.dialects.consult import Terms

    with plain_errors():
        settings = load_settings(database_url=database_url)
        if alembic is not None and alembic.exists():
            fail(f"--alembic: {alembic} is there already; name a new file")
        seen = _from_file(workload) if workload is not None else _from_server(settings)
        if not seen.queries:
            fail(f"no statement was seen yet: {HOW_TO_GET_ONE}")
        _refuse_missing_file(settings)
        terms = Terms(here=database_url is not None and settings.url != load_settings().url)

        async def ask() -> tuple[Advice, str | None]:
            engine = make_engine(settings.database_address, pool_size=1)
            try:
                with progress_bar() as told:
                    advice = await advise_on(engine, seen, verify=verify, terms=terms, told=told)
                return advice, await _revision(engine)
            finally:
                await engine.dispose()

        try:
            advice, stands = asyncio.run(ask())
        except CannotExplain as reason:
            fail(str(reason))
        if alembic is not None:
            _write_revision(alembic, advice, stands)
    if as_json:
        import orjson

        typer.echo(orjson.dumps(advice.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(advice)


# ---- The workload


def _from_file(file: Path) -> Workload:
    from steinmetz.monitor.advisor.workload_file import NoWorkload, from_text

    try:
        return from_text(file.read_text(encoding="utf-8"))[0]
    except NoWorkload as reason:
        fail(f"--workload: {file}: {reason}")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"--workload: {file}: {getattr(error, 'strerror', None) or 'it is not text'}")


def _from_server(settings: Settings) -> Workload:
    """Ask the server of these settings to write down what it has seen; without one, take what was written last."""
    from steinmetz.erp.modules.system.workload import WORKLOAD_FILE
    from steinmetz.monitor.advisor.workload_file import NoWorkload, from_text

    file = settings.data_dir / WORKLOAD_FILE
    refusal = _ask_server(settings)
    try:
        seen, made_at = from_text(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fail(
            f"there is no workload yet ({refusal or 'the server writes to another data folder'}): {HOW_TO_GET_ONE}"
        )
    except (NoWorkload, UnicodeDecodeError) as reason:
        fail(f"{file}: {reason}")
    if refusal:
        typer.echo(f"steinmetz: {refusal}; taking the workload of {made_at}", err=True)
    return seen


def _ask_server(settings: Settings) -> str:
    """Why the server did not write its workload; empty if it did."""
    from http.client import HTTPConnection, HTTPException

    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host
    headers = {"Content-Type": "application/json"}
    if settings.metrics_token is not None:
        headers["Authorization"] = f"Bearer {settings.metrics_token.get_secret_value()}"
    connection = HTTPConnection(host, settings.port, timeout=ASK_S)
    try:
        connection.request("POST", "/api/diagnostics/workload", headers=headers)
        status = connection.getresponse().status
    except (OSError, HTTPException):
        return f"no server answers at {host}:{settings.port}"
    finally:
        connection.close()
    return "" if status == 200 else f"the server at {host}:{settings.port} refuses with status {status}"


def _refuse_missing_file(settings: Settings) -> None:
    file = Path(settings.url.database or "")
    if settings.is_embedded and not file.exists():
        fail(f"there is no database at {file}: run `steinmetz migrate`, or name it in --database-url")


# ---- The revision


async def _revision(engine: AsyncEngine) -> str | None:
    from steinmetz.erp import migrations

    async with engine.connect() as connection:
        return await connection.run_sync(migrations.current)


def _write_revision(file: Path, advice: Advice, stands: str | None) -> None:
    import secrets

    from steinmetz.monitor.advisor.revision import revision_text

    text = revision_text(advice, revision=secrets.token_hex(6), down_revision=stands)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except OSError as error:
        fail(f"--alembic: {file}: {error.strerror}")
    typer.echo(f"steinmetz: the revision is in {file}", err=True)


# ---- For people


def _print(advice: Advice) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for part in _parts(advice):
        # What is to be copied, and sentences, are wrapped by the terminal, if at all.
        console.print(part, highlight=False, soft_wrap=isinstance(part, Text))


def _parts(advice: Advice) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = [
        Text(
            f"{advice.statements} statements, {advice.calls:,} calls, {advice.parameter_sets} sets of parameters; "
            f"{advice.candidates} candidates weighed"
        )
    ]
    if not advice.create:
        parts.append(Text("No further index is worth its upkeep."))
    for creation in advice.create:
        table = Table(box=None, pad_edge=False)
        for heading in ("statement", "calls", "estimated", "verified", "worst", "observed"):
            table.add_column(heading, justify="left" if heading == "statement" else "right")
        effects = [*creation.helps[:HELPED_SHOWN], *creation.slows[:HELPED_SHOWN]]
        for effect in effects:
            table.add_row(Text(effect.name), f"{effect.calls:,}", *_figures(effect.gain))
        parts += [Text(), Text(f"{creation.ddl};", style="bold"), table]
        more = len(creation.helps) + len(creation.slows) - len(effects)
        size = (
            f"{creation.size_bytes / 1e6:,.1f} MB; saves about {creation.saves_ms / 1000:,.1f} s of the workload"
        )
        parts.append(Text(f"{size}{f'; {more} further statements' if more else ''}. {creation.note}".strip()))
    for removal in advice.drop:
        parts += [
            Text(),
            Text(f"{removal.ddl};", style="bold"),
            Text(f"{removal.reason} {_mb(removal.size_bytes)}"),
        ]
    if advice.rejected:
        parts += [Text(), Text("Not taken:", style="bold")]
        parts += [Text(f"{each.index.definition()}: {each.reason}") for each in advice.rejected[:REJECTED_SHOWN]]
        if (more := len(advice.rejected) - REJECTED_SHOWN) > 0:
            parts.append(Text(f"and {more} more (--json shows them)"))
    parts += [Text(f"{each.name}: {each.reason}") for each in advice.unheard]
    if advice.is_verified:
        parts += [Text(), Text("Every statement was run before and after with all of its parameters.")]
    elif advice.not_verified_because:
        parts += [Text(), Text(f"Not verified. {advice.not_verified_because}")]
    return parts


def _figures(gain: Gain) -> list[str]:
    return [
        "" if value is None else f"{value:,.1f} x" if value >= 1 else f"{value:.2f} x"
        for value in (gain.estimated, gain.verified, gain.worst, gain.observed)
    ]


def _mb(size_bytes: int) -> str:
    return f"It takes {size_bytes / 1e6:,.1f} MB."
