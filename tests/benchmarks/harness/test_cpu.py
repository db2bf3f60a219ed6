from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.cpu import PAGE_BYTES, TICKS_PER_S, parse_stat, usage_of_tree


def pretend(proc: Path, pid: int, parent: int, user: int, system: int, pages: int, name: str = "server") -> None:
    folder = proc / str(pid)
    folder.mkdir()
    stat = f"{pid} ({name}) S {parent} 1 1 0 -1 4194560 900 0 0 0 {user} {system} 5 7 20 0 1 0"
    (folder / "stat").write_text(stat)
    (folder / "statm").write_text(f"9000 {pages} 10 1 0 10 0")


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields(tmp_path: Path) -> None:
    pretend(tmp_path, 7, 3, 11, 13, 1, name="a (b) c")
    stat = parse_stat((tmp_path / "7" / "stat").read_text())
    assert (stat.parent, stat.user, stat.system) == (3, 11, 13)


def test_a_tree_counts_children_and_grandchildren_but_no_strangers(tmp_path: Path) -> None:
    pretend(tmp_path, 10, 1, 100, 50, 2)
    pretend(tmp_path, 11, 10, 10, 5, 3)
    pretend(tmp_path, 12, 11, 1, 1, 4)
    pretend(tmp_path, 99, 1, 5000, 5000, 500)
    usage = usage_of_tree(10, tmp_path)
    assert usage.user_s == (100 + 10 + 1 + 3 * 5) / TICKS_PER_S
    assert usage.system_s == (50 + 5 + 1 + 3 * 7) / TICKS_PER_S
    assert usage.rss_bytes == 9 * PAGE_BYTES


def test_a_process_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProcessLookupError, match="process 4"):
        usage_of_tree(4, tmp_path)


def test_a_child_that_ended_still_counts_in_a_real_tree() -> None:
    before = usage_of_tree(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(6_000_000))"], check=True)
    assert (usage_of_tree(os.getpid()) - before).cpu_s > 0
