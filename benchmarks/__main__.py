"""``python -m benchmarks``: list the benchmarks, or run one."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.harness.compiled import CompilerError
from benchmarks.harness.machine import describe, read_now
from benchmarks.harness.options import Options
from benchmarks.harness.pinning import Cores
from benchmarks.harness.processes import StartError
from benchmarks.harness.report import Report, as_document, show
from steinmetz.clock import SystemClock

NOT_BENCHMARKS = {"__main__"}


def names() -> list[str]:
    """Every module of this folder is a benchmark; folders are not."""
    found = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.ispkg]
    return sorted(set(found) - NOT_BENCHMARKS)


def question(module: ModuleType) -> str:
    """The first line of a benchmark's docstring."""
    return (module.__doc__ or "").strip().splitlines()[0]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Run a benchmark, or list them.")
    parser.add_argument("name", nargs="?", help="which benchmark; none lists them")
    parser.add_argument("--quick", action="store_true", help="at most 50 s, fewer samples")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--check", action="store_true", help="end in status 1 if a target does not hold")
    parser.add_argument("--install", action="store_true", help="as root, install peers from Debian")
    asked = parser.parse_args(arguments)
    console = Console()
    if asked.name is None:
        _list(console)
        return 0
    if asked.name not in names():
        console.print(f"no benchmark {asked.name!r}; there are: {', '.join(names())}", style="red")
        return 2
    try:
        return _run(console, asked.name, asked)
    except (StartError, CompilerError) as error:
        console.print(f"{asked.name} could not be measured: {error}", style="red", markup=False)
        return 2


def _list(console: Console) -> None:
    table = Table("benchmark", "question")
    for name in names():
        table.add_row(name, question(importlib.import_module(f"benchmarks.{name}")))
    console.print(table)


def _run(console: Console, name: str, asked: argparse.Namespace) -> int:
    module = importlib.import_module(f"benchmarks.{name}")
    cores = Cores.of_this_machine()
    with console.status(f"{name}: starting") as status:
        options = Options(
            quick=asked.quick,
            cores=cores,
            may_install=asked.install,
            say=lambda line: status.update(f"{name}: {line}"),
        )
        before = read_now(cores)
        report: Report = module.run(options)
        machine = describe(cores, before, read_now(cores))
    title = f"{name}{' (quick)' if asked.quick else ''}"
    show(console, title, question(module), machine, report)
    if asked.json is not None:
        document = as_document(name, machine, SystemClock().now(), report)
        asked.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 1 if asked.check and not report.holds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
