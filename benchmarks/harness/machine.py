"""The machine a figure comes from, and how quiet it was meanwhile."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.pinning import Cores, pinned
from steinmetz.clock import perf_ns

SPIN_STEPS = 400_000
TRUSTED_NOISE_PERCENT = 30


@dataclass(frozen=True, slots=True)
class Spin:
    """Milliseconds that a fixed loop of Python took, best and worst of several turns."""

    best_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class Ticks:
    """The machine's CPU ticks since boot, from the first line of /proc/stat."""

    stolen: int
    total: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How the machine did at one moment."""

    spin: Spin
    ticks: Ticks


@dataclass(frozen=True, slots=True)
class Machine:
    """What the reader of a figure must know of its origin."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    pinned_apart: bool
    before: Reading
    after: Reading

    @property
    def steal_percent(self) -> float:
        """Time that the hypervisor gave to others while the benchmark ran."""
        total = self.after.ticks.total - self.before.ticks.total
        return 100 * (self.after.ticks.stolen - self.before.ticks.stolen) / total if total else 0.0

    @property
    def noise_percent(self) -> float:
        """How far apart the slowest and the fastest turn of the same loop were, before and after."""
        best = min(self.before.spin.best_ms, self.after.spin.best_ms)
        return 100 * (max(self.before.spin.worst_ms, self.after.spin.worst_ms) / best - 1)

    def as_document(self) -> dict[str, Any]:
        return {
            "cpu": self.cpu,
            "cores": self.cores,
            "memoryGiB": round(self.memory_gib, 1),
            "kernel": self.kernel,
            "python": self.python,
            "serverAndLoadApart": self.pinned_apart,
            "spinMs": {"before": round(self.before.spin.best_ms, 2), "after": round(self.after.spin.best_ms, 2)},
            "noisePercent": round(self.noise_percent, 1),
            "stealPercent": round(self.steal_percent, 2),
        }

    def as_lines(self) -> list[str]:
        lines = [
            f"{self.cpu}, {self.cores} cores, {self.memory_gib:.1f} GiB, {self.kernel}, Python {self.python}",
            (
                f"noise: the same loop took {self.before.spin.best_ms:.1f} ms before and "
                f"{self.after.spin.best_ms:.1f} ms after, at worst {self.noise_percent:.0f} % more; "
                f"steal {self.steal_percent:.1f} %"
            ),
        ]
        if self.noise_percent > TRUSTED_NOISE_PERCENT:
            lines.append("others worked on this machine meanwhile: trust ratios and CPU time, not milliseconds")
        if not self.pinned_apart:
            lines.append("one core only: server and load shared it, so absolute figures are too high")
        return lines


def describe(cores: Cores, before: Reading, after: Reading) -> Machine:
    """This machine, between two readings."""
    return Machine(
        cpu=_cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30,
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        pinned_apart=cores.apart,
        before=before,
        after=after,
    )


def read_now(cores: Cores) -> Reading:
    """Spin on the server's core and read the ticks; takes about 0.2 s."""
    with pinned(cores.server):
        turns = [_spin_ms() for _ in range(9)]
    return Reading(Spin(min(turns), max(turns)), parse_ticks(Path("/proc/stat").read_text()))


def parse_ticks(text: str) -> Ticks:
    """Columns of the ``cpu`` line (proc(5)): user nice system idle iowait irq softirq steal guest guest_nice.

    Guest time is already in user time, so it is left out of the total.
    """
    columns = [int(column) for column in text.split("\n", 1)[0].split()[1:]]
    return Ticks(stolen=columns[7], total=sum(columns[:8]))


def _spin_ms() -> float:
    began = perf_ns()
    total = 0
    for step in range(SPIN_STEPS):
        total += step & 7
    return (perf_ns() - began) / 1e6


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
