"""``steinmetz config show``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import typer

from steinmetz.cli.outcome import plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.settings import Settings

HIDDEN = "********"


def show_config_command(*, as_json: bool) -> None:
    with plain_errors():
        from steinmetz.erp.settings import load_settings

        rows = listing(load_settings())
    if as_json:
        import orjson

        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Variable", "Value", "From", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["variable"], "" if row["value"] is None else str(row["value"]), row["from"])
    Console().print(table)


def listing(settings: Settings) -> list[dict[str, Any]]:
    """Every setting as ``{variable, value, from}``; of secrets only that there is one."""
    from steinmetz.erp.settings import variable

    return [
        {
            "variable": variable(field),
            "value": _shown(settings, field),
            "from": "environment" if os.environ.get(variable(field)) else "default",
        }
        for field in type(settings).model_fields
    ]


def _shown(settings: Settings, field: str) -> Any:
    from pathlib import Path

    from pydantic import SecretStr

    value = getattr(settings, field)
    if field == "database_url":
        return settings.url.render_as_string(hide_password=True)
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value) if isinstance(value, Path) else value
