from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from benchmarks.harness.machine import Machine, Reading, Spin, Ticks
from benchmarks.harness.report import Report, as_document, at_least, at_most, show

READING = Reading(Spin(10.0, 10.0), Ticks(0, 100))
MACHINE = Machine("CPU", 2, 24.0, "Linux 6", "3.11.7", True, READING, READING)


def report() -> Report:
    found = Report()
    found.add("reads, median", 0.123456789, "ms")
    found.add("nginx, hits", None, "missing: not installed")
    found.targets += [at_least("times faster", 49.0, 50, "x"), at_most("stale answers", 0, 0)]
    return found


def test_the_file_has_exactly_the_contracted_fields() -> None:
    document = as_document("erp", MACHINE, datetime(2026, 3, 2, 9, tzinfo=UTC), report())
    assert sorted(document) == ["benchmark", "date", "machine", "rows", "targets"]
    assert document["benchmark"] == "erp"
    assert document["date"] == "2026-03-02T09:00:00Z"
    assert document["rows"] == [
        {"name": "reads, median", "value": 0.123457, "unit": "ms"},
        {"name": "nginx, hits", "value": None, "unit": "missing: not installed"},
    ]
    assert document["targets"] == [
        {"name": "times faster", "value": 49.0, "bound": ">= 50 x", "holds": False},
        {"name": "stale answers", "value": 0.0, "bound": "<= 0", "holds": True},
    ]


def test_one_broken_promise_is_enough_not_to_hold() -> None:
    assert not report().holds
    assert Report(targets=[at_most("a", 1, 1), at_least("b", 1, 1)]).holds


def test_the_table_says_no_where_a_target_does_not_hold_and_names_what_is_missing() -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    show(console, "erp", "Is it fast?", MACHINE, report())
    printed = console.export_text()
    assert "NO" in printed
    assert "missing: not installed" in printed
    assert "Is it fast?" in printed
