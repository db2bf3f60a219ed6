"""CPU time and memory of a process tree, read from /proc (proc(5)).

CPU time, not wall time, is what a figure "per operation" is made of: it stays the same on a busy machine.
The kernel counts it in ticks of 10 ms, so an interval should hold a second of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process with all below it: CPU seconds so far, resident memory now."""

    user_s: float
    system_s: float
    rss_bytes: int

    @property
    def cpu_s(self) -> float:
        return self.user_s + self.system_s

    def __sub__(self, earlier: Usage) -> Usage:
        """What was used since ``earlier``; memory is the growth."""
        return Usage(
            self.user_s - earlier.user_s, self.system_s - earlier.system_s, self.rss_bytes - earlier.rss_bytes
        )


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that count here; times in ticks."""

    parent: int
    user: int
    system: int
    ended_children_user: int
    ended_children_system: int


def parse_stat(text: str) -> Stat:
    """Read one stat line. The name in brackets may hold brackets and spaces: fields begin after the last one."""
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(int(fields[1]), *(int(field) for field in fields[11:15]))


def usage_of_tree(root: int, proc: Path = Path("/proc")) -> Usage:
    """What ``root`` and all its descendants used; ended children count through the parent that waited for them.

    Raises `ProcessLookupError` when ``root`` does not run.
    """
    stats = _all_stats(proc)
    if root not in stats:
        raise ProcessLookupError(f"process {root} does not run")
    tree = _tree(root, stats)
    user = sum(stats[pid].user + stats[pid].ended_children_user for pid in tree)
    system = sum(stats[pid].system + stats[pid].ended_children_system for pid in tree)
    return Usage(user / TICKS_PER_S, system / TICKS_PER_S, sum(_rss_bytes(proc, pid) for pid in tree))


def _all_stats(proc: Path) -> dict[int, Stat]:
    stats: dict[int, Stat] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = parse_stat((entry / "stat").read_text())
            except OSError:
                continue  # ended between the listing and the reading
    return stats


def _tree(root: int, stats: dict[int, Stat]) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid, stat in stats.items():
        children.setdefault(stat.parent, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _rss_bytes(proc: Path, pid: int) -> int:
    try:
        return int((proc / str(pid) / "statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0
