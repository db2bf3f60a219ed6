from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.harness.pinning import Cores, pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers

CORES = Cores.of_this_machine()


def test_a_program_runs_on_its_core_and_ends_with_the_block(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with Program(command, log=tmp_path / "log", cores=CORES.load, cwd=tmp_path) as program:
        program.wait_until(answers(f"http://127.0.0.1:{port}/"), within_s=20)
        assert os.sched_getaffinity(program.pid) == set(CORES.load)
        assert program.usage().rss_bytes > 1_000_000
    assert program.process.returncode is not None


def test_a_program_that_ends_at_once_is_told_with_its_own_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the port is taken')"]
    with (
        Program(command, log=tmp_path / "log", cores=CORES.load) as program,
        pytest.raises(StartError, match="the port is taken"),
    ):
        program.wait_until(lambda: False, within_s=20)


def test_pinning_ends_with_the_block() -> None:
    before = os.sched_getaffinity(0)
    with pinned(CORES.server):
        assert os.sched_getaffinity(0) == set(CORES.server)
    assert os.sched_getaffinity(0) == before
