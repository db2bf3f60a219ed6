from __future__ import annotations

import pytest

from benchmarks.erp import FULL, QUICK, Round, Screens, report_screens, report_workload, shown_after_ms
from benchmarks.harness.cpu import Usage
from benchmarks.harness.product import Probed
from benchmarks.harness.report import Report
from benchmarks.harness.socketio_load import Arrivals
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.report import Tally

LOOK = Call("GET /api/invoices/{id}", "/api/invoices/7", record="invoice")
MS = 1_000_000


def test_a_commit_is_shown_by_the_first_poll_asked_for_after_it() -> None:
    polls = [(10 * MS, 15 * MS), (20 * MS, 26 * MS), (30 * MS, 33 * MS)]
    assert list(shown_after_ms([12 * MS, 20 * MS, 29 * MS], polls)) == [14.0, 6.0, 4.0]


def test_a_commit_after_the_last_poll_is_never_shown() -> None:
    assert list(shown_after_ms([12 * MS], [(10 * MS, 11 * MS)])) == []


def round_of(read_ms: float, x_cache: str, queries: int, *, stale: int = 0) -> Round:
    tally = Tally()
    for _ in range(100):
        tally.take(LOOK, Reply(200, None, x_cache), b"same", "clerk", read_ms)
    tally.ledger.stale = stale
    return Round(tally, [read_ms] * 100, [], Usage(1.0, 0.5, 0), Probed({"read": queries}), [])


def targets(report: Report) -> dict[str, bool]:
    return {target.name: target.holds for target in report.targets}


def test_the_promises_hold_when_everything_is_fast_fresh_and_kept() -> None:
    report = Report()
    report_workload(report, [round_of(50.0, "BYPASS", 800)], [round_of(0.5, "HIT", 10)])
    assert targets(report) == {
        "reads, times faster in the median": True,
        "hits, of an oracle's": True,
        "queries a read": True,
        "stale answers": True,
    }


def test_slow_reads_misses_and_stale_answers_are_told() -> None:
    report = Report()
    report_workload(report, [round_of(50.0, "BYPASS", 800)], [round_of(5.0, "MISS", 80, stale=1)])
    assert not any(targets(report).values())


@pytest.mark.parametrize(("delay_us", "holds"), [(30_000, True), (60_000, False)])
def test_commit_to_screen_is_held_to_its_bound(delay_us: int, holds: bool) -> None:
    arrivals = Arrivals()
    arrivals.add([[delay_us, 1000]])
    report = Report()
    report_screens(report, Screens(1000, 1000, "", arrivals, 0, 20.0, 3.0))
    assert targets(report) == {
        "commit to screen at 1,000 screens, p99": holds,
        "screens that missed something at 1,000 screens": True,
    }


def test_screens_that_could_not_connect_break_the_promise_and_say_why() -> None:
    report = Report()
    report_screens(report, Screens(0, 1000, "refused: Authentication required", Arrivals(), 0, 0.0, 0.0))
    assert any("Authentication required" in row.unit for row in report.rows)
    assert not report.holds


def test_the_quick_form_measures_less_of_the_same() -> None:
    assert (QUICK.clerks, QUICK.pause_s) == (FULL.clerks, FULL.pause_s)
    assert QUICK.rounds * QUICK.seconds < FULL.rounds * FULL.seconds
    assert set(QUICK.screens) < set(FULL.screens)
