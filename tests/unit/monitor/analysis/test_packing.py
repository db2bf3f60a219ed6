"""Packed statistics come back as they were, and damaged ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.monitor.analysis.packing import FIGURES, pack, unpack
from steinmetz.monitor.analysis.statistics import Statistics

durations = st.lists(st.integers(min_value=-(10**9), max_value=10**13), max_size=50)


def of(values: list[int], *, dense: bool = False) -> Statistics:
    statistics = Statistics()
    statistics.add_all(values)
    statistics.slow, statistics.statements, statistics.most_statements, statistics.db_ns = 3, 1 << 40, 9, 10**12
    if dense:
        whole = Statistics(dense=True)
        whole.merge(statistics)
        return whole
    return statistics


@given(durations)
def test_packing_loses_nothing(values: list[int]) -> None:
    for statistics in (of(values), of(values, dense=True)):
        again = unpack(pack(statistics))
        assert [getattr(again, figure) for figure in FIGURES] == [getattr(statistics, f) for f in FIGURES]
        assert dict(again.histogram.counts) == dict(statistics.histogram.counts)


def test_a_minute_of_a_usual_statement_takes_few_bytes() -> None:
    assert len(pack(of([800_000 + 7_919 * number for number in range(100)]))) < 200


@pytest.mark.parametrize("damaged", [b"", b"\x02\x00", b"\x01", b"\x01\x80", pack(of([1, 2]))[:-1]])
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="these"):
        unpack(damaged)
