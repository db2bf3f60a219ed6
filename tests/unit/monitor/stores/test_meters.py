"""Who has a place among the meters, and who must make room."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from steinmetz.monitor.analysis.statistics import OTHER
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores.meters import LONGEST_KEY, Cell, Roster


@pytest.fixture
def roster() -> Roster:
    return Roster(Kind.STATEMENT, 10, threading.RLock(), lambda cell, batch: None)


def total(roster: Roster) -> int:
    roster.fold()
    return sum(cell.count for cell in roster.cells())


def test_everyone_above_his_share_of_the_time_is_kept(roster: Roster) -> None:
    """2 / capacity of the total time, in the worst order: the heavy one first, then only newcomers."""
    heavy = roster.meter("heavy", "heavy")
    heavy.add(1_001)
    for number in range(4_000):
        roster.meter(f"light{number}", "light").add(1)
    assert "heavy" in roster.meters
    assert len(roster.meters) <= 10
    assert total(roster) == 4_001


def test_one_that_has_left_comes_back_with_its_next_duration(roster: Roster) -> None:
    late = roster.meter("late", "late")
    late.add(1)
    for number in range(30):
        roster.meter(f"m{number}", "m").add(1_000)
    assert "late" not in roster.meters
    late.inside(5)
    late.add(7)
    assert roster.meters["late"] is late is roster.meter("late", "late")
    assert total(roster) == 33


def test_a_duration_that_comes_late_to_a_list_is_counted(roster: Roster) -> None:
    """A thread may have looked up its list just before the meter had to leave."""
    meter = roster.meter("a", "a")
    add = meter.add
    for number in range(30):
        roster.meter(f"m{number}", "m").add(1_000)
    assert "a" not in roster.meters
    add(3)
    assert total(roster) == 31


def test_meters_that_nobody_keeps_are_gone_without_the_collector(roster: Roster) -> None:
    gc.disable()
    try:
        gone = weakref.ref(roster.meter("a", "a"))
        for number in range(2_000):
            roster.meter(f"m{number}", "m").add(number)
        assert gone() is None
    finally:
        gc.enable()


def test_marks_of_slow_ones_never_outnumber_the_samples(roster: Roster) -> None:
    meter = roster.meter("a", "a")
    for _ in range(5):
        meter.add(9)
        meter.slow()
        meter.failed(9)
    roster.fold()
    statistics = meter.samples.open
    assert statistics is not None
    assert (statistics.count, statistics.slow, statistics.errors) == (10, 5, 5)


def test_those_who_listen_hear_who_has_left(roster: Roster) -> None:
    roster.listens = True
    roster.meter("a", "a").add(1)
    roster.fold()
    for number in range(30):
        roster.meter(f"m{number}", "m").add(1_000)
    assert "a" in [subject.key for subject in roster.departed]


def test_long_names_are_cut_and_other_is_the_others(roster: Roster) -> None:
    assert roster.meter("x" * 500, "x" * 500).subject.name == "x" * LONGEST_KEY
    assert roster.meter(OTHER, OTHER) is roster.other


def test_a_meter_has_nothing_else(roster: Roster) -> None:
    with pytest.raises(AttributeError, match="remove"):
        roster.meter("a", "a").remove  # noqa: B018


def test_a_cell_forgets_what_is_pending() -> None:
    cell = Cell(Roster(Kind.ROUTE, 5, threading.RLock(), lambda *_: None).other.subject)
    cell.pending.append(5)
    cell.forget()
    assert cell.count == 0
    assert not cell.pending
