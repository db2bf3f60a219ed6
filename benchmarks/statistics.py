"""What does it cost to count a query, how far do percentiles err, and what do a million statements take?

Ours counts as the monitor does: one append to a meter, folded into count, sum, extremes and histogram four times a
second; here after as many durations as a busy process has by then. Peers count in a process of their own, in
interleaved rounds over the same seeded durations. CPU time, the loop around the call included.
"""

# ruff: noqa: A005  it is called what it measures

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from random import Random
from time import process_time_ns
from typing import Any

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, python_packages
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.rounds import interleaved
from benchmarks.load import sketches
from steinmetz.clock import SystemClock, perf_ns
from steinmetz.monitor.analysis.histogram import RELATIVE_ERROR
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores.memory import MemoryStore

REQUIREMENTS = ("hdrhistogram==0.10.8", "ddsketch==3.0.1", "datasketches==5.2.0", "prometheus_client==0.26.0")
SEED = 20260302
OURS = "steinmetz, with its fold"
STATEMENTS = 1_000_000
MEGABYTE = 1_000_000
BATCH = 4_096
"""Durations between two folds: 16,000 queries a second."""
TOLD_APART = 100
"""Heavy statements among the million, which must all be there at the end."""


def run(options: Options) -> Report:
    report = Report()
    count, rounds = (100_000, 3) if options.quick else (1_000_000, 5)
    _many_statements(report, options)
    options.say("installing the peers")
    python = python_packages("sketches", REQUIREMENTS)
    peers: dict[str, Any] = {OURS: lambda: _ours("usual", count)}
    if isinstance(python, Missing):
        for name in sketches.PEERS:
            report.add(name, None, python.reason)
    else:
        for name in sketches.PEERS:
            peers[name] = lambda name=name: _peer(python, name, "usual", count)
    costs = interleaved(rounds, peers, options.say)
    for name, results in costs.items():
        if name == OURS:
            report.add(
                "one add: steinmetz, on the query's path", median([r["append_ns"] for r in results]), "ns of CPU"
            )
        report.add(f"one add: {name}", median([result["ns"] for result in results]), "ns of CPU")
    worst = 0.0
    for shape in sketches.SHAPES:
        for name in peers:
            options.say(f"percentiles of {shape}: {name}")
            found = _ours(shape, count) if name == OURS else _peer(Path(str(python)), name, shape, count)
            if found["worst_percent"] is not None:
                report.add(f"worst of p50, p95, p99, p99.9, {shape}: {name}", found["worst_percent"], "% error")
            if name == OURS:
                worst = max(worst, found["worst_percent"])
    report.targets.append(at_most("percentile error, any shape", worst, RELATIVE_ERROR * 100, "%"))
    report.notes.append(f"{count:,} durations of each shape, seed {SEED}")
    return report


def _ours(shape: str, count: int) -> dict[str, Any]:
    values = sketches.SHAPES[shape](Random(SEED), count)
    store = MemoryStore(SystemClock())
    meter = store.meter("f", "select f", "SELECT f")
    appending_ns = folding_ns = 0
    for begin in range(0, count, BATCH):
        batch = values[begin : begin + BATCH]
        appending_ns += round(sketches.cost_ns(meter.add, batch) * len(batch))
        began = process_time_ns()
        store.turn()
        folding_ns += process_time_ns() - began
    statistics = store.figures(Kind.STATEMENT)["f"].statistics
    worst = sketches.worst_percent(values, statistics.quantile)
    return {"ns": (appending_ns + folding_ns) / count, "append_ns": appending_ns / count, "worst_percent": worst}


def _peer(python: Path, name: str, shape: str, count: int) -> dict[str, Any]:
    command = [str(python), sketches.__file__, name, shape, str(count), str(SEED)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def _many_statements(report: Report, options: Options) -> None:
    """A million statements that run once, a hundred heavy ones among them."""
    store = MemoryStore(SystemClock())
    heavy = [store.meter(f"heavy{number}", f"heavy{number}", "SELECT 1") for number in range(TOLD_APART)]
    before, costs = _resident_bytes(), []
    tenth = STATEMENTS // 10
    for part in range(10):
        options.say(f"{part * tenth:,} of {STATEMENTS:,} statements")
        began = process_time_ns()
        for number in range(part * tenth, (part + 1) * tenth):
            if perf_ns() >= store.turn_at_ns:
                store.turn()
            fingerprint = f"{number:016x}"
            store.meter(fingerprint, f"select t {fingerprint[:8]}", "SELECT a FROM t WHERE b = ?").add(1_000_000)
            heavy[number % TOLD_APART].add(2_000_000)
        costs.append((process_time_ns() - began) / tenth)
    figures = store.figures(Kind.STATEMENT)
    taken = _resident_bytes() - before
    counted = sum(found.statistics.count for found in figures.values())
    missing = sum(f"heavy{number}" not in figures for number in range(TOLD_APART))
    report.add(f"{STATEMENTS:,} distinct statements, memory", taken / MEGABYTE, "MB")
    report.add("one statement never seen before, first tenth", costs[0] / 1_000, "µs of CPU")
    report.add("one statement never seen before, last tenth", costs[-1] / 1_000, "µs of CPU")
    report.targets += [
        at_most(f"memory at {STATEMENTS:,} statements", taken / MEGABYTE, 64, "MB"),
        at_most("cost of the last tenth over that of the first", costs[-1] / costs[0], 1.5),
        at_most("runs not counted", abs(2 * STATEMENTS - counted), 0),
        at_most(f"of {TOLD_APART} heavy statements lost", missing, 0),
    ]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096
