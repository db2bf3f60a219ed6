from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness.report import Report
from benchmarks.soak import Look, after_the_limit, errors_of, parts_of, report_memory, report_work
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.report import Tally

MIB = 2**20


def looks(*rss_mib: float, full_after: int = 0) -> list[Look]:
    return [
        Look(5.0 * number, round(rss * MIB), 16_000_000, max(0, number - full_after + 1))
        for number, rss in enumerate(rss_mib)
    ]


def targets(report: Report) -> dict[str, bool]:
    return {target.name: target.holds for target in report.targets}


def test_the_time_before_the_cache_is_full_does_not_count() -> None:
    assert [look.at_s for look in after_the_limit(looks(1, 2, 3, full_after=1))] == [5.0, 10.0]


def test_each_part_is_its_median() -> None:
    assert parts_of(looks(*(number // 2 for number in range(20)))) == [number * MIB for number in range(10)]


@pytest.mark.parametrize(("last", "holds"), [(104.0, True), (106.0, False)])
def test_memory_is_held_to_five_percent(last: float, holds: bool) -> None:
    report = Report()
    report_memory(report, looks(50, *[100.0] * 18, last, last, full_after=1))
    assert targets(report) == {"memory since the cache is full, apart": holds}


def test_a_cache_that_never_fills_shows_nothing() -> None:
    report = Report()
    report_memory(report, looks(*[100.0] * 20, full_after=30))
    assert not report.holds


def test_lies_lost_answers_and_failures_are_told() -> None:
    tally = Tally()
    tally.take(Call("GET /api/invoices", "/api/invoices"), Reply(500, None), b"", "clerk", 1.0)
    tally.broken = tally.sockets_lost = tally.ledger.stale = 1
    report = Report()
    report_work(report, tally, logged=1)
    assert not any(targets(report).values())


def test_errors_are_found_in_a_log(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text(
        'SteinmetZ answers\n{"level":"warning"}\n{"level":"error"}\nTraceback (most recent call last):\n'
    )
    assert errors_of(log) == 2
