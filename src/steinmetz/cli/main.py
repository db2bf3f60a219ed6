"""The commands. Each imports what it needs when it runs, so that ``--help`` answers at once.

Status 0: done. 1: the command found a fault and says so (doctor). 2: it could not begin; one line says why.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from steinmetz.cli.advise import advise_command
from steinmetz.cli.backup import backup_command
from steinmetz.cli.cache import app as cache
from steinmetz.cli.compare import app as compare
from steinmetz.cli.maintenance import app as maintenance
from steinmetz.cli.restore import restore_command
from steinmetz.cli.seed import seed_command
from steinmetz.cli.traffic import traffic_command

app = typer.Typer(
    name="steinmetz",
    help="An ERP whose every answer is fast, live and explained.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich alone takes longer than all the rest of --help
    context_settings={"help_option_names": ["-h", "--help"]},
)
users = typer.Typer(help="Users.", no_args_is_help=True)
config = typer.Typer(help="Settings.", no_args_is_help=True)
catalog = typer.Typer(help="The catalogue of functions.", no_args_is_help=True)
app.add_typer(users, name="user")
app.add_typer(config, name="config")
app.add_typer(catalog, name="catalog")
app.add_typer(maintenance, name="maintenance")
app.add_typer(compare, name="compare")
app.add_typer(cache, name="cache")


@app.callback()
def scoped(context: typer.Context) -> None:
    """What a command asks of the database belongs to it; of a server it belongs to its requests and jobs."""
    command = context.invoked_subcommand
    if command is None or command == "serve" or not {"-h", "--help"}.isdisjoint(sys.argv):
        return
    from steinmetz.sql.scope import ScopeKind, open_scope

    context.with_resource(open_scope(ScopeKind.COMMAND, command))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 lets the system choose.", max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.", min=1)] = None,
    no_seed: Annotated[bool, typer.Option("--no-seed", help="Leave an empty database empty.")] = False,
    traffic: Annotated[
        bool, typer.Option("--traffic", help="Let a few simulated clerks work, until the server ends.")
    ] = False,
) -> None:
    """Start the server.

    On the first start the embedded database is made, migrated and filled with a demo company.
    """
    from steinmetz.cli.serve import serve_command

    serve_command(host=host, port=port, workers=workers, no_seed=no_seed, traffic=traffic)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this release."""
    from steinmetz.cli.database import migrate_command

    migrate_command()


@app.command()
def report(
    since: Annotated[str, typer.Option(help="How far back: 7d, 24h; at most 8d.")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """The review of the last days: where queries took time, what moved, and how changes turned out."""
    from steinmetz.cli.report import report_command

    report_command(since, as_json=as_json)


@users.command("create")
def create_user(
    email: Annotated[str, typer.Option(help="E-mail address, the name to sign in with.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    role: Annotated[str, typer.Option(help="admin, manager, clerk or auditor.")] = "clerk",
    password_file: Annotated[
        Path | None, typer.Option(help="Read the password from this file ('-': standard input).")
    ] = None,
) -> None:
    """Create a user; the password is asked for, or read from a file."""
    from steinmetz.cli.users import create_user_command

    create_user_command(email, name, role, password_file)


@app.command()
def token(
    email: Annotated[str, typer.Option(help="Whose token.")],
) -> None:
    """Print an access token for a user.

    It lasts as long as one from signing in; for scripts.
    """
    from steinmetz.cli.users import token_command

    token_command(email)


@config.command("show")
def show_config(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show every setting and where it comes from; secrets stay hidden."""
    from steinmetz.cli.config import show_config_command

    show_config_command(as_json=as_json)


@catalog.command("import")
def import_catalogue(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders to look for files in.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would become.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Take files of a catalogue into the database.

    Each file goes in as a whole or not at all. Ends with status 1 if one was refused.
    """
    from steinmetz.cli.catalog import import_command

    import_command(paths, dry_run=dry_run, as_json=as_json)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Look for faults and say how to mend them.

    Ends with status 1 if there is a fault.
    """
    from steinmetz.cli.doctor import doctor_command

    doctor_command(as_json=as_json)


app.command("seed")(seed_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("traffic")(traffic_command)
app.command("advise")(advise_command)


def run() -> None:
    """The entry point ``steinmetz``."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "steinmetz":
            raise
        extra = {"redis": "redis", "asyncpg": "postgres", "aiohttp": "traffic"}.get(package, "erp")
        typer.echo(f"steinmetz: {package} is not installed; run: pip install 'steinmetz[{extra}]'", err=True)
        raise SystemExit(2) from None
