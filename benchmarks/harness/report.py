"""The result of a benchmark: rows, targets, and the two forms they are shown in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from benchmarks.harness.machine import Machine


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; ``value`` None says that it could not be had, ``unit`` then says why."""

    name: str
    value: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Target:
    """A promise and whether it holds; ``bound`` carries its direction, e.g. ``<= 50 ms``."""

    name: str
    value: float
    bound: str
    holds: bool


def at_least(name: str, value: float, bound: float, unit: str = "") -> Target:
    return Target(name, value, f">= {bound:g} {unit}".strip(), value >= bound)


def at_most(name: str, value: float, bound: float, unit: str = "") -> Target:
    return Target(name, value, f"<= {bound:g} {unit}".strip(), value <= bound)


@dataclass(slots=True)
class Report:
    """What one run of a benchmark found. ``notes`` are for the reader of the table, not for the file."""

    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: float | None, unit: str) -> None:
        self.rows.append(Row(name, value, unit))

    @property
    def holds(self) -> bool:
        return all(target.holds for target in self.targets)


def as_document(benchmark: str, machine: Machine, date: datetime, report: Report) -> dict[str, Any]:
    """The contracted file: ``benchmark, machine, date, rows, targets`` and nothing else."""
    return {
        "benchmark": benchmark,
        "machine": machine.as_document(),
        "date": date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "rows": [{"name": row.name, "value": _figure(row.value), "unit": row.unit} for row in report.rows],
        "targets": [
            {"name": target.name, "value": _figure(target.value), "bound": target.bound, "holds": target.holds}
            for target in report.targets
        ],
    }


def show(console: Console, title: str, question: str, machine: Machine, report: Report) -> None:
    """Print the rows, the targets and what to know of the machine."""
    rows = Table("figure", title=title, title_justify="left", caption=question, caption_justify="left")
    rows.add_column("value", justify="right")
    rows.add_column("unit")
    for row in report.rows:
        rows.add_row(row.name, "missing" if row.value is None else _readable(row.value), row.unit)
    parts: list[Any] = [rows]
    if report.targets:
        targets = Table("target", title="Targets", title_justify="left")
        targets.add_column("value", justify="right")
        targets.add_column("bound", justify="right")
        targets.add_column("holds")
        for target in report.targets:
            verdict = Text("yes", style="green") if target.holds else Text("NO", style="bold red")
            targets.add_row(target.name, _readable(target.value), target.bound, verdict)
        parts.append(targets)
    parts += [Text(line, style="dim") for line in [*machine.as_lines(), *report.notes]]
    console.print(Group(*parts))


def _figure(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _readable(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
