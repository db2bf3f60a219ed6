"""What is a cache worth on a table that is written all the time?

Trap T10: one key that takes 20 ms to compute, 200 reads a second, and 10, 50 or 200 commits that concern it. How
many reads are answered without computing, how many cores computing would keep busy, how long a read takes, and how
many are older than a write acknowledged before they were asked. Beside it a correct cache that neither waits
for commits nor shares computations, and cashews.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, python_packages
from benchmarks.harness.report import Report, at_least, at_most

LOAD = Path(__file__).parent / "load" / "hot_table.py"
WRITES_PER_S = (10, 50, 200)
OF_THE_TRAP = {10: 0.73, 50: 0.23, 200: 0.0}
"""Reads answered without computing by the cache of the trap."""


def run(options: Options) -> Report:
    report = Report()
    seconds = 3 if options.quick else 15
    pythons: dict[str, Path | Missing] = {
        "steinmetz": Path(sys.executable),
        "naive": Path(sys.executable),
        "cashews": python_packages("cashews", ["cashews==7.6.0"]),
    }
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for writes in WRITES_PER_S:
        for contender, python in pythons.items():
            if isinstance(python, Missing):
                report.add(f"{contender}, {writes} writes/s", None, python.reason)
                continue
            options.say(f"{contender}, {writes} writes/s")
            found[contender, writes] = figures = _measured(python, contender, writes, seconds)
            name = f"{contender}, {writes} writes/s: "
            report.add(name + "answered without computing", 100 * figures["withoutComputing"], "%")
            report.add(name + "computed", figures["computed"] / seconds, "1/s")
            report.add(name + "cores busy with computing", figures["computingCores"], "cores")
            report.add(name + "cores of the process itself", figures["cpuCores"], "cores")
            report.add(name + "a read, median", figures["p50Ms"], "ms")
            report.add(name + "a read, p99", figures["p99Ms"], "ms")
            report.add(name + "stale reads", figures["stale"], "reads")
    for writes in WRITES_PER_S:
        ours, plain = found["steinmetz", writes], found["naive", writes]
        better_than = 100 * max(plain["withoutComputing"], OF_THE_TRAP[writes])
        report.targets += [
            at_least(
                f"{writes} writes/s: answered without computing",
                100 * ours["withoutComputing"],
                round(better_than, 1),
                "%",
            ),
            at_most(
                f"{writes} writes/s: cores busy with computing",
                ours["computingCores"],
                round(min(plain["computingCores"], 1.5), 2),
                "cores",
            ),
            at_most(f"{writes} writes/s: stale reads", ours["stale"], 0),
        ]
    report.notes.append("computing waits for 20 ms as for a database; its cores are computations x 20 ms")
    return report


def _measured(python: Path, contender: str, writes_per_s: int, seconds: int) -> dict[str, Any]:
    command = [str(python), str(LOAD), contender, str(writes_per_s), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10 * seconds + 60)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
