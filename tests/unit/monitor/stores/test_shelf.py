"""What becomes of the rows of processes that are silent or dead."""

from __future__ import annotations

from steinmetz.monitor.analysis.packing import pack, unpack
from steinmetz.monitor.analysis.statistics import OTHER, Statistics
from steinmetz.monitor.analysis.window import HOUR, Kind, Subject
from steinmetz.monitor.stores import shelf
from steinmetz.monitor.stores.shelf import ARCHIVE, WHOLE, Row, archived, caught_up, hours_caught_up


def row(key: str, *durations: int, process: str = "p", span: int = WHOLE, start: int = 0, upto: int = 10) -> Row:
    statistics = Statistics()
    statistics.add_all(durations)
    return Row(process, span, start, Subject(Kind.STATEMENT, key, key), upto, pack(statistics))


def counts(rows: list[Row]) -> dict[str, int]:
    return {each.subject.key: unpack(each.packed).count for each in rows}


def test_a_silent_process_gets_its_last_minutes_into_its_wholes() -> None:
    rows = [
        row("a", 1, 2, 3, upto=10),
        row("a", 9, span=1, start=9),  # is in the whole already
        row("a", 4, 5, span=1, start=10),
        row("b", 6, span=1, start=11),
        row("c", 7, upto=12),
    ]
    caught = caught_up(rows, 60)
    assert counts(caught) == {"a": 5, "b": 1}
    assert {(each.process, each.span, each.upto) for each in caught} == {("p", WHOLE, 60)}
    assert caught_up(caught, 70) == []


def test_a_silent_process_gets_its_last_minutes_into_its_hours() -> None:
    rows = [
        row("a", 1, 2, 3, span=HOUR, start=60, upto=70),
        row("a", 9, span=1, start=69),  # is in the hour already
        row("a", 4, 5, span=1, start=70),
        row("b", 6, span=1, start=119),
        row("b", 7, span=1, start=120),
        row("c", 8, span=HOUR, start=60, upto=70),
        row("a", 9, 9),  # wholes are no matter here
    ]
    caught = hours_caught_up(rows)
    assert [(each.subject.key, each.start, unpack(each.packed).count) for each in caught] == [
        ("a", 60, 5),
        ("b", 60, 1),
        ("b", 120, 1),
    ]
    assert {(each.process, each.span, each.upto - each.start) for each in caught} == {("p", HOUR, HOUR)}
    later = [each for each in rows if each.span == 1] + caught
    assert hours_caught_up(later) == []


def test_dead_processes_are_summed_up() -> None:
    sums = archived([row("a", 1, process="p"), row("a", 2, process="q"), row("b", process="p")], 99)
    assert counts(sums) == {"a": 2}
    assert sums[0].process == ARCHIVE


def test_the_archive_keeps_the_heavy_ones() -> None:
    many = [row(f"k{number}", number) for number in range(1, shelf.ARCHIVED + 51)]
    sums = counts(archived(many, 0))
    assert sums[OTHER] == 50
    assert f"k{shelf.ARCHIVED + 50}" in sums
    assert "k1" not in sums
    assert len(sums) == shelf.ARCHIVED + 1


def test_rows_of_a_later_release_are_left_out() -> None:
    later = Row("p", WHOLE, 0, Subject(Kind.STATEMENT, "x", "x"), 0, b"\xff\x00")
    assert counts(archived([later, row("a", 1)], 0)) == {"a": 1}
