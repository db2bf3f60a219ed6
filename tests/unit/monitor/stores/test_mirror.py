"""What other processes have written adds up, whatever spans their rows have."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.packing import pack
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import DAY, HOUR, Kind, Subject, Wanted
from steinmetz.monitor.stores import mirror as module
from steinmetz.monitor.stores.mirror import Mirror
from steinmetz.monitor.stores.shelf import WHOLE, Row

NOON = 12 * HOUR


def row(count: int, span: int, start: int, upto: int, *, process: str = "p", text: str = "") -> Row:
    statistics = Statistics()
    statistics.add_all([1_000] * count)
    return Row(process, span, start, Subject(Kind.STATEMENT, "f", "name", text), upto, pack(statistics))


def count(mirror: Mirror, window_s: float | None = None, minute: int = NOON + 5) -> int:
    return sum(statistics.count for _, statistics in mirror.read(window_s, minute * 60))


def test_wholes_take_the_place_of_the_minutes_they_reach() -> None:
    mirror = Mirror()
    mirror.put([row(100, WHOLE, 0, NOON + 3), row(7, 1, NOON + 2, NOON + 3), row(5, 1, NOON + 3, NOON + 4)])
    mirror.put([row(30, 1, NOON + 4, NOON + 5, process="q")])
    assert count(mirror) == 100 + 5 + 30
    mirror.put([row(105, WHOLE, 0, NOON + 4)])  # a row again is no more than the row
    assert count(mirror) == 105 + 30


def test_windows_up_to_an_hour_are_made_of_minutes_and_longer_ones_of_hours() -> None:
    mirror = Mirror()
    mirror.put([row(60, HOUR, NOON - HOUR, NOON), row(4, HOUR, NOON, NOON + 2)])
    mirror.put(row(2, 1, minute, minute + 1) for minute in range(NOON - 5, NOON + 4))
    assert count(mirror, 180) == 3 * 2 - 2
    assert count(mirror, 2 * 3_600) == 60 + 4 + 2 * 2


def test_what_is_older_than_a_day_and_what_does_not_fit_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror()
    minute = 10 * DAY
    mirror.put(
        [row(9, WHOLE, 0, minute), row(1, 1, minute - DAY - 2, 0), row(1, HOUR, minute - DAY - 2 * HOUR, 0)]
    )
    mirror.put(row(1, 1, minute - back, minute - back + 1) for back in range(200))
    mirror.fit(minute)
    assert len(list(mirror.stretches(0, Wanted(Kind.STATEMENT, "f")))) == 200
    monkeypatch.setattr(module, "BUDGET_BYTES", 10)
    mirror.fit(minute)
    assert len(list(mirror.stretches(0, Wanted(Kind.NAME, "name")))) == HOUR + 1
    assert count(mirror, None, minute) == 9 + 1


def test_a_statement_whose_text_was_told_once_keeps_it() -> None:
    mirror = Mirror()
    mirror.put([row(1, 1, NOON, NOON + 1, text="SELECT f"), row(1, 1, NOON + 1, NOON + 2)])
    assert {subject.text for subject, _ in mirror.read(3_600, (NOON + 2) * 60)} == {"SELECT f"}
    mirror.clear()
    assert count(mirror) == 0


def test_rows_of_a_later_release_count_nothing() -> None:
    mirror = Mirror()
    mirror.put([Row("p", WHOLE, 0, Subject(Kind.STATEMENT, "f", "f"), 0, b"\xff\x00"), row(2, 1, NOON, NOON + 1)])
    assert count(mirror) == 2


def test_the_slowest_of_each_minute_is_known() -> None:
    mirror = Mirror()
    mirror.put([row(3, 1, NOON, NOON + 1)])
    assert list(mirror.slowest(600, (NOON + 5) * 60)) == [("name", 1_000, NOON)]
    assert list(mirror.slowest(60, (NOON + 5) * 60)) == []
