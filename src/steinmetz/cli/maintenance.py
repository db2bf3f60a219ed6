"""``steinmetz maintenance``: refuse all changes, allow them again, or say how it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.db import Unit
    from steinmetz.erp.modules.system.service.maintenance import MaintenanceView

app = typer.Typer(help="Refuse all changes while something is mended; without a command, say how it stands.")


@app.callback(invoke_without_command=True)
def status(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from steinmetz.erp.modules.system.service.maintenance import maintenance

    with plain_errors():
        typer.echo(told(_in_unit(maintenance, writes=False)))


@app.command("on")
def switch_on(
    message: Annotated[str, typer.Option(help="Why; everybody reads it.")] = "",
    until: Annotated[
        str | None,
        typer.Option(help="The announced end, e.g. 2026-03-02T22:00; company time unless it has an offset."),
    ] = None,
) -> None:
    """Refuse all changes; reading and signing in go on.

    Comes back when the last change under way has ended.
    """
    with plain_errors():
        end = _instant(until) if until is not None else None
        from steinmetz.erp.modules.system.service.maintenance import switch_maintenance

        typer.echo(told(_in_unit(lambda unit: switch_maintenance(unit, enabled=True, message=message, until=end))))


@app.command("off")
def switch_off() -> None:
    """Allow changes again."""
    with plain_errors():
        from steinmetz.erp.modules.system.service.maintenance import switch_maintenance

        typer.echo(told(_in_unit(lambda unit: switch_maintenance(unit, enabled=False))))


def told(state: MaintenanceView) -> str:
    """``Maintenance is on until 2026-03-02 22:00 (Europe/Berlin): new release``"""
    from steinmetz.erp.kit.days import COMPANY_ZONE

    def local(instant: datetime) -> str:
        return f"{instant.astimezone(COMPANY_ZONE):%Y-%m-%d %H:%M} ({COMPANY_ZONE.key})"

    if not state.enabled:
        return "Maintenance is off: changes are taken."
    end = f" until {local(state.until)}" if state.until is not None else ""
    return f"Maintenance is on{end}: {state.message or 'changes are refused'}."


def _instant(written: str) -> datetime:
    from steinmetz.erp.kit.days import COMPANY_ZONE

    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        fail(f"--until: {written!r} is no instant like 2026-03-02T22:00")
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=COMPANY_ZONE)


def _in_unit(work: Callable[[Unit], Awaitable[MaintenanceView]], *, writes: bool = True) -> MaintenanceView:
    """The one place where this command opens the database."""
    import asyncio

    from steinmetz.cli.database import opened
    from steinmetz.erp.settings import load_settings
    from steinmetz.sql.scope import ScopeKind, open_scope

    settings = load_settings(log_level="error")

    async def run() -> MaintenanceView:
        async with opened(settings, "maintenance") as database:
            with open_scope(ScopeKind.COMMAND, "maintenance"):
                async with database.unit(writes=writes) as unit:
                    return await work(unit)

    return asyncio.run(run())
