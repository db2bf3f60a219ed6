"""Every hazard has a place: in the run, or in a file that is there."""

from __future__ import annotations

from pathlib import Path

from benchmarks.stale.clients import READS
from benchmarks.stale.hazards import HAZARDS
from benchmarks.stale.shop import WRITES

ROOT = Path(__file__).resolve().parents[3]


def test_no_hazard_is_left_out() -> None:
    assert list(HAZARDS) == [f"H{number}" for number in range(1, 29)]


def test_what_the_run_does_not_show_is_in_a_file() -> None:
    for hazard in HAZARDS.values():
        if not hazard.in_run:
            assert (ROOT / hazard.where.partition(":")[0]).is_file(), hazard


def test_the_operations_that_are_named_exist() -> None:
    known = {*READS, *WRITES, "marked", "committed"}
    for hazard in HAZARDS.values():
        named = hazard.where.split("`")[1::2]
        assert set(named) <= known, hazard
