"""How windows are written, and the periods they are made of."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.packing import unpack
from steinmetz.monitor.analysis.statistics import OTHER, Statistics
from steinmetz.monitor.analysis.window import Kind, Period, Ring, Subject, Wanted, parse_window, summed


def of(*values: int) -> Statistics:
    statistics = Statistics()
    statistics.add_all(values)
    return statistics


def statement(key: str, *, inside: bool = False) -> Subject:
    return Subject(Kind.STATEMENT, key, f"name of {key}", "text", inside)


@pytest.mark.parametrize(
    ("text", "length_s"),
    [("60", 60), ("30s", 30), ("5m", 300), ("1h", 3_600), ("24h", 86_400), ("1d", 86_400), (" 5M ", 300)],
)
def test_good_windows(text: str, length_s: float) -> None:
    assert parse_window(text) == length_s


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "5 m", "25h", "1w", "5m5s", "1e3", "٥m", "9" * 40, "m"])
def test_bad_ones_are_told_what_is_good(text: str) -> None:
    with pytest.raises(ValueError, match=r"good ones are 60 or 30s .*5m .*1h .*24h"):
        parse_window(text)


def test_one_subject_is_one_whatever_it_is_called() -> None:
    assert Subject(Kind.NAME, "a", "a") == Subject(Kind.NAME, "a", "another")
    assert statement("a") != statement("a", inside=True)
    assert statement("a").is_sample
    assert not statement("a", inside=True).is_sample
    assert Subject(Kind.NAME, "a", "a").is_sample
    assert not Subject(Kind.ROUTE, "a", "a").is_sample


def test_a_period_over_its_budget_gives_its_lightest_to_the_others() -> None:
    period = Period(0, 1)
    for weight in range(1, 11):
        period.put(statement(str(weight)), of(weight * 1_000, weight * 1_000))
    gone = period.fit(period.size_bytes // 2)
    assert [subject.key for subject in gone][:3] == ["1", "2", "3"]
    kept = {subject.key: unpack(packed) for subject, packed in period.cells.items()}
    assert "10" in kept
    assert kept[OTHER].count == 2 * len(gone)
    assert sum(statistics.total_ns for statistics in kept.values()) == 2_000 * sum(range(1, 11))
    assert period.fit(10**6) == []


def test_a_sealed_period_tells_what_was_counted() -> None:
    period = Period(0, 1)
    for weight in range(1, 301):
        period.count(statement(str(weight)), of(*range(weight * 1_000, weight * 2_000, 997)))
    before = dict(period.cells)
    assert period.seal(10**6) == []
    assert dict(period.cells) == before
    assert [found.count for found in period.of(Wanted(Kind.STATEMENT, "7"))] == [8]
    assert [found.count for found in period.of(Wanted(Kind.STATEMENT, "301"))] == []
    (whole,) = period.of(Wanted(Kind.STATEMENT, None))
    assert whole.count == sum(unpack(packed).count for packed in before.values())


def test_sealed_it_fits() -> None:
    period = Period(0, 1)
    for weight in range(1, 11):
        period.count(statement(str(weight)), of(weight * 1_000, weight * 1_000))
    gone = period.seal(period.size_bytes)  # without their sums
    assert [subject.key for subject in gone][:1] == ["1"]
    assert statement("10") in period.cells
    assert sum(unpack(packed).count for packed in period.cells.values()) == 20


def test_a_ring_lets_its_oldest_go() -> None:
    ring = Ring(3, 10_000)
    for start in range(5):
        ring.append(Period(start, 1))
    assert [period.start for period in ring] == [2, 3, 4]
    assert [period.start for period in ring.since(4 * 60)] == [4]
    assert [period.start for period in ring.since(4 * 60 - 1)] == [3, 4]
    for period in ring:
        period.put(statement("a"), of(*range(2_000)))
    small = Ring(3, 900)
    for period in ring:
        small.append(period)
    assert [period.start for period in small] == [4]


def test_figures_of_one_subject_are_summed() -> None:
    sums = summed([(statement("a"), of(1)), (statement("b"), of(2)), (statement("a"), of(3))])
    assert {subject.key: found.total_ns for subject, found in sums.items()} == {"a": 4, "b": 2}
