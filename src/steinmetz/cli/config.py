"""``steinmetz config show``."""

from __future__ import annotations

import typer

from steinmetz.cli.outcome import plain_errors


def show_config_command(*, as_json: bool) -> None:
    with plain_errors():
        from steinmetz.erp.settings import load_settings
        from steinmetz.erp.settings_listing import listing

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
