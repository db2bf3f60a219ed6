"""``steinmetz seed``: fill an empty database with the demo company."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer


class ScaleName(StrEnum):
    DEMO = "demo"
    LARGE = "large"


def seed_command(
    scale: Annotated[
        ScaleName, typer.Option(help="demo: 250 employees, 5,000 invoices; large: 25 times that.")
    ] = ScaleName.DEMO,
    seed: Annotated[int, typer.Option(help="The same seed on the same day gives the same company.")] = 1,
    today: Annotated[
        str | None, typer.Option(help="The day the books end before, as 2026-03-02; else today's.", metavar="DATE")
    ] = None,
) -> None:
    """Fill an empty database with a plausible company: its people, customers, books, hours and catalogue."""
    from steinmetz.cli.database import progress_bar, ringing
    from steinmetz.cli.outcome import plain_errors
    from steinmetz.clock import SystemClock
    from steinmetz.erp import migrations
    from steinmetz.erp import seed as company
    from steinmetz.erp.kit.days import company_date
    from steinmetz.erp.modules.auth.passwords import PasswordHasher
    from steinmetz.erp.neighbours import around_commit
    from steinmetz.erp.settings import load_settings

    clock = SystemClock()
    day = _date(today) if today is not None else company_date(clock.now())
    with plain_errors():
        settings = load_settings()
        begun = clock.monotonic_s()
        with ringing(settings, "seed") as ringer, progress_bar() as advance:
            if settings.is_embedded:
                settings.make_data_dir()
                migrations.upgrade(settings.database_address, advance, around_commit=around_commit(ringer))
            company.seed(
                settings.database_address,
                scale=company.SCALES[scale],
                seed=seed,
                today=day,
                password_hasher=PasswordHasher(settings).hash_now,
                progress=advance,
                around_commit=around_commit(ringer),
            )
    typer.echo(
        f"The company of scale {scale}, seed {seed}, stands as of {day} ({clock.monotonic_s() - begun:.1f} s)."
    )
    typer.echo(f"Demo logins: {', '.join(login.email for login in company.LOGINS)}; password {company.PASSWORD}")


def _date(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is not a date like 2026-03-02", param_hint="--today") from None
