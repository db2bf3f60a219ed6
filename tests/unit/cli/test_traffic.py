from __future__ import annotations

import io

import typer
from rich.console import Console
from typer.testing import CliRunner

from steinmetz.cli.traffic import traffic_command, view
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.client import Plan
from steinmetz.erp.traffic.report import Tally

cli = typer.Typer()
cli.command()(traffic_command)


def test_no_server_is_one_clear_line_and_status_2() -> None:
    done = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:1", "--json"])
    assert done.exit_code == 2
    assert done.stderr.startswith("no server answers at http://127.0.0.1:1")
    assert "Traceback" not in done.output


def test_options_out_of_bounds_are_refused() -> None:
    assert CliRunner().invoke(cli, ["--clerks", "0"]).exit_code == 2
    assert CliRunner().invoke(cli, ["--duration", "1e9"]).exit_code == 2


def test_the_view_names_the_busiest_routes_and_counts_stale_answers() -> None:
    tally = Tally()
    for _ in range(3):
        tally.take(Call("GET /api/invoices", "/api/invoices"), Reply(200, None, "HIT"), b"x", "clerk", 2.5)
    tally.hear("dashboard:update")
    tally.ledger.stale = 1
    console = Console(record=True, width=140, file=io.StringIO())
    console.print(view(Plan("http://127.0.0.1:3000", clerks=3, seed=7), tally))
    printed = console.export_text()
    assert "3 clerks at http://127.0.0.1:3000, seed 7" in printed
    assert "GET /api/invoices" in printed
    assert "1 dashboard:update" in printed
    assert "1 stale answers" in printed
